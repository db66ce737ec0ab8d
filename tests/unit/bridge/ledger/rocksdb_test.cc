// What only a ledger on disk can get wrong: death, damage, strangers and readers beside it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <rocksdb/db.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <thread>

#include "bridge/ledger/record_codec.h"
#include "tests/unit/bridge/ledger/backends.h"
#include "tests/unit/bridge/ledger/dump.h"
#include "workers/domain/job_kinds.h"

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class RocksDbLedgerTest : public testing::Test {
 protected:
  std::unique_ptr<Ledger> Open() { return OpenBackend(Backend::kRocksDb, folder_); }
  Error Refusal() {
    RocksDbOptions options;
    options.folder = folder_.path();
    const auto ledger = OpenRocksDbLedger(options);
    return ledger ? Error{} : ledger.error();
  }
  void Fill(std::uint64_t devices) {
    const auto ledger = Open();
    for (std::uint64_t i = 0; i < devices; ++i) ASSERT_TRUE(ledger->Commit(samples::Registration(i)).ok());
  }
  std::unique_ptr<LedgerReader> Beside(const std::string& scratch = "scratch") {
    auto reader = OpenRocksDbReader(folder_.path(), folder_.path(scratch));
    if (reader) return std::move(*reader);
    ADD_FAILURE() << reader.error().message;
    return nullptr;
  }
  // The biggest file whose name ends so.
  fs::path BiggestFile(const std::string& end) {
    fs::path biggest;
    for (const auto& file : fs::directory_iterator(folder_.path())) {
      if (!file.path().string().ends_with(end)) continue;
      if (biggest.empty() || fs::file_size(file) > fs::file_size(biggest)) biggest = file.path();
    }
    return biggest;
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& file : fs::directory_iterator(folder_.path())) names.insert(file.path().filename());
    return names;
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> Columns() const {
    std::vector<std::string> names;
    EXPECT_TRUE(rocksdb::DB::ListColumnFamilies({}, folder_.path(), &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> columns;
    for (const auto& name : names) columns.emplace_back(name, rocksdb::ColumnFamilyOptions());
    return columns;
  }
  // A compaction cut short by the end leaves others, which nobody misses.
  std::vector<std::string> LiveTables() const {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    EXPECT_TRUE(rocksdb::DB::OpenForReadOnly({}, folder_.path(), Columns(), &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
    std::vector<rocksdb::LiveFileMetaData> tables;
    db->GetLiveFilesMetaData(&tables);
    std::vector<std::string> names;
    for (const auto& table : tables) names.push_back(table.name.substr(1));  // behind the '/'
    return names;
  }
  static std::string Contents(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void Write(const fs::path& file, const std::string& contents) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << contents;
  }
  void ExpectFileFault(const std::string& name, const char* how) {
    const auto checked = CheckRocksDbFiles(folder_.path());
    ASSERT_FALSE(checked.ok()) << how << ' ' << name;
    EXPECT_EQ(checked.error().symbol, kLedgerDamaged);
    EXPECT_THAT(checked.error().message, HasSubstr(name)) << how;
  }
  // Changes the ledger behind its back, the way only somebody with the file in hand can.
  void Tamper(const std::string& column,
              const std::function<void(rocksdb::DB&, rocksdb::ColumnFamilyHandle*)>& work) {
    const auto columns = Columns();
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, folder_.path(), columns, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].name == column) work(*db, handles[i]);
      db->DestroyColumnFamilyHandle(handles[i]);
    }
  }
  // Flips one bit in the first record of a column family.
  void FlipIn(const std::string& column, std::size_t octet) {
    Tamper(column, [octet](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
      const std::unique_ptr<rocksdb::Iterator> first(db.NewIterator({}, handle));
      first->SeekToFirst();
      ASSERT_TRUE(first->Valid());
      std::string value = first->value().ToString();
      value.at(octet) = static_cast<char>(value.at(octet) ^ 1);
      ASSERT_TRUE(db.Put({}, handle, first->key(), value).ok());
    });
  }

  samples::Folder folder_;
};

TEST_F(RocksDbLedgerTest, EverythingIsThereAfterReopening) {
  std::string before;
  {
    const auto ledger = Open();
    for (std::uint64_t i = 0; i < 20; ++i) {
      domain::Changeset changes = samples::Registration(i);
      changes.notifications = {samples::Notification(i)};
      changes.jobs_put = {samples::SentJob(i)};
      changes.zone = {samples::Zone(i)};
      ASSERT_TRUE(ledger->Commit(changes).ok());
    }
    ASSERT_TRUE(ledger->Advance(Sink::kMqtt, {7, "seven"}, true).ok());
    before = Dump(*ledger, {"asp-a"}, 20);
  }
  const auto ledger = Open();
  EXPECT_EQ(Dump(*ledger, {"asp-a"}, 20), before);
  ASSERT_TRUE(ledger->Commit(samples::Registration(20)).ok());
  EXPECT_EQ(ledger->HistoryAfter(20, 10)->at(0).seq, 21u) << "numbers go on where they were";
}

TEST_F(RocksDbLedgerTest, TheFolderIsNobodyElses) {
  const auto ledger = Open();
  const auto permissions = fs::status(folder_.path()).permissions();
  EXPECT_EQ(permissions & (fs::perms::group_all | fs::perms::others_all), fs::perms::none);
  const Error refusal = Refusal();
  EXPECT_EQ(refusal.symbol, kLedgerInUse);
  EXPECT_THAT(refusal.message, HasSubstr(folder_.path()));
}

// Commits in a child until it is killed; every number the child was told is committed comes through the pipe.
void CommitUntilKilled(const std::string& folder, int told) {
  RocksDbOptions options;
  options.folder = folder;
  auto ledger = OpenRocksDbLedger(options);
  if (!ledger) ::_exit(1);
  const std::uint64_t first = (*ledger)->HistoryAfter(0, 1'000'000)->size();
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint64_t i = first;; ++i) {
        const std::uint64_t number = (i * 4 + thread) + (first << 20);
        if (!(*ledger)->Commit(samples::Registration(number)).ok()) ::_exit(1);
        if (::write(told, &number, sizeof(number)) != sizeof(number)) ::_exit(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(RocksDbLedgerTest, WhatWasAcknowledgedOutlivesAKill) {
  std::vector<std::uint64_t> acknowledged;
  Fill(0);
  for (int round = 0; round < 3; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) CommitUntilKilled(folder_.path(), ends[1]);
    ::close(ends[1]);
    std::uint64_t number = 0;
    const std::size_t enough = acknowledged.size() + 50 + static_cast<std::size_t>(round) * 37;
    while (::read(ends[0], &number, sizeof(number)) == sizeof(number)) {
      acknowledged.push_back(number);
      if (acknowledged.size() == enough) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    const auto ledger = Open();
    for (const std::uint64_t id : acknowledged) {
      ASSERT_TRUE(ledger->LoadDevice(samples::DeviceOf(id))->has_value()) << "device " << id << " is lost";
      ASSERT_TRUE(ledger->FindEvent(samples::Party("mno-a"), samples::Mark(id).id)->has_value());
    }
    EXPECT_THAT(Verify(*ledger)->faults, IsEmpty());
  }
}

TEST_F(RocksDbLedgerTest, ATornEndOfTheLogIsOnlyWhatNobodyWasToldAbout) {
  const fs::path mark = folder_.path() + "/LEDGER";
  std::string before;
  {
    const auto writing = Open();
    for (std::uint64_t i = 0; i < 10; ++i) {
      before = Contents(mark);
      ASSERT_TRUE(writing->Commit(samples::Registration(i)).ok());
    }
  }
  const fs::path log = BiggestFile(".log");
  fs::resize_file(log, fs::file_size(log) - 3);
  EXPECT_EQ(Refusal().symbol, kLedgerDamaged) << "the last one was acknowledged";
  Write(mark, before);
  const auto ledger = Open();
  ASSERT_NE(ledger, nullptr);
  EXPECT_EQ(ledger->HistoryAfter(0, 100)->size(), 9u);
  EXPECT_THAT(Verify(*ledger)->faults, IsEmpty());
}

TEST_F(RocksDbLedgerTest, DamageInTheMiddleOfTheLogIsRefused) {
  Fill(10);
  const fs::path log = BiggestFile(".log");
  {
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(log) / 2));
    file.put('!').put('!').put('!');
  }
  EXPECT_EQ(Refusal().symbol, kLedgerDamaged);
}

TEST_F(RocksDbLedgerTest, AMissingManifestIsRefused) {
  Fill(3);
  fs::remove(folder_.path() + "/CURRENT");
  EXPECT_FALSE(Refusal().symbol.empty());
}

TEST_F(RocksDbLedgerTest, ANewerFormatIsRefused) {
  Fill(1);
  Tamper("meta", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
    ASSERT_TRUE(db.Put({}, handle, "format", std::string("\0\0\0\0\0\0\0\6", 8)).ok());
  });
  EXPECT_EQ(Refusal().symbol, kLedgerNewer);
}

TEST_F(RocksDbLedgerTest, AnOlderFormatIsReadAndRaised) {
  Fill(3);
  Tamper("meta", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
    ASSERT_TRUE(db.Put({}, handle, "format", std::string("\0\0\0\0\0\0\0\1", 8)).ok());
  });
  {
    const auto ledger = Open();
    ASSERT_NE(ledger, nullptr);
    EXPECT_THAT(Verify(*ledger)->faults, IsEmpty());
  }
  Tamper("meta", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
    std::string format;
    ASSERT_TRUE(db.Get({}, handle, "format", &format).ok());
    EXPECT_EQ(format, std::string("\0\0\0\0\0\0\0\5", 8)) << "an older registry is refused from now on";
  });
}

// It says neither whose it is nor what was told then.
TEST_F(RocksDbLedgerTest, AJobOfAnEarlierLayoutIsReadWithWhatWasTrueThen) {
  domain::Job push = samples::Job(1), wipe = samples::TracedJob(2);
  {
    const auto ledger = Open();
    domain::Changeset changes;
    changes.devices = {{samples::Device(1), 0}, {samples::Device(2), 0}};
    changes.devices[1].device.state = domain::State::kAttached;  // reactivated
    wipe.kind = domain::JobKind::kAppletWipe;
    changes.jobs_put = {push, wipe};
    ASSERT_TRUE(ledger->Commit(changes).ok());
  }
  const auto ledger = Open();
  const auto read = **ledger->LoadJob(push.id);
  EXPECT_EQ(read.to, samples::Party("mno-a"));
  EXPECT_EQ(read.told, push.due);
  EXPECT_TRUE(read.wanted);
  EXPECT_FALSE((*ledger->LoadJob(wipe.id))->wanted) << "the device came back before it ended";
}

// Before jobs named their MNO they were their device's sponsor's, and count as that from the first opening on.
TEST_F(RocksDbLedgerTest, AJobFromBeforeItNamedItsMnoCountsAsItsSponsors) {
  {
    const auto ledger = Open();
    domain::Changeset changes;
    changes.devices = {{samples::Device(1), 0}};
    changes.jobs_put = {samples::Job(1), samples::TracedJob(2)};
    changes.jobs_put[1].subject = samples::DeviceOf(1);
    changes.jobs_put[1].kind = domain::JobKind::kZoneVisible;
    ASSERT_TRUE(ledger->Commit(changes).ok());
  }
  const auto ledger = Open();
  const PartyId mno = samples::Party("mno-a");
  EXPECT_EQ(*ledger->LoadOf(mno), (domain::JobLoad{1, 0})) << "zone.visible is nobody's";
  domain::Changeset again;
  again.jobs_put = {samples::Job(1)};
  ASSERT_TRUE(ledger->Commit(again).ok());
  EXPECT_EQ(*ledger->LoadOf(mno), (domain::JobLoad{1, 0})) << "written again without an MNO";
  domain::Changeset one_more;
  one_more.jobs_put = {samples::SentJob(3)};
  one_more.open_bounds = {{mno, 1}};
  EXPECT_EQ(ledger->Commit(one_more).error().symbol, kStale);
  one_more.jobs_erase = {samples::JobOf(1)};
  EXPECT_TRUE(ledger->Commit(one_more).ok());
}

TEST_F(RocksDbLedgerTest, AnUnknownKindOfRecordsIsRefused) {
  Fill(1);
  Tamper("meta", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle*) {
    rocksdb::ColumnFamilyHandle* added = nullptr;
    ASSERT_TRUE(db.CreateColumnFamily({}, "transfers", &added).ok());
    db.DestroyColumnFamilyHandle(added);
  });
  EXPECT_EQ(Refusal().symbol, kLedgerNewer);
}

TEST_F(RocksDbLedgerTest, VerifyFindsAFlippedBitInTheHistory) {
  Fill(5);
  FlipIn("history", 60);
  EXPECT_THAT(Verify(*Open())->faults,
              testing::Contains(HasSubstr("history 1: history record: checksum differs")));
}

TEST_F(RocksDbLedgerTest, VerifyFindsAHistoryRewrittenWithARightChecksum) {
  Fill(5);
  Tamper("history", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
    const std::unique_ptr<rocksdb::Iterator> first(db.NewIterator({}, handle));
    first->SeekToFirst();
    auto entry = samples::History(0);
    entry.what = "claimed";
    ASSERT_TRUE(
        db.Put({}, handle, first->key(), first->value().ToString().substr(0, 32) + Encode(entry)).ok());
  });
  EXPECT_THAT(Verify(*Open())->faults, testing::Contains(HasSubstr("the hash chain breaks at 1")));
}

TEST_F(RocksDbLedgerTest, VerifyFindsAFlippedBitInADevice) {
  Fill(5);
  FlipIn("devices", 40);
  EXPECT_THAT(Verify(*Open())->faults, testing::Contains(HasSubstr("device record: checksum differs")));
}

TEST_F(RocksDbLedgerTest, AHistoryThatLostItsEndIsRefused) {
  Fill(5);
  Tamper("history", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
    ASSERT_TRUE(db.Delete({}, handle, std::string("\0\0\0\0\0\0\0\5", 8)).ok());
  });
  EXPECT_EQ(Refusal().symbol, kLedgerDamaged);
}

TEST_F(RocksDbLedgerTest, VerifyFindsAUniqueValueThatIsGone) {
  Fill(2);
  Tamper("unique", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
    ASSERT_TRUE(db.DeleteRange({}, handle, "", "\xff").ok());
  });
  EXPECT_THAT(Verify(*Open())->faults, testing::Contains(HasSubstr("does not hold its EID")));
}

TEST_F(RocksDbLedgerTest, VerifyFindsAFlippedBitInEveryFamilyItReads) {
  domain::Changeset changes = samples::Registration(1);
  changes.mark = samples::Mark(1);
  changes.endpoints = {{samples::Endpoint(1), 0}};
  changes.dead_letters = {samples::DeadLetter(1)};
  ASSERT_TRUE(Open()->Commit(changes).ok());
  ASSERT_THAT(Verify(*Open())->faults, IsEmpty());
  for (const char* family : {"events", "endpoints", "dead_letters"}) {
    FlipIn(family, 10);
    EXPECT_THAT(Verify(*Open())->faults, testing::SizeIs(1)) << family;
    FlipIn(family, 10);
  }
}

TEST_F(RocksDbLedgerTest, VerifyFindsADeviceThatIsGone) {
  Fill(3);
  Tamper("devices", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
    const DeviceId device = samples::DeviceOf(1);
    const auto& id = device.octets();
    ASSERT_TRUE(db.Delete({}, handle, {reinterpret_cast<const char*>(id.data()), id.size()}).ok());
  });
  EXPECT_THAT(Verify(*Open())->faults, testing::Contains("device " + samples::DeviceOf(1).text() +
                                                         ": has 1 history entries and no record"));
}

TEST_F(RocksDbLedgerTest, AReaderBesideSeesWhatIsCommitted) {
  const auto ledger = Open();
  ASSERT_TRUE(ledger->Commit(samples::Registration(1)).ok());
  const auto first = Beside();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(Dump(*first, {"asp-a"}, 5), Dump(*ledger, {"asp-a"}, 5));
  ASSERT_TRUE(ledger->Commit(samples::Registration(2)).ok());
  const auto second = Beside("scratch2");
  EXPECT_EQ(Dump(*second, {"asp-a"}, 5), Dump(*ledger, {"asp-a"}, 5));
}

TEST_F(RocksDbLedgerTest, AReaderOfAStoppedLedgerWritesNothingThere) {
  Fill(3);
  const auto before = Names();
  EXPECT_THAT(Verify(*Beside())->faults, IsEmpty());
  EXPECT_EQ(Names(), before);
}

// A reader beside makes do with what is there, and verify reads only what it can judge.
TEST_F(RocksDbLedgerTest, AMissingShortOrChangedFileIsFoundWhateverIsInIt) {
  Fill(20);
  Open();  // what the log held becomes files
  EXPECT_TRUE(CheckRocksDbFiles(folder_.path()).ok());
  int files = 0;
  for (const std::string& name : LiveTables()) {
    const fs::path file = fs::path(folder_.path()) / name;
    const std::string whole = Contents(file);
    fs::remove(file);
    ExpectFileFault(name, "without");
    Write(file, whole.substr(0, whole.size() / 2));
    ExpectFileFault(name, "half of");
    std::string changed = whole;
    changed[changed.size() / 8] ^= 1;
    Write(file, changed);
    ExpectFileFault(name, "a changed bit of");
    Write(file, whole);
    ++files;
  }
  EXPECT_GE(files, 5);
  EXPECT_TRUE(CheckRocksDbFiles(folder_.path()).ok());
}

TEST_F(RocksDbLedgerTest, FilesCanBeCheckedBesideAWriterAndNothingIsWritten) {
  const auto ledger = Open();
  ASSERT_TRUE(ledger->Commit(samples::Registration(1)).ok());
  const auto before = Names();
  EXPECT_TRUE(CheckRocksDbFiles(folder_.path()).ok());
  EXPECT_EQ(Names(), before);
  EXPECT_TRUE(ledger->Commit(samples::Registration(2)).ok());
}

TEST_F(RocksDbLedgerTest, WhereNoLedgerIsAReaderSaysSo) {
  const auto none = OpenRocksDbReader(folder_.path("nothing"), folder_.path("scratch"));
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().symbol, kLedgerMissing);
  EXPECT_EQ(none.error().code, Code::kFailed);
}

TEST_F(RocksDbLedgerTest, ForgottenEntriesAreDeletedInTheEnd) {
  domain::Changeset changes;
  for (std::uint64_t i = 0; i < 5000; ++i) changes.messages.push_back({"t", std::to_string(i), ""});
  {
    const auto ledger = Open();
    ASSERT_TRUE(ledger->Commit(changes).ok());
    ASSERT_TRUE(ledger->Advance(Sink::kMqtt, {4999, ""}, true).ok());
  }
  int left = 0;
  Tamper("outbox", [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
    const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator({}, handle));
    for (it->SeekToFirst(); it->Valid(); it->Next()) ++left;
  });
  EXPECT_EQ(left, 1);
  EXPECT_EQ(Open()->OutboxAfter(Sink::kMqtt, 0, 10, std::chrono::milliseconds(0))->size(), 1u);
}

TEST_F(RocksDbLedgerTest, EntriesBeforeADamagedOneAreStillTold) {
  domain::Changeset changes;
  for (int i = 1; i <= 4; ++i) changes.messages.push_back({"t", std::to_string(i), ""});
  ASSERT_TRUE(Open()->Commit(changes).ok());
  Tamper("outbox", [](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle) {
    ASSERT_TRUE(db.Put({}, handle, std::string("\1\0\0\0\0\0\0\0\3", 9), "damaged").ok());
  });
  const auto ledger = Open();
  const auto before = ledger->OutboxAfter(Sink::kMqtt, 0, 10, std::chrono::milliseconds(0));
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(before->size(), 2u);
  const auto at = ledger->OutboxAfter(Sink::kMqtt, 2, 10, std::chrono::milliseconds(0));
  ASSERT_FALSE(at.ok());
  EXPECT_EQ(at.error().symbol, kLedgerDamaged);
  EXPECT_THAT(at.error().message, HasSubstr("entry 3 of outbox 1: "));
  EXPECT_EQ(ledger->OutboxAfter(Sink::kMqtt, 3, 10, std::chrono::milliseconds(0))->size(), 1u);
}

TEST_F(RocksDbLedgerTest, AFolderNamedLockIsNotInUseForItsName) {
  RocksDbOptions options;
  options.folder = folder_.path("block");
  fs::create_directories(options.folder);
  fs::permissions(options.folder, fs::perms::owner_all);
  fs::create_directory(options.folder + "/CURRENT");  // no file, so it cannot be read
  Fill(0);
  Write(options.folder + "/LEDGER", Contents(folder_.path() + "/LEDGER"));
  const auto ledger = OpenRocksDbLedger(options);
  ASSERT_FALSE(ledger.ok());
  EXPECT_NE(ledger.error().symbol, kLedgerInUse) << ledger.error().message;
  EXPECT_EQ(OpenRocksDbReader(folder_.path("nothing"), folder_.path("scratch")).error().code, Code::kFailed);
}

}  // namespace
}  // namespace registry::ledger
