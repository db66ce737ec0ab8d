// A copy of a ledger is the ledger of one moment: taken under way or of a stopped one, it holds all that was committed
// before and stands by itself; after a restore no feed uses a number twice.
#include "bridge/ledger/rocksdb/backup.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <tuple>

#include "schemas/base/mutex.h"
#include "tests/unit/bridge/ledger/backends.h"
#include "tests/unit/bridge/ledger/dump.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kBefore = 40;

class LedgerBackupTest : public testing::Test {
 protected:
  std::string Copy() const { return folder_.path("copy"); }
  std::unique_ptr<Ledger> Made() {
    auto ledger = OpenBackend(Backend::kRocksDb, folder_);
    for (std::uint64_t i = 0; i < kBefore; ++i) EXPECT_TRUE(ledger->Commit(samples::Registration(i)).ok());
    return ledger;
  }
  std::unique_ptr<Ledger> Opened(const std::string& folder) {
    auto ledger = OpenRocksDbLedger({folder});
    EXPECT_TRUE(ledger.ok()) << ledger.error().message;
    return ledger ? std::move(*ledger) : nullptr;
  }
  static std::string DumpOf(const LedgerReader& reader) { return Dump(reader, {"asp-a", "mno-a"}, kBefore); }
  static std::vector<Seq> Numbers(const LedgerReader& reader) {
    std::vector<Seq> numbers;
    for (const auto& item : *reader.FeedFrom(samples::Party("asp-a"), 0, 1000)) numbers.push_back(item.seq);
    return numbers;
  }

  samples::Folder folder_;
};

// What is said at every backup is read by nobody after the tenth.
TEST_F(LedgerBackupTest, ACheckpointWarnsOfNothing) {
  std::ignore = Made();
  std::vector<std::string> told;
  std::size_t everyday = 0;
  Mutex mutex;
  const auto log = [&](int level, const std::string& line) {
    const MutexLock lock(mutex);
    if (level >= Level::kWarning) told.push_back(line);
    if (line.find("File Deletions") != std::string::npos) ++everyday;
  };
  RocksDbOptions options;
  options.folder = folder_.path();
  options.log = LogLine(log);
  {
    const auto ledger = OpenRocksDbLedger(options);
    ASSERT_TRUE(ledger.ok()) << ledger.error().message;
    EXPECT_TRUE(MakeCheckpoint(**ledger, Copy()).ok());
  }
  EXPECT_THAT(told, IsEmpty());
  EXPECT_GT(everyday, 0u) << "RocksDB says it in other words now";
}

TEST_F(LedgerBackupTest, ACheckpointUnderWayHoldsAllThatWasCommittedBeforeItAndIsOneMoment) {
  const auto ledger = Made();
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> committed{kBefore};
  std::thread committing([&] {
    while (!stopping) {
      ASSERT_TRUE(ledger->Commit(samples::Registration(committed)).ok());
      ++committed;
    }
  });
  while (committed < kBefore + 50) std::this_thread::yield();
  const std::uint64_t before = committed;
  const auto made = MakeCheckpoint(*ledger, Copy());
  const std::uint64_t after = committed + 1;
  stopping = true;
  committing.join();
  ASSERT_TRUE(made.ok()) << made.error().message;
  const auto point = PointOf(Copy());
  ASSERT_TRUE(point.ok()) << point.error().message;
  EXPECT_GE(point->history, before);
  EXPECT_LE(point->history, after);
  const auto copy = Opened(Copy());
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->DevicesAfter(std::nullopt, 100'000)->size(), point->history)
      << "a device and its history are one commit";
  EXPECT_EQ(copy->HistoryAfter(point->history - 1, 10)->at(0).hash, point->chain);
  const auto original = ledger->HistoryAfter(point->history - 1, 1);
  EXPECT_EQ(original->at(0).hash, point->chain) << "the same history, as far as it goes";
}

TEST_F(LedgerBackupTest, ACheckpointIsNotTouchedByWhatTheLedgerDoesLater) {
  auto ledger = Made();
  ASSERT_TRUE(MakeCheckpoint(*ledger, Copy()).ok());
  const std::string then = DumpOf(*ledger);
  for (std::uint64_t i = kBefore; i < kBefore + 20; ++i)
    ASSERT_TRUE(ledger->Commit(samples::Registration(i)).ok());
  ledger.reset();
  Opened(folder_.path());  // rewrites its logs
  const auto copy = Opened(Copy());
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(DumpOf(*copy), then);
}

TEST_F(LedgerBackupTest, AStoppedLedgerIsCopiedAsItIs) {
  const std::string then = DumpOf(*Made());
  ASSERT_TRUE(CopyStoppedLedger(folder_.path(), Copy()).ok());
  const auto point = PointOf(Copy()), original = PointOf(folder_.path());
  ASSERT_TRUE(point.ok() && original.ok());
  EXPECT_EQ(point->last_write, original->last_write);
  EXPECT_EQ(point->id, original->id);
  EXPECT_EQ(point->history, kBefore);
  EXPECT_EQ(DumpOf(*Opened(Copy())), then);
}

TEST_F(LedgerBackupTest, ALedgerInUseIsNotCopiedByItsFiles) {
  const auto ledger = Made();
  const auto copied = CopyStoppedLedger(folder_.path(), Copy());
  ASSERT_FALSE(copied.ok());
  EXPECT_EQ(copied.error().symbol, kLedgerInUse);
  EXPECT_FALSE(fs::exists(Copy()));
}

TEST_F(LedgerBackupTest, ACheckpointOverSomethingThatIsThereIsRefused) {
  const auto ledger = Made();
  fs::create_directories(Copy());
  const auto made = MakeCheckpoint(*ledger, Copy());
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().symbol, kLedgerFailed);
  EXPECT_THAT(made.error().message, HasSubstr(Copy()));
  EXPECT_TRUE(ledger->Commit(samples::Registration(kBefore)).ok()) << "and hurts nobody";
}

TEST_F(LedgerBackupTest, ACopyThatLacksALogIsNoLedger) {
  auto ledger = Made();
  ASSERT_TRUE(MakeCheckpoint(*ledger, Copy()).ok());
  for (const auto& file : fs::directory_iterator(Copy())) {
    if (file.path().extension() == ".log") fs::resize_file(file.path(), fs::file_size(file.path()) / 2);
  }
  const auto point = PointOf(Copy());
  ASSERT_FALSE(point.ok());
  EXPECT_EQ(point.error().symbol, kLedgerDamaged);
}

TEST_F(LedgerBackupTest, AfterARestoreAFeedGoesOnUnderNumbersThatNobodyWasTold) {
  auto ledger = Made();
  domain::Changeset told;
  for (std::uint64_t i = 0; i < 5; ++i) told.notifications.push_back(samples::Notification(i, "asp-a"));
  ASSERT_TRUE(ledger->Commit(std::move(told)).ok());
  domain::Changeset acked;
  acked.feed_acks = {{samples::Party("asp-a"), 3}};
  ASSERT_TRUE(ledger->Commit(std::move(acked)).ok());
  const auto before = ledger->FeedFrom(samples::Party("asp-a"), 0, 10);
  ledger.reset();
  const auto stepped = StepNumbers(folder_.path());
  ASSERT_TRUE(stepped.ok()) << stepped.error().message;
  EXPECT_EQ(stepped->feeds, 1u);
  ledger = Opened(folder_.path());
  EXPECT_THAT(Numbers(*ledger), ElementsAre(kFeedStep + 4, kFeedStep + 5));
  const auto state = ledger->LoadFeed(samples::Party("asp-a"));
  EXPECT_EQ(state->last, kFeedStep + 5);
  EXPECT_EQ(state->acked, kFeedStep + 3);
  const auto items = ledger->FeedFrom(samples::Party("asp-a"), 4, 10);
  EXPECT_EQ(items->at(0).notification.id, before->at(0).notification.id) << "the same ones again";
  // What waits for the broker says the new numbers, too.
  std::vector<Seq> waiting;
  for (const auto& entry : *ledger->OutboxAfter(Sink::kMqtt, 0, 1000, std::chrono::milliseconds(0))) {
    if (const auto* item = std::get_if<FeedItem>(&entry.item)) waiting.push_back(item->seq);
  }
  EXPECT_THAT(waiting,
              ElementsAre(kFeedStep + 1, kFeedStep + 2, kFeedStep + 3, kFeedStep + 4, kFeedStep + 5));
  domain::Changeset next;
  next.notifications = {samples::Notification(9, "asp-a")};
  ASSERT_TRUE(ledger->Commit(std::move(next)).ok());
  EXPECT_EQ(Numbers(*ledger).back(), kFeedStep + 6);
  ledger.reset();
  EXPECT_THAT(Verify(*Opened(folder_.path()))->faults, Not(testing::Contains(HasSubstr("feed"))));
}

// A card takes no payload that is not newer than its own, so versions go on; what is delivered stays so.
TEST_F(LedgerBackupTest, AfterARestoreEveryPayloadIsNewerThanAnyThatWasSent) {
  auto ledger = Made();
  const domain::Device device = samples::FullDevice(kBefore);
  ASSERT_GT(domain::PayloadVersion(device), 0u);
  domain::Job push = samples::SentJob(kBefore);
  push.kind = domain::JobKind::kPayloadPush;
  push.version = domain::PayloadVersion(device);
  domain::Job other = samples::SentJob(kBefore + 1);
  other.kind = domain::JobKind::kZoneVisible;
  domain::Changeset changes;
  domain::Device waiting = samples::FullDevice(kBefore + 1);
  for (domain::Binding& binding : waiting.bindings) binding.composed = binding.delivered = 0;
  changes.devices = {{device, 0}, {waiting, 0}};
  changes.jobs_put = {push, other};
  ASSERT_TRUE(ledger->Commit(std::move(changes)).ok());
  ledger.reset();
  const auto stepped = StepNumbers(folder_.path());
  ASSERT_TRUE(stepped.ok()) << stepped.error().message;
  EXPECT_EQ(stepped->devices, 2u) << "but for those that nobody has claimed";
  ledger = Opened(folder_.path());
  const auto claimed = ledger->LoadDevice(samples::DeviceOf(kBefore + 1));
  EXPECT_EQ(domain::PayloadVersion(**claimed), kPayloadStep)
      << "it may have had its first one since the backup";
  EXPECT_EQ(domain::DeliveredVersion(**claimed), 0u);
  const auto now = ledger->LoadDevice(device.id);
  EXPECT_EQ(domain::PayloadVersion(**now), domain::PayloadVersion(device) + kPayloadStep);
  EXPECT_EQ(domain::DeliveredVersion(**now),
            domain::DeliveredVersion(device) == 0 ? 0 : domain::DeliveredVersion(device) + kPayloadStep);
  EXPECT_EQ(domain::PayloadOwed(**now), domain::PayloadOwed(device));
  EXPECT_EQ((*ledger->LoadJob(push.id))->version, push.version + kPayloadStep);
  EXPECT_EQ((*ledger->LoadJob(other.id))->version, other.version);
}

}  // namespace
}  // namespace registry::ledger
