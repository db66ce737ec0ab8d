// A ledger that is not there as a whole is never taken for a smaller one: folders with files missing, short, torn,
// foreign or open to others, and what an operator may do about each.
#include <gmock/gmock.h>
#include <rocksdb/db.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void Write(const fs::path& file, const std::string& contents) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << contents;
}

class LossTest : public testing::Test {
 protected:
  // Ten devices, all acknowledged and none of them out of the log yet.
  void SetUp() override {
    const auto ledger = OpenBackend(Backend::kRocksDb, folder_);
    for (std::uint64_t i = 0; i < 10; ++i) {
      mark_of_nine_ = Contents(mark());
      log_of_nine_ = i == 9 ? fs::file_size(log()) : 0;
      ASSERT_TRUE(ledger->Commit(samples::Registration(i)).ok());
    }
  }
  Error Refusal() const {
    const auto ledger = OpenRocksDbLedger({folder_.path()});
    return ledger ? Error{} : ledger.error();
  }
  Error ReadersRefusal() const {
    const auto reader = OpenRocksDbReader(folder_.path(), folder_.path("scratch"));
    return reader ? Error{} : reader.error();
  }
  void ExpectRefused(std::string_view symbol, const std::string& words) {
    const auto before = Files();
    for (const Error& refusal : {Refusal(), ReadersRefusal()}) {
      EXPECT_EQ(refusal.symbol, symbol);
      EXPECT_THAT(refusal.message, HasSubstr(words));
      EXPECT_THAT(refusal.message, HasSubstr(folder_.path()));
    }
    EXPECT_EQ(Files(), before) << "a refusal must not change what is there";
  }
  std::size_t Devices() const {
    const auto ledger = OpenRocksDbLedger({folder_.path()});
    EXPECT_TRUE(ledger.ok()) << ledger.error().message;
    if (!ledger) return 0;
    EXPECT_THAT(Verify(**ledger)->faults, IsEmpty());
    return (*ledger)->DevicesAfter(std::nullopt, 100)->size();
  }
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    for (const auto& file : fs::directory_iterator(folder_.path())) {
      files[file.path().filename()] = Contents(file.path());
    }
    return files;
  }
  fs::path mark() const { return folder_.path() + "/LEDGER"; }
  fs::path log() const {
    fs::path newest;
    for (const auto& file : fs::directory_iterator(folder_.path())) {
      if (file.path().extension() == ".log" && file.path() > newest) newest = file.path();
    }
    return newest;
  }
  // As after a power cut during the tenth commit: a part of its octets, then zeros.
  void TearTheTenth() {
    std::string octets = Contents(log());
    const std::size_t from = log_of_nine_ + 40;
    octets.replace(from, octets.size() - from, std::string(octets.size() - from, '\0'));
    Write(log(), octets + std::string(5000, '\0'));
  }

  samples::Folder folder_;
  std::string mark_of_nine_;
  std::uintmax_t log_of_nine_ = 0;
};

TEST_F(LossTest, ANewestLogThatIsGoneOrShorterIsRefusedAndNothingIsGivenUp) {
  const fs::path log = this->log();
  const std::string whole = Contents(log);
  const std::function<void()> kLosses[] = {
      [&] { fs::remove(log); },
      [&] { fs::resize_file(log, 0); },
      [&] { fs::resize_file(log, log_of_nine_); },
      [&] { fs::resize_file(log, whole.size() - 3); },
  };
  for (const auto& lose : kLosses) {
    lose();
    ExpectRefused(kLedgerDamaged, "has lost what it acknowledged");
    EXPECT_THAT(Refusal().message, HasSubstr("registryctl ledger adopt --accept-loss"));
    Write(log, whole);
    fs::permissions(log, fs::perms(0600));
  }
  EXPECT_EQ(Devices(), 10u) << "brought back, it is whole";
}

TEST_F(LossTest, AnEmptyFolderAndNoneAreNoLedger) {
  fs::remove_all(folder_.path());
  for (const bool there : {false, true}) {
    if (there) fs::create_directory(folder_.path());
    EXPECT_EQ(Refusal().symbol, kLedgerMissing);
    EXPECT_THAT(Refusal().message, HasSubstr("mount its volume or restore a backup"));
    EXPECT_EQ(ReadersRefusal().symbol, kLedgerMissing);
    EXPECT_EQ(AdoptRocksDbLedger(folder_.path(), true).error().symbol, kLedgerMissing);
    EXPECT_EQ(fs::exists(folder_.path()), there);
  }
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  ASSERT_TRUE(CreateRocksDbLedger(folder_.path()).ok());
  EXPECT_EQ(Devices(), 0u);
  EXPECT_FALSE(CreateRocksDbLedger(folder_.path()).ok()) << "once";
}

TEST_F(LossTest, ALedgerWithoutItsMarkIsAdoptedOnlyByHand) {
  fs::remove(mark());
  ExpectRefused(kLedgerUnmarked, "registryctl ledger adopt --ledger ");
  const auto adopted = AdoptRocksDbLedger(folder_.path(), false);
  ASSERT_TRUE(adopted.ok()) << adopted.error().message;
  EXPECT_THAT(*adopted, HasSubstr("has a mark, id "));
  EXPECT_EQ(Devices(), 10u);
  EXPECT_THAT(*AdoptRocksDbLedger(folder_.path(), false), HasSubstr("nothing was done"));
}

TEST_F(LossTest, SomebodyElsesDatabaseIsNoLedger) {
  const std::string folder = folder_.path("other");
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms::owner_all);
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* db = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, folder, &db).ok());
  ASSERT_TRUE(db->Put({}, "key", "value").ok());
  delete db;
  EXPECT_EQ(OpenRocksDbLedger({folder}).error().symbol, kLedgerUnmarked);
  const auto adopted = AdoptRocksDbLedger(folder, true);
  ASSERT_FALSE(adopted.ok());
  EXPECT_THAT(adopted.error().message, HasSubstr("is not a ledger"));
  Write(folder + "/LEDGER", Contents(mark()));
  fs::permissions(folder + "/LEDGER", fs::perms(0600));
  EXPECT_EQ(OpenRocksDbLedger({folder}).error().symbol, kLedgerUnmarked);
  std::vector<std::string> families;
  ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, folder, &families).ok());
  EXPECT_THAT(families, testing::SizeIs(1)) << "nothing of ours was put there";
}

TEST_F(LossTest, TheMarkOfAnotherLedgerAndADamagedOneAreRefused) {
  const std::string own = Contents(mark());
  ASSERT_TRUE(CreateRocksDbLedger(folder_.path("other")).ok());
  Write(mark(), Contents(folder_.path("other") + "/LEDGER"));
  ExpectRefused(kLedgerDamaged, "is that of another ledger");
  for (std::size_t i = 0; i < own.size(); i += 5) {
    std::string flipped = own;
    flipped[i] ^= 1;
    Write(mark(), flipped);
    ASSERT_EQ(Refusal().symbol, kLedgerDamaged) << "octet " << i;
  }
  Write(mark(), own);
  EXPECT_EQ(Devices(), 10u);
}

TEST_F(LossTest, WhatIsLostIsGivenUpOnlyWhenAskedFor) {
  fs::resize_file(log(), log_of_nine_);
  EXPECT_EQ(AdoptRocksDbLedger(folder_.path(), false).error().symbol, kLedgerDamaged);
  const auto adopted = AdoptRocksDbLedger(folder_.path(), true);
  ASSERT_TRUE(adopted.ok()) << adopted.error().message;
  EXPECT_THAT(*adopted, HasSubstr("which were acknowledged, are given up"));
  EXPECT_EQ(Devices(), 9u);
}

TEST_F(LossTest, ATornTailIsDroppedByHandAndKeptAside) {
  const std::string before = Contents(log());
  TearTheTenth();
  Write(mark(), mark_of_nine_);  // nobody was told of the tenth
  const Error refusal = Refusal();
  EXPECT_EQ(refusal.symbol, kLedgerDamaged);
  EXPECT_THAT(refusal.message, HasSubstr("registryctl ledger drop-torn-tail"));
  const std::string log = this->log();
  const auto dropped = DropTornTail(folder_.path(), false);
  ASSERT_TRUE(dropped.ok()) << dropped.error().message;
  EXPECT_THAT(*dropped, HasSubstr(log + " from octet " + std::to_string(log_of_nine_) + " on: one record"));
  EXPECT_EQ(Contents(log), before.substr(0, log_of_nine_));
  const std::string aside = Contents(log + ".torn");
  EXPECT_EQ(aside, before.substr(log_of_nine_, aside.size()));
  EXPECT_GE(aside.size(), 30u);
  EXPECT_EQ(Devices(), 9u);
}

TEST_F(LossTest, ATornTailThatWasAcknowledgedIsNotDroppedInSilence) {
  TearTheTenth();
  const auto before = Files();
  const auto refused = DropTornTail(folder_.path(), false);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("holds what was acknowledged"));
  EXPECT_EQ(Files(), before);
  const auto dropped = DropTornTail(folder_.path(), true);
  ASSERT_TRUE(dropped.ok()) << dropped.error().message;
  EXPECT_THAT(*dropped, HasSubstr("is given up"));
  EXPECT_EQ(Devices(), 9u);
}

TEST_F(LossTest, DamageInTheMiddleIsNoTornTail) {
  EXPECT_THAT(DropTornTail(folder_.path(), true).error().message, HasSubstr("no record of "));
  std::string octets = Contents(log());
  octets[log_of_nine_ / 2] ^= 1;
  Write(log(), octets);
  const auto before = Files();
  EXPECT_THAT(Refusal().message, testing::Not(HasSubstr("drop-torn-tail")));
  EXPECT_THAT(DropTornTail(folder_.path(), true).error().message, HasSubstr("that is no torn tail"));
  EXPECT_EQ(Files(), before);
}

TEST_F(LossTest, WhatRunsIsNotMended) {
  const auto running = OpenRocksDbLedger({folder_.path()});
  ASSERT_TRUE(running.ok());
  EXPECT_EQ(AdoptRocksDbLedger(folder_.path(), true).error().symbol, kLedgerInUse);
  EXPECT_EQ(DropTornTail(folder_.path(), true).error().symbol, kLedgerInUse);
}

TEST_F(LossTest, AFolderThatIsOpenToOthersIsRefusedAndItsFilesAreClosed) {
  for (const mode_t mode : {0755, 0777, 0710, 0701}) {
    ASSERT_EQ(::chmod(folder_.path().c_str(), mode), 0);
    EXPECT_EQ(Refusal().symbol, "folder_permissions");
    EXPECT_THAT(Refusal().message, HasSubstr("chmod 700 " + folder_.path()));
  }
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0700), 0);
  ASSERT_EQ(::chmod(log().c_str(), 0644), 0);
  const fs::path was_open = log();
  const auto ledger = OpenRocksDbLedger({folder_.path()});
  ASSERT_TRUE(ledger.ok());
  for (const auto& file : fs::directory_iterator(folder_.path())) {
    if (file.path() == was_open || file.path().filename() == "LEDGER") {
      EXPECT_EQ(file.status().permissions() & fs::perms(077), fs::perms::none) << file.path();
    }
  }
}

TEST_F(LossTest, ALedgerOfSomebodyElseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives a folder away";
  ASSERT_EQ(::chown(folder_.path().c_str(), 65534, 65534), 0);
  EXPECT_EQ(Refusal().symbol, "folder_permissions");
  EXPECT_THAT(Refusal().message, HasSubstr("belongs to user 65534: run as that user"));
}

}  // namespace
}  // namespace registry::ledger
