// Commands that come again when the ledger has forgotten, or may have forgotten, that they were decided.
#include <gtest/gtest.h>

#include "bridge/ledger/retention.h"
#include "tests/support/commands.h"
#include "tests/support/test_registry.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::hours;

constexpr int kDays = 7;
const json kEsim = {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}};

class Expired : public testing::Test {
 protected:
  // `time` as its sender says it; "" is none.
  Said Say(const std::string& id, const std::string& time, const json& data = kEsim) {
    json command = Command("mno-a", "esim.register", id, data);
    if (!time.empty()) command["time"] = time;
    return registry_.AskRaw(Raw("mno-a", "esim.register", command.dump()));
  }
  std::string Now() { return ToRfc3339(registry_.clock().Now()); }
  void Pass(hours time) {
    for (hours passed{0}; passed < time; passed += hours(1)) {
      registry_.clock().Advance(hours(1));
      const auto done = retention_.Tick(registry_.clock().Now(), steady_ += hours(1));
      ASSERT_TRUE(done.ok()) << done.error().message;
    }
  }
  bool Known(const std::string& id) {
    return registry_.ledger().FindEvent(*PartyId::Parse("mno-a"), *EventId::Parse(id))->has_value();
  }
  TestRegistry registry_;
  CarefulClock::Steady steady_{};
  ledger::Retention retention_{registry_.ledger(), kDays};
};

TEST_F(Expired, BeforeTheLimitARepeatGetsTheStoredReplyAndAnotherContentIsAConflict) {
  const std::string time = Now();
  const Said first = Say("old", time);
  ASSERT_TRUE(first.accepted()) << first.payload;
  Pass(hours(24 * kDays));
  EXPECT_EQ(Say("old", time).payload, first.payload);
  EXPECT_EQ(Say("old", Now()).symbol(), "event_conflict");
  EXPECT_TRUE(registry_.Counted("duplicate", 1));
}

TEST_F(Expired, BehindTheLimitARepeatIsRefusedAsOftenAsItComesAndNotRemembered) {
  const std::string time = Now();
  ASSERT_TRUE(Say("old", time).accepted());
  Pass(hours(24 * (kDays + 3)));
  EXPECT_FALSE(Known("old"));
  for (int again = 0; again < 2; ++again) {
    const Said said = Say("old", time);
    EXPECT_EQ(said.symbol(), "event_expired") << said.payload;
    EXPECT_EQ(said.code(), 2306);
    EXPECT_EQ(said.data().at("field"), "/time");
    EXPECT_EQ(said.envelope.at("cause"), "old");
  }
  EXPECT_FALSE(Known("old"));
  EXPECT_EQ(registry_.ledger().DevicesAfter(std::nullopt, 10)->size(), 1u);
  registry_.Restart();
  EXPECT_EQ(Say("old", time).symbol(), "event_expired");
}

// It cannot be known to be the same command: it is decided by what holds now.
TEST_F(Expired, BehindTheLimitTheIdWithAFreshTimeOrNoneIsDecidedAnew) {
  ASSERT_TRUE(Say("old", Now()).accepted());
  ASSERT_TRUE(Say("older", "", {{"eid", EidOf(2)}, {"iccid", IccidOf(2)}}).accepted());
  Pass(hours(24 * (kDays + 3)));
  EXPECT_EQ(Say("old", Now()).symbol(), "eid_registered");
  EXPECT_TRUE(Known("old"));
  EXPECT_EQ(Say("older", "").symbol(), "eid_registered");
  EXPECT_EQ(Say("future", "2126-01-01T00:00:00Z").symbol(), "eid_registered")
      << "no sender's clock is corrected";
}

TEST_F(Expired, NothingIsRefusedForItsTimeWhileNothingWasForgotten) {
  EXPECT_TRUE(Say("first", "2001-01-01T00:00:00Z").accepted());
  Pass(hours(24));
  EXPECT_EQ(Say("second", "2001-01-01T00:00:00Z").symbol(), "eid_registered");
}

// Its mark would stand under a day that is forgotten at once, though its `time` says that it is new.
TEST_F(Expired, WhatWasDecidedWhileTheClockWasBehindIsNotDecidedAgain) {
  ASSERT_TRUE(Say("old", Now()).accepted());
  Pass(hours(24 * (kDays + 3)));
  const std::string time = Now();
  registry_.clock().Advance(-hours(24 * 10));
  const Said first = Say("late", time, {{"eid", EidOf(2)}, {"iccid", IccidOf(2)}});
  ASSERT_TRUE(first.accepted()) << first.payload;
  registry_.clock().Advance(hours(24 * 10));
  Pass(hours(24 * kDays));
  EXPECT_TRUE(Known("late"));
  EXPECT_EQ(Say("late", time, {{"eid", EidOf(2)}, {"iccid", IccidOf(2)}}).payload, first.payload);
  Pass(hours(24 * 3));
  EXPECT_FALSE(Known("late"));
  EXPECT_EQ(Say("late", time, {{"eid", EidOf(2)}, {"iccid", IccidOf(2)}}).symbol(), "event_expired");
}

// A `time` far ahead is a mistake or worse, and must not keep its mark for ever.
TEST_F(Expired, AMarkIsKeptForATimeAheadByThirtyDaysAtMost) {
  ASSERT_TRUE(Say("ahead", "2126-01-01T00:00:00Z").accepted());
  Pass(hours(24 * (kDays + 20)));
  EXPECT_TRUE(Known("ahead"));
  Pass(hours(24 * 15));
  EXPECT_FALSE(Known("ahead"));
}

// What was never sent before is refused as well: nobody can tell.
TEST_F(Expired, AnUnknownIdOfAForgottenDayIsRefusedAndOneOfAKeptDayIsNot) {
  const std::string before = Now();
  ASSERT_TRUE(Say("old", before).accepted());
  Pass(hours(24 * (kDays + 3)));
  EXPECT_EQ(Say("new", before).symbol(), "event_expired");
  EXPECT_EQ(Say("newer", ToRfc3339(registry_.clock().Now() - hours(24 * kDays))).symbol(), "eid_registered");
}

// Reads are answered whenever they were said: nothing of them is remembered.
TEST_F(Expired, AReadHasNoLimit) {
  const std::string time = Now();
  const Said device = Say("old", time);
  Pass(hours(24 * (kDays + 3)));
  json read = Command("mno-a", "device.get", "read", {{"device", device.data().at("device")}});
  read["time"] = time;
  EXPECT_TRUE(registry_.AskRaw(Raw("mno-a", "device.get", read.dump())).accepted());
}

}  // namespace
}  // namespace registry::test
