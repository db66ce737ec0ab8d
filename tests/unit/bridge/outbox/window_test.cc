#include "bridge/outbox/window.h"

#include <gtest/gtest.h>

namespace registry::outbox {
namespace {

Window::Clock::time_point Now() { return Window::Clock::now(); }

TEST(Window, TheCursorFollowsTheConfirmedPrefixOnly) {
  Window window(10);
  for (ledger::Seq seq : {11, 13, 14}) ASSERT_TRUE(window.Sent({seq}));
  window.Answered({13}, {});
  EXPECT_EQ(window.cursor(), 10u);
  window.Answered({11}, {});
  EXPECT_EQ(window.cursor(), 13u);
  window.Answered({14}, {});
  EXPECT_EQ(window.cursor(), 14u);
}

TEST(Window, AnswersOutOfOrderStillTakeRoom) {
  Window window(0);
  for (ledger::Seq seq : {1, 2, 3}) ASSERT_TRUE(window.Sent({seq}));
  window.Answered({3}, {});
  window.Answered({2}, {});
  EXPECT_EQ(window.WaitForRoom(3, Now()), 0u);
  window.Answered({1}, {});
  EXPECT_EQ(window.WaitForRoom(3, Now()), 3u);
}

TEST(Window, AfterAFailureNothingIsHandedOverUntilEverythingIsAnswered) {
  Window window(0);
  for (ledger::Seq seq : {1, 2, 3}) ASSERT_TRUE(window.Sent({seq}));
  window.Answered({2}, {Publisher::Fate::kRefused, "scripted"});
  EXPECT_TRUE(window.failed());
  EXPECT_FALSE(window.Sent({4}));
  EXPECT_EQ(window.WaitForRoom(10, Now()), 0u);
  EXPECT_FALSE(window.WaitUntilAnswered(Now()));
  window.Answered({1}, {});
  window.Answered({3}, {});
  ASSERT_TRUE(window.WaitUntilAnswered(Now()));
  window.Rewind();
  EXPECT_EQ(window.cursor(), 1u);
  EXPECT_EQ(window.last(), 1u);  // 2 and 3 again, so that 3 never comes last before 2
  EXPECT_TRUE(window.Sent({2}));
}

TEST(Window, WhatWasNotTakenIsForgottenAndCountsAsAFailure) {
  Window window(0);
  ASSERT_TRUE(window.Sent({1}));
  ASSERT_TRUE(window.Sent({2}));
  window.NotTaken({2});
  EXPECT_TRUE(window.failed());
  EXPECT_EQ(window.last(), 1u);
  window.Answered({1}, {});
  EXPECT_TRUE(window.WaitUntilAnswered(Now()));
  EXPECT_EQ(window.cursor(), 1u);
}

// In a read the messages of one party may be handed over before those of another that stand before them.
TEST(Window, TheCursorDoesNotPassWhatWasNotTaken) {
  Window window(0);
  ASSERT_TRUE(window.Sent({1, 2, 3, 4}));
  window.NotTaken({2, 4});
  window.Answered({1, 3}, {});
  EXPECT_TRUE(window.failed());
  EXPECT_EQ(window.cursor(), 1u);
  EXPECT_FALSE(window.Head().has_value()) << "nothing is known against 2";
  window.Rewind();
  EXPECT_EQ(window.last(), 1u);
  EXPECT_TRUE(window.Sent({2}));
}

TEST(Window, WhatTravelsTogetherIsConfirmedTogether) {
  Window window(0);
  ASSERT_TRUE(window.Sent({1, 2, 3}));
  window.Answered({1, 3}, {});
  EXPECT_EQ(window.cursor(), 1u);
  window.Answered({2}, {});
  EXPECT_EQ(window.cursor(), 3u);
}

TEST(Window, SaysWhatIsStuckAndMayPassIt) {
  Window window(0);
  for (ledger::Seq seq : {1, 2, 3}) ASSERT_TRUE(window.Sent({seq}));
  window.Answered({1}, {});
  window.Answered({2}, {Publisher::Fate::kRefused, "no"});
  window.Answered({3}, {});
  const auto stuck = window.Head();
  ASSERT_TRUE(stuck.has_value());
  EXPECT_EQ(stuck->seq, 2u);
  EXPECT_EQ(stuck->answer.fate, Publisher::Fate::kRefused);
  EXPECT_EQ(stuck->answer.reason, "no");
  EXPECT_TRUE(stuck->alone);  // the others arrived
  EXPECT_EQ(stuck->until, 3u);
  window.Pass(2);
  EXPECT_EQ(window.cursor(), 3u);
  EXPECT_FALSE(window.Head().has_value());
}

TEST(Window, WhatFailedTogetherIsNotAlone) {
  Window window(0);
  for (ledger::Seq seq : {1, 2}) ASSERT_TRUE(window.Sent({seq}));
  for (ledger::Seq seq : {1, 2}) window.Answered({seq}, {Publisher::Fate::kCutOff, ""});
  EXPECT_FALSE(window.Head()->alone);
}

TEST(Window, AnAnswerForNothingIsADefect) {
  Window window(0);
  ASSERT_TRUE(window.Sent({1}));
  window.Answered({1}, {});
  EXPECT_DEATH(window.Answered({1}, {}), "check failed");
}

}  // namespace
}  // namespace registry::outbox
