// The intake's table in a server of PostgreSQL: who may append, what becomes of an append that was cut off, and how a ledger
// of an earlier release gets the table.
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <set>

#include "bridge/ledger/postgres/kept.h"
#include "bridge/ledger/postgres/step.h"
#include "simulators/lab/probe.h"
#include "tests/unit/bridge/ingest/intake_places.h"

namespace registry::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

InboundMessage Heard(int number) {
  return {"registry/v1/from/mno-a/esim.register", std::to_string(number), "", ""};
}

// What one registryd has open.
struct Bridge {
  std::unique_ptr<ledger::Ledger> ledger;
  std::unique_ptr<ledger::IntakeTable> table;
  std::unique_ptr<Intake> intake;
};

class PostgresIntakeTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = lab::PostgresServer::Start({});
    ASSERT_TRUE(started.ok()) << started.error().message;
    server_ = std::move(*started);
    options_ = test::PostgresOptionsFor(*server_, "ledger");
    options_.retry_for = seconds(60);
    ASSERT_TRUE(ledger::MigratePostgresLedger(options_).ok());
  }
  Bridge OpenBridge() {
    Bridge bridge;
    auto opened = ledger::OpenPostgresLedger(options_);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    if (!opened) return bridge;
    bridge.ledger = std::move(*opened);
    auto table = ledger::OpenPostgresIntake(options_, *bridge.ledger);
    EXPECT_TRUE(table.ok()) << table.error().message;
    if (!table) return bridge;
    bridge.table = std::move(*table);
    auto intake = OpenLedgerIntake(*bridge.table, {}, nullptr);
    EXPECT_TRUE(intake.ok()) << intake.error().message;
    if (intake) bridge.intake = std::move(*intake);
    return bridge;
  }
  std::string Told(const std::string& sql) {
    const auto said = server_->Ask(sql);
    EXPECT_TRUE(said.ok()) << sql << ": " << said.error().message;
    return said ? said->substr(0, said->find('\n')) : "";
  }
  void CutOffAll() {
    Told(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name = 'iot-registry'");
  }
  // The processes of the server that hold the ledger's lock.
  void CutOffTheWriter() {
    Told("SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted");
  }
  std::string Rows() { return Told("SELECT count(*) FROM " + options_.schema + ".intake"); }

  std::unique_ptr<lab::PostgresServer> server_;
  ledger::PostgresOptions options_;
};

TEST_F(PostgresIntakeTest, WhoLostTheLedgerToAnotherKeepsNothingMore) {
  const Bridge first = OpenBridge();
  ASSERT_NE(first.intake, nullptr);
  const auto ticket = first.intake->Append(Heard(1));
  ASSERT_TRUE(ticket.ok());
  CutOffTheWriter();  // its connection for the intake is as it was
  const Bridge second = OpenBridge();
  ASSERT_NE(second.intake, nullptr);
  EXPECT_THAT(second.intake->TakeLeftOver(), SizeIs(1)) << "what the first was given is there";
  const auto late = first.intake->Append(Heard(2));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().symbol, "intake_failed");
  EXPECT_THAT(late.error().message, HasSubstr("another registry has taken over"));
  EXPECT_TRUE(second.intake->Append(Heard(3)).ok());
  EXPECT_EQ(Rows(), "2") << "and no third";
  // The first was deciding what it had: what it erases is no other's.
  first.intake->MarkDone(*ticket);
  EXPECT_TRUE(lab::WaitUntil([&] { return Rows() == "1"; }, seconds(30)));
  EXPECT_FALSE(ledger::OpenPostgresIntake(options_, *first.ledger).ok()) << "nor does it get it back";
}

// Of a registry that hangs, or whose network went in the middle of a request.
TEST_F(PostgresIntakeTest, AWriteThatTheFormerLeftOpenHoldsNobodyUp) {
  options_.retry_for = options_.answer_within = seconds(5);
  {
    const Bridge former = OpenBridge();
    ASSERT_NE(former.intake, nullptr);
    ASSERT_TRUE(former.intake->Append(Heard(1)).ok());
  }
  auto open = std::async(std::launch::async, [this] {
    return server_->Ask("BEGIN; SELECT 1 FROM " + options_.schema + ".owner FOR SHARE; SELECT pg_sleep(300)");
  });
  ASSERT_TRUE(lab::WaitUntil(
      [&] {
        return Told("SELECT count(*) FROM pg_locks WHERE relation = '" + options_.schema +
                    ".owner'::regclass AND mode = 'RowShareLock' AND granted") == "1";
      },
      seconds(30)));
  const Bridge next = OpenBridge();
  ASSERT_NE(next.intake, nullptr);
  EXPECT_THAT(next.intake->TakeLeftOver(), SizeIs(1));
  EXPECT_FALSE(open.get().ok()) << "it was ended";
}

TEST_F(PostgresIntakeTest, WhatIsKeptIsTheNextRegistrysToo) {
  const Bridge first = OpenBridge();
  ASSERT_NE(first.intake, nullptr);
  const auto kept = ledger::OpenPostgresKept(options_, *first.ledger);
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_EQ(*(*kept)->Read("a.json"), std::nullopt);
  const std::string octets("old\0\xff", 5);
  EXPECT_TRUE((*kept)->Write("a.json", "first").ok());
  EXPECT_TRUE((*kept)->Write("a.json", octets).ok());
  EXPECT_TRUE((*kept)->Write("b.json", "").ok());
  CutOffTheWriter();
  const Bridge second = OpenBridge();
  ASSERT_NE(second.intake, nullptr);
  const auto late = (*kept)->Write("a.json", "late");
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().symbol, ledger::kLedgerInUse);
  const auto next = ledger::OpenPostgresKept(options_, *second.ledger);
  ASSERT_TRUE(next.ok()) << next.error().message;
  EXPECT_EQ(*(*next)->Read("a.json"), octets);
  EXPECT_EQ(*(*next)->Read("b.json"), "");
  const auto beside = ledger::ReadPostgresKept(options_);
  EXPECT_EQ(*beside->Read("a.json"), octets) << "also who has no ledger open";
  EXPECT_EQ(beside->Write("a.json", "other").error().symbol, ledger::kLedgerInUse);
  EXPECT_TRUE((*next)->Write("a.json", "newer").ok());
  EXPECT_EQ(*beside->Read("a.json"), "newer");
}

// `registryctl ledger step`, on a database that was set back.
TEST_F(PostgresIntakeTest, AStepForgetsWhatWasKeptAndNoMessage) {
  {
    const Bridge before = OpenBridge();
    ASSERT_NE(before.intake, nullptr);
    ASSERT_TRUE((*ledger::OpenPostgresKept(options_, *before.ledger))->Write("zone-keys", "of then").ok());
    ASSERT_TRUE(before.intake->Append(Heard(1)).ok());
  }
  ASSERT_TRUE(ledger::StepPostgresNumbers(options_).ok());
  const Bridge after = OpenBridge();
  ASSERT_NE(after.intake, nullptr);
  EXPECT_EQ(*(*ledger::OpenPostgresKept(options_, *after.ledger))->Read("zone-keys"), std::nullopt);
  EXPECT_THAT(after.intake->TakeLeftOver(), SizeIs(1));
}

TEST_F(PostgresIntakeTest, AppendsThatAreCutOffAreKeptOrRefusedAndNeverLost) {
  constexpr int kThreads = 3, kBehind = 20, kCuts = 3;
  std::set<std::string> told;
  {
    const Bridge bridge = OpenBridge();
    ASSERT_NE(bridge.intake, nullptr);
    std::atomic<int> kept{0};
    std::atomic<bool> cut{false};
    std::vector<std::future<std::set<std::string>>> all;
    for (int thread = 0; thread < kThreads; ++thread) {
      all.push_back(std::async(std::launch::async, [&, thread] {
        std::set<std::string> mine;
        for (int i = thread, behind = 0; behind < kBehind; i += kThreads) {
          const auto ticket = bridge.intake->Append(Heard(i));
          EXPECT_TRUE(ticket.ok()) << ticket.error().message;
          if (!ticket) break;
          mine.insert(Heard(i).payload);
          ++kept;
          if (cut) ++behind;
        }
        return mine;
      }));
    }
    for (int i = 0; i < kCuts; ++i) {
      const int before = kept;
      CutOffAll();
      EXPECT_TRUE(lab::WaitUntil([&] { return kept > before; }, seconds(60)));
    }
    cut = true;
    for (auto& one : all) told.merge(one.get());
  }
  const Bridge next = OpenBridge();
  ASSERT_NE(next.intake, nullptr);
  std::set<std::string> there;
  const auto left = next.intake->TakeLeftOver();
  for (const auto& record : left) there.insert(record.message.payload);
  EXPECT_EQ(there, told);
  EXPECT_EQ(left.size(), told.size()) << "none is there twice";
}

TEST_F(PostgresIntakeTest, WhatNoSynchronousStandbyHasIsNotKept) {
  options_.answer_within = milliseconds(500);
  const Bridge bridge = OpenBridge();
  ASSERT_NE(bridge.intake, nullptr);
  Told("ALTER SYSTEM SET synchronous_standby_names = 'away'");
  Told("SELECT pg_reload_conf()");
  ASSERT_TRUE(lab::WaitUntil([&] { return Told("SHOW synchronous_standby_names") == "away"; }, seconds(30)));
  auto waits = std::async(std::launch::async, [&] { return bridge.intake->Append(Heard(1)).ok(); });
  const std::string cancel =
      "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
  EXPECT_TRUE(lab::WaitUntil([&] { return Told(cancel) != "0"; }, seconds(30)));
  EXPECT_TRUE(lab::WaitUntil([&] { return Rows() == "1"; }, seconds(30))) << "visible, on this server alone";
  EXPECT_TRUE(lab::WaitUntil([&] { return Told(cancel) != "0"; }, seconds(30))) << "it is asked again";
  EXPECT_EQ(waits.wait_for(milliseconds(0)), std::future_status::timeout);
  Told("ALTER SYSTEM RESET synchronous_standby_names");
  Told("SELECT pg_reload_conf()");
  EXPECT_TRUE(waits.get());
  EXPECT_EQ(Rows(), "1");
}

// A page is bounded by its rows and by its octets.
TEST_F(PostgresIntakeTest, EveryRowIsReadOnceWhateverTheirSizes) {
  const Bridge bridge = OpenBridge();
  ASSERT_NE(bridge.table, nullptr);
  std::vector<ledger::IntakeTable::Row> written;
  for (int i = 0; i < 2500; ++i) {
    const std::size_t size = i % 500 == 0 ? std::size_t{3} << 19 : static_cast<std::size_t>(i % 7);
    written.push_back({bridge.table->NewKey(), std::string(size, static_cast<char>('a' + i % 26))});
  }
  ASSERT_TRUE(bridge.table->Append(written).ok());
  std::size_t visited = 0;
  const Status read = bridge.table->Visit([&](const ledger::IntakeTable::Row& row) {
    ASSERT_LT(visited, written.size());
    EXPECT_TRUE(row.key == written[visited].key && row.octets == written[visited].octets) << visited;
    ++visited;
  });
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(visited, written.size());
}

TEST_F(PostgresIntakeTest, AServerThatIsGoneTooLongIsSaid) {
  options_.retry_for = seconds(2);
  const Bridge bridge = OpenBridge();
  ASSERT_NE(bridge.intake, nullptr);
  ASSERT_TRUE(bridge.intake->Append(Heard(1)).ok());
  server_->StopFast();
  EXPECT_EQ(bridge.intake->Append(Heard(2)).error().symbol, "intake_failed");
  ASSERT_TRUE(server_->StartAgain().ok());
  const auto beat = [&] { return bridge.ledger->Advance(ledger::Sink::kMqtt, {}, true); };  // as registryd's
  ASSERT_TRUE(beat().ok());
  EXPECT_TRUE(bridge.intake->Append(Heard(3)).ok()) << "of itself it goes on; registryd has ended meanwhile";
}

TEST_F(PostgresIntakeTest, ALedgerOfAnEarlierReleaseGetsItsTables) {
  const std::string of = options_.schema + ".";
  Told("DROP TABLE " + of + "intake, " + of + "kept, " + of + "owner");
  Told("UPDATE " + of + "meta SET record = '\\x0000000000000001' WHERE key = 'schema'");
  const auto early = ledger::OpenPostgresLedger(options_);
  ASSERT_FALSE(early.ok());
  EXPECT_THAT(early.error().message, HasSubstr("registryctl ledger migrate"));
  const auto raised = ledger::MigratePostgresLedger(options_);
  ASSERT_TRUE(raised.ok()) << raised.error().message;
  EXPECT_THAT(*raised, HasSubstr("from version 1 to"));
  EXPECT_THAT(*ledger::MigratePostgresLedger(options_), HasSubstr("nothing was done"));
  const Bridge bridge = OpenBridge();
  ASSERT_NE(bridge.intake, nullptr);
  EXPECT_TRUE(bridge.intake->Append(Heard(1)).ok());
  EXPECT_EQ(*ledger::CountPostgresIntake(options_), 1u);
}

}  // namespace
}  // namespace registry::ingest
