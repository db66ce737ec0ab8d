// How orders make way for single commands.
#include "bridge/ingest/pace.h"

#include <gtest/gtest.h>

namespace registry::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Pace, HalvesWhileSingleCommandsWaitAndRecovers) {
  auto now = std::chrono::steady_clock::now();
  Pace pace(now);
  EXPECT_EQ(pace.Divisor(now), 1u);
  for (const std::uint32_t divisor : {2u, 4u, 8u, 16u, 32u, 64u, 64u}) {
    pace.Waited(milliseconds(101), now);
    pace.Waited(milliseconds(1), now);
    now += seconds(1);
    EXPECT_EQ(pace.Divisor(now), divisor);
  }
  for (const std::uint32_t divisor : {32u, 16u, 8u, 4u, 2u, 1u, 1u}) {
    pace.Waited(milliseconds(100), now);
    now += seconds(1);
    EXPECT_EQ(pace.Divisor(now), divisor);
  }
}

TEST(Pace, ChangesOnceASecond) {
  const auto now = std::chrono::steady_clock::now();
  Pace pace(now);
  pace.Waited(seconds(1), now);
  EXPECT_EQ(pace.Divisor(now + milliseconds(999)), 1u);
  EXPECT_EQ(pace.Divisor(now + milliseconds(1000)), 2u);
  EXPECT_EQ(pace.Divisor(now + milliseconds(1500)), 2u);
}

// Whether an order ran meanwhile or not: what waited long ago slows none that starts now.
TEST(Pace, SecondsInWhichNobodyAskedCount) {
  const auto now = std::chrono::steady_clock::now();
  Pace pace(now);
  pace.Waited(seconds(1), now);
  EXPECT_EQ(pace.Divisor(now + seconds(90)), 1u);
  for (int second = 91; second < 97; ++second) {
    pace.Waited(seconds(1), now + seconds(second));
    EXPECT_GT(pace.Divisor(now + seconds(second)), 1u);
  }
  EXPECT_EQ(pace.Divisor(now + seconds(99)), 8u);  // three seconds without, of 64
  pace.Waited(seconds(1), now + seconds(101));
  EXPECT_EQ(pace.Divisor(now + seconds(102)), 4u);  // two without, one with
  EXPECT_EQ(pace.Divisor(now + seconds(200)), 1u);
}

}  // namespace
}  // namespace registry::ingest
