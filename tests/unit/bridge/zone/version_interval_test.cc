// When the next version may leave, on a time of the test's own.
#include "bridge/zone/version_interval.h"

#include <gtest/gtest.h>

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

const VersionInterval::Time kStart = VersionInterval::Time() + std::chrono::hours(1);
const VersionInterval::Duration kNone = VersionInterval::Duration::zero();

TEST(VersionInterval, IntervalFollowsTheSlowestSecondary) {
  EXPECT_EQ(VersionInterval::Length(milliseconds(0)), milliseconds(0));      // nobody is asked
  EXPECT_EQ(VersionInterval::Length(milliseconds(10)), milliseconds(200));   // 20·T
  EXPECT_EQ(VersionInterval::Length(milliseconds(40)), milliseconds(500));   // 800, 820: the most
  EXPECT_EQ(VersionInterval::Length(milliseconds(300)), milliseconds(300));  // 900 − 2·T
  EXPECT_EQ(VersionInterval::Length(milliseconds(450)), milliseconds(0));
  EXPECT_EQ(VersionInterval::Length(std::chrono::seconds(5)), milliseconds(0));
}

TEST(VersionInterval, FirstChangeAfterAQuietIntervalLeavesAtOnce) {
  VersionInterval pace;
  EXPECT_EQ(pace.Rest(kStart, milliseconds(10), false), kNone);
  pace.Announced(kStart, milliseconds(10), false);
  EXPECT_EQ(pace.Rest(kStart, milliseconds(10), false), milliseconds(200));
  EXPECT_EQ(pace.Rest(kStart + milliseconds(150), milliseconds(10), false), milliseconds(50));
  EXPECT_EQ(pace.Rest(kStart + milliseconds(200), milliseconds(10), false), kNone);
  EXPECT_EQ(pace.Rest(kStart + std::chrono::hours(1), milliseconds(10), false), kNone);
}

TEST(VersionInterval, OneRevocationASecondJumpsTheInterval) {
  VersionInterval pace;
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
