#include "bridge/app/log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/openssl_tool.h"

namespace registry::app {
namespace {

std::vector<nlohmann::json> Lines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST(Log, EveryLineIsOneJsonObject) {
  const test::TemporaryFolder folder;
  auto log = Log::Open(folder.In("r.log"), 1);
  ASSERT_TRUE(log.ok());
  (*log)->Write(1, "mqtt", "quote \" newline \n and \xff");
  (*log)->Write(0, "mqtt", "too fine");
  (*log)->For("zone")(3, "eid 89049032123451234512345678901235 {} %v");
  const auto lines = Lines(folder.Read("r.log"));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["level"], "info");
  EXPECT_EQ(lines[0]["room"], "mqtt");
  EXPECT_EQ(lines[0]["message"], "quote \" newline \n and \xef\xbf\xbd");
  EXPECT_EQ(lines[1]["level"], "error");
  EXPECT_EQ(lines[1]["message"], "eid [digits] {} %v");
  EXPECT_TRUE(lines[1]["time"].get<std::string>().ends_with("Z"));
}

TEST(Log, AnErrorThatManyThreadsMeetIsOneLine) {
  const test::TemporaryFolder folder;
  auto log = Log::Open(folder.In("r.log"), 1);
  ASSERT_TRUE(log.ok());
  for (int i = 0; i < 256; ++i) (*log)->Write(3, "ledger", "cannot be written");
  (*log)->Write(3, "zone", "cannot be written");
  for (int i = 0; i < 2; ++i) (*log)->Write(2, "zone", "tried again");
  EXPECT_EQ(Lines(folder.Read("r.log")).size(), 4u);
}

TEST(Log, ReopenGoesOnInANewFile) {
  const test::TemporaryFolder folder;
  auto log = Log::Open(folder.In("r.log"), 1);
  ASSERT_TRUE(log.ok());
  (*log)->Write(1, "app", "before");
  std::filesystem::rename(folder.In("r.log"), folder.In("r.log.1"));
  ASSERT_TRUE((*log)->Reopen().ok());
  (*log)->Write(1, "app", "after");
  EXPECT_EQ(Lines(folder.Read("r.log.1")).size(), 1u);
  EXPECT_EQ(Lines(folder.Read("r.log"))[0]["message"], "after");
}

TEST(Log, AFileThatCannotBeOpenedIsAnError) {
  const test::TemporaryFolder folder;
  auto log = Log::Open(folder.In(""), 1);
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().symbol, "log_failed");
  EXPECT_EQ(log.error().message, "log.file: cannot append to " + folder.In("") + ": Is a directory");
}

}  // namespace
}  // namespace registry::app
