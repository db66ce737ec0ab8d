// bridge/app/node.h: this registryd as one of several on one ledger in PostgreSQL (ledger.standby), of which one is active:
// what it may do while it cannot be sure that the ledger is still its own. With only one there is nothing that it may not.
// The broker gives a client identifier's sessions to whoever connects last, so who wakes from a sleep must not connect.
// Owns: nothing. Threads: any. Errors: none.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "bridge/app/ledger_config.h"
#include "bridge/ledger/postgres/nodes.h"
#include "bridge/log_line.h"
#include "schemas/base/mutex.h"

namespace registry::app {

// Of a process that another node took the ledger from, or that gave it up for want of a broker. Started again, it stands by.
inline constexpr int kExitLeaseOver = 4;

// For the metrics.
struct NodeSample {
  bool one_of_several = false, active = false;
  bool shared = false, deciding = false;  // beside the active one
  double lease_age = 0;  // seconds: of the active one's proof, or since a waiting one saw something new
  std::uint64_t take_overs = 0;
  std::uint64_t reloads = 0, reloads_refused = 0;  // of one that is not active, where it is `shared`
};

enum class LedgerEnd : std::uint8_t {
  kFailed,     // its server refuses, or is away
  kNotAsLeft,  // another has written, or the server lost what it had acknowledged: a person has to look
  kTakenOver   // by another node, as it should
};

class Node {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  // `took_over`: it waited until another node no longer had the ledger.
  Node(const LedgerConfig& config, std::string version, bool took_over, LogLine log);

  bool one_of_several() const { return lease_ != nullptr; }
  bool shared() const { return shared_; }
  const std::string& name() const { return name_; }
  // A heart that beats this often keeps the lease fresh.
  std::chrono::milliseconds BeatsEvery() const;
  // Who it is, and whom to tell how it ends: of the options with which the ledger is opened. This object outlives it.
  void Complete(ledger::PostgresOptions& options);
  LedgerEnd ledger_end() const { return end_; }

  // Only after a transaction that was begun since it was asked first has come back; `beat` is to make one.
  bool MayConnect(const std::function<void()>& beat);
  bool MayStay() const;

  // Looks after the broker: from a thread that may wait for the ledger's server, every BeatsEvery.
  void Watch(bool connected, const std::function<bool()>& another_reaches_it,
             Steady now = std::chrono::steady_clock::now());
  bool AnotherReachesTheBroker(const ledger::Ledger& ledger) const;  // asks its server
  // It has no broker for longer than its lease, and another that stands by has reached one for half of that.
  bool gives_way() const { return gives_way_; }
  NodeSample sample() const;

 private:
  const std::shared_ptr<ledger::Lease> lease_;  // null: the only one
  const std::string name_, version_;
  const bool shared_, took_over_;
  const LogLine log_;
  std::atomic<LedgerEnd> end_{LedgerEnd::kFailed};
  std::atomic<bool> gives_way_{false};
  Mutex mutex_;
  std::optional<ledger::Lease::Span> asked_ GUARDED_BY(mutex_);  // to connect
  // Of Watch alone.
  std::optional<Steady> without_since_, looked_, reached_since_;
  bool was_connected_ = false;
};

}  // namespace registry::app
