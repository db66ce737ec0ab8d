// A ledger whose server has a synchronous standby: what it acknowledged is on the other server, and its reader goes where
// its writer goes.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <future>

#include "bridge/ledger/postgres/intake.h"
#include "bridge/ledger/postgres/kept.h"
#include "bridge/ledger/postgres/step.h"
#include "simulators/lab/probe.h"
#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

using std::chrono::seconds;
using testing::IsEmpty;

class PostgresFailoverTest : public testing::Test {
 protected:
  void SetUp() override {
    auto first = lab::PostgresServer::Start({});
    ASSERT_TRUE(first.ok()) << first.error().message;
    first_ = std::move(*first);
    auto second = lab::PostgresServer::StartStandbyOf(*first_, {});
    ASSERT_TRUE(second.ok()) << second.error().message;
    second_ = std::move(*second);
    const auto synchronous = first_->MakeSynchronous();
    ASSERT_TRUE(synchronous.ok()) << synchronous.error().message;
    options_ = test::PostgresOptionsFor(*first_, "ledger");
    options_.connection = "host=127.0.0.1,127.0.0.1 port=" + std::to_string(first_->port()) + "," +
                          std::to_string(second_->port()) +
                          " dbname=postgres user=registry target_session_attrs=read-write";
    options_.retry_for = seconds(60);
    std::filesystem::create_directories(folder_.path());
    options_.mark_file = folder_.path("ledger-mark");
    ASSERT_TRUE(MigratePostgresLedger(options_).ok());
    ledger_ = Opened(OpenPostgresLedger(options_));
    ASSERT_NE(ledger_, nullptr);
  }
  std::size_t Entries(std::uint64_t device) {
    const auto history = ledger_->HistoryOf(samples::DeviceOf(device));
    EXPECT_TRUE(history.ok()) << history.error().message;
    return history ? history->size() : 0;
  }
  static void Tell(const lab::PostgresServer& server, const std::string& sql) {
    const auto said = server.Ask(sql);
    EXPECT_TRUE(said.ok()) << sql << ": " << said.error().message;
  }

  void Promote() {
    const auto promoted = second_->Promote();
    ASSERT_TRUE(promoted.ok()) << promoted.error().message;
  }

  samples::Folder folder_;
  std::unique_ptr<lab::PostgresServer> first_, second_;
  PostgresOptions options_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(PostgresFailoverTest, WhatWasAcknowledgedIsOnTheStandbyThatIsPromoted) {
  std::atomic<bool> promoted{false};
  auto commits = std::async(std::launch::async, [&] {
    std::uint64_t acknowledged = 0;
    for (std::uint64_t after = 0; after < 20; ++acknowledged) {
      const auto done = ledger_->Commit(samples::Registration(acknowledged));
      EXPECT_TRUE(done.ok()) << done.error().message;
      if (!done) break;
      if (promoted) ++after;
    }
    return acknowledged;
  });
  EXPECT_TRUE(lab::WaitUntil([this] { return ledger_->changesets() > 50; }, seconds(30)));
  first_->Kill();
  Promote();
  promoted = true;
  const std::uint64_t acknowledged = commits.get();
  for (std::uint64_t i = 0; i < acknowledged; ++i) EXPECT_EQ(Entries(i), 1u) << i;
  EXPECT_EQ(ledger_->changesets(), acknowledged);
  EXPECT_THAT(Verify(*ledger_)->faults, IsEmpty());
}

// It keeps its connections open, and takes new ones, but answers nothing. Then it is fenced.
TEST_F(PostgresFailoverTest, APrimaryThatHangsIsLeftForTheStandbyThatIsPromoted) {
  ledger_.reset();
  options_.connection += " connect_timeout=2";
  options_.answer_within = std::chrono::milliseconds(1500);
  ledger_ = Opened(OpenPostgresLedger(options_));
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok());
  ASSERT_EQ(Entries(1), 1u);
  first_->Pause();
  auto waits = std::async(std::launch::async, [this] { return ledger_->Commit(samples::Registration(2)); });
  EXPECT_EQ(waits.wait_for(std::chrono::milliseconds(0)), std::future_status::timeout);
  Promote();
  if (HasFatalFailure()) return;
  const auto done = waits.get();
  EXPECT_TRUE(done.ok()) << done.error().message;
  first_->Kill();
  EXPECT_EQ(Entries(1), 1u);
  EXPECT_EQ(Entries(2), 1u);
  EXPECT_THAT(Verify(*ledger_)->faults, IsEmpty());
}

// It answers the connections that it has, and lets nobody write who comes new: a primary that was told to step down.
TEST_F(PostgresFailoverTest, AnEarlierPrimaryThatStillAnswersIsNotReadFrom) {
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok());
  ASSERT_EQ(Entries(1), 1u) << "a connection to the first server is kept";
  Promote();
  if (HasFatalFailure()) return;
  Tell(*first_, "ALTER SYSTEM SET default_transaction_read_only = on");
  Tell(*first_, "ALTER SYSTEM RESET synchronous_standby_names");
  Tell(*first_, "SELECT pg_reload_conf()");
  const auto steps_down = [this] { return *first_->Ask("SHOW default_transaction_read_only") == "on\n"; };
  ASSERT_TRUE(lab::WaitUntil(steps_down, seconds(30)));
  Tell(*first_,
       "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l USING (pid) "
       "WHERE l.locktype = 'advisory'");
  const auto done = ledger_->Commit(samples::Registration(2));
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(Entries(2), 1u);
  EXPECT_EQ(Entries(1), 1u);
  const auto left = [this] {
    return *first_->Ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'iot-registry'") ==
           "0\n";
  };
  EXPECT_TRUE(lab::WaitUntil(left, seconds(30))) << "connections to it are closed";
}

// It lets those write who are connected, and has no synchronous standby any more; who comes new is turned away.
TEST_F(PostgresFailoverTest, AnEarlierPrimaryThatStillTakesWritesGetsNoneOfThem) {
  const auto intake = OpenPostgresIntake(options_, *ledger_);
  const auto state = OpenPostgresKept(options_, *ledger_);
  ASSERT_TRUE(intake.ok() && state.ok());
  IntakeTable* const table = intake->get();
  KeptState* const kept = state->get();
  const std::string before = table->NewKey(), behind = table->NewKey();
  ASSERT_TRUE(table->Append({{before, "before"}}).ok());
  ASSERT_TRUE(kept->Write("a.json", "before").ok());
  ASSERT_TRUE(table->Erase({"none"}).ok()) << "every connection to it is there";
  Promote();
  if (HasFatalFailure()) return;
  Tell(*first_, "ALTER SYSTEM RESET synchronous_standby_names");
  Tell(*first_, "SELECT pg_reload_conf()");
  const auto waits_for_none = [this] { return *first_->Ask("SHOW synchronous_standby_names") == "\n"; };
  ASSERT_TRUE(lab::WaitUntil(waits_for_none, seconds(30)));
  Tell(*first_, "ALTER ROLE registry SET default_transaction_read_only = on");
  Tell(*first_,
       "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l USING (pid) "
       "WHERE l.locktype = 'advisory'");
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok()) << "the writer goes to the other server";
  ASSERT_TRUE(table->Append({{behind, "behind"}}).ok());
  ASSERT_TRUE(kept->Write("a.json", "behind").ok());
  ASSERT_TRUE(table->Erase({before}).ok());
  const std::string rows = "SELECT convert_from(record, 'UTF8') FROM " + options_.schema + ".";
  EXPECT_EQ(*second_->Ask(rows + "intake"), "behind\n");
  EXPECT_EQ(*second_->Ask(rows + "kept"), "behind\n");
  EXPECT_EQ(*first_->Ask(rows + "intake"), "before\n");
  EXPECT_EQ(*first_->Ask(rows + "kept"), "before\n");
}

// An append does not go ahead of the writer, which knows what was acknowledged.
TEST_F(PostgresFailoverTest, AnAppendWaitsUntilTheWriterHasGoneToTheOtherServer) {
  const auto intake = OpenPostgresIntake(options_, *ledger_);
  ASSERT_TRUE(intake.ok());
  IntakeTable* const table = intake->get();
  const std::string key = table->NewKey();
  first_->Kill();
  Promote();
  if (HasFatalFailure()) return;
  auto appended = std::async(std::launch::async, [&] { return table->Append({{key, "octets"}}).ok(); });
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok());
  EXPECT_TRUE(appended.get());
  EXPECT_EQ(*second_->Ask("SELECT count(*) FROM " + options_.schema + ".intake"), "1\n");
}

// Nothing is written meanwhile, so the writer has not noticed.
TEST_F(PostgresFailoverTest, WhatIsReadNextComesFromTheStandbyThatWasPromoted) {
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok());
  first_->Kill();
  Promote();
  if (HasFatalFailure()) return;
  EXPECT_EQ(Entries(1), 1u);
  EXPECT_EQ(Entries(1), 1u);
  EXPECT_TRUE(ledger_->Commit(samples::Registration(2)).ok());
  EXPECT_EQ(Entries(2), 1u);
}

// A standby that lagged, and is read from before the writer looks at it.
TEST_F(PostgresFailoverTest, AServerThatLacksWhatWasAcknowledgedIsNotReadFrom) {
  Tell(*first_, "ALTER SYSTEM RESET synchronous_standby_names");
  Tell(*first_, "SELECT pg_reload_conf()");
  ledger_.reset();
  options_.retry_for = std::chrono::milliseconds(1500);
  ledger_ = Opened(OpenPostgresLedger(options_));
  second_->StopFast();
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok());
  first_->Kill();
  ASSERT_TRUE(second_->StartAgain().ok());
  Promote();
  if (HasFatalFailure()) return;
  const auto read = ledger_->HistoryOf(samples::DeviceOf(1));
  ASSERT_FALSE(read.ok()) << read->size();
  EXPECT_THAT(read.error().message, testing::HasSubstr("lacks what another one acknowledged"));
  EXPECT_FALSE(ledger_->Commit(samples::Registration(2)).ok());
  ledger_.reset();
  const auto again = OpenPostgresLedger(options_);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().symbol, kLedgerDamaged) << again.error().message;
  ASSERT_TRUE(StepPostgresNumbers(options_).ok());
  EXPECT_FALSE(OpenPostgresLedger(options_).ok()) << "not all is stepped";
  ASSERT_TRUE(PassPostgresMarks(options_).ok());
  ledger_ = Opened(OpenPostgresLedger(options_));
  EXPECT_TRUE(ledger_->Commit(samples::Registration(2)).ok());
}

}  // namespace
}  // namespace registry::ledger
