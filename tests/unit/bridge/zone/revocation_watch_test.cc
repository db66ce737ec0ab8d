// From the decision of a revocation to each server's service without the record: what is measured, and what is not.
#include "bridge/zone/revocation_watch.h"

#include <gtest/gtest.h>

#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kFirst = 0, kSecond = 1;

class ManualClock : public Clock {
 public:
  UtcTime Now() const override { return now; }
  UtcTime now{1'790'000'000'000'000};
};

class RevocationWatchTest : public ::testing::Test {
 protected:
  void Advance(milliseconds time) {
    now_ += time;
    clock_.now = clock_.now + time;
  }
  // As a decision leaves it: the change, and the job that waits until it is visible.
  domain::ZoneChange Decide(domain::ZoneChange change) {
    EXPECT_TRUE(ledger_->Commit(Decided({change}, clock_.now)).ok());
    return change;
  }
  RevocationWatch Watch() {
    return {*ledger_,
            clock_,
            {"first", "second"},
            [this](const std::string& server, auto after) {
              told_.emplace_back(server, std::chrono::duration_cast<milliseconds>(after).count());
            },
            now_};
  }
  void Look(RevocationWatch& watch) {
    watch.Look(
        [this](std::size_t server, std::uint32_t serial) -> std::optional<bool> {
          if (!serials_[server]) return std::nullopt;
          return *serials_[server] >= serial;
        },
        now_);
  }

  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  ManualClock clock_;
  RevocationWatch::Time now_ = RevocationWatch::Time(std::chrono::hours(100));
  std::optional<std::uint32_t> serials_[2] = {1, 1};
  using Told = std::vector<std::pair<std::string, std::int64_t>>;
  Told told_;
};

TEST_F(RevocationWatchTest, EachServerIsMeasuredFromTheDecision) {
  auto watch = Watch();
  const auto change = Decide(Deactivated(1, 2));
  Advance(milliseconds(40));
  watch.Published({change}, 7, now_);
  Look(watch);
  EXPECT_EQ(watch.waits(kFirst, now_), milliseconds(40)) << "what waited in the outbox counts";
  Advance(milliseconds(60));
  serials_[kFirst] = 7;
  Look(watch);
  EXPECT_EQ(told_, (Told{{"first", 100}}));
  EXPECT_EQ(watch.waits(kFirst, now_), milliseconds(0));
  EXPECT_EQ(watch.waits(kSecond, now_), milliseconds(100));
  Advance(seconds(5));
  serials_[kSecond] = 9;
  Look(watch);
  Look(watch);
  EXPECT_EQ(told_, (Told{{"first", 100}, {"second", 5100}})) << "once";
  EXPECT_EQ(watch.waits(kSecond, now_), milliseconds(0));
}

TEST_F(RevocationWatchTest, OnlyWhatLeavesADeviceWithoutRecordIsARevocation) {
  auto watch = Watch();
  watch.Published({Decide(Published(1)), Decide(Gone(2, 3))}, 7, now_);
  serials_[kFirst] = 7;
  Look(watch);
  EXPECT_EQ(told_, (Told{{"first", 0}}));
}

TEST_F(RevocationWatchTest, WhatNobodyWaitsForOrWasOvertakenIsNotMeasured) {
  auto watch = Watch();
  const auto overtaken = Deactivated(1, 2);
  Decide(Gone(1, 3));
  watch.Published({overtaken, Gone(2, 2)}, 7, now_);
  EXPECT_EQ(watch.waits(kFirst, now_), milliseconds(0));
  serials_[kFirst] = 7;
  Look(watch);
  EXPECT_TRUE(told_.empty());
}

TEST_F(RevocationWatchTest, OneFromBeforeTheStartIsMeasuredWhereItWasSeenToBeMissing) {
  const auto change = Decide(Deactivated(1, 2));
  Advance(seconds(60));
  auto watch = Watch();
  serials_[kFirst].reset();
  watch.Published({change}, 7, now_);
  Look(watch);
  EXPECT_EQ(watch.waits(kFirst, now_), seconds(60)) << "it may serve it, and has not said so";
  serials_[kFirst] = 7;  // since when, nobody knows
  Look(watch);
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(watch.waits(kFirst, now_), milliseconds(0));
  Advance(seconds(1));
  serials_[kSecond] = 7;
  Look(watch);
  EXPECT_EQ(told_, (Told{{"second", 61'000}}));
}

TEST_F(RevocationWatchTest, ServerThatIsAwayIsBehindUntilItServesEverything) {
  auto watch = Watch();
  serials_[kSecond].reset();
  for (std::uint32_t n = 0; n < 3; ++n) {
    watch.Published({Decide(Deactivated(n, 2))}, 7 + n, now_);
    serials_[kFirst] = 7 + n;
    Look(watch);
    Advance(seconds(10));
  }
  EXPECT_EQ(told_.size(), 3u);
  EXPECT_EQ(watch.waits(kSecond, now_), seconds(30));
  serials_[kSecond] = 8;
  Look(watch);
  EXPECT_EQ(watch.waits(kSecond, now_), seconds(10));
  serials_[kSecond] = 9;
  Look(watch);
  EXPECT_EQ(told_.back(), (Told::value_type{"second", 10'000}));
  EXPECT_EQ(told_.size(), 6u);
}

TEST_F(RevocationWatchTest, WhatIsInNoVersionYetWaitsEverywhere) {
  auto watch = Watch();
  watch.Pending(now_);
  Advance(seconds(3));
  EXPECT_EQ(watch.waits(kFirst, now_), seconds(3));
  EXPECT_EQ(watch.waits(kSecond, now_), seconds(3));
  watch.Pending(std::nullopt);
  EXPECT_EQ(watch.waits(kFirst, now_), milliseconds(0));
}

// RFC 1982: after a restored ledger what was served before lies between old and new serials.
TEST_F(RevocationWatchTest, RenumberedZoneIsServedFromItsNewSerialOn) {
  auto watch = Watch();
  watch.Published({Decide(Deactivated(1, 2))}, 7, now_);
  watch.Renumber(100);
  serials_[kFirst] = 50;
  Look(watch);
  EXPECT_TRUE(told_.empty());
  serials_[kFirst] = 100;
  Look(watch);
  EXPECT_EQ(told_, (Told{{"first", 0}}));
}

TEST_F(RevocationWatchTest, ClockThatWasSetBackMakesNothingTakeLessThanNoTime) {
  auto watch = Watch();
  const auto change = Decide(Deactivated(1, 2));
  clock_.now = clock_.now - seconds(3600);
  watch.Published({change}, 7, now_);
  serials_[kFirst] = 7;
  Look(watch);
  EXPECT_EQ(told_, (Told{{"first", 0}}));
}

TEST_F(RevocationWatchTest, WithoutServersNothingIsKept) {
  RevocationWatch watch(*ledger_, clock_, {}, nullptr, now_);
  watch.Published({Decide(Deactivated(1, 2))}, 7, now_);
  Look(watch);
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace registry::zone::testing
