// bridge/ledger/postgres/shared_writer.h: the transactions of a ledger that several write to (members.h and
// keyed/shared_writes.h).
// Each takes the row of table `writer` first, and so stands behind all that were before it. It reads what they changed
// (table `changes`), and ends with a row of its own there and the next `writer.number`.
// A connection that is lost in the middle of COMMIT: the row of `changes` says whether the transaction is there. Who looks
// has taken the row of `writer`, so the server's process of before has come to its end. One that is there is acknowledged
// when a transaction behind it has come back (writer.h says why).
// After another connection, the last transaction that was seen has to be there as it was: else the server has lost some.
// A member that stands still for kHeldAtMost in the middle of one is cut off by the server. The active one is not: its lease
// judges it, and a connection that is cut off would be the ledger given up.
// Private to this folder. The session and statements outlive it. Threads: one at a time.
// Errors: kLedgerFailed. After one nothing is written any more. Waiting: retry_for of the options, and an answer's time
//   more.
#pragma once

#include "bridge/ledger/keyed/shared_writes.h"
#include "bridge/ledger/postgres/questions.h"
#include "bridge/ledger/postgres/shared_statements.h"
#include "bridge/ledger/postgres/transaction.h"
#include "bridge/ledger/postgres/writing_session.h"

namespace registry::ledger {

// Transactions behind which a change is forgotten. A ledger that has seen none for so many has to be joined anew.
inline constexpr std::int64_t kChangesKept = 20'000;

class SharedWriter final : public SharedWrites {
 public:
  // `seen`: the number up to which all is known to the ledger.
  SharedWriter(const PostgresOptions& options, const Statements& statements, WritingSession& session,
               std::int64_t seen);

  Result<Entered> Enter(const std::vector<Store::Place>& wanted) override;
  Result<std::optional<std::vector<Store::Stored>>> Ask(const std::vector<Store::Place>& wanted) override;
  Result<bool> Write(OrderedWrites& writes, const std::string& change) override;
  Status Leave() override;
  Result<Changes> Look(Patience patience) override;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Told {
    std::int64_t number = 0, member = 0;
    std::string record;
    bool operator==(const Told&) const = default;
  };
  struct Standing {          // in a transaction that has the row of `writer`
    std::vector<Told> told;  // behind seen_
    std::vector<Store::Stored> stored;
  };
  // Nothing: not now, why_ says it.
  template <class T>
  using Tried = Result<std::optional<T>>;

  Tried<Standing> TryToStand(const std::vector<Store::Place>& wanted);
  Tried<Changes> TryToLook();
  Result<bool> Connected();
  std::string From() const;  // the first change to be read, as a parameter
  // What others have written behind seen_: all of it, and as it has to be.
  Tried<std::vector<Told>> ToldIn(const Rows& first, const Rows& writer);
  Status Judge(std::vector<Told>& told, const Rows& writer);
  std::optional<Error> IsOver(const Rows& writer, const Rows* member);
  Changes Noted(std::vector<Told> told);  // seen from now on
  std::optional<Failure> Send(OrderedWrites& writes, const Told& mine);
  Result<bool> CameBack(const Told& mine, Lease::Span begun);
  // What became of the transaction that was cut off: whether it is there.
  Result<bool> Settle(const Told& mine, Time until);
  Tried<bool> TryToSettle(const Told& mine);
  // What a failure leaves: no connection, or one that goes on. An error: it will not pass.
  Status After(const Failure& failure);
  Answers Run(const std::vector<Request>& requests);
  bool IsCutOffForLong();
  Error GivenUp() const;

  const PostgresOptions options_;
  const Statements& statements_;
  const SharedStatements shared_;
  WritingSession& session_;
  const std::string epoch_, member_, lock_within_, still_at_most_, waiting_at_least_;  // as parameters
  std::int64_t seen_;
  std::int64_t reached_;      // of the last one that came back, of this ledger
  std::optional<Told> last_;  // the transaction of that number, where it is known
  bool new_connection_ = false;
  std::int64_t pruned_ = 0;
  std::optional<Time> cut_off_;  // since when no transaction has come to its end
  std::optional<Time> tried_;    // to connect, while nothing was to be written
  Time looked_{};                // when it saw last what others wrote
  Lease::Span begun_{};
  std::string why_;
};

}  // namespace registry::ledger
