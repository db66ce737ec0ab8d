#include "simulators/asp/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/simulators/device/test_registry.h"

namespace registry::sim {
namespace {

using nlohmann::json;

class AspConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "/asp_config_test_" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
    identity_ = test::MakeServerIdentity(folder_, "resolver.test");
    std::ofstream(folder_ + "/anchors") << "; the lab's root\n. IN DS 1 13 2 AB ; key\n\n";
    config_ = {
        {"mqtt", {{"host", "127.0.0.1"}, {"port", 8883}, {"ca_file", "ca.pem"}}},
        {"party", "asp-a"},
        {"cert_file", "asp.pem"},
        {"key_file", "asp.key"},
        {"desk_socket", "/run/desk"},
        {"endpoint",
         {{"name", "gateway"},
          {"fqdn", "mqtt.asp-a.test"},
          {"url", "tls://mqtt.asp-a.test:8884"},
          {"port", 8884},
          {"protocol", "tls"},
          {"tlsa_owner", "_8884._tcp.mqtt.asp-a.test"}}},
        {"tls", {{"address", "127.0.0.1"}, {"port", 8884}, {"cert_file", "s.pem"}, {"key_file", "s.key"}}},
        {"device_trust", {{"root_file", "r.pem"}, {"issuing_file", "i.pem"}, {"zone", "iotregistry.test"}}},
        {"resolver",
         {{"address", "127.0.0.1"},
          {"port", 8853},
          {"name", "resolver.test"},
          {"ca_file", identity_.certificate_file}}},
        {"trust_anchor_file", folder_ + "/anchors"}};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Result<AspConfig> Read() {
    std::ofstream(folder_ + "/config.json") << config_.dump();
    return ReadAspConfig(folder_ + "/config.json");
  }

  std::string folder_;
  test::ServerIdentity identity_;
  json config_;
};

TEST_F(AspConfigTest, IsTrustedByItsRecordOrByItsCertificate) {
  config_["endpoint"].erase("tlsa_owner");
  config_["endpoint"]["certificate_file"] = identity_.certificate_file;
  const auto config = Read();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->endpoint.trust.kind, wire::TrustKind::kCertificate);
  EXPECT_EQ(config->endpoint.trust.certificate, identity_.der);
  config_["endpoint"]["certificate_file"] = folder_ + "/anchors";
  EXPECT_EQ(Read().error().symbol, "config_malformed");
}

TEST_F(AspConfigTest, ReadsWhatTheLabWrites) {
  const auto config = Read();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->mqtt.party, "asp-a");
  EXPECT_EQ(config->endpoint.trust.tlsa_owner, "_8884._tcp.mqtt.asp-a.test");
  EXPECT_EQ(config->tls.port, 8884);
  EXPECT_EQ(config->resolver.anchors, std::vector<std::string>{". IN DS 1 13 2 AB"});
}

// While the registry changes its issuing CA there are several.
TEST_F(AspConfigTest, ReadsEveryIssuingCertificateOfTheFile) {
  const auto other = test::MakeServerIdentity(folder_, "other.test");
  const std::string one = ToPem("CERTIFICATE", identity_.der), two = ToPem("CERTIFICATE", other.der);
  config_["device_trust"] = {{"root_file", folder_ + "/root.pem"},
                             {"issuing_file", folder_ + "/issuing.pem"},
                             {"zone", "iotregistry.test"}};
  std::ofstream(folder_ + "/root.pem") << one;
  std::ofstream(folder_ + "/issuing.pem") << "the first\n" << one << "the second\n" << two;
  const auto trust = ReadDeviceTrust(*Read());
  ASSERT_TRUE(trust) << trust.error().message;
  Bytes both = identity_.der;
  both.insert(both.end(), other.der.begin(), other.der.end());
  EXPECT_EQ(trust->issuing, both);
  EXPECT_EQ(trust->root, identity_.der);
  EXPECT_EQ(trust->zones, std::vector<std::string>{"iotregistry.test"});

  std::ofstream(folder_ + "/issuing.pem") << one << two.substr(0, two.size() / 2);
  const auto cut = ReadDeviceTrust(*Read());
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().message,
            "device_trust.issuing_file: " + folder_ + "/issuing.pem holds what is no certificate");
  std::ofstream(folder_ + "/issuing.pem") << "";
  EXPECT_EQ(ReadDeviceTrust(*Read()).error().symbol, "config_malformed");
}

TEST_F(AspConfigTest, MayHaveABrokerForItsDevices) {
  EXPECT_FALSE(Read()->back_end.has_value());
  EXPECT_FALSE(Read()->tls.also_tls12);
  std::ofstream(folder_ + "/password") << "secret\n";
  config_["tls"]["also_tls12"] = true;
  config_["broker"] = {{"port", 8886},
                       {"back_end",
                        {{"host", "127.0.0.1"},
                         {"port", 1883},
                         {"user", "back-end"},
                         {"password_file", folder_ + "/password"}}}};
  const auto config = Read();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->tls.mqtt_port, 8886);
  EXPECT_TRUE(config->tls.also_tls12);
  EXPECT_EQ(config->back_end->port, 1883);
  EXPECT_EQ(config->back_end->password, "secret");
  config_["broker"]["back_end"]["password_file"] = folder_ + "/none";
  EXPECT_EQ(Read().error().message, "broker: port, user or password is missing");
  config_["broker"].erase("back_end");
  EXPECT_EQ(Read().error().symbol, "config_malformed");
}

TEST_F(AspConfigTest, ComputesThePinOrTakesIt) {
  EXPECT_EQ(Read()->resolver.spki_pin, test::Sha256(identity_.spki));
  config_["resolver"]["spki_pin_b64"] = ToBase64(Bytes(32, 5));
  EXPECT_EQ(Read()->resolver.spki_pin, Bytes(32, 5));
  config_["resolver"]["spki_pin_b64"] = "?";
  EXPECT_EQ(Read().error().message, "resolver.spki_pin_b64");
}

TEST_F(AspConfigTest, SaysWhatIsWrong) {
  config_["endpoint"]["name"] = "Not A Name";
  EXPECT_EQ(Read().error().message, "endpoint.name");
  config_.erase("party");
  EXPECT_NE(Read().error().message.find("party"), std::string::npos);
  EXPECT_EQ(ReadAspConfig("/nonexistent").error().symbol, "config_malformed");
}

}  // namespace
}  // namespace registry::sim
