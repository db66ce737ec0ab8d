// tests/crash/ledger_servers.h: the PostgreSQL servers of a lab's ledger: its own one, and a synchronous standby when there
// is to be one, to which registryd's connection leads, too.
// Fault model: Die is a crash. A server without a standby comes back with what it had. With one, the standby is promoted and
//   the dead server becomes its standby, from a new copy. When Die returns, the next one loses nothing either.
// Owns: the standby. The lab outlives it. Threads: the lab's owner.
#pragma once

#include <memory>

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
  const lab::PostgresServer* primary() const { return primary_; }  // null: the ledger is in a folder

 private:
  Status FailOver();

  lab::Lab& lab_;
  std::unique_ptr<lab::PostgresServer> second_;
  lab::PostgresServer* primary_;
  lab::PostgresServer* standby_ = nullptr;
};

}  // namespace registry::test
