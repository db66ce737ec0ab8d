#include "simulators/device/config.h"

#include <gtest/gtest.h>

namespace registry::sim {
namespace {

TEST(DeviceConfig, ReadsWhatTheLabWrites) {
  const auto config = ParseDeviceConfig({{"radio_sockets", {{"mno-a", "/run/a.sock"}}},
                                         {"inventory", {{{"iccid", "1"}, {"eid", "2"}, {"mno", "mno-a"}}}},
                                         {"threads", 8},
                                         {"verify_within_ms", 500},
                                         {"asp_address", "127.0.0.1"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->inventory.at(0).mno, "mno-a");
  EXPECT_TRUE(config->inventory.at(0).checks);
  EXPECT_EQ(config->threads, 8u);
  EXPECT_EQ(config->verify_within, std::chrono::milliseconds(500));
  EXPECT_EQ(config->faults.lose, 0.0);
}

TEST(DeviceConfig, ADeviceMayBeToldToCheckNothing) {
  const auto config = ParseDeviceConfig(
      {{"radio_sockets", {{"mno-a", "/run/a.sock"}}},
       {"inventory", {{{"iccid", "1"}, {"eid", "2"}, {"mno", "mno-a"}, {"checks", false}}}}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->inventory.at(0).checks);
}

TEST(DeviceConfig, SaysWhichTlsAndWhetherThereIsTelemetry) {
  nlohmann::json object = {{"radio_sockets", nlohmann::json::object()},
                           {"inventory", nlohmann::json::array()}};
  EXPECT_EQ(ParseDeviceConfig(object)->tls, TlsVersion::k13);
  EXPECT_FALSE(ParseDeviceConfig(object)->telemetry);
  object["tls"] = "1.2";
  object["telemetry"] = true;
  EXPECT_EQ(ParseDeviceConfig(object)->tls, TlsVersion::k12);
  EXPECT_TRUE(ParseDeviceConfig(object)->telemetry);
  object["tls"] = "1.1";
  EXPECT_EQ(ParseDeviceConfig(object).error().message, "tls is 1.2, 1.3 or any");
}

TEST(DeviceConfig, ACardMayHaveKeysForWhatComesOverTheAir) {
  nlohmann::json keys{{"version", 2}};
  for (const char* name : {"kic", "kid", "kik", "psk"}) keys[name] = "000102030405060708090a0b0c0d0e0f";
  nlohmann::json object{{"radio_sockets", {{"mno-a", "/run/a.sock"}}},
                        {"admin_sockets", {{"mno-a", "/run/a-ota.sock"}}},
                        {"card_faults", {{"counter", 0.5}, {"seed", 3}}},
                        {"inventory", {{{"iccid", "1"}, {"eid", "2"}, {"mno", "mno-a"}, {"ota", keys}}}}};
  const auto config = ParseDeviceConfig(object);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->inventory.at(0).ota_keys->version, 2);
  EXPECT_FALSE(config->inventory.at(0).spare_ota_keys.has_value());
  EXPECT_EQ(config->card_faults.counter, 0.5);
  EXPECT_EQ(config->admin_sockets.at("mno-a"), "/run/a-ota.sock");
  object["inventory"][0]["ota"]["kic"] = "short";
  EXPECT_EQ(ParseDeviceConfig(object).error().symbol, "config_malformed");
}

TEST(DeviceConfig, SaysWhatIsWrong) {
  EXPECT_EQ(ParseDeviceConfig({{"inventory", 5}}).error().symbol, "config_malformed");
  EXPECT_EQ(ParseDeviceConfig({{"radio_sockets", nlohmann::json::object()},
                               {"inventory", {{{"iccid", "1"}, {"eid", "2"}, {"mno", "mno-x"}}}}})
                .error()
                .message,
            "no radio socket for mno-x");
  EXPECT_FALSE(ParseDeviceConfig(
      {{"radio_sockets", nlohmann::json::object()}, {"inventory", nlohmann::json::array()}, {"threads", 0}}));
  EXPECT_FALSE(ReadDeviceConfig("/nonexistent"));
}

}  // namespace
}  // namespace registry::sim
