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

TEST_F(MnoConfigTest, ReadsHowCardsAreReached) {
  EXPECT_FALSE(Read(Good().dump())->ota.bearer.has_value()) << "direct, unless it is said otherwise";
  json ota{{"bearer", "sms"}, {"proof_within_ms", 700}, {"sms", {{"lose", 0.5}, {"delay_max_ms", 20}}}};
  for (const char* name : {"kic", "kid", "kik", "psk"})
    ota["keys"]["8910390000000000000"][name] = "000102030405060708090a0b0c0d0e0f";
  json config = Good();
  config["ota"] = ota;
  const auto read = Read(config.dump());
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->ota.bearer, ota::Bearer::kSms);
  EXPECT_EQ(read->ota.platform.proof_within, std::chrono::milliseconds(700));
  EXPECT_EQ(read->ota.sms.faults.lose, 0.5);
  EXPECT_EQ(read->ota.keys.size(), 1u);
  EXPECT_TRUE(read->ota.platform.spi.proof_by_submit);
  config["ota"]["proof"] = "report";
  EXPECT_FALSE(Read(config.dump())->ota.platform.spi.proof_by_submit);
  config["ota"]["proof"] = "letter";
  EXPECT_THAT(Read(config.dump()).error().message, testing::HasSubstr("proof"));
  config["ota"] = ota;
  config["ota"]["bearer"] = "http";
  EXPECT_THAT(Read(config.dump()).error().message, testing::HasSubstr("admin_socket"));
  config["ota"]["bearer"] = "pigeon";
  EXPECT_THAT(Read(config.dump()).error().message, testing::HasSubstr("bearer"));
  config["ota"] = ota;
  config["ota"]["keys"]["8910390000000000000"]["kid"] = "0001";
  const auto wrong = Read(config.dump());
  EXPECT_THAT(wrong.error().message, testing::HasSubstr("kid"));
  EXPECT_THAT(wrong.error().message, testing::Not(testing::HasSubstr("8910390")));
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
