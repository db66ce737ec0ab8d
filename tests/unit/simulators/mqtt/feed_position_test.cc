#include "simulators/mqtt/feed_position.h"

#include <gtest/gtest.h>

namespace registry::sim {
namespace {

using std::chrono::milliseconds;
using Clock = FeedPosition::Clock;

constexpr milliseconds kPatience{2000};

std::optional<std::uint64_t> ReplayDue(FeedPosition& feed, Clock::time_point now) {
  return feed.TakeDue(now, kPatience).replay_from;
}

TEST(FeedPosition, FollowsAFeedWithoutGaps) {
  FeedPosition feed;
  const auto now = Clock::now();
  for (std::uint64_t seq = 1; seq <= 100; ++seq) feed.Saw(seq, now);
  EXPECT_EQ(feed.whole(), 100u);
  EXPECT_FALSE(ReplayDue(feed, now + std::chrono::hours(1)));
}

TEST(FeedPosition, AcknowledgesWhatIsWholeOnce) {
  FeedPosition feed;
  const auto now = Clock::now();
  EXPECT_FALSE(feed.TakeDue(now, kPatience).ack);
  for (const std::uint64_t seq : {1, 2, 4}) feed.Saw(seq, now);
  EXPECT_EQ(feed.TakeDue(now, kPatience).ack, 2u) << "not 4: 3 is missing";
  EXPECT_FALSE(feed.TakeDue(now, kPatience).ack);
  feed.Saw(3, now);
  EXPECT_EQ(feed.TakeDue(now, kPatience).ack, 4u);
}

TEST(FeedPosition, OrderWithinPatienceIsNoGap) {
  FeedPosition feed;
  const auto now = Clock::now();
  feed.Saw(2, now);
  EXPECT_EQ(feed.whole(), 0u);
  EXPECT_FALSE(ReplayDue(feed, now + milliseconds(500)));
  feed.Saw(1, now + milliseconds(600));
  EXPECT_EQ(feed.whole(), 2u);
}

TEST(FeedPosition, AsksForWhatIsMissingOnce) {
  FeedPosition feed;
  const auto now = Clock::now();
  for (const std::uint64_t seq : {1, 2, 5, 6}) feed.Saw(seq, now);
  EXPECT_EQ(ReplayDue(feed, now + kPatience), 3u);
  EXPECT_FALSE(ReplayDue(feed, now + kPatience + milliseconds(1)));
  feed.Saw(3, now + kPatience);
  feed.Saw(4, now + kPatience);
  EXPECT_EQ(feed.whole(), 6u);
}

TEST(FeedPosition, ANewerNotificationDoesNotRestartThePatience) {
  FeedPosition feed;
  const auto now = Clock::now();
  feed.Saw(3, now);
  feed.Saw(4, now + milliseconds(1900));
  EXPECT_EQ(ReplayDue(feed, now + kPatience), 1u);
}

TEST(FeedPosition, PassesOverWhatAReplayDoesNotBring) {
  FeedPosition feed;
  auto now = Clock::now();
  for (const std::uint64_t seq : {10, 11, 20}) feed.Saw(seq, now);
  EXPECT_EQ(ReplayDue(feed, now += kPatience), 1u);
  feed.Replayed(true, now);
  EXPECT_FALSE(ReplayDue(feed, now += kPatience)) << "expired at the registry";
  EXPECT_EQ(feed.whole(), 11u);
  EXPECT_EQ(ReplayDue(feed, now += kPatience), 12u) << "the next gap has its own turn";
}

TEST(FeedPosition, AReplayThatWasNotAcceptedPassesOverNothing) {
  FeedPosition feed;
  auto now = Clock::now();
  feed.Saw(3, now);
  EXPECT_EQ(ReplayDue(feed, now += kPatience), 1u);
  EXPECT_FALSE(ReplayDue(feed, now += 10 * kPatience)) << "no answer yet";
  EXPECT_EQ(feed.whole(), 0u);
  feed.Replayed(false, now);
  EXPECT_FALSE(ReplayDue(feed, now));
  EXPECT_EQ(ReplayDue(feed, now += kPatience), 1u) << "again";
  EXPECT_EQ(feed.whole(), 0u);
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
