// bridge/ledger/keyed/erase_family.h: empties a family that is made anew. Private to bridge/ledger. Threads: the writer's.
#pragma once

#include "bridge/ledger/keyed/ordered_writes.h"

namespace registry::ledger {

// What `writes` holds is written first, or with it. A range is one write where the store is near. A server deletes row by
// row, and one statement has an end of its time, so there it goes piece by piece; who stops in between finds the rest.
Status EraseFamily(Store& store, Column column, OrderedWrites& writes);

}  // namespace registry::ledger
