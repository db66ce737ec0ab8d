// bridge/ledger/keyed/job_record.h: stored octets to a job, as today's registry means it. Records from before a job said
// whom it was sent to, and which deadline that party was told, are read with what was true of every such job then.
// Threads: those of the store's reads. Errors: the codec's and the store's.
#pragma once

#include "bridge/ledger/keyed/ordered_writes.h"
#include "workers/domain/job.h"

namespace registry::ledger {

Result<domain::Job> ReadJob(const Store& store, std::string_view record);

// Whether it is an alarm that nobody waits for, for a zone content that another has replaced since: a release of folder
// format 2 left it beside the new one when it reactivated a device, until DNS showed the new content.
Result<bool> IsLeftOver(const Store& store, const domain::Job& job);
// Adds their removal to `writes`; for a folder that is raised to the present format.
Status DropLeftOver(const Store& store, OrderedWrites& writes);

}  // namespace registry::ledger
