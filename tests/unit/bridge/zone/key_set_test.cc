// The key set's text and file: what is written is read, what nobody could work with is refused, and two who change it at
// once lose nothing of each other's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "bridge/zone/key_material.h"
#include "bridge/zone/key_roll.h"
#include "bridge/zone/key_set_file.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;

constexpr UtcTime kThen{1'790'000'000'000'000};

KeySet Rolling() {
  KeySet set;
  set.keys = {{KeyRole::kKsk, KeyState::kActive, 1, "ksk.pem", kThen},
              {KeyRole::kZsk, KeyState::kRetired, 2, "/keys/zsk.pem", kThen},
              {KeyRole::kZsk, KeyState::kActive, 3, "zsk-3.pem", kThen}};
  set.rolls = {
      {KeyRole::kZsk, 2, 3, RollStep::kRetire, kThen, true, false, 7200, std::chrono::milliseconds(1500)}};
  set.requested = {KeyRole::kKsk};
  set.removed = {65535, 0};
  return set;
}

TEST(KeySetText, SaysAllAndIsReadAgain) {
  const auto read = KeySetFrom(ToText(Rolling()));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, Rolling());
}

TEST(KeySetText, RefusesWhatNobodyCouldWorkWith) {
  const auto why = [](const std::function<void(KeySet&)>& spoil) {
    KeySet set = Rolling();
    spoil(set);
    const auto read = KeySetFrom(ToText(set));
    return read.ok() ? std::string("read") : read.error().symbol + " " + read.error().message;
  };
  EXPECT_THAT(why([](KeySet& s) { s.keys[0].tag = 2; }), HasSubstr("two keys have the tag 2"));
  EXPECT_THAT(why([](KeySet& s) { s.keys.erase(s.keys.begin()); }), HasSubstr("must be active"));
  EXPECT_THAT(why([](KeySet& s) { s.rolls.clear(); }), HasSubstr("in no roll-over"));
  EXPECT_THAT(why([](KeySet& s) { s.rolls[0].from = 9; }), HasSubstr("keys that are not there"));
  EXPECT_THAT(why([](KeySet& s) { s.rolls[0].step = RollStep::kPublish; }), HasSubstr("in another state"));
  EXPECT_THAT(why([](KeySet& s) { s.keys[2].file.clear(); }), HasSubstr("has no file"));
  const auto text = [](std::string from, const std::string& what, const std::string& by) {
    from.replace(from.find(what), what.size(), by);
    const auto read = KeySetFrom(from);
    return read.ok() ? std::string("read") : read.error().symbol;
  };
  const std::string good = ToText(Rolling());
  for (const auto& [what, by] :
       std::vector<std::pair<std::string, std::string>>{{"\"format\": 1", "\"format\": 2"},
                                                        {"\"active\"", "\"awake\""},
                                                        {"\"zsk\"", "\"xsk\""},
                                                        {"1500", "-1"},
                                                        {"65535", "65536"},
                                                        {"true", "1"},
                                                        {"\"rolls\"", "\"rules\""},
                                                        {"{", "["}}) {
    EXPECT_EQ(text(good, what, by), "zone_key_set_invalid") << what;
  }
}

TEST(KeySetText, KeysOfSeveralAlgorithmsAreThereForARollOverOfThemOnly) {
  const auto why = [](const KeySet& set) {
    const auto read = KeySetFrom(ToText(set));
    return read.ok() ? std::string("read") : read.error().message;
  };
  KeySet set = Rolling();
  set.keys[1].algorithm = kEd25519;
  EXPECT_THAT(why(set), HasSubstr("of other algorithms"));
  set = Rolling();
  set.rolls.clear();
  set.keys.erase(set.keys.begin() + 1);
  BeginAlgorithmRoll(set, kEcdsaP384Sha384,
                     {{KeyRole::kKsk, {}, 11, "k.pem", kThen}, {KeyRole::kZsk, {}, 12, "z.pem", kThen}},
                     kThen);
  EXPECT_EQ(KeySetFrom(ToText(set)).value(), set);
  KeySet other = set;
  other.rolls[0].zsk_to = 99;
  EXPECT_THAT(why(other), HasSubstr("keys that are not there"));
  other = set;
  other.keys.back().algorithm = kEd25519;
  EXPECT_THAT(why(other), HasSubstr("of other algorithms"));
  other = set;
  other.rolls[0].algorithm = 0;
  EXPECT_THAT(why(other), HasSubstr("in no roll-over"));
  set = Rolling();
  set.rolls.clear();
  set.keys = {{KeyRole::kKsk, KeyState::kActive, 1, "ksk.pem", kThen},
              {KeyRole::kZsk, KeyState::kActive, 3, "zsk.pem", kThen, kEd25519}};
  EXPECT_THAT(why(set), HasSubstr("no roll-over of them"));
  set.keys[1].algorithm = kEcdsaP256Sha256;
  set.requested_algorithm = kEd25519;
  EXPECT_EQ(KeySetFrom(ToText(set)).value(), set);
  std::string text = ToText(set);
  text.replace(text.find("\"requested_algorithm\": 15"), 25, "\"requested_algorithm\": 8");
  EXPECT_THAT(KeySetFrom(text).error().message, HasSubstr("requested_algorithm is 8"));
}

class KeySetFileTest : public ::testing::Test {
 protected:
  KeySet FromFiles() {
    return *KeySetOfFiles(Folder(), files_.path("ksk.pem"), files_.path("zsk.pem"), kThen);
  }
  std::string Folder() const { return files_.path(""); }
  ZoneFiles files_;
  const std::string path_ = files_.path("keys.json");
};

TEST_F(KeySetFileTest, TwoFilesAreAKeySetAndOneIsACsk) {
  const KeySet set = FromFiles();
  EXPECT_EQ(set.keys[0].file, "ksk.pem") << "so that the folder can be moved";
  EXPECT_EQ(set.Anchor().tag, LoadZoneKey(files_.path("ksk.pem"), kKskFlags)->tag);
  EXPECT_EQ(set.Signer().tag, LoadZoneKey(files_.path("zsk.pem"), kZskFlags)->tag);
  const auto one = KeySetOfFiles(Folder(), files_.path("ksk.pem"), "", kThen);
  ASSERT_EQ(one->keys.size(), 1u);
  EXPECT_EQ(one->keys[0].role, KeyRole::kCsk);
}

TEST_F(KeySetFileTest, IsForItsOwnerAloneAndRefusedOtherwise) {
  EXPECT_FALSE(ReadKeySet(path_)->has_value());
  ASSERT_TRUE(ChangeKeySet(path_, [&](const auto&) { return FromFiles(); }).ok());
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(*KeySetFrom(**ReadKeySet(path_)), FromFiles());
  chmod(path_.c_str(), 0660);
  EXPECT_EQ(ReadKeySet(path_).error().symbol, "zone_key_exposed");
  EXPECT_TRUE(ReadKeySetUnjudged(path_).ok());
}

TEST_F(KeySetFileTest, AChangeThatIsRefusedOrUnsoundLeavesTheFile) {
  ASSERT_TRUE(ChangeKeySet(path_, [&](const auto&) { return FromFiles(); }).ok());
  const auto refused = ChangeKeySet(path_, [](const auto&) -> Result<KeySet> {
    return Error::Make(Code::kFailed, "zone_roll_refused", "no");
  });
  EXPECT_EQ(refused.error().symbol, "zone_roll_refused");
  EXPECT_EQ(ChangeKeySet(path_, [](const auto&) { return KeySet(); }).error().symbol, "zone_key_set_invalid");
  EXPECT_EQ(*KeySetFrom(**ReadKeySet(path_)), FromFiles());
}

TEST_F(KeySetFileTest, WhoeverChangesItWaitsForTheOther) {
  ASSERT_TRUE(ChangeKeySet(path_, [&](const auto&) { return FromFiles(); }).ok());
  const auto count = [&](std::uint16_t from) {
    for (std::uint16_t i = 0; i < 20; ++i) {
      const auto changed = ChangeKeySet(path_, [&](const std::optional<std::string>& text) {
        KeySet set = *KeySetFrom(*text);
        set.removed.push_back(static_cast<std::uint16_t>(from + i));
        return set;
      });
      EXPECT_TRUE(changed.ok());
    }
  };
  std::jthread other([&] { count(1000); });
  count(2000);
  other.join();
  EXPECT_EQ(KeySetFrom(**ReadKeySet(path_))->removed.size(), 40u);
}

TEST_F(KeySetFileTest, ANewKeyIsItsOwnersAndItsTagIsNew) {
  int asked = 0;
  const auto key =
      MakeKey(Folder(), KeyRole::kZsk, kEcdsaP256Sha256, [&](std::uint16_t) { return ++asked < 3; });
  ASSERT_TRUE(key.ok()) << key.error().message;
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(key->file, "zsk-" + std::to_string(key->tag) + ".pem");
  EXPECT_EQ(LoadZoneKey(KeyPath(Folder(), key->file), kZskFlags)->tag, key->tag)
      << "0600, or it is not loaded";
  SettleNewKeys(Folder(), FromFiles());
  EXPECT_FALSE(std::filesystem::exists(files_.path("new-zsk.pem")));
  EXPECT_FALSE(std::filesystem::exists(KeyPath(Folder(), key->file))) << "no set names it";
}

TEST_F(KeySetFileTest, MaterialFollowsTheStates) {
  KeySet set = FromFiles();
  const Name zone = *NameFromText(kZone);
  const auto load = [&](CdsPolicy cds) { return *LoadKeyMaterial(set, Folder(), zone, cds); };
  EXPECT_EQ(load(CdsPolicy::kRollover).dnskeys.size(), 2u);
  EXPECT_TRUE(load(CdsPolicy::kRollover).cds.empty());
  EXPECT_EQ(load(CdsPolicy::kAlways).cdnskeys[0], load(CdsPolicy::kAlways).ksks[0].dnskey);
  EXPECT_EQ(load(CdsPolicy::kDelete).cds[0], (Bytes{0, 0, 0, 0, 0})) << "RFC 8078 §4";
  EXPECT_EQ(load(CdsPolicy::kDelete).cdnskeys[0], (Bytes{0, 0, 3, 0, 0}));
  const auto key = MakeKey(Folder(), KeyRole::kKsk, kEcdsaP256Sha256, [](std::uint16_t) { return false; });
  BeginRoll(set, KeyRole::kKsk, key->tag, key->file, kThen);
  const KeyMaterial published = load(CdsPolicy::kRollover);
  EXPECT_EQ(published.dnskeys.size(), 3u);
  EXPECT_EQ(published.ksks.size(), 2u) << "both sign (RFC 7583 §3.3.1)";
  EXPECT_TRUE(published.cds.empty()) << "not before every cache has the key";
  set.rolls[0].step = RollStep::kSubmit;
  set.keys[2].state = KeyState::kReady;
  const KeyMaterial submitted = load(CdsPolicy::kRollover);
  EXPECT_EQ(submitted.cds[0][0] << 8 | submitted.cds[0][1], key->tag);
  EXPECT_NE(submitted.ksks[0].tag, key->tag) << "the old one is still what the parent names";
  EXPECT_TRUE(load(CdsPolicy::kNever).cds.empty());
  set.keys[0].file = "zsk.pem";
  EXPECT_EQ(LoadKeyMaterial(set, Folder(), zone, CdsPolicy::kNever).error().symbol, "zone_key_set_invalid");
}

}  // namespace
}  // namespace registry::zone::testing
