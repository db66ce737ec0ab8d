// A whole registry in the folder `registryctl init` makes: starts without broker and secondaries, says so,
// stops.
#include "bridge/app/registry.h"

#include <gmock/gmock.h>

#include <fstream>

#include "bridge/app/check.h"
#include "bridge/app/check_folders.h"
#include "bridge/app/material.h"
#include "bridge/clock.h"
#include "bridge/ctl/registry_folder.h"
#include "bridge/signing/ca.h"
#include "bridge/signing/file_write.h"
#include "simulators/lab/process.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/registry_home.h"
#include "tests/support/unprivileged.h"
#include "tests/unit/bridge/app/http_get.h"

namespace registry::app {
namespace {

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    test::MakeRegistryHome(folder_);
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
    EXPECT_EQ((*registry)->pulse(), Pulse::kBeating);
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

// What a verifier would find out later, at every certificate and CRL.
TEST_F(RegistryTest, CaCertificatesThatCouldNotServeAreRefused) {
  const auto issuing = [&](const std::string& extensions) {
    folder_.Write("ext", extensions);
    test::OpenSsl(folder_, "req -new -key r/pki/issuing.key -subj /CN=issuing -out csr");
    EXPECT_TRUE(test::OpenSsl(folder_,
                              "x509 -req -in csr -CA r/pki/root.pem -CAkey r/pki/root.key -days 30 "
                              "-set_serial 7 -extfile ext -out issuing.pem")
                    .ok());
    Config config = config_;
    config.pki.issuing_certificate = folder_.In("issuing.pem");
    auto material = Material::Load(config);
    return material ? std::string("good") : material.error().symbol + " " + material.error().message;
  };
  const std::string ca = "basicConstraints=critical,CA:TRUE\n", id = "subjectKeyIdentifier=hash\n";
  const std::string usage = "keyUsage=critical,", all = usage + "digitalSignature,keyCertSign,cRLSign\n";
  EXPECT_EQ(issuing(ca + id + all), "good");
  EXPECT_TRUE(
      issuing("basicConstraints=critical,CA:FALSE\n" + id + all).starts_with("chain_invalid pki.issuing"));
  for (const char* some :
       {"keyCertSign,cRLSign", "digitalSignature,keyCertSign", "digitalSignature,cRLSign"}) {
    const std::string said = issuing(ca + id + usage + some + "\n");
    EXPECT_TRUE(said.starts_with("chain_invalid pki.issuing_certificate: its keyUsage")) << some << said;
  }
  EXPECT_NE(issuing(ca + id + all + "nsComment=" + std::string(1800, 'x') + "\n").find("2040 octets"),
            std::string::npos);
}

TEST_F(RegistryTest, CaCertificatesOutsideTheirDatesAreRefused) {
  const UtcTime now = SystemClock().Now();
  const auto load = [&](UtcTime root_from, UtcTime issuing_from) {
    const auto root = signing::CreateRoot("root", {root_from, std::chrono::days(2)});
    const auto issuing = signing::CreateIssuing(*root, "issuing", {issuing_from, std::chrono::days(2)});
    std::filesystem::remove(folder_.In("i.key"));
    Config config = config_;
    config.pki.issuing_key = folder_.In("i.key");
    EXPECT_TRUE(issuing->key.Save(config.pki.issuing_key).ok());
    config.pki.root_certificate = folder_.Write("r.pem", ToPem("CERTIFICATE", root->certificate));
    config.pki.issuing_certificate = folder_.Write("i.pem", ToPem("CERTIFICATE", issuing->certificate));
    auto material = Material::Load(config);
    return material ? std::string("good") : material.error().message;
  };
  const UtcTime past = now - std::chrono::days(5), future = now + std::chrono::days(5);
  EXPECT_EQ(load(now, now), "good");
  EXPECT_EQ(load(past, now), "pki.root_certificate: has expired");
  EXPECT_EQ(load(future, now), "pki.root_certificate: is not valid yet");
  EXPECT_EQ(load(now, past), "pki.issuing_certificate: has expired");
  EXPECT_EQ(load(now, future), "pki.issuing_certificate: is not valid yet");
}

TEST_F(RegistryTest, WhatInitMadeIsWithoutFault) { EXPECT_EQ(FaultsOf(config_), std::vector<std::string>{}); }

TEST_F(RegistryTest, EveryFaultIsFoundAtOnceAndNamesItsKey) {
  Config config = config_;
  config.trust_anchors = {"iotregistry.test. IN A 192.0.2.1"};
  config.mqtt.ca_file = folder_.In("none.pem");
  config.mqtt.key_file = config.pki.issuing_key;  // of another certificate
  config.resolver.certificate = folder_.In("none.pem");
  config.pki.root_certificate = folder_.In("none.pem");
  config.dns.ksk = folder_.In("none.pem");
  config.dns.tsig_secret = folder_.Write("short.key", "%%%");
  config.dns.listen_address = "192.0.2.77";
  config.secondaries = {{"a", "127.0.0.1", 53}, {"a", "127.0.0.2", 53}};
  const auto faults = FaultsOf(config);
  for (const char* start : {"registry.trust_anchors: ", "mqtt.ca_file: ", "mqtt.key_file: is not the key of",
                            "resolver.certificate: ", "pki.root_certificate: ", "zone: ",
                            "zone.tsig_secret: ", "zone.listen_address: ", "secondary.name: a "}) {
    EXPECT_EQ(std::count_if(faults.begin(), faults.end(),
                            [&](const std::string& fault) { return fault.starts_with(start); }),
              1)
        << start;
  }
  EXPECT_EQ(faults.size(), 9u);
}

// What would only show later, and the fault of a URL under its own key.
TEST_F(RegistryTest, WhatContradictsItselfIsFoundAtOnce) {
  Config config = config_;
  config.ledger_folder = config.intake_folder + "/ledger";
  config.pki.crl_url = "http://crl.test/a b";
  config.pki.crl_file = folder_.In("nowhere/crl.pem");
  EXPECT_THAT(FaultsOf(config),
              testing::UnorderedElementsAre(
                  testing::StartsWith("pki.crl_url: "), "ledger.folder: lies inside intake.folder",
                  testing::StartsWith("ledger.folder: there is no ledger in "),
                  testing::StartsWith("pki.crl_file: cannot write in " + folder_.In("nowhere"))));
  EXPECT_TRUE(Material::Load(config).error().message.starts_with("pki.crl_url: "));
}

TEST_F(RegistryTest, ACrlIsFetchedByHttp) {
  const auto faults = [&](const std::string& url) {
    Config config = config_;
    config.pki.crl_url = url;
    return FaultsOf(config);
  };
  for (const char* good : {"", "http://crl.test/crl.pem", "https://crl.test"}) {
    EXPECT_THAT(faults(good), testing::IsEmpty()) << good;
  }
  for (const char* bad : {"crl.pem", "ldap://crl.test/cn=crl", "file:///crl.pem", "http://",
                          "http:///crl.pem", "http:crl.test", "ftp://crl.test/crl.pem"}) {
    EXPECT_THAT(faults(bad), testing::ElementsAre(testing::StartsWith("pki.crl_url: must be an http://")))
        << bad;
  }
}

TEST_F(RegistryTest, OneServerIsNotTwoSecondaries) {
  Config config = config_;
  config.secondaries = {{"a", "192.0.2.1", 53}, {"b", "192.0.2.1", 54}, {"c", "2001:db8::1", 53}};
  EXPECT_THAT(FaultsOf(config), testing::IsEmpty());
  config.secondaries.push_back({"d", "192.0.2.1", 53});
  config.secondaries.push_back({"e", "2001:DB8:0::1", 53});
  EXPECT_THAT(FaultsOf(config),
              testing::ElementsAre("secondary.address: 192.0.2.1 port 53 is used twice",
                                   "secondary.address: 2001:DB8:0::1 port 53 is used twice"));
}

// RFC 6781 §3.1: one key may do the work of both.
TEST_F(RegistryTest, OneKeyMayBeKskAndZsk) {
  Config config = config_;
  config.dns.zsk = config.dns.ksk;
  EXPECT_THAT(FaultsOf(config), testing::IsEmpty());
}

TEST_F(RegistryTest, LedgerAndIntakeAreApartUnderEveryName) {
  const auto faults = [&](const std::string& ledger, const std::string& intake) {
    Config config = config_;
    config.ledger_folder = folder_.In(ledger);
    config.intake_folder = folder_.In(intake);
    return FaultsOf(config);
  };
  std::filesystem::create_directory_symlink(folder_.In("r"), folder_.In("link"));
  const auto same = testing::ElementsAre(testing::StartsWith("intake.folder: is ledger.folder"));
  EXPECT_THAT(faults("r/ledger", "r/ledger/"), same);
  EXPECT_THAT(faults("r/ledger", "link/ledger"), same);
  EXPECT_THAT(faults("r/ledger", "link/ledger/x"),
              testing::ElementsAre("intake.folder: lies inside ledger.folder"));
  EXPECT_THAT(faults("r/intake/x/y", "r/intake"),
              testing::Contains("ledger.folder: lies inside intake.folder"));
  EXPECT_THAT(faults("r/ledger", "r/ledger-intake"), testing::IsEmpty());
}

// What empties one of them must not meet the others.
TEST_F(RegistryTest, TheFolderOfBackupsIsApartFromBoth) {
  const auto faults = [&](const std::string& backup) {
    Config config = config_;
    config.backup_folder = folder_.In(backup);
    return FaultsOf(config);
  };
  EXPECT_THAT(faults("r/ledger"), testing::ElementsAre("backup.folder: is ledger.folder, or lies inside it"));
  EXPECT_THAT(faults("r/intake/x"),
              testing::ElementsAre("backup.folder: is intake.folder, or lies inside it"));
  EXPECT_THAT(faults("r"), testing::ElementsAre("ledger.folder: lies inside backup.folder",
                                                "intake.folder: lies inside backup.folder"));
  EXPECT_THAT(faults("elsewhere/b"), testing::IsEmpty());
}

TEST_F(RegistryTest, FoldersThatCannotBeWrittenAreNamed) {
  Config config = config_;
  config.ledger_folder = folder_.In("r.log") + "/ledger";  // below a file
  EXPECT_THAT(FaultsOf(config), testing::ElementsAre(testing::StartsWith("ledger.folder: cannot write in ")));
  config.ledger_folder = folder_.In("new/ledger");  // registryd makes none
  EXPECT_THAT(FaultsOf(config),
              testing::ElementsAre(testing::StartsWith("ledger.folder: there is no ledger in ")));
  config = config_;
  config.intake_folder = folder_.In("new/intake");  // registryd makes it
  EXPECT_THAT(FaultsOf(config), testing::IsEmpty());
  for (const char* folder : {"", "r", "r/ledger", "r/intake", "r/pki"}) {
    std::filesystem::permissions(folder_.In(folder), std::filesystem::perms(0555));
  }
  const test::Unprivileged nobody;
  const auto faults = FolderFaults(config_);
  EXPECT_THAT(faults, testing::ElementsAre(
                          testing::StartsWith("ledger.folder: cannot write in " + config_.ledger_folder),
                          testing::StartsWith("intake.folder: cannot write in "),
                          testing::StartsWith("pki.crl_file: cannot write in " + folder_.In("r/pki"))));
}

TEST_F(RegistryTest, FoldersThatAreOpenOrUnmarkedAreNamed) {
  for (const char* which : {"ledger", "intake"}) {
    const std::string folder = folder_.In(std::string("r/") + which);
    std::filesystem::permissions(folder, std::filesystem::perms(0755));
    EXPECT_THAT(FolderFaults(config_),
                testing::ElementsAre(testing::AllOf(testing::StartsWith(std::string(which) + ".folder: "),
                                                    testing::HasSubstr("chmod 700 " + folder))));
    EXPECT_EQ(Registry::Open(config_, *log_).error().symbol, "folder_permissions");
    std::filesystem::permissions(folder, std::filesystem::perms(0700));
  }
  std::filesystem::remove(folder_.In("r/ledger/LEDGER"));
  EXPECT_THAT(FolderFaults(config_), testing::ElementsAre(testing::HasSubstr("registryctl ledger adopt")));
  EXPECT_EQ(Registry::Open(config_, *log_).error().symbol, "ledger_unmarked");
}

TEST_F(RegistryTest, ALogThatCannotBeAppendedToIsNamed) {
  const auto faults = [&](const std::string& file) {
    Config config = config_;
    config.log_file = folder_.In(file);
    return FolderFaults(config);
  };
  EXPECT_THAT(faults("r"),
              testing::ElementsAre("log.file: cannot append to " + folder_.In("r") + ": Is a directory"));
  EXPECT_THAT(faults("r.log/x"),
              testing::ElementsAre(testing::StartsWith("log.file: cannot ")));  // below a file
  EXPECT_THAT(faults("r.log"), testing::IsEmpty());
  EXPECT_THAT(faults("new/folder/x.log"), testing::IsEmpty());  // the log makes it
  EXPECT_FALSE(std::filesystem::exists(folder_.In("new")));
  for (const char* folder : {"", "r", "r/ledger", "r/intake", "r/pki"}) {
    std::filesystem::permissions(folder_.In(folder), std::filesystem::perms(0777));
  }
  std::filesystem::permissions(folder_.In("r.log"), std::filesystem::perms(0444));
  std::filesystem::create_directory(folder_.In("shut"));
  std::filesystem::permissions(folder_.In("shut"), std::filesystem::perms(0555));
  const test::Unprivileged nobody;
  EXPECT_THAT(faults("r.log"), testing::Contains(testing::StartsWith("log.file: cannot append to ")));
  EXPECT_THAT(faults("shut/x.log"), testing::Contains(testing::StartsWith("log.file: cannot write in ")));
}

// The broker would take it for somebody else: connected, subscribed, and deaf.
TEST_F(RegistryTest, AnotherPartysCertificateIsNotTheRegistrys) {
  Config config = config_;
  config.mqtt.certificate_file = folder_.In("r/interface/broker.pem");
  config.mqtt.key_file = folder_.In("r/interface/broker.key");
  const auto faults = FaultsOf(config);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(faults[0].starts_with("mqtt.certificate_file: its CN is not registryd")) << faults[0];
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
