// Which eSIM an action of the registry is about.
#include "simulators/mno/subscriptions.h"

#include <gtest/gtest.h>

#include "simulators/mno/failing.h"
#include "simulators/mno/later.h"

namespace registry::sim {
namespace {

using std::chrono::seconds;

TEST(Subscriptions, AProfileIsFoundByItsNumberOrTheNewestWithoutOne) {
  Subscriptions subscriptions;
  subscriptions.Add("d1", 1, "first");
  subscriptions.Add("d1", 3, "third");
  subscriptions.Add("d2", 2, "other");
  EXPECT_EQ(subscriptions.Find("d1", 1), "first");
  EXPECT_EQ(subscriptions.Find("d1", 0), "third");
  EXPECT_EQ(subscriptions.Find("d1", 2), std::nullopt) << "which is another MNO's";
  EXPECT_EQ(subscriptions.Find("d3", 0), std::nullopt);
  EXPECT_EQ(subscriptions.Find("d0", 0), std::nullopt);
}

TEST(Subscriptions, OneThatIsExpectedGetsTheFirstNumberThatIsNew) {
  Subscriptions subscriptions;
  subscriptions.Expect("d1", "spare");
  EXPECT_EQ(subscriptions.Find("d1", 2), "spare");
  EXPECT_EQ(subscriptions.Find("d1", 2), "spare");
  EXPECT_EQ(subscriptions.Find("d1", 3), std::nullopt);
}

TEST(Subscriptions, AnActionSaysWhichProfileItIsAbout) {
  EXPECT_EQ(ProfileOf({{"profile", 2u}}), 2u);
  EXPECT_EQ(ProfileOf({{"profile", "2"}}), 0u);
  EXPECT_EQ(ProfileOf({{"profile", -1}}), 0u);
  EXPECT_EQ(ProfileOf(nlohmann::json::object()), 0u);
}

TEST(Failing, ActionsAreRefusedUntilTheConsoleSaysOtherwise) {
  Failing failing({"payload.push"});
  EXPECT_TRUE(failing.Has("payload.push"));
  failing.Set("payload.push", false);
  failing.Set("profile.enable", true);
  EXPECT_FALSE(failing.Has("payload.push"));
  EXPECT_TRUE(failing.Has("profile.enable"));
}

TEST(Later, TasksComeInTheOrderOfTheirTimesAndOnce) {
  Later later;
  const Later::Time now{};
  std::string done;
  later.Add(now + seconds(2), [&done] { done += 'b'; });
  later.Add(now + seconds(1), [&done] { done += 'a'; });
  later.Add(now + seconds(9), [&done] { done += 'c'; });
  EXPECT_EQ(later.NextBefore(now + seconds(5)), now + seconds(1));
  for (const auto& task : later.TakeDue(now + seconds(2))) task();
  EXPECT_EQ(done, "ab");
  EXPECT_EQ(later.NextBefore(now + seconds(5)), now + seconds(5));
  EXPECT_TRUE(later.TakeDue(now + seconds(2)).empty());
}

}  // namespace
}  // namespace registry::sim
