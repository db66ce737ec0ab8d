// Several ledgers that commit to one database, whose connections are cut off and whose server crashes, loses something or
// hands over to another: nothing is lost and nothing is there twice, or nobody goes on.
#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <future>

#include "simulators/lab/probe.h"
#include "tests/unit/bridge/ledger/shared_ledgers.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::IsEmpty;

constexpr std::int64_t kLongAgo = 90'000;

// Which numbers were acknowledged, of registrations that three threads commit, each to a ledger of its own.
using Numbers = std::vector<std::uint64_t>;

Numbers CommitWhile(const std::vector<Ledger*>& nodes, const std::function<void()>& disturb) {
  std::atomic<bool> disturbed{false};
  std::vector<std::future<Numbers>> all;
  for (std::uint64_t of = 0; of < nodes.size(); ++of) {
    all.push_back(std::async(std::launch::async, [&, of] {
      Numbers acknowledged;
      for (std::uint64_t i = of, after = 0; after < 20; i += nodes.size()) {
        auto changes = samples::Registration(i);
        changes.notifications = {samples::Notification(i)};
        const auto done = nodes[of]->Commit(std::move(changes));
        EXPECT_TRUE(done.ok()) << "node " << of << ": " << done.error().message;
        if (!done) break;
        acknowledged.push_back(i);
        if (disturbed) ++after;
      }
      return acknowledged;
    }));
  }
  disturb();
  disturbed = true;
  Numbers numbers;
  for (auto& one : all) {
    const Numbers some = one.get();
    numbers.insert(numbers.end(), some.begin(), some.end());
  }
  return numbers;
}

void ExpectEachOnce(const std::vector<Ledger*>& nodes, const Numbers& numbers) {
  for (Ledger* const node : nodes) {
    const auto up = node->CatchUp();
    ASSERT_TRUE(up.ok()) << up.error().message;
    EXPECT_EQ(node->LoadFeed(samples::Party("asp-a"))->last, numbers.size());
    EXPECT_EQ(*node->OutboxLast(Sink::kMqtt), 2 * numbers.size());
  }
  const auto report = Verify(*nodes.front());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(report->faults, IsEmpty());
  EXPECT_EQ(report->devices, numbers.size());
  for (const std::uint64_t number : numbers)
    EXPECT_EQ(nodes.back()->HistoryOf(samples::DeviceOf(number))->size(), 1u) << number;
}

// A server of its own, and three ledgers on it.
class SharedFaultsTest : public testing::Test {
 protected:
  void Open(PostgresOptions options) {
    options.retry_for = seconds(120);
    all_.emplace(std::move(options));
    a_ = all_->Open(all_->Of("a"));
    b_ = SharedLedgers::Join(all_->Of("b"));
    c_ = SharedLedgers::Join(all_->Of("c"));
    ASSERT_TRUE(a_ && b_ && c_);
    nodes_ = {a_.get(), b_.get(), c_.get()};
  }
  void Open() {
    auto started = lab::PostgresServer::Start({});
    ASSERT_TRUE(started.ok()) << started.error().message;
    server_ = std::move(*started);
    Open(test::PostgresOptionsFor(*server_, "ledger"));
  }
  std::string Told(const std::string& sql) { return ToldBy(*server_, sql); }
  static std::string ToldBy(const lab::PostgresServer& server, const std::string& sql) {
    const auto said = server.Ask(sql);
    EXPECT_TRUE(said.ok()) << sql << ": " << said.error().message;
    return said ? said->substr(0, said->find('\n')) : "";
  }
  void CutOffAll() {
    Told(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name = 'iot-registry'");
  }

  // From now on each commit waits for a standby that does not come.
  bool WaitsForAStandbyThatIsAway() {
    Told("ALTER SYSTEM SET synchronous_standby_names = 'away'");
    Told("SELECT pg_reload_conf()");
    return lab::WaitUntil([this] { return Told("SHOW synchronous_standby_names") == "away"; }, seconds(60));
  }
  // `waits`: b's commit of the second registration, behind that of the first.
  void ExpectCommittedOnceNoStandbyIsAskedFor(std::future<Status>& waits) {
    Told("ALTER SYSTEM RESET synchronous_standby_names");
    Told("SELECT pg_reload_conf()");
    const auto done = waits.get();
    EXPECT_TRUE(done.ok()) << done.error().message;
    for (const std::uint64_t number : {1u, 2u})
      EXPECT_EQ(a_->HistoryOf(samples::DeviceOf(number))->size(), 1u);
  }

  std::unique_ptr<lab::PostgresServer> server_, second_;
  std::optional<SharedLedgers> all_;
  std::unique_ptr<Ledger> a_, b_, c_;
  std::vector<Ledger*> nodes_;
};

TEST_F(SharedFaultsTest, ConnectionsThatAreCutOffLoseAndRepeatNothing) {
  Open();
  const auto numbers = CommitWhile(nodes_, [this] {
    for (int i = 0; i < 10; ++i) {
      const std::uint64_t until = b_->changesets() + 3;
      CutOffAll();
      EXPECT_TRUE(lab::WaitUntil([&] { return b_->changesets() >= until; }, seconds(120)));
    }
  });
  ExpectEachOnce(nodes_, numbers);
}

TEST_F(SharedFaultsTest, AServerThatCrashesAndComesBackIsWaitedFor) {
  Open();
  const auto numbers = CommitWhile(nodes_, [this] {
    for (int i = 0; i < 2; ++i) {
      server_->Kill();
      const auto back = server_->StartAgain();
      EXPECT_TRUE(back.ok()) << back.error().message;
    }
  });
  ExpectEachOnce(nodes_, numbers);
}

TEST_F(SharedFaultsTest, AllGoOnWithTheStandbyThatIsPromoted) {
  auto first = lab::PostgresServer::Start({});
  ASSERT_TRUE(first.ok()) << first.error().message;
  server_ = std::move(*first);
  auto second = lab::PostgresServer::StartStandbyOf(*server_, {});
  ASSERT_TRUE(second.ok()) << second.error().message;
  second_ = std::move(*second);
  ASSERT_TRUE(server_->MakeSynchronous().ok());
  auto options = test::PostgresOptionsFor(*server_, "ledger");
  options.connection = "host=127.0.0.1,127.0.0.1 port=" + std::to_string(server_->port()) + "," +
                       std::to_string(second_->port()) +
                       " dbname=postgres user=registry target_session_attrs=read-write";
  Open(std::move(options));
  const auto numbers = CommitWhile(nodes_, [this] {
    EXPECT_TRUE(lab::WaitUntil([this] { return c_->changesets() > 10; }, seconds(120)));
    server_->Kill();
    const auto done = second_->Promote();
    EXPECT_TRUE(done.ok()) << done.error().message;
  });
  ExpectEachOnce(nodes_, numbers);
}

// Whoever ends the wait for a standby makes the transaction visible, on this server alone.
TEST_F(SharedFaultsTest, WhatNoSynchronousStandbyHasIsNotAcknowledged) {
  Open();
  ASSERT_TRUE(b_->Commit(samples::Registration(1)).ok());
  ASSERT_TRUE(WaitsForAStandbyThatIsAway());
  auto waits = std::async(std::launch::async, [this] { return b_->Commit(samples::Registration(2)); });
  const auto is_there = [this] {
    return Told("SELECT count(*) FROM " + all_->Of("b").schema + ".devices") == "2";
  };
  EXPECT_TRUE(lab::WaitUntil(
      [&] {
        Told("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        return is_there();
      },
      seconds(60)));
  const auto waits_again = [this] {
    return Told("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "1";
  };
  EXPECT_TRUE(lab::WaitUntil(waits_again, seconds(60))) << "another transaction is to come back first";
  EXPECT_EQ(waits.wait_for(milliseconds(0)), std::future_status::timeout);
  ExpectCommittedOnceNoStandbyIsAskedFor(waits);
}

// It is not made visible by the member itself either, which asks for an answer in vain: others would go on from there.
TEST_F(SharedFaultsTest, WhatWaitsForAStandbyIsSeenByNobody) {
  Open();
  b_.reset();
  auto options = all_->Of("b");
  options.answer_within = milliseconds(700);
  std::atomic<int> cut_off = 0;
  options.log = LogLine([&](int, const std::string& line) {
    if (line.find("cut off") != std::string::npos) ++cut_off;
  });
  b_ = SharedLedgers::Join(options);
  ASSERT_TRUE(b_->Commit(samples::Registration(1)).ok());
  ASSERT_TRUE(WaitsForAStandbyThatIsAway());
  auto waits = std::async(std::launch::async, [this] { return b_->Commit(samples::Registration(2)); });
  EXPECT_TRUE(lab::WaitUntil([&] { return cut_off >= 3; }, seconds(60)));
  EXPECT_EQ(Told("SELECT count(*) FROM " + options.schema + ".devices"), "1");
  EXPECT_EQ(waits.wait_for(milliseconds(0)), std::future_status::timeout);
  ExpectCommittedOnceNoStandbyIsAskedFor(waits);
  b_.reset();  // before what it tells
}

// A standby of the server that lagged was promoted, and others have written there since: the numbers are the same again.
TEST_F(SharedFaultsTest, NobodyGoesOnWithAServerThatLacksWhatWasSeen) {
  Open();
  std::atomic<int> not_as_left = 0, begins_anew = 0, ended = 0;
  c_.reset();
  b_.reset();
  a_.reset();
  auto of_a = all_->Of("a"), of_b = all_->Of("b");
  of_a.when_not_as_left = [&] { ++not_as_left; };
  of_a.when_taken_over = [&] { ++begins_anew; };
  of_b.when_taken_over = [&] { ++ended; };
  a_ = all_->Open(of_a);
  b_ = SharedLedgers::Join(of_b);
  ASSERT_TRUE(a_->Commit(samples::Registration(1)).ok());
  ASSERT_TRUE(b_->Commit(samples::Registration(2)).ok());
  ASSERT_TRUE(a_->CatchUp().ok());
  const std::string schema = of_a.schema;
  const std::string of_last = " WHERE number = (SELECT max(number) FROM " + schema + ".changes)";
  Told("UPDATE " + schema + ".changes SET record = '\\x01'" + of_last);
  CutOffAll();
  EXPECT_EQ(SymbolOf(a_->Commit(samples::Registration(3))), kLedgerFailed);
  EXPECT_EQ(SymbolOf(b_->Commit(samples::Registration(4))), kLedgerFailed);
  EXPECT_EQ(begins_anew, 1) << "what is gone was another's";
  EXPECT_EQ(ended, 1);
  a_.reset();
  a_ = all_->Open(of_a);
  ASSERT_TRUE(a_->Commit(samples::Registration(5)).ok());
  Told("UPDATE " + schema + ".changes SET record = '\\x01'" + of_last);
  CutOffAll();
  EXPECT_EQ(SymbolOf(a_->Commit(samples::Registration(6))), kLedgerFailed);
  EXPECT_EQ(not_as_left, 1) << "it had acknowledged what is gone";
  b_.reset();  // before what they tell
  a_.reset();
}

TEST_F(SharedFaultsTest, ChangesOfLongAgoAreForgottenAndWhoHasMissedThemJoinsAnew) {
  Open();
  const std::string schema = all_->Of("a").schema, count = "SELECT count(*) FROM " + schema + ".changes";
  a_.reset();
  // A ledger that has long been in use.
  Told("UPDATE " + schema + ".writer SET number = " + std::to_string(kLongAgo));
  Told("DELETE FROM " + schema + ".changes");
  Told("INSERT INTO " + schema + ".changes SELECT n, 0, '\\x01' FROM generate_series(" +
       std::to_string(kLongAgo - 25'000) + ", " + std::to_string(kLongAgo) + ") AS n");
  EXPECT_EQ(SymbolOf(b_->CatchUp()), kLedgerFailed) << "the epoch is the same, but what it saw last is gone";
  EXPECT_EQ(SymbolOf(SayMember(*b_)), kLedgerInUse);
  a_ = all_->Open(all_->Of("a"));
  ASSERT_TRUE(a_->Commit(samples::Registration(1)).ok());
  EXPECT_EQ(Told(count), "20000");
  b_ = SharedLedgers::Join(all_->Of("b"));
  ASSERT_TRUE(b_->Commit(samples::Registration(2)).ok());
  EXPECT_EQ(Told(count), "20001") << "now and then, and not with each";
}

}  // namespace
}  // namespace registry::ledger
