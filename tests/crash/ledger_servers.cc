#include "tests/crash/ledger_servers.h"

#include <string>
#include <utility>

#include "simulators/lab/registry_setup.h"

namespace registry::test {

Status LedgerServers::AddStandby() {
  auto second = lab::PostgresServer::StartStandbyOf(*primary_, {.durable = true, .settings = {}});
  if (!second) return second.error();
  second_ = std::move(*second);
  standby_ = second_.get();
  const std::string both = "\"host=127.0.0.1,127.0.0.1 port=" + std::to_string(primary_->port()) + "," +
                           std::to_string(standby_->port()) +
                           " dbname=postgres user=registry target_session_attrs=read-write\"";
  if (auto set = lab::SetKeys(lab_.layout(), "ledger", {{"connection", both}}); !set) return set;
  return primary_->MakeSynchronous();
}

Status LedgerServers::FailOver() {
  if (auto promoted = standby_->Promote(); !promoted) return promoted;
  std::swap(primary_, standby_);
  if (auto follows = standby_->FollowAnew(*primary_); !follows) return follows;
  return primary_->MakeSynchronous();
}

}  // namespace registry::test
