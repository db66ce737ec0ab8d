#include "bridge/outbox/window.h"

#include <gtest/gtest.h>

namespace registry::outbox {
namespace {

Window::Clock::time_point Now() { return Window::Clock::now(); }

TEST(Window, TheCursorFollowsTheConfirmedPrefixOnly) {
  Window window(10);
  for (ledger::Seq seq : {11, 13, 14}) ASSERT_TRUE(window.Sent(seq));
  window.Answered(13, true);
  EXPECT_EQ(window.cursor(), 10u);
  window.Answered(11, true);
  EXPECT_EQ(window.cursor(), 13u);
  window.Answered(14, true);
  EXPECT_EQ(window.cursor(), 14u);
}

TEST(Window, AnswersOutOfOrderStillTakeRoom) {
  Window window(0);
  for (ledger::Seq seq : {1, 2, 3}) ASSERT_TRUE(window.Sent(seq));
  window.Answered(3, true);
  window.Answered(2, true);
  EXPECT_EQ(window.WaitForRoom(3, Now()), 0u);
  window.Answered(1, true);
  EXPECT_EQ(window.WaitForRoom(3, Now()), 3u);
}

TEST(Window, AfterAFailureNothingIsHandedOverUntilEverythingIsAnswered) {
  Window window(0);
  for (ledger::Seq seq : {1, 2, 3}) ASSERT_TRUE(window.Sent(seq));
  window.Answered(2, false);
  EXPECT_TRUE(window.failed());
  EXPECT_FALSE(window.Sent(4));
  EXPECT_EQ(window.WaitForRoom(10, Now()), 0u);
  EXPECT_FALSE(window.WaitUntilAnswered(Now()));
  window.Answered(1, true);
  window.Answered(3, true);
  ASSERT_TRUE(window.WaitUntilAnswered(Now()));
  window.Rewind();
  EXPECT_EQ(window.cursor(), 1u);
  EXPECT_EQ(window.last(), 1u);  // 2 and 3 again, so that 3 never comes last before 2
  EXPECT_TRUE(window.Sent(2));
}

TEST(Window, WhatWasNotTakenIsForgottenAndCountsAsAFailure) {
  Window window(0);
  ASSERT_TRUE(window.Sent(1));
  ASSERT_TRUE(window.Sent(2));
  window.NotTaken();
  EXPECT_TRUE(window.failed());
  EXPECT_EQ(window.last(), 1u);
  window.Answered(1, true);
  EXPECT_TRUE(window.WaitUntilAnswered(Now()));
  EXPECT_EQ(window.cursor(), 1u);
}

TEST(Window, AnAnswerForNothingIsADefect) {
  Window window(0);
  ASSERT_TRUE(window.Sent(1));
  window.Answered(1, true);
  EXPECT_DEATH(window.Answered(1, true), "check failed");
}

}  // namespace
}  // namespace registry::outbox
