// bridge/ledger/intake_table.h: rows beside a ledger that several machines reach, for what the broker has been told we have
// until it is decided (bridge/ingest/ledger_intake.h). Octets only: what they say is not known here.
// It is one registry's: the one that has the ledger open for writing. From the moment on that another has opened it, no row
//   is appended any more, not even one that was under way.
// Threads: NewKey from any. Append from one at a time, Erase from one at a time; both at once. Visit before the first
//   Append. VisitOf from one at a time, also while appends and erases go on.
// Errors: kLedgerInUse: another registry has the ledger now. kLedgerFailed: the server cannot be reached for so long as the
//   ledger waits for it, or refuses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "schemas/base/result.h"

namespace registry::ledger {

class IntakeTable {
 public:
  struct Row {
    std::string key, octets;
  };
  virtual ~IntakeTable() = default;
  // Every row, in the order of their keys; no more than some MiB of them are held at a time. After an error some have been
  // visited.
  virtual Status Visit(const std::function<void(Row row)>& visit) const = 0;
  // As Visit, the rows of one member of this epoch (postgres/members.h).
  virtual Status VisitOf(std::int64_t member, const std::function<void(Row row)>& visit) const = 0;
  virtual std::string NewKey() = 0;  // greater than those before, and never given again
  virtual Status Append(const std::vector<Row>& rows) = 0;  // all or none; as durable as a commit on return
  virtual Status Erase(const std::vector<std::string>& keys) = 0;  // a crash may undo it
};

}  // namespace registry::ledger
