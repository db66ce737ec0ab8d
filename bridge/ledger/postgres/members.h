// bridge/ledger/postgres/members.h: nodes that commit beside the one that has the ledger (open.h, `shared`). The one that
// has it is called active; it alone relays, and does what is due. A member joins under the epoch of the active one, and has
// a number that never comes again: its fence. When the epoch ends, or the number is ended, no commit of the member and no
// row of its intake is taken any more, and it has to join anew.
// Transactions of all of them stand behind each other at the row of table `writer`, so there is one order, one hash chain
// and no gap. Before a changeset is checked, its node has seen every transaction before it (table `changes`).
// A member that dies, hangs or is cut off in the middle of a transaction holds up the others for kHeldAtMost.
// Private to bridge/ledger/postgres and bridge/app. Threads: one at a time. Errors: the backend's.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bridge/ledger/ledger.h"
#include "bridge/ledger/postgres/open.h"

namespace registry::ledger {

inline constexpr std::chrono::seconds kHeldAtMost{2};
// How long one waits for the row: longer than a member may stand still, so that whoever has waited for so long waits for
// one that nothing else ends.
inline constexpr std::chrono::milliseconds kLockedWithin =
    std::chrono::milliseconds(kHeldAtMost) + std::chrono::milliseconds(500);

// Joins: kLedgerInUse while the active one takes no members, or there is none. It reads the memory of the ledger, as a start
// does, while others commit. `options.node` says who this one is; its mark file is not raised, which PostgresStandby does.
// options.when_taken_over is told when it is a member no longer.
Result<std::unique_ptr<Ledger>> JoinPostgresLedger(const PostgresOptions& options);

// Of a ledger that was joined; 0 of any other.
std::int64_t MemberNumber(const Ledger& ledger);

struct MemberSeen {
  std::int64_t number = 0;
  std::string name, version;
  std::int64_t beats = 0;  // moves with each SayMember
  bool ended = false;      // or of an earlier epoch
};

// The active one's look at its members, over a connection of its own.
class Members {
 public:
  // `ledger` is open for writing with `options`, whose `shared` is set, and outlives this.
  Members(const PostgresOptions& options, const Ledger& ledger);
  ~Members();
  // From now on nodes may join, and those of an earlier epoch are no members.
  Status Admit();
  // All that are not forgotten, in the order in which they joined: those that were ended, too, and those of earlier epochs,
  // among them the active one before this one, if it let others commit and had another name.
  Result<std::vector<MemberSeen>> Look();
  // Ends one for good: when this has come back, nothing that it had not committed is committed any more. What it had not
  // decided is in its rows of the intake. Its row in table `member` goes with Forget, so that a crash in between loses
  // nothing.
  Status End(std::int64_t number);
  Status Forget(std::int64_t number);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

// A member says that it lives, which proves the lease of its options; kLedgerInUse: it is a member no longer, or its ledger
// has failed and has to be joined anew. By the ledger that was joined, from any thread. It waits 2.5 s for an answer,
// as long for another attempt, and 5 s to connect to each host.
Status SayMember(const Ledger& ledger);

}  // namespace registry::ledger
