// Which of two key sets is the later one: every set of a roll-over beside every other one of it.
#include "bridge/zone/key_set_order.h"

#include <gtest/gtest.h>

#include "bridge/zone/key_roll.h"

namespace registry::zone::testing {
namespace {

using std::chrono::hours;

constexpr UtcTime kStart{1'790'000'000'000'000};

KeySet KeyPair() {
  KeySet set;
  set.keys = {{KeyRole::kKsk, KeyState::kActive, 1, "ksk.pem", kStart},
              {KeyRole::kZsk, KeyState::kActive, 2, "zsk.pem", kStart}};
  return set;
}

KeySet OneCsk() {
  KeySet set;
  set.keys = {{KeyRole::kCsk, KeyState::kActive, 1, "csk.pem", kStart}};
  return set;
}

// The set with which the roll-over begins, and that of each step; all secondaries serve it, and the DS is seen.
std::vector<KeySet> SetsOfSteps(KeySet set) {
  std::vector<KeySet> steps{set};
  UtcTime now = kStart;
  for (int i = 0; i < 1000 && !set.rolls.empty(); ++i) {
    now = now + hours(1);
    for (Roll& roll : set.rolls) roll.ds_seen = roll.step == RollStep::kSubmit;
    if (Advance(set, {}, {now, hours(1), true}) == RollChange::kStep) steps.push_back(set);
  }
  EXPECT_TRUE(set.rolls.empty());
  return steps;
}

std::vector<KeySet> SetsOfRoll(KeySet set, KeyRole role) {
  std::vector<KeySet> all{set};
  BeginRoll(set, role, 7, "new.pem", kStart);
  for (KeySet& step : SetsOfSteps(set)) all.push_back(std::move(step));
  return all;
}

std::vector<KeySet> SetsOfAlgorithm(KeySet set) {
  std::vector<KeySet> all{set};
  std::vector<KeyEntry> fresh;
  for (const KeyEntry& key : set.keys)
    fresh.push_back(
        {key.role, KeyState::kPublished, static_cast<std::uint16_t>(key.tag + 10), "new.pem", kStart});
  BeginAlgorithmRoll(set, kEd25519, fresh, kStart);
  for (KeySet& step : SetsOfSteps(set)) all.push_back(std::move(step));
  return all;
}

void ExpectInOrder(const std::vector<KeySet>& sets, std::size_t count) {
  ASSERT_EQ(sets.size(), count);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    EXPECT_EQ(OrderOf(sets[i], sets[i]), SetOrder::kAlike);
    for (std::size_t j = i + 1; j < sets.size(); ++j) {
      EXPECT_EQ(OrderOf(sets[j], sets[i]), SetOrder::kLater) << i << " and " << j;
      EXPECT_EQ(OrderOf(sets[i], sets[j]), SetOrder::kEarlier) << i << " and " << j;
    }
  }
}

// The set can sign a zone that was served with the keys of `served`.
bool CanSignAfter(const KeySet& set, const KeySet& served) {
  return HasSigned(set, served.Anchor().tag) && HasSigned(set, served.Signer().tag);
}

TEST(KeySetOrder, EveryStepIsLaterThanThoseBefore) {
  ExpectInOrder(SetsOfRoll(KeyPair(), KeyRole::kZsk), 4);
  ExpectInOrder(SetsOfRoll(KeyPair(), KeyRole::kKsk), 5);
  ExpectInOrder(SetsOfRoll(OneCsk(), KeyRole::kCsk), 5);
  ExpectInOrder(SetsOfAlgorithm(KeyPair()), 8);
  ExpectInOrder(SetsOfAlgorithm(OneCsk()), 8);
}

TEST(KeySetOrder, WhatWasWaitedOrAskedForSaysNothing) {
  KeySet set = KeyPair();
  BeginRoll(set, KeyRole::kZsk, 7, "new.pem", kStart);
  KeySet other = set;
  other.rolls[0].waited = hours(1);
  other.rolls[0].served = true;
  other.requested = {KeyRole::kKsk};
  EXPECT_EQ(OrderOf(set, other), SetOrder::kAlike);
  EXPECT_EQ(OrderOf(other, set), SetOrder::kAlike);
}

TEST(KeySetOrder, TwoThatWentOnFromTheSameSetAreApart) {
  KeySet one = KeyPair(), other = KeyPair();
  BeginRoll(one, KeyRole::kZsk, 7, "new.pem", kStart);
  BeginRoll(other, KeyRole::kZsk, 8, "other.pem", kStart);
  EXPECT_EQ(OrderOf(one, other), SetOrder::kApart);
  EXPECT_EQ(OrderOf(other, one), SetOrder::kApart);
}

// A set remembers the last 64 keys that have left.
TEST(KeySetOrder, WhatWasForgottenMakesNoSetEarlier) {
  KeySet set = KeyPair();
  for (std::uint16_t tag = 100; tag < 100 + kRemovedMax; ++tag) set.removed.push_back(tag);
  const std::vector<KeySet> steps = SetsOfRoll(set, KeyRole::kZsk);
  EXPECT_FALSE(steps.back().Knows(100));
  EXPECT_EQ(OrderOf(steps.back(), set), SetOrder::kLater);
  EXPECT_EQ(OrderOf(set, steps.back()), SetOrder::kEarlier);
}

TEST(KeySetOrder, OnlyASetThatHasComeSoFarSignsAfterTheKeysThatWereServed) {
  for (const auto& sets : {SetsOfRoll(KeyPair(), KeyRole::kZsk), SetsOfRoll(KeyPair(), KeyRole::kKsk),
                           SetsOfAlgorithm(KeyPair())}) {
    for (const KeySet& served : sets) {
      for (const KeySet& set : sets) {
        const bool behind = OrderOf(set, served) == SetOrder::kEarlier && TagsOf(set) != TagsOf(served);
        EXPECT_EQ(CanSignAfter(set, served), !behind) << TagsOf(served) << "\n" << ToText(set);
      }
    }
  }
}

}  // namespace
}  // namespace registry::zone::testing
