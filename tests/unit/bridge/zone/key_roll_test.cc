// Two years in which the keys roll by themselves, while the clock jumps, the registry is killed, secondaries are away and
// the parent takes days: at every step everything that a resolver may hold validates. The same world shows a policy that is
// too short for it as bogus, so that the judge is known to see something.
#include "bridge/zone/key_roll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/bridge/zone/key_world.h"

namespace registry::zone::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kYears = 2 * 365 * 86400;
constexpr UtcTime kNow{1'790'000'000'000'000};
constexpr int kSeeds = 8;

KeySet Split() {
  return {{{KeyRole::kKsk, KeyState::kActive, 1, "ksk.pem", kNow},
           {KeyRole::kZsk, KeyState::kActive, 2, "zsk.pem", kNow}},
          {},
          {},
          {}};
}
KeySet Combined() { return {{{KeyRole::kCsk, KeyState::kActive, 1, "ksk.pem", kNow}}, {}, {}, {}}; }

RollPolicy Quick() {
  RollPolicy policy;
  policy.zsk_lifetime = hours(24 * 20);
  policy.ksk_lifetime = hours(24 * 60);
  return policy;
}

TEST(KeyRollYears, EverythingValidatesForWhoeverHoldsWhatItMay) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    KeyWorld world(Split(), Quick(), {}, seed);
    ASSERT_THAT(world.Run(kYears), IsEmpty()) << "seed " << seed;
    EXPECT_GT(world.ended(KeyRole::kZsk), 8) << "seed " << seed;
    EXPECT_GT(world.ended(KeyRole::kKsk), 4) << "seed " << seed;
    EXPECT_GT(world.kills(), 100);
    EXPECT_GT(world.jumps(), 10);
  }
}

TEST(KeyRollYears, SoDoesAZoneWithOneKey) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    KeyWorld world(Combined(), Quick(), {}, seed);
    ASSERT_THAT(world.Run(kYears), IsEmpty()) << "seed " << seed;
    EXPECT_GT(world.ended(KeyRole::kCsk), 4) << "seed " << seed;
  }
}

// Each wait in turn is too short for the world it is in.
TEST(KeyRollYears, APolicyThatIsTooShortIsSeen) {
  const auto first_bogus = [](WorldTruth truth, KeySet first) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      KeyWorld world(first, Quick(), truth, seed);
      if (auto why = world.Run(kYears); !why.empty()) return why;
    }
    return std::string();
  };
  WorldTruth truth;
  truth.dnskey_ttl = 10 * 86400;
  EXPECT_THAT(first_bogus(truth, Split()), HasSubstr("no key in a DNSKEY set"));
  truth = {};
  truth.ttl_max = 10 * 86400;
  EXPECT_THAT(first_bogus(truth, Split()), HasSubstr("a signature of"));
  truth = {};
  truth.propagation = 5 * 86400;
  EXPECT_THAT(first_bogus(truth, Split()), HasSubstr("no key in a DNSKEY set"));
  truth = {};
  truth.ds_ttl = 10 * 86400;
  EXPECT_THAT(first_bogus(truth, Split()), HasSubstr("DS "));
  EXPECT_THAT(first_bogus(truth, Combined()), HasSubstr("DS "));
}

class KeyRollTest : public ::testing::Test {
 protected:
  RollChange Look(milliseconds elapsed, bool served = true) {
    return Advance(set_, policy_, {kNow, elapsed, served});
  }
  // The first look at a step notes that it is served, the second waits.
  RollChange Wait(milliseconds time) {
    EXPECT_EQ(Look(milliseconds(0)), RollChange::kNoted);
    return Look(time);
  }
  void Begin(KeyRole role) { BeginRoll(set_, role, 9, "new.pem", kNow); }
  std::string Waits() { return StatusOf(set_, policy_).at(0).waits_for; }

  KeySet set_ = Split();
  RollPolicy policy_;
};

// RFC 7583 §3.2.1.
TEST_F(KeyRollTest, Rfc7583_ZskIsPublishedThenSignsThenLeaves) {
  Begin(KeyRole::kZsk);
  EXPECT_EQ(set_.Find(9)->state, KeyState::kPublished);
  EXPECT_EQ(set_.Signer().tag, 2);
  EXPECT_THAT(Waits(), HasSubstr("served by every secondary"));
  EXPECT_EQ(Look(hours(1000), false), RollChange::kNothing) << "no time counts before it is served";
  EXPECT_EQ(Wait(hours(2) - milliseconds(1)), RollChange::kWaited);
  EXPECT_EQ(StatusOf(set_, policy_)[0].rest, milliseconds(1));
  EXPECT_EQ(Look(milliseconds(1)), RollChange::kStep);
  EXPECT_EQ(set_.Signer().tag, 9);
  EXPECT_EQ(set_.Find(2)->state, KeyState::kRetired);
  EXPECT_THAT(Waits(), HasSubstr("signed with key 9"));
  EXPECT_EQ(Wait(hours(2)), RollChange::kStep);
  EXPECT_EQ(set_.Find(2), nullptr);
  EXPECT_TRUE(set_.Knows(2)) << "its tag is not used again";
  EXPECT_TRUE(set_.rolls.empty());
  EXPECT_TRUE(KeySetFrom(ToText(set_)).ok());
}

// RFC 7583 §3.3.1, RFC 7344 §4.
TEST_F(KeyRollTest, Rfc7583_KskWaitsForTheParent) {
  Begin(KeyRole::kKsk);
  EXPECT_EQ(Wait(hours(2)), RollChange::kStep);
  EXPECT_EQ(set_.Find(9)->state, KeyState::kReady);
  EXPECT_EQ(set_.Anchor().tag, 1);
  EXPECT_FALSE(StatusOf(set_, policy_)[0].ds_due) << "not before everybody sees the CDS";
  EXPECT_EQ(Look(milliseconds(0)), RollChange::kNoted);
  EXPECT_EQ(StatusOf(set_, policy_)[0].ds_due, 9);
  EXPECT_THAT(Waits(), HasSubstr("the DS of key 9"));
  EXPECT_EQ(Look(hours(10'000)), RollChange::kNothing) << "time alone does not help";
  set_.rolls[0].ds_seen = true;
  set_.rolls[0].ds_ttl = 2 * 86400;
  EXPECT_EQ(Look(hours(1)), RollChange::kStep);
  EXPECT_EQ(set_.Anchor().tag, 9);
  EXPECT_EQ(Wait(hours(25)), RollChange::kWaited) << "the parent's TTL is longer than the policy's";
  EXPECT_EQ(Look(hours(24)), RollChange::kStep);
  EXPECT_EQ(set_.Find(1), nullptr);
}

TEST_F(KeyRollTest, RollsOfBothKeysGoSideBySide) {
  set_.requested = {KeyRole::kZsk, KeyRole::kKsk};
  ASSERT_EQ(RollDue(set_, policy_, kNow), KeyRole::kKsk);
  BeginRoll(set_, KeyRole::kKsk, 8, "k.pem", kNow);
  ASSERT_EQ(RollDue(set_, policy_, kNow), KeyRole::kZsk);
  BeginRoll(set_, KeyRole::kZsk, 9, "z.pem", kNow);
  EXPECT_FALSE(RollDue(set_, policy_, kNow));
  EXPECT_EQ(Look(milliseconds(0)), RollChange::kNoted);
  EXPECT_EQ(Look(hours(2)), RollChange::kStep);
  EXPECT_EQ(Look(milliseconds(0)), RollChange::kStep) << "one step at a time";
  EXPECT_EQ(set_.Find(8)->state, KeyState::kReady);
  EXPECT_EQ(set_.Find(9)->state, KeyState::kActive);
  EXPECT_TRUE(KeySetFrom(ToText(set_)).ok());
}

TEST_F(KeyRollTest, LifetimesBeginARollAndAClockThatWasAheadEndsNone) {
  EXPECT_EQ(NextRoll(set_, policy_, KeyRole::kZsk), kNow + hours(24 * 90));
  EXPECT_FALSE(NextRoll(set_, policy_, KeyRole::kKsk)) << "at the operator's word only";
  EXPECT_FALSE(RollDue(set_, policy_, kNow + hours(24 * 90) - seconds(1)));
  EXPECT_EQ(RollDue(set_, policy_, kNow + hours(24 * 90)), KeyRole::kZsk);
  set_.Find(2)->since = kNow + hours(24 * 3650);
  EXPECT_EQ(Look(milliseconds(0)), RollChange::kNoted);
  EXPECT_EQ(NextRoll(set_, policy_, KeyRole::kZsk), kNow + hours(24 * 90));
}

TEST_F(KeyRollTest, ASecondRollOfTheSameKeyIsRefused) {
  EXPECT_THAT(RollRefusal(set_, KeyRole::kZsk), IsEmpty());
  set_.requested = {KeyRole::kZsk};
  EXPECT_THAT(RollRefusal(set_, KeyRole::kZsk), HasSubstr("requested already"));
  Begin(KeyRole::kZsk);
  EXPECT_THAT(RollRefusal(set_, KeyRole::kZsk), HasSubstr("from key 2 to key 9"));
  EXPECT_THAT(RollRefusal(set_, KeyRole::kKsk), IsEmpty());
  EXPECT_EQ(RoleIn(Combined(), KeyRole::kZsk), KeyRole::kCsk);
}

}  // namespace
}  // namespace registry::zone::testing
