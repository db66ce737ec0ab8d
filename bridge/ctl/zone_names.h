// bridge/ctl/zone_names.h: what a ledger says that the zone is to hold, page by page.
// Errors: as OrFail (ledger_source.h). Threads: the main one.
#pragma once

#include <functional>

#include "bridge/ledger/ledger.h"

namespace registry::ctl {

void EachZonePage(const ledger::LedgerReader& ledger,
                  const std::function<void(std::vector<domain::ZoneChange>&& page)>& take);
std::uint64_t NamesIn(const ledger::LedgerReader& ledger);

}  // namespace registry::ctl
