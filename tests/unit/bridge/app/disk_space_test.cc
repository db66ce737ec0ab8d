#include "bridge/app/disk_space.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace registry::app {
namespace {

// File systems that have what a test says.
class DiskSpaceTest : public testing::Test {
 protected:
  std::map<std::string, std::optional<std::uint64_t>> has_{{"/l", 800}, {"/i", 900}};
  std::vector<std::string> said_;
  const std::vector<WatchedFolder> folders_{{"ledger", "/l"}, {"intake", "/i"}};
  const FreeSpace look_ = [this](const std::string& folder) { return has_.at(folder); };
  DiskSpace space_{folders_, 800, [this](int, const std::string& line) { said_.push_back(line); }, look_};
};

TEST_F(DiskSpaceTest, IsLowBelowTheLimitAndUntilThereIsAnEighthMore) {
  space_.Look();
  EXPECT_FALSE(space_.low());
  EXPECT_TRUE(said_.empty());
  has_["/l"] = 799;
  space_.Look();
  EXPECT_TRUE(space_.low());
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_NE(said_[0].find("ledger.folder: /l has 799 octets free, less than ledger.free_bytes_min (800)"),
            std::string::npos);
  has_["/l"] = 899;
  space_.Look();
  EXPECT_TRUE(space_.low());
  has_["/l"] = 900;
  space_.Look();
  EXPECT_FALSE(space_.low());
  EXPECT_EQ(said_.size(), 2u) << "each change once";
}

TEST_F(DiskSpaceTest, OneFolderIsEnoughAndWhatDoesNotSayIsNotLow) {
  has_["/i"] = 1;
  space_.Look();
  EXPECT_TRUE(space_.low());
  EXPECT_EQ(space_.free(), (DiskSpace::Free{{"ledger", 800}, {"intake", 1}}));
  EXPECT_EQ(SpaceWarnings(folders_, 800, look_).size(), 1u);
  has_["/i"] = std::nullopt;
  has_["/l"] = 1000;
  space_.Look();
  EXPECT_FALSE(space_.low());
  EXPECT_EQ(space_.free(), (DiskSpace::Free{{"ledger", 1000}}));
  EXPECT_TRUE(SpaceWarnings(folders_, 800, look_).empty());
}

TEST_F(DiskSpaceTest, WithoutALimitNothingIsLow) {
  has_ = {{"/l", 0}, {"/i", 0}};
  DiskSpace space(folders_, 0, {}, look_);
  space.Look();
  EXPECT_FALSE(space.low());
}

TEST(FreeInTest, OfAFolderThatIsToBeMadeItIsWhatItsParentHas) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(FreeIn(folder.In("")).has_value());
  EXPECT_TRUE(FreeIn(folder.In("to/be/made")).has_value());
  EXPECT_EQ(FreeIn("/proc/self"), 0u) << "a file system without space";
}

}  // namespace
}  // namespace registry::app
