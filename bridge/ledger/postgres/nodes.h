// bridge/ledger/postgres/nodes.h: several registries on one ledger, of which one writes and the others stand by. The lease
// is the row of table `writer`: epoch is its fencing number, every transaction of the holder moves `number` on. One that
// stands by takes the ledger over
//   - at once, when nobody has the ledger's lock: its holder ended, or its connection did. After a server that was away the
//     holder has its lease's time to come back first;
//   - when `number` stood still for the holder's own lease, as this one's steady clock counts it, while the server answered
//     it all that time and the holder's process of the server had nothing to do: one that works, or waits for a disk or a
//     synchronous standby, would make the next one wait as well. Then that process is ended (pg_terminate_backend): what it
//     had not committed is not committed any more.
// A holder that has only begun gets kBeginWithin for its first transaction, since a start takes its time: its connection
// says whether it lives. A holder that said no lease (registryctl, a registry without `standby`) keeps the ledger, and has
// kBeginWithin to come back when its connection ended.
// Of several that stand by, the first to look has it. One that does not reach the broker leaves it to one that does for
// kLeftWithin: it would only have to give it up again.
// What the holder knew to be acknowledged goes into this one's mark (bridge/ledger/mark.h) with every look. A server that
// has less, after the promotion of a standby that lagged, is not waited at.
// The server's clock decides nothing but whether another one that waits has said lately that it reaches the broker.
// Owns: one connection. Threads: one at a time. Waits: answer_within of the options for each answer, 5 s to connect.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/ledger/postgres/open.h"
#include "schemas/base/utc_time.h"

namespace registry::ledger {

inline constexpr std::chrono::seconds kBeginWithin{60}, kLeftWithin{15};

struct LeaseSeen {
  std::int64_t epoch = 0, number = 0, began = 0;
  std::chrono::milliseconds lasts{0};  // 0: its holder gives it up only with its connection
  std::string node, version;
  std::uint64_t tables = 0;           // the version of them that it knows
  UtcTime since, said, now;           // by the server's clock
  int process = 0;                    // of the server, for the holder's connection; 0: nobody has the ledger
  std::int64_t process_since = 0;     // microseconds since 1970
  bool waits_for_the_server = false;  // for its disk, a lock, a synchronous standby
  std::int64_t acked = 0;             // the last number that the holder knew to be safe
  bool shared = false;                // others may commit beside it (members.h), and move `number`, too
  std::int64_t beats = 0;             // where it is shared: its own transactions
};

struct StandbySeen {
  std::string name, version;
  std::uint64_t tables = 0;
  bool reaches_broker = false;
  UtcTime since, said;
  bool deciding = false;  // it commits beside the holder meanwhile (members.h)
  // And has said so lately: it says it once a second. A clock that was set back makes it say so later than now.
  bool ReachesBroker(UtcTime now) const {
    constexpr std::chrono::seconds kLately{10};
    return reaches_broker && now - said < kLately && said - now < kLately;
  }
};

struct NodesSeen {
  LeaseSeen lease;
  std::vector<StandbySeen> standing_by;
  std::vector<std::string> deciding;  // names of all those that commit beside the holder (members.h)
};

// When a lease that this one watches is over. Pure, but for what it was told.
class LeaseWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Says : std::uint8_t { kHeld, kFree, kOver };
  Says Look(const LeaseSeen& seen, Time now);
  // The server did not answer: what it says next is counted from then on.
  void Missed() {
    looked_.reset();
    was_away_ = true;
  }
  // Since when nothing has moved.
  std::chrono::milliseconds stood_still(Time now) const;

 private:
  std::optional<Time> looked_;
  Time moved_{};
  bool was_away_ = false;
  std::int64_t epoch_ = 0, moves_ = 0;
  bool had_holder_ = false;
};

class PostgresStandby {
 public:
  enum class Found : std::uint8_t {
    kHeld,  // another has it
    kFree,  // it may be opened now; who comes first has it
    kLeft,  // it might, and another one that waits reaches the broker, as this one does not: that one is to have it
    kAway  // the server does not answer, is not to be written to, or lacks what was acknowledged
  };
  // options.node says who this one is.
  explicit PostgresStandby(PostgresOptions options);
  // Says that it stands by no longer, if the server answers at once. One that found the ledger free is about to take it,
  // and counts as one that waits until it has opened it.
  ~PostgresStandby();

  // Looks, says that this one is there, and ends the lease of a holder that is gone. kAway: why() says it.
  Found Look(bool reaches_broker);
  const std::string& why() const { return why_; }
  const LeaseSeen& seen() const { return seen_; }
  std::chrono::milliseconds stood_still() const;
  bool ended_one() const { return ended_one_; }  // a holder whose lease was over

 private:
  bool LeavesIt(bool reaches_broker);

  class Impl;
  const std::unique_ptr<Impl> impl_;
  std::string why_;
  LeaseSeen seen_;
  LeaseWatch watch_;
  std::optional<LeaseWatch::Time> free_since_;
  bool ended_one_ = false, takes_it_ = false;
};

// Beside all of them; needs no more than the right to read. node_list.h shows it to people.
Result<NodesSeen> NodesOfPostgres(const PostgresOptions& options);
// The same again and again, for whoever must not take a connection of an open ledger's readers: over one of its own, which
// it keeps. Asks once: after an error the next look begins with another connection.
class PostgresNodes {
 public:
  explicit PostgresNodes(PostgresOptions options);
  ~PostgresNodes();
  Result<NodesSeen> Look();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};
// By who has the ledger open, over a connection that it has already.
Result<NodesSeen> NodesOfOpen(const Ledger& ledger);

}  // namespace registry::ledger
