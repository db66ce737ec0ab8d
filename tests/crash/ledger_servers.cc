#include "tests/crash/ledger_servers.h"

#include <string>
#include <utility>

#include "bridge/ledger/postgres/open.h"
#include "bridge/ledger/rocksdb/open.h"
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

Status LedgerServers::StartIfEnded() {
  return primary_->process()->running() ? Status(Done{}) : primary_->StartAgain();
}

Result<std::unique_ptr<ledger::LedgerReader>> LedgerServers::OpenReader() const {
  if (primary_ == nullptr)
    return ledger::OpenRocksDbReader(lab_.layout().Registry("ledger"), lab_.layout().In("verify"));
  ledger::PostgresOptions options;
  options.connection = primary_->connection();
  options.password = Secret(AsBytes(primary_->password()));
  return ledger::OpenPostgresReader(options);
}

bool EveryFeedWasSeen(const ledger::LedgerReader& reader) {
  for (const auto* const parties : {&lab::kMnos, &lab::kAsps}) {
    for (const char* const party : *parties) {
      const auto feed = reader.LoadFeed(*PartyId::Parse(party));
      if (!feed || feed->last == 0 || feed->acked != feed->last) return false;
    }
  }
  return true;
}

}  // namespace registry::test
