// From RocksDB to PostgreSQL and back, as an operator moves a ledger: the same ledger, whatever cuts the import off.
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <streambuf>
#include <utility>

#include "bridge/ctl/ledger_lines.h"
#include "bridge/ctl/ledger_step.h"
#include "bridge/ctl/sha256.h"
#include "bridge/ctl/take_point.h"
#include "bridge/ledger/rocksdb/open.h"
#include "simulators/lab/probe.h"
#include "tests/support/test_postgres.h"
#include "tests/unit/bridge/ledger/dump.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::ctl {
namespace {

namespace samples = ledger::samples;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kMoved = 1200;  // more than one transaction of an import holds
const std::vector<std::string> kParties = {"asp-a", "mno-a"};

// A text in pieces. In the middle of it something happens.
class Interrupted final : public std::streambuf {
 public:
  Interrupted(std::string text, std::function<void()> happens)
      : text_(std::move(text)), happens_(std::move(happens)) {}

 protected:
  int_type underflow() override {
    constexpr std::size_t kPiece = 4096;
    if (read_ >= text_.size()) return traits_type::eof();
    if (read_ >= text_.size() / 2 && happens_) std::exchange(happens_, nullptr)();
    const std::size_t size = std::min(kPiece, text_.size() - read_);
    setg(text_.data() + read_, text_.data() + read_, text_.data() + read_ + size);
    read_ += size;
    return traits_type::to_int_type(*gptr());
  }

 private:
  std::string text_;
  std::function<void()> happens_;
  std::size_t read_ = 0;
};

class LedgerMoveTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ledger::CreateRocksDbLedger(folder_.path()).ok());
    const auto ledger = Rocks(folder_.path());
    for (std::uint64_t i = 0; i < kMoved; ++i) {
      ledger->CommitLater(samples::Registration(i), [](const Status& done) { EXPECT_TRUE(done.ok()); });
    }
    domain::Changeset more;
    more.notifications = {samples::Notification(1), samples::Notification(2)};
    more.dead_letters = {samples::DeadLetter(1)};
    more.revocations = {samples::Revocation(1)};
    ASSERT_TRUE(ledger->Commit(std::move(more)).ok());
    ASSERT_TRUE(ledger->Advance(ledger::Sink::kZone, {0, "4711 1/2"}, true).ok());
    then_ = Dump(*ledger, kParties, kMoved);
  }
  static std::unique_ptr<ledger::Ledger> Rocks(const std::string& folder) {
    auto opened = ledger::OpenRocksDbLedger({folder});
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  std::unique_ptr<ledger::Ledger> Postgres() const {
    auto opened = ledger::OpenPostgresLedger(*postgres_.postgres);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  std::string Export(const app::LedgerPlace& from) {
    std::ostringstream lines;
    const auto made = ExportLines({from, folder_.path("scratch"), "test", samples::kNoon}, lines);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return lines.str();
  }
  Result<LedgerCounts> Import(const std::string& text, const app::LedgerPlace& to) {
    std::istringstream lines(text);
    return ImportLines(lines, to, folder_.path("beside"));
  }
  static std::string LinesBetween(
      const std::string& text) {  // without what says when and by whom it was made
    return text.substr(text.find('\n'), text.rfind("{\"end\"") - text.find('\n'));
  }

  // Its last line says what its lines are.
  static std::string WithDigest(const std::string& text) {
    const auto last = text.rfind("{\"end\"");
    Sha256 digest;
    digest.Add(text.substr(0, last));
    auto end = nlohmann::json::parse(text.substr(last));
    end["end"]["sha256"] = ToHex(digest.End());
    return text.substr(0, last) + end.dump() + '\n';
  }
  static std::string Told(const std::string& sql) {
    const auto said = test::SharedPostgres().Ask(sql);
    EXPECT_TRUE(said.ok()) << sql << ": " << said.error().message;
    return said ? said->substr(0, said->find('\n')) : "";
  }
  std::string Table(const std::string& name) const { return postgres_.postgres->schema + "." + name; }
  // The keys of the tables whose index an import makes last.
  std::string Indexed() const {
    return Told(
        "SELECT coalesce(string_agg(indexname, ',' ORDER BY indexname), '') FROM pg_indexes WHERE schemaname "
        "= '" +
        postgres_.postgres->schema + "' AND tablename IN ('history_by_device', 'places', 'day_marks')");
  }

  samples::Folder folder_;
  const app::LedgerPlace rocks_{folder_.path(), {}};
  const app::LedgerPlace postgres_{"", test::PostgresOptionsFor(test::SharedPostgres(), folder_.path())};
  std::string then_;
};

TEST_F(LedgerMoveTest, ThereAndBackIsTheSameLedger) {
  const std::string text = Export(rocks_);
  const auto moved = Import(text, postgres_);
  ASSERT_TRUE(moved.ok()) << moved.error().message;
  EXPECT_EQ(moved->point.history, kMoved);
  EXPECT_EQ(moved->records.at("devices"), kMoved);
  {
    const auto ledger = Postgres();
    EXPECT_EQ(Dump(*ledger, kParties, kMoved), then_);
    EXPECT_EQ(ledger->LoadSink(ledger::Sink::kZone)->state, "4711 1/2") << "the zone goes on";
    EXPECT_EQ(ledger->Commit(samples::Registration(7)).error().symbol, ledger::kEventKnown)
        << "marks are kept";
  }
  const std::string again = Export(postgres_);
  EXPECT_EQ(LinesBetween(again), LinesBetween(text));
  const app::LedgerPlace back{folder_.path("back"), {}};
  const auto returned = Import(again, back);
  ASSERT_TRUE(returned.ok()) << returned.error().message;
  EXPECT_EQ(returned->point.chain, moved->point.chain);
  const auto ledger = Rocks(back.folder);
  EXPECT_EQ(Dump(*ledger, kParties, kMoved), then_);
  EXPECT_TRUE(ledger->Commit(samples::Registration(kMoved)).ok());
}

TEST_F(LedgerMoveTest, AnImportThatIsCutOffIsNoLedgerAndGoesOn) {
  const std::string text = Export(rocks_);
  const auto cut = Import(text.substr(0, text.size() * 3 / 4), postgres_);
  ASSERT_FALSE(cut.ok());
  EXPECT_GT(std::stoi(Told("SELECT count(*) FROM " + Table("devices"))), 0) << "nothing to go on with";
  EXPECT_EQ(cut.error().symbol, "import_invalid");
  EXPECT_EQ(ledger::CheckPostgresLedger(*postgres_.postgres).error().symbol, ledger::kLedgerUnmarked);
  EXPECT_EQ(ledger::MigratePostgresLedger(*postgres_.postgres).error().symbol, ledger::kLedgerUnmarked);
  const auto whole = Import(text, postgres_);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ(Dump(*Postgres(), kParties, kMoved), then_);
}

// The last line alone is missing: everything is in but what follows from it, and no index is there yet.
TEST_F(LedgerMoveTest, AnImportThatWasCutOffBehindItsLastRecordGoesOn) {
  const std::string text = Export(rocks_);
  ASSERT_FALSE(Import(text.substr(0, text.rfind("{\"end\"")), postgres_).ok());
  EXPECT_GT(std::stoi(Told("SELECT count(*) FROM " + Table("history_by_device"))), 0);
  EXPECT_EQ(Indexed(), "");
  // What a making of these leaves that was cut off.
  Told("INSERT INTO " + Table("places") + " VALUES ('x', ''), ('x', '')");
  Told("INSERT INTO " + Table("day_marks") + " VALUES ('y', '')");
  const auto whole = Import(text, postgres_);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ(Dump(*Postgres(), kParties, kMoved), then_);
  EXPECT_EQ(Indexed(), "day_marks_pkey,history_by_device_pkey,places_pkey");
}

// Everything is in and made, and refused: as after Ctrl-C in the verification.
TEST_F(LedgerMoveTest, AnImportThatWasCutOffBehindItsEndGoesOn) {
  const std::string text = Export(rocks_);
  std::string altered = text;
  const auto at = altered.rfind("\"history_hash\":\"") + 16;
  altered[at] = altered[at] == '0' ? '1' : '0';
  EXPECT_THAT(Import(altered, postgres_).error().message, HasSubstr("history_hash"));
  const auto whole = Import(text, postgres_);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ(Dump(*Postgres(), kParties, kMoved), then_);
  EXPECT_EQ(Indexed(), "day_marks_pkey,history_by_device_pkey,places_pkey");
}

// As pg_dump does. An attempt waits for the lock for a part of the time in which an answer is to come.
TEST_F(LedgerMoveTest, WhoReadsATableIsWaitedFor) {
  auto options = *postgres_.postgres;
  options.answer_within = std::chrono::seconds(3);
  const std::string locks =
      "SELECT count(*) FROM pg_locks WHERE relation = '" + Table("day_marks") + "'::regclass AND ";
  std::future<bool> reads;
  Interrupted text(Export(rocks_), [&] {
    reads = std::async(std::launch::async, [&] {
      return test::SharedPostgres()
          .Ask("BEGIN; LOCK TABLE " + Table("day_marks") +
               " IN ACCESS SHARE MODE; SELECT pg_sleep(8); COMMIT")
          .ok();
    });
    EXPECT_TRUE(lab::WaitUntil([&] { return Told(locks + "granted AND mode = 'AccessShareLock'") != "0"; },
                               std::chrono::seconds(60)));
  });
  std::istream lines(&text);
  const auto moved = ImportLines(lines, {"", options}, folder_.path("beside"));
  ASSERT_TRUE(moved.ok()) << moved.error().message;
  EXPECT_TRUE(reads.get());
  EXPECT_EQ(Dump(*Postgres(), kParties, kMoved), then_);
}

TEST_F(LedgerMoveTest, AServerThatCrashesAndComesBackIsWaitedFor) {
  auto& server = test::SharedPostgres();
  Interrupted text(Export(rocks_), [&server] {
    server.Kill();
    ASSERT_TRUE(server.StartAgain().ok());
  });
  std::istream lines(&text);
  const auto moved = ImportLines(lines, postgres_, folder_.path("beside"));
  ASSERT_TRUE(moved.ok()) << moved.error().message;
  EXPECT_EQ(Dump(*Postgres(), kParties, kMoved), then_);
}

TEST_F(LedgerMoveTest, ARecordThatIsThereTwiceMakesNoLedger) {
  const std::string text = Export(rocks_);
  const auto from = text.find("{\"family\":\"devices\""), to = text.find('\n', from) + 1;
  std::string twice = text;
  twice.insert(text.find("{\"family\":\"sinks\""), text.substr(from, to - from));
  const auto imported = Import(twice, postgres_);
  ASSERT_FALSE(imported.ok());
  EXPECT_THAT(imported.error().message, HasSubstr("duplicate key"));
  EXPECT_FALSE(ledger::CheckPostgresLedger(*postgres_.postgres).ok());
}

// Other programs may write lines, too: blanks, another order and escapes are JSON as well.
TEST_F(LedgerMoveTest, ALineInAnotherFormOfJsonIsTheSameRecord) {
  const std::string text = Export(rocks_);
  const auto from = text.find("{\"family\":\"devices\""), to = text.find('\n', from);
  const auto record = nlohmann::json::parse(text.substr(from, to - from));
  const std::string other = "{ \"record\": " + record["record"].dump() +
                            ", \"family\": \"\\u0064evices\", \"key\": " + record["key"].dump() + " }";
  std::string changed = text;
  changed.replace(from, to - from, other);
  changed = WithDigest(changed);
  const auto imported = Import(changed, {folder_.path("other"), {}});
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(Dump(*Rocks(folder_.path("other")), kParties, kMoved), then_);
}

TEST_F(LedgerMoveTest, WhatWasBegunWithOneExportDoesNotGoOnWithAnother) {
  const std::string text = Export(rocks_);
  ASSERT_FALSE(Import(text.substr(0, text.size() * 3 / 4), postgres_).ok());
  ASSERT_TRUE(Rocks(folder_.path())->Commit(samples::Registration(kMoved)).ok());
  const auto other = Import(Export(rocks_), postgres_);
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().message, HasSubstr("another export"));
  EXPECT_FALSE(ledger::CheckPostgresLedger(*postgres_.postgres).ok());
}

TEST_F(LedgerMoveTest, AnAlteredExportMakesNoLedger) {
  std::string text = Export(rocks_);
  const auto at = text.find("\"sha256\":\"") + 10;
  text[at] = text[at] == '0' ? '1' : '0';
  const auto altered = Import(text, postgres_);
  ASSERT_FALSE(altered.ok());
  EXPECT_EQ(altered.error().symbol, "import_invalid");
  EXPECT_EQ(ledger::CheckPostgresLedger(*postgres_.postgres).error().symbol, ledger::kLedgerUnmarked);
}

TEST_F(LedgerMoveTest, NothingIsImportedIntoALedgerThatHasBegun) {
  ASSERT_TRUE(ledger::MigratePostgresLedger(*postgres_.postgres).ok());
  ASSERT_TRUE(Postgres()->Commit(samples::Registration(1)).ok());
  const auto imported = Import(Export(rocks_), postgres_);
  ASSERT_FALSE(imported.ok());
  EXPECT_THAT(imported.error().message, HasSubstr("an import makes a new ledger"));
}

TEST_F(LedgerMoveTest, ADatabaseThatWasSetBackIsSteppedOn) {
  ASSERT_TRUE(Import(Export(rocks_), postgres_).ok());
  const auto asp = samples::Party("asp-a");
  const auto feed = *Postgres()->LoadFeed(asp);
  const auto stepped = StepOn(postgres_);
  ASSERT_TRUE(stepped.ok()) << stepped.error().message;
  EXPECT_GT(stepped->numbers.feeds, 0u);
  EXPECT_GT(stepped->serial_above, 4711u);
  const auto ledger = Postgres();
  EXPECT_EQ(ledger->LoadFeed(asp)->last, feed.last + ledger::kFeedStep);
  EXPECT_EQ(ledger->FeedFrom(asp, 0, 1)->front().seq, feed.acked + 1 + ledger::kFeedStep);
  EXPECT_THAT(ledger::Verify(*ledger)->faults, IsEmpty());
}

TEST(BackupOfPostgres, IsRefusedWithWhatToDoInstead) {
  app::Config config;
  config.ledger.in_postgres = true;
  const auto taken = TakenPoint::Take(config, PointWait());
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().symbol, "backup_failed");
  EXPECT_THAT(taken.error().message, HasSubstr("pg_basebackup"));
}

}  // namespace
}  // namespace registry::ctl
