// What stands between the machine and the disk: each step is on disk before it is answered, a start goes on with it, what an
// operator or a full disk does to the file changes no key, and no key file is left over.
#include "bridge/zone/key_roller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "bridge/zone/key_set_file.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

bool g_folders_fail = false;  // fsync(2) of a folder, but for that of a key that is being made

}  // namespace
}  // namespace registry::zone::testing

// In the place of the C library's: a disk that says of a folder that it could not be written, after the rename in it.
extern "C" int fsync(int fd) {
  struct stat info {
  }, fresh{};
  if (registry::zone::testing::g_folders_fail && fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) &&
      (fstatat(fd, "new-zsk.pem", &fresh, 0) != 0 || fresh.st_nlink > 1)) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fsync, fd));
}

namespace registry::zone::testing {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr UtcTime kStart{1'790'000'000'000'000};

class KeyRollerTest : public ::testing::Test {
 protected:
  KeyRollerTest() {
    std::filesystem::create_directory(files_.path("keys"));
    for (const char* name : {"ksk.pem", "zsk.pem"})
      std::filesystem::rename(files_.path(name), files_.path("keys/") + name);
    options_.ksk_file = files_.path("keys/ksk.pem");
    options_.zsk_file = files_.path("keys/zsk.pem");
    options_.key_set_file = path_;
    Restart();
  }
  void Restart() {
    roller_ = std::make_unique<KeyRoller>(options_, parent_,
                                          [this](int, const std::string& line) { log_ += line + "\n"; });
    const Status opened = roller_->Open(kStart);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
  }
  // A look after this time, with every secondary as it should be.
  std::optional<KeyMaterial> Look(std::chrono::milliseconds after = seconds(1), bool served = true) {
    steady_ += after;
    const auto passed = std::chrono::duration_cast<seconds>(steady_.time_since_epoch());
    return roller_->Look({kStart + passed, steady_, served});
  }
  // Looks until the zone is to be signed otherwise; the file says so already, and a start takes it.
  KeyMaterial Step() {
    for (int i = 0; i < 30; ++i) {
      const auto material = Look(hours(1));
      if (!material) continue;
      const KeySet stored = Stored();
      EXPECT_EQ(stored, roller_->set());
      Restart();
      EXPECT_EQ(roller_->set(), stored);
      EXPECT_EQ(MaterialOf(roller_->set(), options_)->dnskeys, material->dnskeys);
      return *material;
    }
    ADD_FAILURE() << "no step\n" << log_;
    return {};
  }
  KeySet Stored() const { return *KeySetFrom(ReadKeySet(path_)->value()); }
  void Change(const std::function<void(KeySet&)>& change) {
    ASSERT_TRUE(ChangeKeySet(path_, [&](const auto& text) {
                  KeySet set = *KeySetFrom(*text);
                  change(set);
                  return set;
                }).ok());
  }
  void Request(KeyRole role) {
    Look();
    Change([&](KeySet& set) { set.requested.push_back(role); });
  }
  std::set<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(files_.path("keys")))
      names.insert(entry.path().filename());
    return names;
  }
  int Count(const std::string& part) const {
    int count = 0;
    for (std::size_t at = log_.find(part); at != log_.npos; at = log_.find(part, at + 1)) ++count;
    return count;
  }

  ZoneFiles files_;
  const std::string path_ = files_.path("keys/key-set.json");
  Options options_ = files_.options();
  ParentWatch parent_{{}, *NameFromText(kZone), seconds(1), {}};
  std::string log_;
  std::unique_ptr<KeyRoller> roller_;
  KeyRoller::Steady::time_point steady_;
};

TEST_F(KeyRollerTest, TheFirstLookStoresTheKeysAndSignsNothingOtherwise) {
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_FALSE(Look());
  EXPECT_EQ(Stored(), roller_->set());
  EXPECT_EQ(Stored().keys[0].file, "ksk.pem");
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(KeyRollerTest, AZskGoesThroughAllStepsWithARestartAtEach) {
  Request(KeyRole::kZsk);
  const std::uint16_t old = roller_->set().Signer().tag;
  EXPECT_EQ(Step().dnskeys.size(), 3u);
  const std::uint16_t next = roller_->set().rolls.at(0).to;
  EXPECT_EQ(Step().zsks.at(0).tag, next);
  EXPECT_EQ(Step().dnskeys.size(), 2u);
  EXPECT_FALSE(roller_->set().Find(old));
  const std::string file = "zsk-" + std::to_string(next) + ".pem";
  EXPECT_EQ(Files(), (std::set<std::string>{"key-set.json", "ksk.pem", "zsk.pem", file}))
      << "zsk.pem is the operator's";
  EXPECT_THAT(log_, HasSubstr("zsk.pem is not needed any more"));
  Request(KeyRole::kZsk);
  for (int i = 0; i < 3; ++i) Step();
  EXPECT_FALSE(Files().contains(file)) << "what a roll-over made goes with it";
  EXPECT_EQ(Files().size(), 4u);
}

TEST_F(KeyRollerTest, AnAlgorithmGoesThroughAllStepsWithARestartAtEach) {
  Look();
  Change([](KeySet& set) { set.requested_algorithm = kEd25519; });
  const KeyMaterial sign = Step();
  EXPECT_THAT(log_, HasSubstr("the roll-over to algorithm 15 (ED25519) begins"));
  EXPECT_EQ(Files().size(), 5u);
  EXPECT_EQ(sign.dnskeys.size(), 2u) << "signatures first";
  EXPECT_EQ(sign.zsks.size(), 2u);
  EXPECT_EQ(sign.unnamed_ksks.size(), 1u);
  EXPECT_EQ(Step().ksks.size(), 2u);
  EXPECT_EQ(Step().cds.at(0)[2], kEd25519) << "RFC 7344: the DS that is to come";
  Look();
  Look();
  EXPECT_THAT(roller_->ds_due(), HasSubstr(" 15 2 "));
  Change([](KeySet& set) { set.rolls[0].ds_seen = true; });
  EXPECT_EQ(Step().dnskeys.size(), 4u);
  const KeyMaterial withdraw = Step();
  EXPECT_EQ(withdraw.dnskeys.size(), 2u);
  EXPECT_EQ(withdraw.zsks.size(), 2u) << "signatures last";
  EXPECT_EQ(withdraw.unnamed_ksks.size(), 1u);
  const KeyMaterial unsign = Step();
  EXPECT_EQ(unsign.zsks.size(), 1u);
  EXPECT_TRUE(unsign.unnamed_ksks.empty());
  EXPECT_TRUE(Step().cds.empty());
  EXPECT_TRUE(roller_->set().rolls.empty());
  EXPECT_EQ(roller_->set().algorithm(), kEd25519);
  EXPECT_THAT(log_, HasSubstr("ksk.pem is not needed any more"));
  Request(KeyRole::kZsk);
  Step();
  EXPECT_EQ(roller_->set().keys.back().algorithm, kEd25519) << "of the algorithm that the zone has now";
}

TEST_F(KeyRollerTest, AnAlgorithmWhoseSecondKeyCannotBeMadeLeavesNone) {
  Look();
  Change([](KeySet& set) { set.requested_algorithm = kEcdsaP384Sha384; });
  std::filesystem::create_directories(files_.path("keys/new-zsk.pem/full"));
  EXPECT_FALSE(Look());
  EXPECT_THAT(log_, HasSubstr("no new key"));
  EXPECT_EQ(Files(), (std::set<std::string>{"key-set.json", "ksk.pem", "new-zsk.pem", "zsk.pem"}));
  std::filesystem::remove_all(files_.path("keys/new-zsk.pem"));
  EXPECT_TRUE(Look(seconds(61)));
  EXPECT_EQ(Files().size(), 5u);
}

TEST_F(KeyRollerTest, TheDueDsIsSaidOncePerDayAndTheOperatorsWordEndsIt) {
  Request(KeyRole::kKsk);
  Step();
  EXPECT_THAT(roller_->ds_due(), IsEmpty());
  EXPECT_EQ(Step().cds.size(), 1u);
  Look();
  Look();
  const std::uint16_t tag = roller_->set().rolls.at(0).to;
  const std::string record = *DsText(kZone, files_.path("keys/ksk-" + std::to_string(tag) + ".pem"));
  EXPECT_EQ(roller_->ds_due(), record);
  EXPECT_THAT(log_, HasSubstr("the DS is due"));
  EXPECT_THAT(log_, HasSubstr(record));
  for (int i = 0; i < 20; ++i) Look(hours(1));
  EXPECT_EQ(Count("the DS is due"), 1);
  for (int i = 0; i < 10; ++i) Look(hours(1));
  EXPECT_EQ(Count("the DS is due"), 2);
  Change([&](KeySet& set) { set.rolls[0].ds_seen = true; });
  EXPECT_TRUE(Look());
  EXPECT_EQ(roller_->set().Anchor().tag, tag);
  Look();
  EXPECT_THAT(roller_->ds_due(), IsEmpty());
}

// Twenty-five hours of waiting in looks of a minute; each restart loses what was not stored, never gains.
TEST_F(KeyRollerTest, ARestartMakesAWaitLongerByAMinuteAtMost) {
  Request(KeyRole::kZsk);
  Step();
  Look();
  int minutes = 0;
  for (bool over = false; !over && minutes < 300; ++minutes) {
    over = Look(seconds(60)).has_value();
    if (over || minutes % 10 != 9) continue;
    Restart();
    EXPECT_FALSE(Look(hours(100))) << "the first look of a start counts no time";
  }
  EXPECT_GE(minutes, 119);
  EXPECT_LE(minutes, 120 + 13);
}

TEST_F(KeyRollerTest, WhatIsDoneToTheFileChangesNoKey) {
  Look();
  const KeySet before = roller_->set();
  const std::string text = **ReadKeySet(path_);
  files_.WriteSecret("keys/key-set.json", "{");
  EXPECT_FALSE(Look());
  EXPECT_THAT(log_, HasSubstr("key set"));
  Look();
  EXPECT_EQ(Count("key set"), 1) << "once a minute";
  EXPECT_EQ(roller_->set(), before);
  std::filesystem::remove(path_);
  EXPECT_FALSE(Look());
  EXPECT_EQ(Stored(), before) << "what is gone is written again";
  Change([](KeySet& set) { set.keys[0].tag = static_cast<std::uint16_t>(set.keys[0].tag + 1); });
  EXPECT_FALSE(Look());
  EXPECT_THAT(log_, HasSubstr("names other keys"));
  EXPECT_EQ(roller_->set(), before);
}

TEST_F(KeyRollerTest, AFolderThatCannotBeWrittenStopsTheRollAndLeavesNoKey) {
  Request(KeyRole::kZsk);
  // A folder in the way of the new key's name, which root cannot write over either.
  std::filesystem::create_directories(files_.path("keys/new-zsk.pem/full"));
  EXPECT_FALSE(Look());
  EXPECT_THAT(log_, HasSubstr("no new key"));
  EXPECT_TRUE(roller_->set().rolls.empty());
  std::filesystem::remove_all(files_.path("keys/new-zsk.pem"));
  EXPECT_FALSE(Look()) << "not at once again";
  EXPECT_TRUE(Look(seconds(61)));
  EXPECT_EQ(Files().size(), 4u);
}

// As after kill -9 between the key and the set that would name it.
TEST_F(KeyRollerTest, AKeyThatNoSetCameToNameIsRemovedByTheNextStart) {
  Look();
  const auto none = [](std::uint16_t) { return false; };
  for (const KeyRole role : {KeyRole::kKsk, KeyRole::kZsk})
    ASSERT_TRUE(MakeKey(files_.path("keys"), role, kEcdsaP256Sha256, none).ok());
  std::filesystem::copy_file(files_.path("keys/zsk.pem"), files_.path("keys/zsk-1.pem"));
  EXPECT_EQ(Files().size(), 8u);
  Restart();
  EXPECT_EQ(Files(), (std::set<std::string>{"key-set.json", "ksk.pem", "zsk-1.pem", "zsk.pem"}))
      << "and no key that somebody has put there";
}

// As after kill -9 between the set and the answer.
TEST_F(KeyRollerTest, AKeyThatTheSetNamesStays) {
  Request(KeyRole::kZsk);
  const auto key =
      MakeKey(files_.path("keys"), KeyRole::kZsk, kEcdsaP256Sha256, [](std::uint16_t) { return false; });
  Change([&](KeySet& set) { BeginRoll(set, KeyRole::kZsk, key->tag, key->file, kStart); });
  Restart();
  EXPECT_EQ(Files(), (std::set<std::string>{"key-set.json", "ksk.pem", key->file, "zsk.pem"}));
  EXPECT_TRUE(Step().dnskeys.size() >= 2);
}

class KeyRollerOnABadDisk : public KeyRollerTest {
 protected:
  ~KeyRollerOnABadDisk() override { g_folders_fail = false; }
};

// After the rename the file has the step, and a power cut may take it back.
TEST_F(KeyRollerOnABadDisk, AStepThatMayNotBeOnDiskWaitsAndLosesNoKey) {
  Request(KeyRole::kZsk);
  const KeySet before = roller_->set();
  g_folders_fail = true;
  EXPECT_FALSE(Look());
  EXPECT_THAT(log_, HasSubstr("the key set cannot be stored"));
  EXPECT_EQ(roller_->set().keys, before.keys) << "the zone is signed as before";
  const KeySet written = Stored();
  ASSERT_EQ(written.rolls.size(), 1u);
  const std::string file = "zsk-" + std::to_string(written.rolls[0].to) + ".pem";
  EXPECT_TRUE(Files().contains(file)) << "a start would look for it";
  EXPECT_FALSE(Look(hours(1))) << "no further step either";
  EXPECT_EQ(Stored(), written) << "and no second key";
  EXPECT_THAT(log_, Not(HasSubstr("names other keys")));

  g_folders_fail = false;
  const auto material = Look();
  ASSERT_TRUE(material) << log_;
  EXPECT_EQ(material->dnskeys.size(), 3u);
  EXPECT_EQ(roller_->set(), written);
  EXPECT_EQ(Stored(), written);
  EXPECT_EQ(Files().size(), 4u);
  EXPECT_EQ(Step().zsks.at(0).tag, written.rolls[0].to) << "the roll-over goes on";
}

TEST_F(KeyRollerOnABadDisk, AStartGoesOnWithTheStepThatTheFileHas) {
  Request(KeyRole::kZsk);
  g_folders_fail = true;
  EXPECT_FALSE(Look());
  g_folders_fail = false;
  const KeySet written = Stored();
  Restart();
  EXPECT_EQ(roller_->set(), written);
  EXPECT_EQ(MaterialOf(roller_->set(), options_)->dnskeys.size(), 3u);
}

// registryctl asks for more meanwhile: that is not lost.
TEST_F(KeyRollerOnABadDisk, WhatIsAskedMeanwhileIsKept) {
  Request(KeyRole::kZsk);
  g_folders_fail = true;
  EXPECT_FALSE(Look());
  g_folders_fail = false;
  Change([](KeySet& set) { set.requested.push_back(KeyRole::kKsk); });
  ASSERT_TRUE(Look()) << log_;
  EXPECT_THAT(roller_->set().requested, ::testing::Contains(KeyRole::kKsk));
}

TEST_F(KeyRollerTest, AKeyInATokenIsNotRolled) {
  Look();
  Change([](KeySet& set) {
    set.keys[1].file = "pkcs11:object=zsk";
    set.requested.push_back(KeyRole::kZsk);
  });
  EXPECT_FALSE(Look());
  EXPECT_THAT(log_, HasSubstr("in a token"));
  EXPECT_TRUE(roller_->set().rolls.empty());
}

TEST_F(KeyRollerTest, LifetimesCountFromTheFirstStoredSet) {
  Look();
  EXPECT_FALSE(Look(hours(24 * 89)));
  EXPECT_TRUE(Look(hours(24))) << "zsk_lifetime is 90 days";
  EXPECT_EQ(roller_->set().rolls.at(0).role, KeyRole::kZsk);
}

}  // namespace
}  // namespace registry::zone::testing
