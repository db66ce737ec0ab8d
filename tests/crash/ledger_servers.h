// tests/crash/ledger_servers.h: the PostgreSQL servers of a lab's ledger: its own one, and a synchronous standby when there
// is to be one, to which registryd's connection leads, too.
// Fault model: Die is a crash. A server without a standby comes back with what it had. With one, the standby is promoted and
//   the dead server becomes its standby, from a new copy. When Die returns, the next one loses nothing either.
// Owns: the standby. The lab outlives it. Threads: the lab's owner.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "bridge/ledger/ledger.h"
#include "simulators/lab/lab.h"

namespace registry::test {

class LedgerServers {
 public:
  explicit LedgerServers(lab::Lab& lab) : lab_(lab), primary_(lab.postgres()) {}
  Status AddStandby();  // before the lab's servers are started
  // `at_death` is done while no server is there.
  template <typename Act>
  Status Die(const Act& at_death) {
    primary_->Kill();
    at_death();
    return standby_ == nullptr ? primary_->StartAgain() : FailOver();
  }
  // A primary that has ended by itself comes back with what it had.
  Status StartIfEnded();
  // Of both, whichever is which; after AddStandby.
  std::array<std::uint16_t, 2> ports() const { return {lab_.postgres()->port(), second_->port()}; }
  const lab::PostgresServer* primary() const { return primary_; }  // null: the ledger is in a folder
  // Of what the lab's ledger holds now, wherever it is.
  Result<std::unique_ptr<ledger::LedgerReader>> OpenReader() const;

 private:
  Status FailOver();

  lab::Lab& lab_;
  std::unique_ptr<lab::PostgresServer> second_;
  lab::PostgresServer* primary_;
  lab::PostgresServer* standby_ = nullptr;
};

// A simulated party acknowledges what it has seen without a gap.
bool EveryFeedWasSeen(const ledger::LedgerReader& reader);

}  // namespace registry::test
