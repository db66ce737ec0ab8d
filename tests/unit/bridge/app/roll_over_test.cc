// A registry whose issuing CA is changed for one with a key in a token, below a root that is offline: both stand beside
// each other at the zone's apex, and each goes on with a CRL of its own. Judges: dig and openssl.
#include <gmock/gmock.h>

#include "bridge/app/material.h"
#include "bridge/app/registry.h"
#include "bridge/ctl/ca_life.h"
#include "bridge/keys/key_source.h"
#include "bridge/signing/key_file.h"
#include "bridge/zone/keys.h"
#include "simulators/lab/process.h"
#include "tests/support/registry_home.h"
#include "tests/support/soft_token.h"
#include "workers/domain/several_signers.h"

namespace registry::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class RollOverTest : public ::testing::Test {
 protected:
  RollOverTest() {
    test::MakeRegistryHome(folder_);
    folder_.Write("ca.cnf", "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n");
  }
  void SetUp() override {
    auto log = Log::Open(folder_.In("r.log"), 0);
    ASSERT_TRUE(log.ok());
    log_ = std::move(*log);
  }
  Config ReadConfig() const {
    auto config = LoadConfig(folder_.In("r/registry.toml"));
    EXPECT_TRUE(config.ok()) << config.error().message;
    config->dns.listen_port = config->http_port = 0;
    config->mqtt.port = 1;  // nobody listens there
    return *config;
  }
  void ChangeTheCa() {
    ASSERT_NO_FATAL_FAILURE(InstallTheCa());
    SwitchTheCa();
  }
  void SwitchTheCa() {
    const auto switched = ctl::SwitchIssuing({folder_.In("r"), "2027", true}, SystemClock().Now());
    ASSERT_TRUE(switched.ok()) << switched.error().message;
  }
  void InstallTheCa() {
    ASSERT_TRUE(keys::GenerateTokenKey(token_.Uri("issuing")).ok());
    const ctl::IssuingRequest options{folder_.In("r"), "2027", token_.Uri("issuing")};
    const auto asked = ctl::RequestIssuing(options);
    ASSERT_TRUE(asked.ok()) << asked.error().message;
    const auto signed_there = test::OpenSsl(folder_,
                                            "x509 -req -in r/pki/issuing-2027.csr -CA r/pki/root.pem -CAkey "
                                            "r/pki/root.key -days 3000 -copy_extensions copyall -extfile "
                                            "ca.cnf -out new.pem");
    ASSERT_TRUE(signed_there.ok()) << signed_there.output;
    const auto installed = ctl::InstallIssuing(options, folder_.In("new.pem"), SystemClock().Now());
    ASSERT_TRUE(installed.ok()) << installed.error().message;
  }
  // The zone as a secondary is given it.
  std::string Zone(std::uint16_t port) const {
    std::string secret = folder_.Read("r/zone/tsig.key");
    secret.erase(secret.find_last_not_of('\n') + 1);
    const Config config = ReadConfig();
    auto said = lab::RunToEnd({"dig", "@127.0.0.1", "-p", std::to_string(port), config.zone, "AXFR", "-y",
                               "hmac-sha256:" + config.dns.tsig_name + ":" + secret});
    return said ? *said : said.error().message;
  }
  std::string TlsaOf(int usage, const std::string& certificate) const {
    std::string hex = ToHex(zone::Sha256(*signing::LoadCertificate(certificate)));
    for (char& c : hex) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    return std::to_string(usage) + " 0 1 " + hex.substr(0, 56);  // where dig puts a blank
  }
  std::string Crl(const std::string& file, const std::string& issuer) const {
    return test::OpenSsl(folder_, "crl -in r/pki/" + file + " -noout -CAfile r/pki/" + issuer).output;
  }

  test::TemporaryFolder folder_;
  test::SoftToken token_;
  std::unique_ptr<Log> log_;
};

TEST_F(RollOverTest, OldAndNewStandBesideEachOther) {
  {
    auto registry = Registry::Open(ReadConfig(), *log_);
    ASSERT_TRUE(registry.ok()) << registry.error().message;
    const auto ports = (*registry)->Start();
    ASSERT_TRUE(ports.ok()) << ports.error().message;
    EXPECT_THAT(Zone(ports->zone), HasSubstr(TlsaOf(2, folder_.In("r/pki/issuing.pem"))));
    (*registry)->Stop();
  }
  ASSERT_NO_FATAL_FAILURE(InstallTheCa());
  {
    auto registry = Registry::Open(ReadConfig(), *log_);
    ASSERT_TRUE(registry.ok()) << registry.error().message;
    const auto ports = (*registry)->Start();
    ASSERT_TRUE(ports.ok()) << ports.error().message;
    const std::string zone = Zone(ports->zone);
    EXPECT_THAT(zone, HasSubstr(TlsaOf(2, folder_.In("r/pki/issuing.pem"))));
    EXPECT_THAT(zone, HasSubstr(TlsaOf(2, folder_.In("r/pki/issuing-2027.pem")))) << "before it signs";
    (*registry)->Stop();
    const auto material = Material::Load(ReadConfig());
    ASSERT_TRUE(material.ok()) << material.error().message;
    EXPECT_EQ(material->signer->certificate(), *signing::LoadCertificate(folder_.In("r/pki/issuing.pem")));
  }
  ASSERT_NO_FATAL_FAILURE(SwitchTheCa());
  auto registry = Registry::Open(ReadConfig(), *log_);
  ASSERT_TRUE(registry.ok()) << registry.error().message;
  const auto ports = (*registry)->Start();
  ASSERT_TRUE(ports.ok()) << ports.error().message;
  const std::string zone = Zone(ports->zone);
  EXPECT_THAT(zone, HasSubstr(TlsaOf(0, folder_.In("r/pki/root.pem"))));
  EXPECT_THAT(zone, HasSubstr(TlsaOf(2, folder_.In("r/pki/issuing.pem"))));
  EXPECT_THAT(zone, HasSubstr(TlsaOf(2, folder_.In("r/pki/issuing-2027.pem"))));
  EXPECT_THAT(Crl("crl.pem", "issuing.pem"), HasSubstr("verify OK"));
  EXPECT_THAT(Crl("crl-2027.pem", "issuing-2027.pem"), HasSubstr("verify OK"));
  EXPECT_THAT(Crl("crl-2027.pem", "issuing.pem"), Not(HasSubstr("verify OK")));
  (*registry)->Stop();
}

TEST_F(RollOverTest, EachCertificateHasItsOwnSigner) {
  ASSERT_NO_FATAL_FAILURE(ChangeTheCa());
  const Config config = ReadConfig();
  const auto material = Material::Load(config);
  ASSERT_TRUE(material.ok()) << material.error().message;
  const Bytes before = *signing::LoadCertificate(folder_.In("r/pki/issuing.pem"));
  const Bytes now = *signing::LoadCertificate(folder_.In("r/pki/issuing-2027.pem"));
  EXPECT_EQ(material->signer->certificate(), now);
  const auto device_of = [&](const std::string& ca, const std::string& key) {
    const auto made =
        test::OpenSsl(folder_,
                      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout d.key "
                      "-subj /CN=device -CA " +
                          ca + " -CAkey " + key + " -out d.pem");
    EXPECT_TRUE(made.ok()) << made.output;
    return *signing::LoadCertificate(folder_.In("d.pem"));
  };
  const Bytes old_device = device_of("r/pki/issuing.pem", "r/pki/issuing.key");
  EXPECT_EQ(domain::SignerOf(*material->signer, old_device).certificate(), before);
  EXPECT_EQ(domain::SignerOf(*material->signer, now).certificate(), now);
}

TEST_F(RollOverTest, WhatIsWrongWithAFormerCaIsSaid) {
  ASSERT_NO_FATAL_FAILURE(ChangeTheCa());
  Config config = ReadConfig();
  config.former_issuing[0].key = folder_.In("r/pki/root.key");
  EXPECT_THAT(Material::Load(config).error().message, HasSubstr("former_issuing.key: "));
  config.former_issuing[0].certificate = folder_.In("r/interface/ca.pem");
  EXPECT_THAT(Material::Load(config).error().message,
              HasSubstr("former_issuing.certificate: is not signed by"));
}

TEST_F(RollOverTest, WhatIsWrongWithAComingCaIsSaid) {
  ASSERT_NO_FATAL_FAILURE(InstallTheCa());
  Config config = ReadConfig();
  config.coming_issuing[0].key = folder_.In("none.key");
  EXPECT_TRUE(Material::Load(config).ok()) << "its key is not needed yet";
  config.coming_issuing[0].certificate = folder_.In("r/interface/ca.pem");
  EXPECT_THAT(Material::Load(config).error().message,
              HasSubstr("coming_issuing.certificate: is not signed by"));
}

}  // namespace
}  // namespace registry::app
