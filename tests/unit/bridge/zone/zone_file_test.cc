// A zone that starts from what it has kept is the zone made anew, whatever became of the file: cut off anywhere, with a bit
// turned over anywhere, of other keys, behind the ledger or ahead of it. And every difference it tells leads there.
#include "bridge/zone/zone_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <future>
#include <map>
#include <thread>

#include "bridge/zone/apex.h"
#include "bridge/zone/store.h"
#include "tests/unit/bridge/zone/zone_files.h"
#include "tests/unit/bridge/zone/zone_wires.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;

constexpr UtcTime kNow{1'790'000'000'000'000};
constexpr std::size_t kJournalOctets = 1u << 20, kJournalVersions = 100;

UtcTime Later(std::chrono::seconds by) { return kNow + by; }

std::multiset<Bytes> DataIn(const ZoneStore& store) {
  std::multiset<Bytes> data;
  const Transfer whole = store.Full();
  for (std::size_t i = 1; i + 1 < whole.pieces.size(); ++i) {
    data.insert(whole.pieces[i].block->data());
  }
  return data;
}

// RFC 1995 §4, as a secondary does it that holds `before`: the SOA of before and what goes, the SOA of now and what comes.
void ApplyDifference(const Transfer& transfer, Content& before) {
  ASSERT_EQ(transfer.kind, Transfer::Kind::kIncremental);
  Content data = before;
  bool adding = false;
  for (std::size_t i = 1; i + 1 < transfer.pieces.size(); ++i) {
    const Block& block = *transfer.pieces[i].block;
    if (i > 1 && block.type() == kTypeSoa) adding = true;
    // Signed again: the old RRSIG goes and the new one comes, the RRset stays. Both pieces know the whole.
    if (adding) {
      data.insert(block.wire());
      continue;
    }
    const auto found = data.find(block.wire());
    ASSERT_NE(found, data.end()) << "a difference takes out what the secondary has";
    data.erase(found);
  }
  before = std::move(data);
}

class ZoneFileTest : public ::testing::Test {
 protected:
  struct Primary {
    Primary(const std::string& path, const ZoneProfile& profile, LogLine log, UtcTime now, std::size_t growth)
        : file(path, profile.signing.zone, std::move(log), growth),
          store(profile, kJournalOctets, kJournalVersions, now) {}
    ZoneFile file;
    ZoneStore store;
    bool fresh_version = false;
    std::optional<std::uint32_t> kept;  // the serial it started from
  };

  // As the publisher does it.
  std::unique_ptr<Primary> Start(const std::vector<domain::ZoneChange>& ledger, std::uint32_t serial,
                                 UtcTime now = kNow, std::size_t growth = ZoneFile::kGrowthLeast) {
    auto primary = std::make_unique<Primary>(
        path_, *ProfileOf(options_), [this](int, const std::string& line) { log_ += line + "\n"; }, now,
        growth);
    primary->store.KeepIn(primary->file);
    if (auto kept = primary->file.Read(kJournalOctets, kJournalVersions)) {
      primary->kept = kept->serial;
      primary->store.Adopt(std::move(*kept), now);
    }
    primary->store.Load(ledger, now);
    primary->fresh_version = primary->store.FinishLoad(serial, now);
    return primary;
  }
  void AwaitFile() const {
    while (!std::filesystem::exists(path_)) std::this_thread::yield();
  }
  std::string FileText() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void PutFile(const std::string& text) const {
    std::filesystem::remove(path_);  // to write over it would wait for the disk on some file systems
    std::ofstream(path_, std::ios::binary) << text;
  }
  // Every octet of the last version counts, and of what is before it a part in each record.
  std::size_t Step(std::size_t at) const { return at < content_octets_ ? 61 : at < last_at_ ? 17 : 1; }
  std::optional<StoredZone> ReadBack() const {
    ZoneFile file(path_, ProfileOf(options_)->signing.zone, {});
    return file.Read(kJournalOctets, kJournalVersions);
  }
  // Five versions, and what each of them held.
  std::map<std::uint32_t, Content> FiveVersions() {
    std::map<std::uint32_t, Content> versions;
    const auto primary = Start(AndOthers({Published(1), Published(2)}), 7);
    versions[7] = ContentOf(primary->store);
    AwaitFile();
    content_octets_ = std::filesystem::file_size(path_);
    const auto publish = [&](const std::vector<domain::ZoneChange>& changes, std::uint32_t serial) {
      primary->store.Publish(changes, 0, serial, kNow);
      versions[serial] = ContentOf(primary->store);
    };
    publish({Published(3)}, 8);
    publish({Deactivated(1, 2), Published(4)}, 9);
    publish({Gone(2, 2)}, 10);
    last_at_ = std::filesystem::file_size(path_);
    publish({Published(2, 3)}, 11);
    return versions;
  }
  // So many that a difference is smaller than the zone.
  static std::vector<domain::ZoneChange> AndOthers(std::vector<domain::ZoneChange> changes) {
    for (std::uint64_t device = 100; device < 112; ++device) changes.push_back(Published(device));
    return changes;
  }
  const std::vector<domain::ZoneChange> kAfterFive =
      AndOthers({Deactivated(1, 2), Published(2, 3), Published(3), Published(4)});

  ZoneFiles files_;
  Options options_ = files_.options();
  const std::string path_ = files_.path("signed-zone");
  std::string log_;
  std::size_t content_octets_ = 0, last_at_ = 0;  // of the file before the first difference, before the last
};

TEST_F(ZoneFileTest, StartServesTheSameVersionAndDifferencesFromThoseBefore) {
  auto versions = FiveVersions();
  const auto again = Start(kAfterFive, 256);
  EXPECT_FALSE(again->fresh_version);
  EXPECT_EQ(again->store.serial(), 11u);
  EXPECT_TRUE(ContentOf(again->store) == versions[11]) << "not one signature is new";
  EXPECT_EQ(again->store.devices(), 16u);
  EXPECT_EQ(again->store.Since(11).kind, Transfer::Kind::kCurrent);
  for (std::uint32_t serial : {7u, 8u, 9u, 10u}) {
    Content copy = versions[serial];
    ApplyDifference(again->store.Since(serial), copy);
    EXPECT_TRUE(copy == versions[11]) << "from " << serial;
  }
  again->store.Publish(std::vector{Published(9)}, 0, 257, kNow);
  Content copy = versions[8];
  ApplyDifference(again->store.Since(8), copy);
  EXPECT_TRUE(copy == ContentOf(again->store)) << "over the restart and the serials it left out";
  EXPECT_EQ(log_, "");
}

TEST_F(ZoneFileTest, WhatTheLedgerSaysNowIsToldAsOneDifference) {
  auto versions = FiveVersions();
  const std::vector<domain::ZoneChange> ledger =
      AndOthers({Gone(1, 3), Published(2, 3), Published(3), Published(4), Published(5)});
  const auto again = Start(ledger, 256);
  EXPECT_TRUE(again->fresh_version);
  EXPECT_EQ(again->store.serial(), 256u);
  Content copy = versions[11];
  ApplyDifference(again->store.Since(11), copy);
  EXPECT_TRUE(copy == ContentOf(again->store));
  std::filesystem::remove(path_);
  EXPECT_TRUE(DataIn(Start(ledger, 256)->store) == DataIn(again->store));
}

TEST_F(ZoneFileTest, CutOffAnywhereItIsAVersionThatWasServedOrNone) {
  auto versions = FiveVersions();
  const std::string whole = FileText();
  std::set<std::uint32_t> seen;
  for (std::size_t size = 0; size < whole.size(); size += Step(size)) {
    PutFile(whole.substr(0, size));
    const auto kept = ReadBack();
    if (!kept) continue;
    seen.insert(kept->serial);
    ASSERT_TRUE(ContentOf(*kept) == versions[kept->serial]) << size;
    ASSERT_EQ(std::filesystem::file_size(path_) != size, kept->torn) << "what is not whole is cut off";
  }
  EXPECT_EQ(seen, (std::set<std::uint32_t>{7, 8, 9, 10}));
}

TEST_F(ZoneFileTest, WithABitTurnedOverAnywhereItIsAVersionThatWasServedOrNone) {
  auto versions = FiveVersions();
  const std::string whole = FileText();
  for (std::size_t at = 0; at < whole.size(); at += 3 * Step(at)) {
    std::string text = whole;
    text[at] = static_cast<char>(text[at] ^ 1 << at % 8);
    PutFile(text);
    const auto kept = ReadBack();
    if (!kept) continue;
    ASSERT_TRUE(kept->torn) << at;
    ASSERT_TRUE(ContentOf(*kept) == versions[kept->serial]) << at;
  }
}

TEST_F(ZoneFileTest, TornOneIsUsedAndANewVersionMade) {
  auto versions = FiveVersions();
  const std::string whole = FileText();
  PutFile(whole.substr(0, whole.size() - 1));
  const auto again = Start(kAfterFive, 256);
  EXPECT_EQ(again->kept, 10u);
  EXPECT_EQ(again->store.serial(), 256u);
  EXPECT_THAT(log_, HasSubstr("ends in a version that is not whole, it is used up to serial 10"));
  Content copy = versions[10];
  ApplyDifference(again->store.Since(10), copy);
  EXPECT_TRUE(copy == ContentOf(again->store));
  EXPECT_EQ(again->store.Since(11).kind, Transfer::Kind::kFull) << "of what was lost no difference is known";
  // Even when the content is that of the last version that is whole: another may have been served behind it.
  PutFile(whole.substr(0, whole.size() - 1));
  EXPECT_TRUE(Start(AndOthers({Deactivated(1, 2), Published(3), Published(4)}), 512)->fresh_version);
}

TEST_F(ZoneFileTest, NothingUsableIsSaidAndSignedAnew) {
  FiveVersions();
  const std::string whole = FileText();
  PutFile("no zone");
  EXPECT_FALSE(Start(kAfterFive, 256)->kept);
  EXPECT_THAT(log_,
              HasSubstr("everything is signed anew, " + path_ + " cannot be used: a record is not whole"));
  PutFile(whole);
  options_.zone = "other.test";
  options_.name_servers = {"ns1.example.net"};
  options_.glue.clear();
  EXPECT_FALSE(Start(kAfterFive, 256)->kept);
  EXPECT_THAT(log_, HasSubstr("it is of another zone or format"));
}

TEST_F(ZoneFileTest, SignaturesOfOtherKeysAreMadeAgain) {
  FiveVersions();
  files_.WriteKey("zsk.pem");
  const auto again = Start(kAfterFive, 256);
  EXPECT_TRUE(again->fresh_version);
  EXPECT_FALSE(again->store.Rekeying());
  const std::uint16_t zsk = ProfileOf(options_)->signing.zsks[0].tag;
  const Transfer whole = again->store.Full();
  for (std::size_t i = 0; i + 1 < whole.pieces.size(); ++i) {
    const Block& block = *whole.pieces[i].block;
    if (block.type() != kTypeDnskey) {
      EXPECT_EQ(block.signers(), std::vector{zsk});
    }
  }
  EXPECT_EQ(again->store.Since(11).kind, Transfer::Kind::kFull) << "a difference would be larger";
}

// RFC 6781 §4.1.1.1: the former ZSK is still in the DNSKEY set, and the walk over its signatures goes on.
TEST_F(ZoneFileTest, SignaturesOfAZskThatIsBeingReplacedAreTakenAndReplacedLater) {
  FiveVersions();
  ZoneProfile profile = *ProfileOf(options_);
  const Bytes former = profile.signing.zsks[0].dnskey;
  const std::uint16_t former_tag = profile.signing.zsks[0].tag;
  files_.WriteKey("zsk.pem");
  ZoneProfile next = *ProfileOf(options_);
  next.key_sets.front().rdatas.push_back(former);
  Primary primary(path_, next, {}, kNow, ZoneFile::kGrowthLeast);
  primary.store.KeepIn(primary.file);
  primary.store.Adopt(*primary.file.Read(kJournalOctets, kJournalVersions), kNow);
  primary.store.Load(kAfterFive, kNow);
  EXPECT_TRUE(primary.store.FinishLoad(256, kNow));
  ASSERT_TRUE(primary.store.Rekeying());
  for (std::uint32_t serial = 257; primary.store.Rekeying(); ++serial) {
    ASSERT_LT(serial, 300u);
    primary.store.Publish({}, 0, serial, kNow, 3);
  }
  const Transfer whole = primary.store.Full();
  for (std::size_t i = 0; i + 1 < whole.pieces.size(); ++i)
    EXPECT_NE(whole.pieces[i].block->signers()[0], former_tag);
}

// It is never built, so the same block counted often does for it.
TEST_F(ZoneFileTest, ACopiedVersionTooLargeForARecordLeavesTheFileAsACopy) {
  FiveVersions();
  ZoneFile file(path_, ProfileOf(options_)->signing.zone, {});
  const auto kept = file.Read(kJournalOctets, kJournalVersions);
  ASSERT_TRUE(kept && !kept->copied);
  Delta large{kept->serial, 12, kept->soa, kept->soa, {}, {}};
  large.added.assign(kZoneRecordMax / kept->soa->size(), kept->soa);
  EXPECT_FALSE(file.RewriteDue());
  file.AppendCopied(large, true);
  EXPECT_TRUE(file.RewriteDue());
  const auto left = ReadBack();
  ASSERT_TRUE(left);
  EXPECT_EQ(left->serial, 11u);
  EXPECT_TRUE(left->copied) << "somebody has served a version behind it";
}

TEST_F(ZoneFileTest, AReadThatIsStoppedLeavesTheFileAsItIs) {
  FiveVersions();
  const std::string before = FileText();
  ZoneFile file(path_, ProfileOf(options_)->signing.zone,
                [this](int, const std::string& line) { log_ += line; });
  int asked = 0;
  EXPECT_FALSE(file.Read(kJournalOctets, kJournalVersions, [&] { return ++asked > 2; }));
  EXPECT_GT(asked, 2);
  EXPECT_EQ(log_, "");
  EXPECT_TRUE(FileText() == before);
}

TEST_F(ZoneFileTest, SignaturesThatHaveEndedOrBeginInTheFutureAreMadeAgain) {
  FiveVersions();
  for (const std::chrono::seconds by : {std::chrono::seconds(30 * 86400), std::chrono::seconds(-86400)}) {
    const UtcTime now = Later(by);
    const auto again = Start(kAfterFive, 256, now);
    EXPECT_TRUE(again->fresh_version);
    const Transfer whole = again->store.Full();
    for (std::size_t i = 0; i + 1 < whole.pieces.size(); ++i) {
      EXPECT_GT(whole.pieces[i].block->expires(), now.seconds());
      EXPECT_LE(whole.pieces[i].block->inception(), now.seconds());
    }
  }
}

TEST_F(ZoneFileTest, OtherTtlsAreSignedAnew) {
  FiveVersions();
  options_.tlsa_ttl += 1;
  options_.negative_ttl += 1;
  const auto again = Start(kAfterFive, 256);
  const auto kept = DataIn(again->store);
  std::filesystem::remove(path_);
  EXPECT_TRUE(kept == DataIn(Start(kAfterFive, 512)->store));
}

TEST_F(ZoneFileTest, RenumberedZoneTellsNoDifferenceOverTheGapAfterAStartEither) {
  FiveVersions();
  {
    const auto primary = Start(kAfterFive, 256);
    primary->store.Renumber(5000, kNow);
    EXPECT_EQ(primary->store.Since(11).kind, Transfer::Kind::kFull);
  }
  const auto again = Start(kAfterFive, 6000);
  EXPECT_EQ(again->store.serial(), 5000u);
  EXPECT_EQ(again->store.Since(11).kind, Transfer::Kind::kFull);
}

// While it lives no file of this process grows beyond `octets`.
class FilesEndAt {
 public:
  explicit FilesEndAt(rlim_t octets) {
    std::signal(SIGXFSZ, SIG_IGN);  // then write(2) fails with EFBIG
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{octets, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FilesEndAt() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ZoneFileTest, FileThatCouldNotTakeAVersionIsNoLongerThere) {
  {
    const auto primary = Start(AndOthers({Published(1)}), 7);
    AwaitFile();
    const FilesEndAt full(std::filesystem::file_size(path_));
    primary->store.Publish(std::vector{Published(2)}, 0, 8, kNow);
    EXPECT_EQ(primary->store.serial(), 8u) << "it is served all the same";
    EXPECT_FALSE(std::filesystem::exists(path_)) << "it would bring serial 7 back";
    EXPECT_THAT(log_, HasSubstr("signed-zone cannot be written: File too large"));
  }
  EXPECT_TRUE(Start(AndOthers({Published(1), Published(2)}), 256)->fresh_version);
}

TEST_F(ZoneFileTest, RebuiltZoneIsTheOneThatIsKept) {
  auto versions = FiveVersions();
  Content rebuilt;
  {
    const auto primary = Start(kAfterFive, 256);
    SignedZone anew(*ProfileOf(options_), kNow);
    anew.Stage(kAfterFive, kNow);
    primary->store.Replace(std::move(anew), 300, kNow);
    EXPECT_EQ(primary->store.Since(11).kind, Transfer::Kind::kFull) << "no difference leads over it";
    rebuilt = ContentOf(primary->store);
    EXPECT_FALSE(rebuilt == versions[11]) << "it is signed anew";
    AwaitFile();
  }
  const auto again = Start(kAfterFive, 512);
  EXPECT_EQ(again->store.serial(), 300u);
  EXPECT_TRUE(ContentOf(again->store) == rebuilt);
}

TEST_F(ZoneFileTest, FolderThatIsNotThereIsSaidAndTheZoneServed) {
  std::promise<std::string> said;  // by the thread that writes, once
  auto line = said.get_future();
  Primary primary(
      files_.path("none/signed-zone"), *ProfileOf(options_),
      [&said](int, const std::string& text) { said.set_value(text); }, kNow, 0);
  primary.store.KeepIn(primary.file);
  primary.store.Load(kAfterFive, kNow);
  primary.store.FinishLoad(1, kNow);
  ASSERT_EQ(line.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_THAT(line.get(), HasSubstr("none/signed-zone cannot be written anew"));
  primary.store.Publish(std::vector{Published(9)}, 0, 2, kNow);
  EXPECT_EQ(primary.store.serial(), 2u);
}

class RandomRestarts : public ZoneFileTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(RandomRestarts, ContentIsThatOfTheLedgerAndDifferencesLeadThere) {
  std::mt19937 random(GetParam());
  std::map<std::uint64_t, domain::ZoneChange> wanted;
  std::map<std::uint32_t, Content> served;
  std::uint32_t serial = 1;
  std::uint64_t revision = 0;
  UtcTime now = kNow;
  const auto ledger = [&] {
    std::vector<domain::ZoneChange> all;
    for (const auto& [device, change] : wanted) all.push_back(change);
    return all;
  };
  const auto change = [&] {
    const std::uint64_t which = random() % 30;
    ++revision;
    const auto choice = random() % 3;
    wanted[which] = choice == 0   ? Gone(which, revision)
                    : choice == 1 ? Deactivated(which, revision)
                                  : Published(which, revision);
    return wanted[which];
  };
  std::size_t kept = 0, incremental = 0;
  for (int life = 0; life < 12; ++life) {
    serial += 256;  // what was reserved
    auto primary = Start(ledger(), serial, now, 20'000);
    kept += primary->kept ? 1 : 0;
    for (int round = 0; round < 15; ++round) {
      const Content content = ContentOf(primary->store);
      const auto [known, first] = served.emplace(primary->store.serial(), content);
      ASSERT_TRUE(known->second == content) << "a serial has one content, " << primary->store.serial();
      for (auto& [from, before] : served) {
        const Transfer transfer = primary->store.Since(from);
        if (transfer.kind != Transfer::Kind::kIncremental) continue;
        ++incremental;
        Content copy = before;
        ApplyDifference(transfer, copy);
        ASSERT_TRUE(copy == content) << from << " to " << primary->store.serial();
      }
      std::vector<domain::ZoneChange> batch;
      for (auto left = random() % 4; left > 0; --left) batch.push_back(change());
      now = now + std::chrono::hours(random() % 12);
      const auto published = primary->store.Publish(batch, 5, serial + 1, now);
      if (published.changed) ++serial;
    }
    if (life == 0) AwaitFile();
    primary.reset();
    if (random() % 3 == 0) change();  // the ledger goes on; the zone had no time to
    const std::string text = FileText();
    if (random() % 4 == 0) PutFile(text.substr(0, text.size() - random() % (text.size() / 4)));
  }
  EXPECT_GT(kept, 5u);
  EXPECT_GT(incremental, 50u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomRestarts, ::testing::Range(1u, 5u));

}  // namespace
}  // namespace registry::zone::testing
