// What is the PostgreSQL backend's own: who may write, what becomes of a commit that was cut off, what a schema may be.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "bridge/ledger/postgres/connection.h"
#include "bridge/ledger/postgres/records.h"
#include "schemas/base/mutex.h"
#include "simulators/lab/probe.h"
#include "tests/unit/bridge/ledger/backends.h"
#include "tests/unit/bridge/ledger/dump.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

class PostgresLedgerTest : public testing::Test {
 protected:
  std::unique_ptr<Ledger> Open() { return OpenPostgres(folder_); }
  static std::string SymbolOf(const Result<std::unique_ptr<Ledger>>& opened) {
    return opened ? "opened" : opened.error().symbol;
  }

  samples::Folder folder_;
  PostgresOptions options_ = PostgresOf(folder_);
};

TEST_F(PostgresLedgerTest, WhereNoLedgerIsItSaysWhatMakesOne) {
  const auto none = OpenPostgresLedger(options_);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().symbol, kLedgerMissing);
  EXPECT_THAT(none.error().message, HasSubstr("registryctl ledger migrate"));
  EXPECT_EQ(CheckPostgresLedger(options_).error().symbol, kLedgerMissing);
  const auto made = MigratePostgresLedger(options_);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_THAT(*made, HasSubstr("a new, empty ledger was made"));
  EXPECT_THAT(*MigratePostgresLedger(options_), HasSubstr("nothing was done"));
  EXPECT_TRUE(CheckPostgresLedger(options_).ok());
}

TEST_F(PostgresLedgerTest, WhatWasCommittedIsThereWhenItIsOpenedAgain) {
  std::string before;
  {
    const auto ledger = Open();
    for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(ledger->Commit(samples::Registration(i)).ok());
    ASSERT_TRUE(ledger->Advance(Sink::kZone, {2, "4711 1/2"}, true).ok());
    before = Dump(*ledger, {"asp-a", "mno-a"}, 5);
  }
  EXPECT_EQ(Dump(*Open(), {"asp-a", "mno-a"}, 5), before);
}

TEST_F(PostgresLedgerTest, OneRegistryWritesAtATime) {
  const auto ledger = Open();
  options_.retry_for = milliseconds(300);
  const auto second = OpenPostgresLedger(options_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().symbol, kLedgerInUse);
  EXPECT_THAT(second.error().message, HasSubstr("iot-registry at 127.0.0.1"));
  EXPECT_TRUE(ledger->Commit(samples::Registration(1)).ok());
}

// By the kernel's own settings a server keeps the process of a client that lost its power, and the lock, for two hours.
TEST_F(PostgresLedgerTest, TheServerLooksForAClientThatIsGone) {
  auto opened = Connection::Open(options_, Connection::Server::kWritable);
  auto* const connection = std::get_if<std::unique_ptr<Connection>>(&opened);
  ASSERT_NE(connection, nullptr) << std::get<Failure>(opened).message;
  const Statement as_the_socket_has_it{
      "",
      "SELECT concat_ws(' ', current_setting('tcp_keepalives_idle'), "
      "current_setting('tcp_keepalives_interval'), "
      "current_setting('tcp_keepalives_count'), current_setting('tcp_user_timeout'))",
      {}};
  const auto rows =
      (*connection)->Run({{&as_the_socket_has_it}}, std::chrono::steady_clock::now() + seconds(20));
  ASSERT_TRUE(std::holds_alternative<std::vector<Rows>>(rows)) << std::get<Failure>(rows).message;
  EXPECT_EQ(std::get<std::vector<Rows>>(rows).front().At(0, 0), "10 5 3 20000");
}

TEST_F(PostgresLedgerTest, AReaderBesideSeesOneMoment) {
  const auto ledger = Open();
  ASSERT_TRUE(ledger->Commit(samples::Registration(1)).ok());
  const auto reader = OpenPostgresReader(options_);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  ASSERT_TRUE(ledger->Commit(samples::Registration(2)).ok());
  EXPECT_TRUE((*reader)->LoadDevice(samples::DeviceOf(1))->has_value());
  EXPECT_FALSE((*reader)->LoadDevice(samples::DeviceOf(2))->has_value());
  EXPECT_THAT(Verify(**reader)->faults, IsEmpty());
  EXPECT_TRUE((*OpenPostgresReader(options_))->LoadDevice(samples::DeviceOf(2))->has_value());
}

// More than goes with one statement: places of these are some 9,000.
TEST_F(PostgresLedgerTest, AnIndexIsMadeAnewInPieces) {
  constexpr std::uint64_t kMany = 1500;
  {
    const auto ledger = Open();
    for (std::uint64_t i = 0; i < kMany; ++i)
      ledger->CommitLater(samples::Registration(i), [](const Status& done) { EXPECT_TRUE(done.ok()); });
    ASSERT_TRUE(ledger->Commit(samples::Registration(kMany)).ok());
  }
  const auto made = ReindexPostgresLedger(options_);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_THAT(*made, HasSubstr("the index of 1501 devices"));
  EXPECT_THAT(Verify(**OpenPostgresReader(options_))->faults, IsEmpty());
}

TEST_F(PostgresLedgerTest, AConnectionThatHasToLeaveTheMachineNeedsTls) {
  const auto faulty = [this](const std::string& connection) {
    options_.connection = connection;
    const auto checked = CheckPostgresOptions(options_);
    return checked.ok() ? "" : checked.error().message;
  };
  EXPECT_THAT(faulty("host=db.example dbname=registry"), HasSubstr("sslmode=verify-full"));
  EXPECT_THAT(faulty("host=127.0.0.1,db.example dbname=registry sslmode=require"), HasSubstr("verify-full"));
  EXPECT_THAT(faulty("postgresql://registry@db.example/registry"), HasSubstr("verify-full"));
  EXPECT_THAT(faulty("host=127.0.0.1 password=secret"), HasSubstr("a password"));
  EXPECT_THAT(faulty("host"), HasSubstr("no connection of libpq"));
  EXPECT_EQ(faulty("host=db.example dbname=registry sslmode=verify-full"), "");
  EXPECT_EQ(faulty("postgresql://registry@db.example/registry?sslmode=verify-full"), "");
  EXPECT_EQ(faulty("host=/run/postgresql dbname=registry"), "");
  EXPECT_EQ(faulty(""), "");
  EXPECT_THAT(faulty("host=127.db.example dbname=registry"), HasSubstr("verify-full"));
  EXPECT_THAT(faulty("host=127.0.0.1,db.example hostaddr=127.0.0.1,"), HasSubstr("verify-full"));
  EXPECT_EQ(faulty("host=db.example hostaddr=127.0.0.7"), "");
  EXPECT_EQ(faulty("host=::1"), "");
  EXPECT_THAT(faulty("service=registry"), HasSubstr("names a service"));
  options_.schema = "a\"b";
  EXPECT_THAT(faulty(""), HasSubstr("the schema's name"));
}

// One variable of the environment, as libpq reads it.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): nothing else runs
  }
  ~Variable() { ::unsetenv(name_); }  // NOLINT(concurrency-mt-unsafe): as above
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST_F(PostgresLedgerTest, WhatTheEnvironmentSaysOfAConnectionIsJudgedToo) {
  const auto faulty = [this](const std::string& connection) {
    options_.connection = connection;
    const auto checked = CheckPostgresOptions(options_);
    return checked.ok() ? "" : checked.error().message;
  };
  const std::string services = testing::TempDir() + "/of-a-test.pg_service.conf";
  std::ofstream(services) << "[away]\nhost=db.example\n";
  {
    const Variable host("PGHOST", "db.example");
    EXPECT_THAT(faulty("dbname=registry"), HasSubstr("verify-full"));
    EXPECT_EQ(faulty("host=/run/postgresql"), "");
    EXPECT_EQ(faulty("dbname=registry sslmode=verify-full"), "");
    const Variable mode("PGSSLMODE", "verify-full");
    EXPECT_EQ(faulty("dbname=registry"), "");
    EXPECT_THAT(faulty("sslmode=prefer"), HasSubstr("verify-full")) << "what the connection says counts";
  }
  {
    const Variable address("PGHOSTADDR", "192.0.2.1");
    EXPECT_THAT(faulty("host=127.0.0.1"), HasSubstr("verify-full"));
    EXPECT_EQ(faulty("host=127.0.0.1 hostaddr=''"), "") << "an empty word overrules the environment";
  }
  {
    const Variable file("PGSERVICEFILE", services), service("PGSERVICE", "away");
    EXPECT_THAT(faulty("dbname=registry"), HasSubstr("verify-full"));
  }
  std::filesystem::remove(services);
}

TEST_F(PostgresLedgerTest, AWrongPasswordIsAClearError) {
  ASSERT_TRUE(MigratePostgresLedger(options_).ok());
  options_.password = Secret(AsBytes("wrong"));
  options_.retry_for = milliseconds(1);
  const auto opened = OpenPostgresLedger(options_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().symbol, kLedgerFailed);
  EXPECT_THAT(opened.error().message, HasSubstr("password authentication failed"));
}

// Servers of their own: these end and stop them.
class PostgresServerTest : public testing::Test {
 protected:
  void SetUp() override {
    // What is written without waiting stays in the server's memory for long enough to be lost with it.
    auto started = lab::PostgresServer::Start({.settings = {"wal_writer_delay=10s"}});
    ASSERT_TRUE(started.ok()) << started.error().message;
    server_ = std::move(*started);
    options_ = test::PostgresOptionsFor(*server_, "ledger");
    options_.retry_for = seconds(60);
    ASSERT_TRUE(MigratePostgresLedger(options_).ok());
    auto opened = OpenPostgresLedger(options_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ledger_ = std::move(*opened);
  }
  // Commits from several threads until `disturb` is done and 50 more came through. Which were acknowledged.
  std::vector<std::uint64_t> CommitWhile(const std::function<void()>& disturb) {
    constexpr std::uint64_t kThreads = 4;
    std::atomic<bool> disturbed{false};
    std::vector<std::future<std::vector<std::uint64_t>>> all;
    for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
      all.push_back(std::async(std::launch::async, [this, thread, &disturbed] {
        std::vector<std::uint64_t> acknowledged;
        for (std::uint64_t i = thread, after = 0; after < 50; i += kThreads) {
          const auto done = ledger_->Commit(samples::Registration(i));
          EXPECT_TRUE(done.ok()) << done.error().message;
          if (!done) break;
          acknowledged.push_back(i);
          if (disturbed) ++after;
        }
        return acknowledged;
      }));
    }
    disturb();
    disturbed = true;
    std::vector<std::uint64_t> numbers;
    for (auto& one : all) {
      const auto some = one.get();
      numbers.insert(numbers.end(), some.begin(), some.end());
    }
    return numbers;
  }
  // Everything once: the history has an entry for each registration, and the chain holds.
  void ExpectEachOnce(const std::vector<std::uint64_t>& numbers) {
    for (const std::uint64_t number : numbers) {
      const auto device = ledger_->LoadDevice(samples::DeviceOf(number));
      ASSERT_TRUE(device.ok() && device->has_value()) << number;
      EXPECT_EQ((**device).version, 1u);
      EXPECT_EQ(ledger_->HistoryOf(samples::DeviceOf(number))->size(), 1u);
    }
    const auto report = Verify(*ledger_);
    ASSERT_TRUE(report.ok());
    EXPECT_THAT(report->faults, IsEmpty());
    EXPECT_EQ(report->devices, numbers.size());
    EXPECT_EQ(ledger_->changesets(), numbers.size());
  }

  std::string Told(const std::string& sql) {
    const auto said = server_->Ask(sql);
    EXPECT_TRUE(said.ok()) << sql << ": " << said.error().message;
    return said ? said->substr(0, said->find('\n')) : "";
  }
  void Set(const std::string& setting) {
    Told("ALTER SYSTEM " + setting);
    Told("SELECT pg_reload_conf()");
  }
  std::string LastNumber() { return Told("SELECT number FROM " + options_.schema + ".writer"); }
  // The ledger anew, its lines in lines_.
  void OpenAgain(milliseconds answer_within, milliseconds retry_for) {
    ledger_.reset();
    options_.answer_within = answer_within;
    options_.retry_for = retry_for;
    options_.log = LogLine([this](int, const std::string& line) {
      const MutexLock lock(mutex_);
      lines_.push_back(line);
    });
    ledger_ = Opened(OpenPostgresLedger(options_));
    ASSERT_NE(ledger_, nullptr);
  }
  std::ptrdiff_t LinesOf(const std::string& part) {
    const MutexLock lock(mutex_);
    return std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }
  std::future<Status> CommitBeside(std::uint64_t number) {
    return std::async(std::launch::async,
                      [this, number] { return ledger_->Commit(samples::Registration(number)); });
  }

  Mutex mutex_;
  std::vector<std::string> lines_ GUARDED_BY(mutex_);
  std::unique_ptr<lab::PostgresServer> server_;
  PostgresOptions options_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(PostgresServerTest, ConnectionsThatAreCutOffLoseAndRepeatNothing) {
  const auto numbers = CommitWhile([this] {
    for (int i = 0; i < 8; ++i) {
      const std::string cut =
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
          "WHERE application_name = 'iot-registry'";
      const auto done = server_->Ask(cut);
      EXPECT_TRUE(done.ok()) << done.error().message;
    }
  });
  ExpectEachOnce(numbers);
}

TEST_F(PostgresServerTest, AServerThatCrashesAndComesBackIsWaitedFor) {
  const auto numbers = CommitWhile([this] {
    for (int i = 0; i < 2; ++i) {
      server_->Kill();
      const auto back = server_->StartAgain();
      EXPECT_TRUE(back.ok()) << back.error().message;
    }
  });
  ExpectEachOnce(numbers);
}

// A sink's cursor is written without waiting, and only that may be missing after a crash.
TEST_F(PostgresServerTest, ACrashThatLosesASinksCursorIsWaitedForToo) {
  bool lost = false;
  for (std::uint64_t i = 1; i <= 5 && !lost; ++i) {
    ASSERT_TRUE(ledger_->Commit(samples::Registration(i)).ok());
    ASSERT_TRUE(ledger_->Advance(Sink::kMqtt, {2 * i, ""}, false).ok());
    ASSERT_TRUE(ledger_->Advance(Sink::kMqtt, {2 * i + 1, ""}, false).ok());
    const std::string before = LastNumber();
    server_->Kill();
    ASSERT_TRUE(server_->StartAgain().ok());
    lost = LastNumber() != before;
    const auto done = ledger_->Commit(samples::Registration(100 + i));
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_TRUE(ledger_->LoadDevice(samples::DeviceOf(i))->has_value());
  }
  EXPECT_TRUE(lost) << "the case was not met";
  ASSERT_TRUE(ledger_->Advance(Sink::kMqtt, {2, ""}, true).ok());
  EXPECT_EQ(ledger_->LoadSink(Sink::kMqtt)->cursor, 2u);
  EXPECT_THAT(Verify(*ledger_)->faults, IsEmpty());
}

// PostgreSQL's manual, 27.2.8.4: whoever ends or cancels the wait for a standby makes the transaction visible, on this
// server alone. It is not acknowledged before a standby has it.
TEST_F(PostgresServerTest, WhatNoSynchronousStandbyHasIsNotAcknowledged) {
  OpenAgain(milliseconds(500), seconds(60));
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok());
  const std::string before = LastNumber();
  Set("SET synchronous_standby_names = 'away'");
  auto waits = CommitBeside(2);
  const std::string confirms =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'UPDATE%'";
  EXPECT_TRUE(lab::WaitUntil([&] { return Told(confirms) == "1"; }, seconds(30)));
  EXPECT_NE(LastNumber(), before) << "visible, and yet on this server alone";
  EXPECT_EQ(waits.wait_for(milliseconds(0)), std::future_status::timeout);
  // By hand, it makes the server answer with a success and a warning.
  const std::string cancel =
      "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
  EXPECT_TRUE(lab::WaitUntil(
      [&] {
        Told(cancel);
        return LinesOf("canceling wait for synchronous replication") > 0;
      },
      seconds(30)));
  EXPECT_TRUE(lab::WaitUntil([&] { return Told(confirms) == "1"; }, seconds(30)));
  EXPECT_EQ(waits.wait_for(milliseconds(0)), std::future_status::timeout);
  Set("RESET synchronous_standby_names");
  const auto done = waits.get();
  EXPECT_TRUE(done.ok()) << done.error().message;
  ExpectEachOnce({1, 2});
}

TEST_F(PostgresServerTest, AStandbyThatStaysAwayEndsTheLedger) {
  OpenAgain(milliseconds(400), seconds(2));
  Set("SET synchronous_standby_names = 'away'");
  const auto failed = ledger_->Commit(samples::Registration(1));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().symbol, kLedgerFailed);
  ledger_.reset();
  EXPECT_FALSE(OpenPostgresLedger(options_).ok()) << "nothing is served that may be lost";
  Set("RESET synchronous_standby_names");
  ledger_ = Opened(OpenPostgresLedger(options_));
  EXPECT_TRUE(ledger_->Commit(samples::Registration(2)).ok());
}

TEST_F(PostgresServerTest, AStandbyIsWaitedForUntilItIsPromoted) {
  OpenAgain(seconds(20), seconds(60));
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok());
  server_->StopFast();
  ASSERT_TRUE(server_->StartAgainAsStandby().ok());
  auto waits = std::async(std::launch::async, [this] {
    return ledger_->Advance(Sink::kZone, {1, "1"}, true);
  });
  auto reads = std::async(std::launch::async, [this] { return ledger_->HistoryOf(samples::DeviceOf(1)); });
  EXPECT_TRUE(lab::WaitUntil([this] { return LinesOf("a standby that is not promoted") >= 2; }, seconds(30)));
  EXPECT_EQ(LinesOf("is sent again"), 0) << "it is not judged by what a standby shows";
  EXPECT_TRUE((*OpenPostgresReader(options_))->LoadDevice(samples::DeviceOf(1))->has_value())
      << "one moment may be a standby's";
  EXPECT_EQ(reads.wait_for(milliseconds(0)), std::future_status::timeout) << "it may show an earlier state";
  EXPECT_EQ(Told("SELECT pg_promote()"), "t");
  EXPECT_TRUE(waits.get().ok());
  EXPECT_EQ(reads.get()->size(), 1u);
  ExpectEachOnce({1});
}

TEST_F(PostgresServerTest, AServerInTroubleIsNotFloodedWithConnections) {
  OpenAgain(seconds(20), milliseconds(1500));
  Set("SET default_transaction_read_only = on");
  ASSERT_TRUE(
      lab::WaitUntil([this] { return Told("SHOW default_transaction_read_only") == "on"; }, seconds(30)));
  ASSERT_EQ(ledger_->Commit(samples::Registration(1)).error().symbol, kLedgerFailed);
  EXPECT_LE(LinesOf("no connection yet") + LinesOf("was cut off"), 20);
  EXPECT_GE(LinesOf("is sent again"), 2) << "it was tried more than once";
}

TEST_F(PostgresServerTest, AServerThatIsGoneTooLongFailsTheLedgerForGood) {
  ledger_.reset();
  options_.retry_for = milliseconds(500);
  ledger_ = Opened(OpenPostgresLedger(options_));
  server_->StopFast();
  EXPECT_EQ(ledger_->Commit(samples::Registration(1)).error().symbol, kLedgerFailed);
  EXPECT_EQ(ledger_->LoadDevice(samples::DeviceOf(1)).error().symbol, kLedgerFailed);
  ASSERT_TRUE(server_->StartAgain().ok());
  EXPECT_EQ(ledger_->Commit(samples::Registration(2)).error().symbol, kLedgerFailed)
      << "until it is opened again";
  ledger_.reset();
  ledger_ = Opened(OpenPostgresLedger(options_));
  EXPECT_TRUE(ledger_->Commit(samples::Registration(2)).ok());
}

// The half of an OID's numbers that an int4 has no sign for.
TEST_F(PostgresServerTest, ATableWithAHighNumberIsLockedLikeAnyOther) {
  ledger_.reset();
  server_->StopFast();
  ASSERT_TRUE(server_->StartAgainWithOidsFrom(3'000'000'000).ok());
  options_.schema += "high";
  ASSERT_TRUE(MigratePostgresLedger(options_).ok());
  ASSERT_GE(std::stoul(Told("SELECT '" + options_.schema + ".writer'::regclass::oid")), 3'000'000'000u);
  ledger_ = Opened(OpenPostgresLedger(options_));
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok());
  options_.retry_for = milliseconds(300);
  const auto second = OpenPostgresLedger(options_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().symbol, kLedgerInUse);
  EXPECT_THAT(second.error().message, HasSubstr("iot-registry at 127.0.0.1"));
}

TEST_F(PostgresServerTest, WhoLostTheLedgerToAnotherWritesNothingMore) {
  std::atomic<int> told{0};
  options_.when_not_as_left = [&told] { ++told; };
  OpenAgain(seconds(20), seconds(60));
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok());
  server_->StopFast();
  ASSERT_TRUE(server_->StartAgain().ok());
  // The first has not noticed yet that its connection is gone, and its lock with it.
  ASSERT_TRUE(Opened(OpenPostgresLedger(options_))->Commit(samples::Registration(2)).ok());
  const auto late = ledger_->Commit(samples::Registration(3));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().symbol, kLedgerFailed);
  EXPECT_THAT(late.error().message, HasSubstr("another has written there"));
  EXPECT_EQ(told, 1);
  ledger_.reset();
  ledger_ = Opened(OpenPostgresLedger(options_));
  EXPECT_TRUE(ledger_->LoadDevice(samples::DeviceOf(2))->has_value());
  EXPECT_FALSE(ledger_->LoadDevice(samples::DeviceOf(3))->has_value());
}

// A server that stands still keeps the connection, and with it the lock. Its old process is ended when it goes on.
TEST_F(PostgresServerTest, AServerThatHangsIsLeftAndFoundAgain) {
  constexpr std::uint64_t kOther = 1'000'000;
  ledger_.reset();
  options_.answer_within = milliseconds(1500);
  ledger_ = Opened(OpenPostgresLedger(options_));
  auto numbers = CommitWhile([this] {
    server_->Pause();
    auto waits =
        std::async(std::launch::async, [this] { return ledger_->Commit(samples::Registration(kOther)); });
    EXPECT_EQ(waits.wait_for(milliseconds(2500)), std::future_status::timeout);
    server_->Resume();
    EXPECT_TRUE(waits.get().ok());
  });
  numbers.push_back(kOther);
  ExpectEachOnce(numbers);
}

}  // namespace
}  // namespace registry::ledger
