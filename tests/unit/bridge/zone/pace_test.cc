// When the next version may leave, on a time of the test's own.
#include "bridge/zone/pace.h"

#include <gtest/gtest.h>

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

const Pace::Time kStart = Pace::Time() + std::chrono::hours(1);
const Pace::Duration kNone = Pace::Duration::zero();

TEST(Pace, IntervalFollowsTheSlowestSecondary) {
  EXPECT_EQ(Pace::Interval(milliseconds(0)), milliseconds(0));      // nobody is asked
  EXPECT_EQ(Pace::Interval(milliseconds(10)), milliseconds(200));   // 20·T
  EXPECT_EQ(Pace::Interval(milliseconds(40)), milliseconds(500));   // 800, 820: the most
  EXPECT_EQ(Pace::Interval(milliseconds(300)), milliseconds(300));  // 900 − 2·T
  EXPECT_EQ(Pace::Interval(milliseconds(450)), milliseconds(0));
  EXPECT_EQ(Pace::Interval(std::chrono::seconds(5)), milliseconds(0));
}

TEST(Pace, FirstChangeAfterAQuietIntervalLeavesAtOnce) {
  Pace pace;
  EXPECT_EQ(pace.Rest(kStart, milliseconds(10), false), kNone);
  pace.Announced(kStart, milliseconds(10), false);
  EXPECT_EQ(pace.Rest(kStart, milliseconds(10), false), milliseconds(200));
  EXPECT_EQ(pace.Rest(kStart + milliseconds(150), milliseconds(10), false), milliseconds(50));
  EXPECT_EQ(pace.Rest(kStart + milliseconds(200), milliseconds(10), false), kNone);
  EXPECT_EQ(pace.Rest(kStart + std::chrono::hours(1), milliseconds(10), false), kNone);
}

TEST(Pace, OneRevocationASecondJumpsTheInterval) {
  Pace pace;
  pace.Announced(kStart, milliseconds(40), false);
  EXPECT_EQ(pace.Rest(kStart + milliseconds(10), milliseconds(40), true), kNone);
  pace.Announced(kStart + milliseconds(10), milliseconds(40), true);
  // A wave of them: the others wait like any change.
  EXPECT_EQ(pace.Rest(kStart + milliseconds(20), milliseconds(40), true), milliseconds(490));
  pace.Announced(kStart + milliseconds(510), milliseconds(40), true);  // in its time, so no jump
  EXPECT_EQ(pace.Rest(kStart + milliseconds(900), milliseconds(40), true), milliseconds(110));
  pace.Announced(kStart + milliseconds(1000), milliseconds(40), false);
  EXPECT_EQ(pace.Rest(kStart + milliseconds(1010), milliseconds(40), true), kNone);
}

}  // namespace
}  // namespace registry::zone
