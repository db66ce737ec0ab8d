// One way to say something to an operator: levels have names, and without a sink nothing is said.
#include "bridge/log_line.h"

#include <gtest/gtest.h>

#include <vector>

namespace registry {
namespace {

TEST(LogLine, LevelsAreThoseOfTheConfiguration) {
  std::vector<std::pair<int, std::string>> said;
  const LogLine log = [&said](int level, const std::string& line) { said.emplace_back(level, line); };
  log.Debug("a");
  log.Info("b");
  log.Warning("c");
  log.Error("d");
  log(Level::kWarning, "e");
  const std::vector<std::pair<int, std::string>> wanted = {{0, "a"}, {1, "b"}, {2, "c"}, {3, "d"}, {2, "e"}};
  EXPECT_EQ(said, wanted);
}

TEST(LogLine, WithoutASinkNothingIsSaid) {
  const LogLine silent;
  const LogLine copy = silent;
  EXPECT_NO_THROW(copy.Error("nobody hears"));
}

}  // namespace
}  // namespace registry
