// bridge/ledger/keyed/shared_writes.h: what a store gives beside its writes when other ledgers write to the same records.
// Transactions of all of them stand behind each other. Each leaves a word about what it changed (change.h), which the others
// read before they check anything against the records.
//   Enter, then either Write or Leave.
// Threads: one at a time, the committer. Errors: the backend's; after one nothing is written any more.
// Waiting: the backend's bounds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bridge/ledger/keyed/store.h"

namespace registry::ledger {

class SharedWrites {
 public:
  using Changes = std::vector<std::string>;  // each of one transaction, in their order; never one's own
  struct Entered {
    Changes changes;                    // since the last Enter, Write or Look
    std::vector<Store::Stored> stored;  // the records of the places that were asked for, behind those changes
  };
  virtual ~SharedWrites() = default;
  // Begins a transaction. Nobody else's comes between this and its end.
  virtual Result<Entered> Enter(const std::vector<Store::Place>& wanted) = 0;
  // More records within it. Nothing: it was cut off; enter again.
  virtual Result<std::optional<std::vector<Store::Stored>>> Ask(const std::vector<Store::Place>& wanted) = 0;
  // Its end, durable on return. False: it was cut off, and nothing of it is there; the writes are as they were.
  virtual Result<bool> Write(OrderedWrites& writes, const std::string& change) = 0;
  // Its end, when there is nothing to write.
  virtual Status Leave() = 0;
  // Without a transaction: what others had written before the call. kOnce: nothing when the server is away; it is asked
  // again with the next call.
  enum class Patience : std::uint8_t { kOnce, kAsLongAsAWrite };
  virtual Result<Changes> Look(Patience patience) = 0;

 protected:
  SharedWrites() = default;
  SharedWrites(const SharedWrites&) = default;
  SharedWrites& operator=(const SharedWrites&) = default;
};

}  // namespace registry::ledger
