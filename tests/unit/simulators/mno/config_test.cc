#include "simulators/mno/config.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace registry::sim {
namespace {

using nlohmann::json;

class MnoConfigTest : public testing::Test {
 protected:
  ~MnoConfigTest() override { std::filesystem::remove(file_); }
  Result<MnoConfig> Read(const std::string& text) {
    std::ofstream(file_) << text;
    return ReadMnoConfig(file_);
  }
  json Good() const {
    return {
        {"mqtt", {{"host", "127.0.0.1"}, {"port", 8883}, {"ca_file", "ca"}}},
        {"party", "mno-a"},
        {"cert_file", "c"},
        {"key_file", "k"},
        {"radio_socket", "r"},
        {"inventory",
         {{{"iccid", "8910390000000000000"}, {"eid", "89049032123451234512345678901235"}, {"asp", "asp-a"}}}},
        {"faults", {{"lose", 0.25}, {"seed", 9}}}};
  }
  const std::string file_ = testing::TempDir() + "mno-config-" + std::to_string(::getpid());
};

TEST_F(MnoConfigTest, ReadsWhatTheLabWrites) {
  const auto config = Read(Good().dump());
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->mqtt.party, "mno-a");
  EXPECT_EQ(config->register_window, 200u);
  EXPECT_EQ(config->faults.lose, 0.25);
  ASSERT_EQ(config->inventory.size(), 1u);
  EXPECT_EQ(config->inventory[0].asp, "asp-a");
}

TEST_F(MnoConfigTest, AWrongFileIsAClearErrorAndNoPrivateNumberIsInIt) {
  EXPECT_FALSE(Read("not json").ok());
  json missing = Good();
  missing.erase("party");
  EXPECT_THAT(Read(missing.dump()).error().message, testing::HasSubstr("party"));
  json wrong = Good();
  wrong["inventory"][0]["eid"] = "89049032123451234512345678901236";
  const auto config = Read(wrong.dump());
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(config.error().message, testing::Not(testing::HasSubstr("8904903212345")));
}

}  // namespace
}  // namespace registry::sim
