// When a holder stops to be sure of its lease, and when one that stands by is sure that it is over: never both at a time.
#include "bridge/ledger/lease.h"

#include <gtest/gtest.h>

#include "bridge/ledger/postgres/nodes.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Says = LeaseWatch::Says;

constexpr seconds kLasts{8};

TEST(LeaseTest, IsAsOldAsTheBeginningOfWhatCameBackLast) {
  Lease lease(kLasts);
  lease.Proved(seconds(100));
  EXPECT_EQ(lease.StateAt(seconds(103)), Lease::State::kFresh);
  EXPECT_EQ(lease.StateAt(seconds(104)), Lease::State::kAgeing);
  EXPECT_EQ(lease.StateAt(seconds(106)), Lease::State::kOver);
  lease.Proved(seconds(99));
  EXPECT_EQ(lease.proved(), seconds(100)) << "an earlier one says nothing new";
  lease.Proved(seconds(160));
  EXPECT_EQ(lease.StateAt(seconds(161)), Lease::State::kFresh);
}

TEST(LeaseTest, WhatWasNeverProvedIsOver) { EXPECT_EQ(Lease(kLasts).state(), Lease::State::kOver); }

class LeaseWatchTest : public testing::Test {
 protected:
  LeaseWatchTest() {
    seen_.epoch = 3;
    seen_.number = 40;
    seen_.began = 20;
    seen_.lasts = kLasts;
    seen_.process = 4711;
  }
  // Each second until something else than kHeld is said, at most for `most`; after how many.
  int SecondsUntil(Says wanted, int most = 100) {
    for (int i = 0; i <= most; ++i, now_ += seconds(1)) {
      const Says says = watch_.Look(seen_, now_);
      if (says == wanted) return i;
    }
    return -1;
  }
  LeaseSeen seen_;
  LeaseWatch watch_;
  LeaseWatch::Time now_{seconds(1000)};
};

TEST_F(LeaseWatchTest, IsOverWhenNothingMovedForAsLongAsItsHolderSaid) {
  EXPECT_EQ(SecondsUntil(Says::kOver), 8);
}

TEST_F(LeaseWatchTest, EachTransactionAndEachEpochBeginsItAnew) {
  EXPECT_EQ(SecondsUntil(Says::kOver, 6), -1);
  ++seen_.number;
  EXPECT_EQ(SecondsUntil(Says::kOver, 6), -1);
  ++seen_.epoch;
  EXPECT_EQ(SecondsUntil(Says::kOver), 8);
}

TEST_F(LeaseWatchTest, AServerThatWasAwayIsNoHolderThatStoodStill) {
  EXPECT_EQ(SecondsUntil(Says::kOver, 6), -1);
  watch_.Missed();
  EXPECT_EQ(SecondsUntil(Says::kOver, 6), -1);
  now_ += seconds(60);  // this one was stopped, or its questions hung
  EXPECT_EQ(SecondsUntil(Says::kOver), 8);
}

TEST_F(LeaseWatchTest, WhoseServerWorksOrWaitsForAStandbyIsWaitedFor) {
  seen_.waits_for_the_server = true;
  EXPECT_EQ(SecondsUntil(Says::kOver), -1);
  seen_.waits_for_the_server = false;
  EXPECT_EQ(SecondsUntil(Says::kOver), 7) << "counted from the last look at which it waited";
}

TEST_F(LeaseWatchTest, AStartHasItsTimeAndAHolderWithoutALeaseAllOfIt) {
  seen_.number = seen_.began;
  EXPECT_EQ(SecondsUntil(Says::kOver), 60);
  seen_.lasts = milliseconds(0);
  EXPECT_EQ(SecondsUntil(Says::kOver), -1);
}

TEST_F(LeaseWatchTest, NobodyHoldsItWhoHasNoConnection) {
  EXPECT_EQ(SecondsUntil(Says::kOver, 3), -1);
  seen_.process = 0;
  EXPECT_EQ(SecondsUntil(Says::kFree), 0);
}

TEST_F(LeaseWatchTest, WhoSaidNoLeaseHasAMinuteToComeBack) {
  seen_.lasts = milliseconds(0);
  seen_.process = 0;
  EXPECT_EQ(watch_.Look(seen_, now_), Says::kFree) << "nobody was seen to have it";
  seen_.process = 4711;
  EXPECT_EQ(SecondsUntil(Says::kFree, 3), -1);
  seen_.process = 0;  // its connection was cut
  EXPECT_EQ(SecondsUntil(Says::kFree), 60);
  watch_.Missed();
  EXPECT_EQ(SecondsUntil(Says::kFree), 60);
}

TEST_F(LeaseWatchTest, AfterAServerThatWasAwayItsHolderComesFirst) {
  EXPECT_EQ(SecondsUntil(Says::kOver, 3), -1);
  watch_.Missed();
  seen_.process = 0;  // the server was started again, and nobody is back
  EXPECT_EQ(SecondsUntil(Says::kFree), 8);
  watch_.Missed();
  EXPECT_EQ(SecondsUntil(Says::kFree, 3), -1);
  seen_.process = 4712;
  EXPECT_EQ(SecondsUntil(Says::kFree, 3), -1);
  seen_.process = 0;  // it was back, and has ended
  EXPECT_EQ(SecondsUntil(Says::kFree), 0);
}

// Whatever the holder's last proof: it was begun before the number was seen to move.
TEST_F(LeaseWatchTest, TheHolderStopsBeforeTheOtherTakesOver) {
  Lease lease(kLasts);
  lease.Proved(seconds(1000));  // seen at once, the earliest that can be
  now_ = LeaseWatch::Time(seconds(1000));
  const int over = SecondsUntil(Says::kOver);
  EXPECT_EQ(lease.StateAt(seconds(1000 + over)), Lease::State::kOver);
}

}  // namespace
}  // namespace registry::ledger
