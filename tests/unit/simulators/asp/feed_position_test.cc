#include "simulators/asp/feed_position.h"

#include <gtest/gtest.h>

namespace registry::sim {
namespace {

using std::chrono::milliseconds;
using Clock = FeedPosition::Clock;

constexpr milliseconds kPatience{2000};

TEST(FeedPosition, FollowsAFeedWithoutGaps) {
  FeedPosition feed;
  const auto now = Clock::now();
  for (std::uint64_t seq = 1; seq <= 100; ++seq) feed.Saw(seq, now);
  EXPECT_EQ(feed.whole(), 100u);
  EXPECT_FALSE(feed.WantReplay(now + std::chrono::hours(1), kPatience));
}

TEST(FeedPosition, OrderWithinPatienceIsNoGap) {
  FeedPosition feed;
  const auto now = Clock::now();
  feed.Saw(2, now);
  EXPECT_EQ(feed.whole(), 0u);
  EXPECT_FALSE(feed.WantReplay(now + milliseconds(500), kPatience));
  feed.Saw(1, now + milliseconds(600));
  EXPECT_EQ(feed.whole(), 2u);
}

TEST(FeedPosition, AsksForWhatIsMissingOnce) {
  FeedPosition feed;
  const auto now = Clock::now();
  for (const std::uint64_t seq : {1, 2, 5, 6}) feed.Saw(seq, now);
  EXPECT_EQ(feed.WantReplay(now + kPatience, kPatience), 3u);
  EXPECT_FALSE(feed.WantReplay(now + kPatience + milliseconds(1), kPatience));
  feed.Saw(3, now + kPatience);
  feed.Saw(4, now + kPatience);
  EXPECT_EQ(feed.whole(), 6u);
}

TEST(FeedPosition, ANewerNotificationDoesNotRestartThePatience) {
  FeedPosition feed;
  const auto now = Clock::now();
  feed.Saw(3, now);
  feed.Saw(4, now + milliseconds(1900));
  EXPECT_EQ(feed.WantReplay(now + kPatience, kPatience), 1u);
}

TEST(FeedPosition, PassesOverWhatAReplayDoesNotBring) {
  FeedPosition feed;
  auto now = Clock::now();
  for (const std::uint64_t seq : {10, 11, 20}) feed.Saw(seq, now);
  EXPECT_EQ(feed.WantReplay(now += kPatience, kPatience), 1u);
  EXPECT_FALSE(feed.WantReplay(now += kPatience, kPatience)) << "expired at the registry";
  EXPECT_EQ(feed.whole(), 11u);
  EXPECT_EQ(feed.WantReplay(now += kPatience, kPatience), 12u) << "the next gap has its own turn";
}

TEST(FeedPosition, OldNewsChangeNothing) {
  FeedPosition feed;
  const auto now = Clock::now();
  feed.Saw(1, now);
  feed.Saw(1, now);
  feed.Saw(0, now);
  EXPECT_EQ(feed.whole(), 1u);
}

}  // namespace
}  // namespace registry::sim
