#include "simulators/mqtt/again.h"

#include <gtest/gtest.h>

namespace registry::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Reply Rejected(const std::string& symbol, std::optional<int> retry_after = {}) {
  Reply reply{false, {}, Error::Make(Code::kFailed, symbol, "")};
  reply.error->retry_after_seconds = retry_after;
  return reply;
}

TEST(Again, OnlyWhatSaysNothingAboutTheCommandItself) {
  for (const char* symbol : {"busy", "too_many_in_flight", "no_reply"})
    EXPECT_TRUE(Temporary(Rejected(symbol))) << symbol;
  EXPECT_TRUE(Temporary(Rejected("anything", 5))) << "the registry says when";
  EXPECT_TRUE(Temporary(NotSent()));
  EXPECT_FALSE(Temporary(Rejected("esim_exists")));
  EXPECT_FALSE(Temporary(Reply{true, {}, {}}));
}

TEST(Again, LaterEachTimeAndNeverBeforeTheRegistryWantsIt) {
  EXPECT_EQ(PauseBeforeAgain(Rejected("busy"), 1, seconds(2)), seconds(2));
  EXPECT_EQ(PauseBeforeAgain(Rejected("busy"), 2, seconds(2)), seconds(4));
  EXPECT_EQ(PauseBeforeAgain(Rejected("busy"), 100, seconds(2)), seconds(60));
  EXPECT_EQ(PauseBeforeAgain(Rejected("busy", 7), 1, seconds(2)), seconds(7));
  EXPECT_EQ(PauseBeforeAgain(Rejected("busy", 300), 1, milliseconds(1)), seconds(300));
}

}  // namespace
}  // namespace registry::sim
