// A trouble that stays is said once a minute.
#include "bridge/say_once.h"

#include <gtest/gtest.h>

namespace registry {
namespace {

using namespace std::chrono_literals;

TEST(SayOnce, TheSameIsSaidAgainAfterAMinuteAndAnotherAtOnce) {
  SayOnce trouble;
  const SayOnce::Steady::time_point now{};
  EXPECT_TRUE(trouble.Due("a", now));
  EXPECT_FALSE(trouble.Due("a", now + 59s));
  EXPECT_TRUE(trouble.Due("b", now + 59s));
  EXPECT_TRUE(trouble.Due("a", now + 60s));
  EXPECT_FALSE(trouble.Due("a", now + 119s));
}

TEST(SayOnce, OneThatWasOverIsSaidAtOnce) {
  SayOnce trouble;
  const SayOnce::Steady::time_point now{};
  EXPECT_TRUE(trouble.Due("a", now));
  trouble.Forget();
  EXPECT_TRUE(trouble.Due("a", now + 1s));
}

TEST(SayOnce, RemembersABoundedNumber) {
  SayOnce trouble;
  const SayOnce::Steady::time_point now{};
  for (std::size_t i = 0; i <= SayOnce::kRemembered; ++i) EXPECT_TRUE(trouble.Due(std::to_string(i), now));
  EXPECT_TRUE(trouble.Due("0", now)) << "forgotten with the others";
}

}  // namespace
}  // namespace registry
