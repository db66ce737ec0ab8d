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
    EXPECT_GT(world.take_overs(), 30);
  }
}

TEST(KeyRollYears, SoDoesAZoneWithOneKey) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    KeyWorld world(Combined(), Quick(), {}, seed);
    ASSERT_THAT(world.Run(kYears), IsEmpty()) << "seed " << seed;
    EXPECT_GT(world.ended(KeyRole::kCsk), 4) << "seed " << seed;
  }
}

// RFC 6781 §4.1.4, RFC 6840 §5.11: beside the other roll-overs.
TEST(KeyRollYears, SoDoesAZoneWhoseAlgorithmChanges) {
  for (const KeySet& first : {Split(), Combined()}) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      KeyWorld world(first, Quick(), {}, seed);
      world.RollAlgorithms();
      ASSERT_THAT(world.Run(kYears), IsEmpty()) << "seed " << seed;
      EXPECT_GT(world.algorithms_ended(), 4) << "seed " << seed;
      EXPECT_GT(world.ended(first.keys[0].role), 0) << "seed " << seed;
    }
  }
}

// Each wait in turn is too short for the world it is in.
TEST(KeyRollYears, APolicyThatIsTooShortIsSeen) {
  const auto first_bogus = [](WorldTruth truth, KeySet first, bool algorithms = false) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      RollPolicy policy = algorithms ? RollPolicy() : Quick();
      if (algorithms) policy.zsk_lifetime = seconds(0);
      KeyWorld world(first, policy, truth, seed);
      if (algorithms) world.RollAlgorithms();
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
  EXPECT_THAT(first_bogus(truth, Split(), true), HasSubstr("DS "));
  truth = {};
  truth.ttl_max = 10 * 86400;
  EXPECT_THAT(first_bogus(truth, Split(), true), HasSubstr("no other of algorithm"));
  truth = {};
  truth.dnskey_ttl = 10 * 86400;
  EXPECT_THAT(first_bogus(truth, Combined(), true), HasSubstr("no key in a DNSKEY set"));
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

// RFC 6781 §4.1.4.
TEST_F(KeyRollTest, Rfc6781_AlgorithmChangesBySignaturesThenKeysThenTheDs) {
  set_.requested_algorithm = kEd25519;
  set_.requested.push_back(KeyRole::kZsk);
  EXPECT_FALSE(RollDue(set_, policy_, kNow)) << "every key gets a new one";
  ASSERT_EQ(AlgorithmRollDue(set_), kEd25519);
  BeginAlgorithmRoll(set_, kEd25519,
                     {{KeyRole::kZsk, KeyState::kActive, 12, "z.pem", kNow},
                      {KeyRole::kKsk, KeyState::kActive, 11, "k.pem", kNow}},
                     kNow);
  EXPECT_FALSE(AlgorithmRollDue(set_));
  EXPECT_FALSE(RollDue(set_, policy_, kNow + hours(24 * 3650)));
  const auto signers = [&] {
    std::vector<std::uint16_t> tags;
    for (const KeyEntry* key : set_.Signers()) tags.push_back(key->tag);
    return tags;
  };
  const auto expect = [&](RollStep step, KeyState old_state, KeyState new_state) {
    EXPECT_EQ(set_.rolls.at(0).step, step);
    for (const std::uint16_t tag : {1, 2}) EXPECT_EQ(set_.Find(tag)->state, old_state);
    for (const std::uint16_t tag : {11, 12}) EXPECT_EQ(set_.Find(tag)->state, new_state);
    EXPECT_EQ(KeySetFrom(ToText(set_)).value(), set_);
    EXPECT_EQ(signers(), step == RollStep::kUnsign ? (std::vector<std::uint16_t>{12})
                                                   : (std::vector<std::uint16_t>{2, 12}));
  };
  expect(RollStep::kSign, KeyState::kActive, KeyState::kPreActive);
  EXPECT_THAT(Waits(), HasSubstr("signed with algorithm 15 (ED25519) as well"));
  EXPECT_EQ(Look(hours(1000), false), RollChange::kNothing);
  EXPECT_EQ(Wait(hours(2) - milliseconds(1)), RollChange::kWaited);
  EXPECT_THAT(Waits(), HasSubstr("no signature of algorithm 15"));
  EXPECT_EQ(Look(milliseconds(1)), RollChange::kStep);
  expect(RollStep::kPublish, KeyState::kActive, KeyState::kPublished);
  EXPECT_EQ(Wait(hours(2)), RollChange::kStep);
  expect(RollStep::kSubmit, KeyState::kActive, KeyState::kReady);
  EXPECT_EQ(Wait(hours(10'000)), RollChange::kNothing);
  EXPECT_EQ(StatusOf(set_, policy_)[0].ds_due, 11);
  set_.rolls[0].ds_seen = true;
  EXPECT_EQ(Look(hours(1)), RollChange::kStep);
  expect(RollStep::kRetire, KeyState::kRetired, KeyState::kActive);
  EXPECT_THAT(Waits(), HasSubstr("key 11 to be served by every secondary"));
  EXPECT_EQ(Wait(hours(25) - milliseconds(1)), RollChange::kWaited);
  EXPECT_THAT(Waits(), HasSubstr("the DS set without key 11"));
  EXPECT_EQ(Look(milliseconds(1)), RollChange::kStep);
  expect(RollStep::kWithdraw, KeyState::kPostActive, KeyState::kActive);
  EXPECT_EQ(set_.Anchor().tag, 11);
  EXPECT_EQ(Wait(hours(2)), RollChange::kStep);
  expect(RollStep::kUnsign, KeyState::kPostActive, KeyState::kActive);
  EXPECT_EQ(Look(hours(1), false), RollChange::kNothing) << "as long as old signatures are served";
  EXPECT_EQ(Look(milliseconds(0)), RollChange::kStep);
  EXPECT_EQ(set_.keys.size(), 2u);
  EXPECT_TRUE(set_.rolls.empty());
  EXPECT_EQ(set_.algorithm(), kEd25519);
  EXPECT_THAT(set_.requested, IsEmpty());
}

TEST_F(KeyRollTest, AnAlgorithmRollWaitsForTheOthersAndNoneBeginsMeanwhile) {
  EXPECT_THAT(AlgorithmRefusal(set_, kEcdsaP256Sha256), HasSubstr("already"));
  Begin(KeyRole::kZsk);
  EXPECT_THAT(AlgorithmRefusal(set_, kEd25519), IsEmpty());
  set_.requested_algorithm = kEd25519;
  EXPECT_FALSE(AlgorithmRollDue(set_));
  EXPECT_THAT(AlgorithmRefusal(set_, kEd25519), HasSubstr("requested already"));
  EXPECT_THAT(RollRefusal(set_, KeyRole::kKsk), HasSubstr("requested already"));
  EXPECT_EQ(Wait(hours(2)), RollChange::kStep);
  EXPECT_EQ(Wait(hours(2)), RollChange::kStep);
  ASSERT_EQ(AlgorithmRollDue(set_), kEd25519);
  BeginAlgorithmRoll(set_, kEd25519,
                     {{KeyRole::kKsk, {}, 11, "k.pem", kNow}, {KeyRole::kZsk, {}, 12, "z.pem", kNow}}, kNow);
  EXPECT_THAT(RollRefusal(set_, KeyRole::kZsk), HasSubstr("makes every key new"));
  EXPECT_THAT(AlgorithmRefusal(set_, kEcdsaP384Sha384), HasSubstr("being rolled over"));
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
