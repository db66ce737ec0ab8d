// bridge/ledger/postgres/transaction.h: what one write becomes: a request for each family that it touches, with arrays of
// keys and records, between BEGIN and COMMIT. Of several words about one key the last one counts; nothing moves past the
// deletion of a range.
// Private to this folder. Owns: what its requests point to. Plain value that does not move. Threads: one.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "bridge/ledger/keyed/ordered_writes.h"
#include "bridge/ledger/postgres/statements.h"

namespace registry::ledger {

class Transaction {
 public:
  // `epoch`, `number` and `acked` as Statements::step has them. Statements outlive it.
  struct Place {
    std::int64_t epoch = 0, number = 0, acked = 0;
  };
  // kLoading: no key that is put is there, but for those of `meta`. The server need not look for it, and finds out where it
  // is wrong.
  enum class Kind : std::uint8_t { kUsual, kLoading };
  Transaction(const Statements& statements, OrderedWrites& writes, const Place& place, bool sync,
              Kind kind = Kind::kUsual);
  // Of the families alone, for whoever begins and ends it.
  Transaction(const Statements& statements, OrderedWrites& writes);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  const std::vector<Request>& requests() const { return requests_; }

 private:
  using Write = OrderedWrites::Write;
  void AddFamilies(const std::vector<Write>& all);
  void Add(const Statement& statement, std::vector<std::string> params);
  // All of one family between two deletions of ranges.
  void AddFamily(const std::vector<Write>& writes, std::size_t from, std::size_t to);

  const Statements& statements_;
  const Kind kind_;
  std::deque<std::string> params_;
  std::vector<Request> requests_;
};

}  // namespace registry::ledger
