// A running registry's half of a backup: it answers what was asked, once, whole or with a reason.
#include "bridge/app/backup_point.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "simulators/lab/probe.h"
#include "tests/support/temporary_folder.h"

namespace registry::app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr char kRequest[] = "0123456789abcdef0123456789abcdef";

class BackupPointTest : public testing::Test {
 protected:
  BackupPointTest()
      : point_(
            folder_.In("backup"), [this](const std::string& to) { return Make(to); }, LogLine()) {
    fs::create_directories(folder_.In("backup"));
    fs::permissions(folder_.In("backup"), fs::perms::owner_all);
  }
  Status Make(const std::string& to) {
    ++made_;
    if (fails_) return Error::Make(Code::kFailed, "ledger_failed", "no room");
    folder_.Write(fs::relative(to + "/ledger", folder_.path()), "octets");
    return Done{};
  }
  bool Answered(const std::string& file) {
    return lab::WaitUntil([&] { return fs::exists(folder_.In("backup/" + file)); }, 20s);
  }
  void Ask(const std::string& text) {  // whole, as registryctl does
    folder_.Write("asked", text);
    fs::rename(folder_.In("asked"), folder_.In("backup/request"));
  }

  test::TemporaryFolder folder_;
  std::atomic<int> made_{0};
  std::atomic<bool> fails_{false};
  BackupPoint point_;
};

TEST_F(BackupPointTest, AnswersARequestOnce) {
  fs::create_directories(folder_.In("backup/point.new"));  // of one that died
  Ask(std::string(kRequest) + "\n");
  point_.Start();
  ASSERT_TRUE(Answered("point"));
  EXPECT_EQ(folder_.Read("backup/point/ledger"), "octets");
  EXPECT_EQ(nlohmann::json::parse(folder_.Read("backup/point/POINT")).at("request"), kRequest);
  EXPECT_FALSE(fs::exists(folder_.In("backup/request")));
  EXPECT_FALSE(fs::exists(folder_.In("backup/point.new")));
  point_.Stop();
  EXPECT_EQ(made_, 1);
}

TEST_F(BackupPointTest, SaysWhyItCannot) {
  fails_ = true;
  Ask(std::string(kRequest) + "\n");
  point_.Start();
  ASSERT_TRUE(Answered("refused"));
  const auto said = nlohmann::json::parse(folder_.Read("backup/refused"));
  EXPECT_EQ(said.at("request"), kRequest);
  EXPECT_EQ(said.at("why"), "no room");
  EXPECT_FALSE(fs::exists(folder_.In("backup/point")));
  EXPECT_FALSE(fs::exists(folder_.In("backup/point.new")));
}

TEST_F(BackupPointTest, AFolderThatOthersMayEnterIsRefused) {
  fs::permissions(folder_.In("backup"), fs::perms::owner_all | fs::perms::others_exec);
  Ask(std::string(kRequest) + "\n");
  point_.Start();
  ASSERT_TRUE(Answered("refused"));
  EXPECT_EQ(made_, 0);
}

TEST_F(BackupPointTest, WhatIsNoRequestMakesNothing) {
  Ask("../../etc\n");
  point_.Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return !fs::exists(folder_.In("backup/request")); }, 20s));
  point_.Stop();
  EXPECT_EQ(made_, 0);
  EXPECT_TRUE(fs::is_empty(folder_.In("backup")));
}

}  // namespace
}  // namespace registry::app
