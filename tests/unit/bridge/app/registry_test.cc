// A whole registry in the folder `registryctl init` makes: starts without broker and secondaries, says so,
// stops.
#include "bridge/app/registry.h"

#include <gtest/gtest.h>

#include <fstream>

#include "bridge/app/material.h"
#include "bridge/clock.h"
#include "bridge/ctl/registry_folder.h"
#include "bridge/signing/file_write.h"
#include "simulators/lab/credential.h"
#include "simulators/lab/process.h"
#include "tests/support/openssl_tool.h"
#include "tests/unit/bridge/app/http_get.h"

namespace registry::app {
namespace {

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ctl::NewRegistry options;
    options.folder = folder_.In("r");
    options.zone = "iotregistry.test";
    options.now = SystemClock().Now();
    auto created = ctl::CreateFolder(options);
    ASSERT_TRUE(created.ok()) << created.error().message;
    ASSERT_TRUE(lab::MakeCredential(folder_.In("r/interface/resolver"), "resolver.iotregistry.test").ok());
    auto config = LoadConfig(folder_.In("r/registry.toml"));
    ASSERT_TRUE(config.ok()) << config.error().message;
    config_ = *config;
    config_.dns.listen_port = config_.http_port = 0;
    config_.mqtt.port = 1;  // nobody listens there
    auto log = Log::Open(folder_.In("r.log"), 0);
    ASSERT_TRUE(log.ok());
    log_ = std::move(*log);
  }

  test::TemporaryFolder folder_;
  Config config_;
  std::unique_ptr<Log> log_;
};

TEST_F(RegistryTest, StartsAnswersAndStopsAndStartsAgain) {
  for (int run = 0; run < 2; ++run) {
    auto registry = Registry::Open(config_, *log_);
    ASSERT_TRUE(registry.ok()) << registry.error().message;
    auto ports = (*registry)->Start();
    ASSERT_TRUE(ports.ok()) << ports.error().message;
    EXPECT_NE(ports->zone, 0);
    EXPECT_TRUE((*registry)->Healthy());
    EXPECT_TRUE(test::HttpGet(ports->http, "/healthz").starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(test::HttpGet(ports->http, "/readyz").starts_with("HTTP/1.1 503 "));
    const std::string metrics = test::HttpGet(ports->http, "/metrics");
    EXPECT_NE(metrics.find("\nregistry_mqtt_connected 0\n"), std::string::npos) << metrics;
    EXPECT_EQ(metrics.find("\nregistry_zone_serial 0\n"), std::string::npos) << metrics;
    (*registry)->Stop();
  }
}

TEST_F(RegistryTest, ASecondOneOverTheSameLedgerIsRefused) {
  auto first = Registry::Open(config_, *log_);
  ASSERT_TRUE(first.ok());
  auto second = Registry::Open(config_, *log_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().symbol, "ledger_in_use");
}

TEST_F(RegistryTest, MaterialFaultsNameTheirKey) {
  EXPECT_TRUE(Material::Load(config_).ok());
  Config config = config_;
  config.pki.root_certificate = config_.resolver.certificate;
  EXPECT_EQ(Material::Load(config).error().symbol, "chain_invalid");
  config = config_;
  config.resolver.certificate = folder_.In("none.pem");
  EXPECT_TRUE(Material::Load(config).error().message.starts_with("resolver.certificate: "));
  config.resolver.certificate = folder_.Write("bad.pem", ToPem("CERTIFICATE", Bytes{1, 2, 3}));
  EXPECT_TRUE(Material::Load(config).error().message.starts_with("resolver.certificate: "));
  config = config_;
  std::filesystem::permissions(config.pki.issuing_key, std::filesystem::perms(0644));
  EXPECT_EQ(Material::Load(config).error().symbol, "key_file_permissions");
}

TEST_F(RegistryTest, TheResolversKeyIsPinnedInEveryBootstrap) {
  auto material = Material::Load(config_);
  ASSERT_TRUE(material.ok());
  auto pin =
      lab::RunToEnd({"sh", "-c",
                     "openssl x509 -in " + config_.resolver.certificate +
                         " -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r"});
  ASSERT_TRUE(pin.ok());
  EXPECT_EQ(ToHex(material->policy.payload.bootstrap.resolver.spki_pin), pin->substr(0, 64));
}

}  // namespace
}  // namespace registry::app
