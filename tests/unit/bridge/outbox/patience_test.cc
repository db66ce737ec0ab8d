#include "bridge/outbox/patience.h"

#include <gtest/gtest.h>

namespace registry::outbox {
namespace {

using Fate = Publisher::Fate;
using Verdict = Patience::Verdict;

Window::Stuck Stuck(ledger::Seq seq, Fate fate, bool alone = true, ledger::Seq until = 0) {
  return {seq, {fate, ""}, alone, until == 0 ? seq : until};
}

TEST(Patience, BuriesAfterSoManyRefusalsInARow) {
  Patience patience;
  for (int i = 1; i < Patience::kRefusalsMax; ++i)
    EXPECT_EQ(patience.Failed(Stuck(7, Fate::kRefused)), Verdict::kCarryOn);
  EXPECT_EQ(patience.Failed(Stuck(7, Fate::kRefused)), Verdict::kBury);
}

TEST(Patience, AnotherHeadStartsAnew) {
  Patience patience;
  for (int i = 1; i < Patience::kRefusalsMax; ++i) (void)patience.Failed(Stuck(7, Fate::kRefused));
  EXPECT_EQ(patience.Failed(Stuck(8, Fate::kRefused)), Verdict::kCarryOn);
}

TEST(Patience, ACutOffBlamesNobodyUntilOneIsAlone) {
  Patience patience;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(patience.Failed(Stuck(7, Fate::kCutOff, /*alone=*/false, /*until=*/9)), Verdict::kCarryOn);
  EXPECT_TRUE(patience.OneByOne(6));
  EXPECT_TRUE(patience.OneByOne(8));
  EXPECT_FALSE(patience.OneByOne(9));  // everybody who was out there has passed
  for (int i = 1; i < Patience::kCutOffsMax; ++i)
    EXPECT_EQ(patience.Failed(Stuck(8, Fate::kCutOff)), Verdict::kCarryOn);
  EXPECT_EQ(patience.Failed(Stuck(8, Fate::kCutOff)), Verdict::kBury);
}

TEST(Patience, LossesSlowDownAndAreComplainedAboutOnceButNeverBury) {
  Patience patience;
  int complaints = 0;
  for (int i = 1; i <= 100; ++i) {
    const auto verdict = patience.Failed(Stuck(7, Fate::kLost, false, 9));
    EXPECT_NE(verdict, Verdict::kBury);
    complaints += verdict == Verdict::kComplain;
    EXPECT_EQ(patience.OneByOne(6), i >= Patience::kLossesOneByOne);
  }
  EXPECT_EQ(complaints, 1);
}

}  // namespace
}  // namespace registry::outbox
