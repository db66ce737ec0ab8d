#include "simulators/lab/described.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "simulators/lab/usage.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class FolderClaimTest : public testing::Test {
 protected:
  FolderClaimTest() : folder_(testing::TempDir() + "claim-" + std::to_string(::getpid())) {
    fs::create_directories(folder_);
  }
  ~FolderClaimTest() override { fs::remove_all(folder_); }
  void Describe(pid_t pid, std::uint64_t start_time) const {
    const json process{{"name", "unbound"}, {"pid", pid}, {"start_time", start_time}};
    std::ofstream(folder_ + "/lab.json") << json{{"processes", {process}}};
  }
  const std::string folder_;
};

TEST_F(FolderClaimTest, OneAtATime) {
  {
    const auto first = FolderClaim::Take(folder_);
    ASSERT_TRUE(first.ok());
    const auto second = FolderClaim::Take(folder_);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().symbol, "lab_runs");
    EXPECT_THAT(second.error().message, testing::HasSubstr("./dev down --dir " + folder_));
  }
  EXPECT_TRUE(FolderClaim::Take(folder_).ok()) << "the first has ended";
}

TEST_F(FolderClaimTest, NotWhileAProcessOfTheLabBeforeLives) {
  Describe(::getpid(), StartTimeOf(::getpid()));
  const auto claim = FolderClaim::Take(folder_);
  ASSERT_FALSE(claim.ok());
  EXPECT_THAT(claim.error().message, testing::HasSubstr("unbound"));
  Describe(::getpid(), StartTimeOf(::getpid()) + 1);
  EXPECT_TRUE(FolderClaim::Take(folder_).ok()) << "somebody else has the number now";
}

TEST_F(FolderClaimTest, RubbishInTheDescriptionIsNobody) {
  for (const char* text : {"", "[]", R"({"processes":7})", R"({"processes":[7,{"pid":"x","name":[]}]})"}) {
    std::ofstream(folder_ + "/lab.json") << text;
    EXPECT_TRUE(FolderClaim::Take(folder_).ok()) << text;
  }
}

}  // namespace
}  // namespace registry::lab
