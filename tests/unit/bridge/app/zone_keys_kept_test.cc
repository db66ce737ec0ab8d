// The zone's keys on two machines that share what is kept: a roll-over that one has begun goes on at the other.
#include "bridge/app/zone_keys_kept.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bridge/app/kept_folder.h"
#include "bridge/ledger/ledger.h"
#include "bridge/zone/key_roller.h"
#include "bridge/zone/key_set_file.h"
#include "bridge/zone/serials.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::app {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using testing::HasSubstr;
using testing::Not;
using zone::KeyRole;
using zone::KeySet;

constexpr UtcTime kBegin{1'790'000'000'000'000};

std::string ContentOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// What is kept, in the place of the ledger's server, which may be away; and the ledger, which says with which keys the zone
// was served.
class KeptThere final : public ledger::KeptState {
 public:
  Result<std::optional<std::string>> Read(const std::string& name) const override {
    return folder_.Read(name);
  }
  Status Write(const std::string& name, std::string_view text) override {
    if (away) return Error::Make(Code::kFailed, "ledger_failed", "the server is away");
    return folder_.Write(name, text);
  }
  void Forget() { fs::remove(place_.In("zone-keys")); }
  void SayServed(const KeySet& set) {
    zone::Serials serials(*ledger);
    ASSERT_TRUE(serials.Open().ok());
    ASSERT_TRUE(serials.SignWith(zone::TagsOf(set)).ok());
  }
  bool away = false;
  const std::unique_ptr<ledger::Ledger> ledger = ledger::OpenMemoryLedger();

 private:
  test::TemporaryFolder place_;
  KeptFolder folder_{place_.path()};
};

class Machine {
 public:
  // With the operator's keys of `from`, or its own.
  explicit Machine(KeptThere& kept, const Machine* from = nullptr, Bytes secret = Bytes(32, 7))
      : kept_(kept),
        log_line_([this](int, const std::string& line) { log += line + "\n"; }),
        keys(kept, std::move(secret), files.path("key-set.json"), log_line_) {
    if (from != nullptr) {
      for (const char* const name : {"ksk.pem", "zsk.pem"})
        fs::copy_file(from->files.path(name), files.path(name), fs::copy_options::overwrite_existing);
    }
    options = files.options();
    options.key_set_file = set_file();
    options.key_set_stored = [this](const std::string& text) { return keys.Keep(text); };
  }

  std::string set_file() const { return files.path("key-set.json"); }
  std::string text() const { return ContentOf(set_file()); }
  KeySet set() const { return *zone::KeySetFrom(text()); }
  // As a start of registryd does.
  Status Start() {
    const auto can_sign = [this](const KeySet& set) { return zone::CanSign(*kept_.ledger, set, ""); };
    if (auto taken = keys.Take(can_sign); !taken) return taken;
    roller = std::make_unique<zone::KeyRoller>(options, parent_, log_line_);
    if (auto opened = roller->Open(kBegin); !opened) return opened;
    if (auto may = can_sign(roller->set()); !may) return may;
    kept_.SayServed(roller->set());
    return Done{};
  }
  std::optional<zone::KeyMaterial> Look() {
    steady_ += hours(1);
    const auto passed = std::chrono::duration_cast<std::chrono::seconds>(steady_.time_since_epoch());
    return roller->Look({kBegin + passed, steady_, true});
  }
  // Until the zone is to be signed otherwise, which it is then.
  bool Steps() {
    for (int i = 0; i < 60; ++i) {
      if (!Look()) continue;
      kept_.SayServed(roller->set());
      return true;
    }
    return false;
  }
  // Until no key is rolled over.
  void FinishRoll() {
    while (!set().rolls.empty()) ASSERT_TRUE(Steps()) << log;
  }
  // As registryctl does.
  void Change(const std::function<void(KeySet&)>& change) {
    ASSERT_TRUE(zone::ChangeKeySet(set_file(), [&](const auto& there) {
                  KeySet changed = *zone::KeySetFrom(*there);
                  change(changed);
                  return changed;
                }).ok());
  }
  void Request(KeyRole role) {
    Change([role](KeySet& set) { set.requested.push_back(role); });
  }

  zone::testing::ZoneFiles files;
  zone::Options options;
  std::string log;

 private:
  KeptThere& kept_;
  const LogLine log_line_;
  zone::ParentWatch parent_{{}, *zone::NameFromText(zone::testing::kZone), std::chrono::seconds(1), {}};
  zone::KeyRoller::Steady::time_point steady_;

 public:
  ZoneKeysKept keys;
  std::unique_ptr<zone::KeyRoller> roller;
};

class ZoneKeysKeptTest : public testing::Test {
 protected:
  // The first machine has begun to replace its ZSK.
  void BeginRoll() {
    ASSERT_TRUE(one_.Start().ok());
    EXPECT_FALSE(one_.Look());
    one_.Request(KeyRole::kZsk);
    ASSERT_TRUE(one_.Steps());
  }
  static std::string NewKeyOf(const Machine& machine) {
    const KeySet set = machine.set();
    return set.Find(set.rolls.at(0).to)->file;
  }

  KeptThere kept_;
  Machine one_{kept_}, other_{kept_, &one_};
};

TEST_F(ZoneKeysKeptTest, ARollOverGoesOnAtTheOtherMachine) {
  BeginRoll();
  const std::string file = NewKeyOf(one_);
  ASSERT_TRUE(other_.Start().ok()) << other_.log;
  EXPECT_EQ(other_.text(), one_.text());
  EXPECT_EQ(ContentOf(other_.files.path(file)), ContentOf(one_.files.path(file)));
  struct stat info {};
  ASSERT_EQ(stat(other_.files.path(file).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  ASSERT_TRUE(other_.Steps()) << other_.log;
  const std::uint16_t fresh = one_.set().rolls.at(0).to;
  EXPECT_EQ(other_.set().Signer().tag, fresh) << "the step that the first was to make next";
  ASSERT_TRUE(one_.Start().ok()) << "and back";
  EXPECT_EQ(one_.roller->set().Signer().tag, fresh);
  EXPECT_THAT(one_.log + other_.log, Not(HasSubstr("changed here, too")));
}

// What a node that stands by believes when it follows the zone.
TEST_F(ZoneKeysKeptTest, TheKeysOfARollOverAreKnownWhereItWasMissed) {
  Machine& first = one_;
  Machine& second = other_;
  EXPECT_THAT(*second.keys.EntryKeys(), testing::IsEmpty()) << "nothing is kept yet";
  ASSERT_TRUE(first.Start().ok()) << first.log;
  EXPECT_FALSE(first.Look());
  const auto tags = [&] {
    std::vector<std::uint16_t> all;
    for (const Bytes& dnskey : *second.keys.EntryKeys()) all.push_back(zone::KeyTag(dnskey));
    return all;
  };
  const std::uint16_t before = first.set().Anchor().tag;
  EXPECT_THAT(tags(), testing::ElementsAre(before)) << "the operator's, of this machine's file";
  first.Request(KeyRole::kKsk);
  ASSERT_TRUE(first.Steps()) << first.log;
  EXPECT_THAT(tags(), testing::ElementsAre(before, first.set().RollOf(KeyRole::kKsk)->to));
  EXPECT_FALSE(fs::exists(second.set_file())) << "nothing is changed here";
  Machine stranger(kept_, &first, Bytes(32, 8));
  EXPECT_EQ(stranger.keys.EntryKeys().error().symbol, "zone_key_unreadable");
}

TEST_F(ZoneKeysKeptTest, WhatIsKeptShowsNoKey) {
  BeginRoll();
  const auto text = kept_.Read("zone-keys");
  ASSERT_TRUE(text.ok() && *text);
  EXPECT_THAT(**text, Not(HasSubstr("PRIVATE KEY")));
  EXPECT_THAT(**text, Not(HasSubstr("zsk-")));
  Machine stranger(kept_, &one_, Bytes(32, 8));
  const Status refused = stranger.Start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "zone_key_unreadable");
  EXPECT_THAT(refused.error().message, HasSubstr("another authorisation.key_file"));
  EXPECT_FALSE(fs::exists(stranger.set_file())) << "nothing is changed there";
}

TEST_F(ZoneKeysKeptTest, AStepThatIsNotKeptIsNotMade) {
  ASSERT_TRUE(one_.Start().ok());
  EXPECT_FALSE(one_.Look());
  one_.Request(KeyRole::kZsk);
  kept_.away = true;
  EXPECT_FALSE(one_.Steps());
  EXPECT_TRUE(one_.roller->set().rolls.empty());
  EXPECT_THAT(one_.log, HasSubstr("in its file and nowhere else"));
  kept_.away = false;
  EXPECT_TRUE(one_.Steps());
  ASSERT_EQ(one_.roller->set().rolls.size(), 1u);
  ASSERT_TRUE(other_.Start().ok());
  EXPECT_EQ(other_.text(), one_.text());
}

// Killed between file and ledger: the file of the same machine is ahead, and another machine goes on one step earlier.
TEST_F(ZoneKeysKeptTest, AStepThatOnlyTheFileHasIsTakenWhereTheFileIs) {
  ASSERT_TRUE(one_.Start().ok());
  EXPECT_FALSE(one_.Look());
  one_.Request(KeyRole::kZsk);
  kept_.away = true;
  EXPECT_FALSE(one_.Steps());
  ASSERT_EQ(one_.set().rolls.size(), 1u) << "the file has it";
  kept_.away = false;
  const std::string ahead = one_.text();
  ASSERT_TRUE(one_.Start().ok());
  EXPECT_EQ(one_.text(), ahead);
  ASSERT_TRUE(other_.Start().ok());
  EXPECT_EQ(other_.text(), ahead);
}

TEST_F(ZoneKeysKeptTest, WhatAnOperatorAsksForWhileItIsStoppedCounts) {
  ASSERT_TRUE(one_.Start().ok());
  EXPECT_FALSE(one_.Look());
  one_.Request(KeyRole::kZsk);
  ASSERT_TRUE(one_.Start().ok());
  ASSERT_TRUE(other_.Start().ok());
  EXPECT_EQ(other_.roller->set().requested, std::vector{KeyRole::kZsk});
}

TEST_F(ZoneKeysKeptTest, WhereBothHaveChangedTheLedgersCountsAndTheFileStays) {
  ASSERT_TRUE(one_.Start().ok());
  EXPECT_FALSE(one_.Look());
  ASSERT_TRUE(other_.Start().ok());
  other_.Request(KeyRole::kKsk);  // at the machine that stands by
  const std::string asked = other_.text();
  one_.Request(KeyRole::kZsk);
  ASSERT_TRUE(one_.Steps());
  ASSERT_TRUE(other_.Start().ok());
  EXPECT_EQ(other_.text(), one_.text());
  EXPECT_EQ(ContentOf(other_.set_file() + ".before"), asked);
  EXPECT_THAT(other_.log, HasSubstr("changed here, too"));
}

// The ledger's server was set back to a time before the roll-over: at every step of it.
TEST_F(ZoneKeysKeptTest, WhatIsKeptOfAnEarlierTimeDoesNotCount) {
  ASSERT_TRUE(one_.Start().ok());
  EXPECT_FALSE(one_.Look());
  const auto early = kept_.Read("zone-keys");
  ASSERT_TRUE(early.ok() && *early);
  one_.Request(KeyRole::kZsk);
  ASSERT_TRUE(one_.Steps());
  const std::string file = NewKeyOf(one_);
  for (bool over = false; !over; one_.Steps()) {
    over = one_.set().rolls.empty();
    const std::string newest = one_.text(), key = ContentOf(one_.files.path(file));
    ASSERT_TRUE(kept_.Write("zone-keys", **early).ok());
    one_.log.clear();
    ASSERT_TRUE(one_.Start().ok()) << one_.log;
    EXPECT_EQ(one_.text(), newest);
    EXPECT_EQ(ContentOf(one_.files.path(file)), key);
    EXPECT_THAT(one_.log, HasSubstr("of an earlier time"));
    Machine next(kept_, &one_);
    ASSERT_TRUE(next.Start().ok());
    EXPECT_EQ(next.text(), newest) << "it is kept again";
    EXPECT_EQ(ContentOf(next.files.path(file)), key);
  }
}

// As after an upgrade, or when an operator has deleted what was kept.
TEST_F(ZoneKeysKeptTest, AMachineThatWasAwayPutsNothingThere) {
  ASSERT_TRUE(one_.Start().ok());
  EXPECT_FALSE(one_.Look());
  one_.Request(KeyRole::kZsk);
  ASSERT_TRUE(one_.Steps());
  ASSERT_TRUE(other_.Start().ok()) << "it has the key that is to come";
  ASSERT_TRUE(one_.Start().ok());
  ASSERT_TRUE(one_.Steps());
  const std::string file = one_.set().Signer().file;
  for (bool over = false; !over; one_.Steps()) {
    over = one_.set().rolls.empty();
    kept_.Forget();
    const std::string stale = other_.text(), newest = one_.text();
    const Status refused = other_.Start();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().symbol, "zone_keys_changed");
    EXPECT_EQ(other_.text(), stale);
    EXPECT_EQ(*kept_.Read("zone-keys"), std::nullopt);
    ASSERT_TRUE(one_.Start().ok());
    EXPECT_EQ(one_.text(), newest);
    EXPECT_TRUE(fs::exists(one_.files.path(file)));
  }
  ASSERT_TRUE(other_.Start().ok()) << "once the right one has";
  EXPECT_EQ(other_.text(), one_.text());
}

// The database was set back, and the other machine has rolled the same key over meanwhile.
TEST_F(ZoneKeysKeptTest, OfTwoSetsThatWentApartTheOneCountsThatTheZoneWasServedWith) {
  ASSERT_TRUE(one_.Start().ok());
  EXPECT_FALSE(one_.Look());
  const auto early = kept_.Read("zone-keys");
  ASSERT_TRUE(early.ok() && *early);
  const KeySet before = one_.set();
  const auto roll = [&](Machine& machine) {
    ASSERT_TRUE(kept_.Write("zone-keys", **early).ok());
    ASSERT_TRUE(machine.Start().ok()) << machine.log;
    machine.Request(KeyRole::kZsk);
    ASSERT_TRUE(machine.Steps());
    machine.FinishRoll();
  };
  roll(one_);
  const KeySet of_one = one_.set();
  kept_.SayServed(before);  // it went back, too
  roll(other_);
  const KeySet of_other = other_.set();
  const std::string text_of_one = one_.text(), text_of_other = other_.text();
  ASSERT_NE(of_one.Signer().tag, of_other.Signer().tag);
  kept_.SayServed(of_one);
  ASSERT_TRUE(one_.Start().ok()) << one_.log;
  EXPECT_EQ(one_.text(), text_of_one);
  EXPECT_EQ(ContentOf(one_.set_file() + ".before"), text_of_other);
  EXPECT_TRUE(fs::exists(one_.files.path(of_other.Signer().file))) << "no key is lost";
  EXPECT_THAT(one_.log, HasSubstr("have gone apart"));
  ASSERT_TRUE(other_.Start().ok()) << other_.log;
  EXPECT_EQ(other_.text(), text_of_one);
  EXPECT_EQ(ContentOf(other_.set_file() + ".before"), text_of_other);
  EXPECT_TRUE(fs::exists(other_.files.path(of_other.Signer().file)));
  EXPECT_THAT(other_.log, HasSubstr("changed here, too"));
}

TEST_F(ZoneKeysKeptTest, AnAlgorithmRollOverGoesOnFromMachineToMachine) {
  ASSERT_TRUE(one_.Start().ok());
  EXPECT_FALSE(one_.Look());
  one_.Change([](KeySet& set) { set.requested_algorithm = zone::kEd25519; });
  ASSERT_TRUE(one_.Steps());
  int steps = 0;
  for (Machine* at = &other_;; at = at == &one_ ? &other_ : &one_) {
    const KeySet before = (at == &one_ ? other_ : one_).set();
    ASSERT_TRUE(at->Start().ok()) << at->log;
    EXPECT_EQ(at->set(), before);
    for (const zone::KeyEntry& key : before.keys)
      EXPECT_TRUE(fs::exists(at->files.path(key.file))) << key.file;
    if (before.rolls.empty()) break;
    if (before.rolls[0].step == zone::RollStep::kSubmit)
      at->Change([](KeySet& set) { set.rolls[0].ds_seen = true; });
    ASSERT_TRUE(at->Steps()) << at->log;
    ++steps;
  }
  EXPECT_EQ(steps, 6);
  EXPECT_EQ(one_.set().algorithm(), zone::kEd25519);
  EXPECT_EQ(one_.set(), other_.set());
  EXPECT_THAT(one_.log + other_.log, Not(HasSubstr("changed here, too")));
}

TEST_F(ZoneKeysKeptTest, ASetWhoseTextIsDamagedIsSaid) {
  BeginRoll();
  ASSERT_TRUE(kept_.Write("zone-keys", "nothing that was sealed").ok());
  EXPECT_EQ(other_.Start().error().symbol, "zone_key_unreadable");
}

}  // namespace
}  // namespace registry::app
