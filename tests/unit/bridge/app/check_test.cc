// What a check, and so a start, finds in the material a configuration names: each fault by itself in an otherwise good one.
#include "bridge/app/check.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/app/material.h"
#include "bridge/app/trust_anchors.h"
#include "bridge/clock.h"
#include "bridge/signing/ca.h"
#include "bridge/zone/keys.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/registry_home.h"
#include "tests/support/soft_token.h"

namespace registry::app {
namespace {

using std::chrono::days;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

class CheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ds_ = Make("r", "iotregistry.test");
    auto config = LoadConfig(folder_.In("r/registry.toml"));
    ASSERT_TRUE(config.ok()) << config.error().message;
    config_ = *config;
    ASSERT_THAT(FaultsOf(config_), IsEmpty());
  }
  // A registry's folder; its DS.
  std::string Make(const std::string& name, const std::string& zone) const {
    return test::MakeRegistryHome(folder_, name, zone, now_);
  }
  std::vector<std::string> WithAnchors(std::vector<std::string> anchors) const {
    Config config = config_;
    config.trust_anchors = std::move(anchors);
    return FaultsOf(config);
  }
  // A file with a certificate of `ca` for the registry's session, and what is found with it and with `ca` as its CA.
  std::vector<std::string> WithSession(UtcTime ca_from, UtcTime from) {
    const auto ca = signing::CreateRoot("interface", {ca_from, days(2)});
    const auto key = signing::PrivateKey::Load(config_.mqtt.key_file);
    const auto certificate =
        signing::CreatePartyCertificate(*ca, *key, *PartyId::Parse("registryd"), {from, days(2)});
    Config config = config_;
    config.mqtt.ca_file = folder_.Write("ca.pem", ToPem("CERTIFICATE", ca->certificate));
    config.mqtt.certificate_file = folder_.Write("session.pem", ToPem("CERTIFICATE", *certificate));
    config.mqtt.crl_file.clear();  // which is of the folder's own CA
    return FaultsOf(config);
  }

  const UtcTime now_ = SystemClock().Now(), past_ = now_ - days(5), future_ = now_ + days(5);
  test::TemporaryFolder folder_;
  std::string ds_;
  Config config_;
};

// Each key of a configuration may be in a token, and what is wrong with its URI is said beside its key.
TEST_F(CheckTest, AKeyInATokenIsLookedAt) {
  const test::SoftToken token;
  ASSERT_TRUE(keys::GenerateTokenKey(token.Uri("zsk")).ok());
  Config config = config_;
  config.dns.zsk = token.Uri("zsk");
  EXPECT_THAT(FaultsOf(config), IsEmpty());
  config.dns.zsk = token.Uri("none");
  EXPECT_THAT(FaultsOf(config),
              ElementsAre(testing::HasSubstr("label 'none': the token has no such public key")));
  config = config_;
  config.pki.issuing_key = token.Uri("zsk");
  EXPECT_THAT(FaultsOf(config), ElementsAre(testing::HasSubstr("the certificate is not this key's")));
  EXPECT_FALSE(TokenIsAway(config)) << "another start finds the same";
  config.dns.zsk = token.Uri("zsk");
  config.dns.zsk.replace(config.dns.zsk.find("token=registry"), 14, "token=hsm");
  EXPECT_TRUE(TokenIsAway(config));
  config = config_;
  EXPECT_FALSE(TokenIsAway(config)) << "no key is in a token";
  config.pki.issuing_key = "pkcs11:object=zsk?module-path=/usr/lib/none.so";
  EXPECT_THAT(FaultsOf(config),
              ElementsAre(StartsWith("pki.issuing_key: /usr/lib/none.so cannot be loaded")));
}

TEST_F(CheckTest, WhatTransfersOverTlsNeedIsLookedAt) {
  Config config = config_;
  ZoneTlsConfig& tls = config.dns.tls;
  tls = {"127.0.0.1", 8530, folder_.In("r/interface/resolver.pem"), folder_.In("r/interface/resolver.key"),
         ""};
  EXPECT_THAT(FaultsOf(config), IsEmpty());
  tls.key_file = folder_.In("r/interface/ca.key");
  EXPECT_THAT(FaultsOf(config), ElementsAre("zone.tls: " + tls.key_file + ": is not the certificate's key"));
  tls.key_file = folder_.In("r/interface/resolver.key");
  tls.client_ca_file = folder_.In("none.pem");
  EXPECT_THAT(FaultsOf(config), ElementsAre(StartsWith("zone.tls: " + tls.client_ca_file)));
  tls.client_ca_file.clear();
  tls.port = config.dns.listen_port;
  EXPECT_THAT(FaultsOf(config),
              ElementsAre("zone.tls_listen_port: is zone.listen_port, at the same address"));
}

TEST(TrustAnchor, IsADsOrADnskey) {
  const std::string hex(64, 'a');
  for (const std::string& good :
       {". IN DS 20326 8 2 " + hex, "iot.test. 3600 IN DS 1 13 2 " + hex.substr(0, 30) + " " + hex.substr(30),
        "iot.test DS 1 13 4 " + std::string(96, '0'), std::string(". 172800 IN DNSKEY 257 3 8 AwEAAQ==")}) {
    EXPECT_TRUE(ParseTrustAnchor(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("."), ". IN DS 20326 8 2 " + hex.substr(2), ". IN DS 70000 8 2 " + hex,
        ". IN DS 1 8 2 " + std::string(64, 'x'), std::string(". IN DNSKEY 257 4 8 AwEAAQ=="),
        std::string(". IN DNSKEY 257 3 8 A*"), "a..b IN DS 1 8 2 " + hex, std::string(". IN A 192.0.2.1")}) {
    EXPECT_FALSE(ParseTrustAnchor(bad)) << bad;
  }
}

// They go to every device, which would refuse every answer.
TEST_F(CheckTest, TrustAnchorsOfTheZoneAreThoseOfItsKey) {
  const std::string dnskey = *zone::DnskeyText("iotregistry.test", config_.dns.ksk, zone::kKskFlags);
  const std::string root = ". IN DS 20326 8 2 " + std::string(64, 'a');
  std::string wrong = ds_, other = ds_;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  const std::size_t tag = other.find(" DS ") + 4;
  other.replace(tag, other.find(' ', tag) - tag, other.substr(tag, 2) == "1 " ? "2" : "1");
  EXPECT_THAT(WithAnchors({ds_}), IsEmpty());
  EXPECT_THAT(WithAnchors({dnskey}), IsEmpty());
  EXPECT_THAT(WithAnchors({root, "test. IN DS 7 13 2 " + std::string(64, 'a')}), IsEmpty());
  EXPECT_THAT(WithAnchors({ds_, other}), IsEmpty()) << "of a key that is to come";
  const auto not_its = StartsWith("registry.trust_anchors: is not the digest of zone.ksk: ");
  EXPECT_THAT(WithAnchors({wrong}), ElementsAre(not_its));
  EXPECT_THAT(WithAnchors({ds_, wrong}), ElementsAre(not_its));
  EXPECT_THAT(WithAnchors({root, other}),
              ElementsAre(StartsWith("registry.trust_anchors: none is of zone.ksk")));
}

TEST_F(CheckTest, TrustAnchorsOfAnotherZoneAreRefused) {
  const std::string other = Make("other", "other.test");
  const auto refused =
      StartsWith("registry.trust_anchors: is neither for iotregistry.test nor for a zone above it");
  EXPECT_THAT(WithAnchors({other}), ElementsAre(refused));
  EXPECT_THAT(WithAnchors({ds_, other}), ElementsAre(refused));
  for (const char* zone : {"registry.test", "sub.iotregistry.test"}) {
    EXPECT_THAT(WithAnchors({std::string(zone) + ". IN DS 7 13 2 " + std::string(64, 'a')}),
                ElementsAre(refused));
  }
}

// RFC 4509, RFC 6605: digests of every type that is known, as another implementation makes them.
TEST_F(CheckTest, EveryTypeOfDigestIsComputed) {
  folder_.Write("zone.key", *zone::DnskeyText("iotregistry.test", config_.dns.ksk, zone::kKskFlags) + "\n");
  for (const char* type : {"-1", "-2", "-a SHA-384"}) {
    const std::string command = std::string("dnssec-dsfromkey ") + type + " -f " + folder_.In("zone.key") +
                                " iotregistry.test 2>&1 >" + folder_.In("ds") +
                                " | grep -v deprecated; test -s " + folder_.In("ds");
    ASSERT_EQ(std::system(command.c_str()), 0);
    std::string ds = folder_.Read("ds");
    ds.pop_back();
    EXPECT_THAT(WithAnchors({ds}), IsEmpty()) << ds;
    ds.back() = ds.back() == '0' ? '1' : '0';
    EXPECT_EQ(WithAnchors({ds}).size(), 1u) << ds;
  }
}

TEST_F(CheckTest, TheSessionsCertificateIsOfTheBrokersCa) {
  Make("other", "other.test");
  Config config = config_;
  config.mqtt.ca_file = folder_.In("other/interface/ca.pem");
  EXPECT_THAT(FaultsOf(config),
              ElementsAre(StartsWith("mqtt.ca_file: holds no CA that issued certificate_file")));
  config.mqtt.ca_file = config.mqtt.certificate_file;
  EXPECT_EQ(FaultsOf(config).size(), 1u) << "which is none";
  config = config_;
  config.mqtt.certificate_file = folder_.In("other/interface/registryd.pem");
  config.mqtt.key_file = folder_.In("other/interface/registryd.key");
  EXPECT_THAT(FaultsOf(config),
              ElementsAre(StartsWith("mqtt.ca_file: holds no CA that issued certificate_file")));
}

TEST_F(CheckTest, TheBrokersListIsReadableAndOfTheBrokersCa) {
  Make("other", "other.test");
  const auto with = [&](const std::string& file) {
    Config config = config_;
    config.mqtt.crl_file = folder_.In(file);
    return FaultsOf(config);
  };
  ASSERT_FALSE(config_.mqtt.crl_file.empty());
  EXPECT_THAT(with("none.pem"), ElementsAre(StartsWith("mqtt.crl_file: " + folder_.In("none.pem"))));
  EXPECT_THAT(with("r/interface/ca.pem"), ElementsAre(testing::HasSubstr("holds no CRL in PEM")));
  EXPECT_THAT(with("other/interface/crl.pem"), ElementsAre(testing::HasSubstr("is another CA's")));
  Config config = config_;
  config.mqtt.crl_file.clear();
  EXPECT_THAT(FaultsOf(config), IsEmpty());
}

TEST_F(CheckTest, TheSessionsCertificateIsWithinItsDates) {
  EXPECT_THAT(WithSession(now_, now_), IsEmpty());
  EXPECT_THAT(WithSession(now_, past_), ElementsAre(StartsWith("mqtt.certificate_file: has expired")));
  EXPECT_THAT(WithSession(now_, future_), ElementsAre(StartsWith("mqtt.certificate_file: is not valid yet")));
  EXPECT_THAT(WithSession(past_, now_), ElementsAre(StartsWith("mqtt.ca_file: its CA has expired")));
  EXPECT_THAT(WithSession(future_, now_), ElementsAre(StartsWith("mqtt.ca_file: its CA is not valid yet")));
}

TEST_F(CheckTest, TheSessionsCertificateIsForClients) {
  const auto ca = signing::CreateRoot("interface", {now_, days(2)});
  const auto key = signing::PrivateKey::Load(config_.mqtt.key_file);
  Config config = config_;
  config.mqtt.ca_file = folder_.Write("ca.pem", ToPem("CERTIFICATE", ca->certificate));
  config.mqtt.certificate_file = folder_.Write(
      "s.pem",
      ToPem("CERTIFICATE", *signing::CreateServerCertificate(*ca, *key, {"registryd"}, {now_, days(2)})));
  EXPECT_THAT(FaultsOf(config), ElementsAre(StartsWith("mqtt.certificate_file: is not made for that")));
}

TEST_F(CheckTest, TheResolversCertificateIsForItsNameAndWithinItsDates) {
  const auto with = [&](const std::string& host, UtcTime from) {
    const auto ca = signing::CreateRoot("resolver", {now_, days(2)});
    Config config = config_;
    config.resolver.certificate = folder_.Write(
        "resolver.pem",
        ToPem("CERTIFICATE", *signing::CreateServerCertificate(*ca, ca->key, {host}, {from, days(2)})));
    return FaultsOf(config);
  };
  const std::string name = "resolver.iotregistry.test";
  EXPECT_THAT(with(name, now_), IsEmpty());
  EXPECT_THAT(with(name, past_), ElementsAre("resolver.certificate: has expired"));
  EXPECT_THAT(with(name, future_), ElementsAre("resolver.certificate: is not valid yet"));
  EXPECT_THAT(with("resolver.other.test", now_),
              ElementsAre(StartsWith("resolver.certificate: is not for resolver.name")));
}

// One check for every file that holds a secret, whoever reads it.
TEST_F(CheckTest, SecretsThatOthersCanReadAreRefused) {
  const std::pair<const char*, const std::string*> files[] = {
      {"pki.issuing_key: ", &config_.pki.issuing_key},
      {"zone: ", &config_.dns.ksk},
      {"zone: ", &config_.dns.zsk},
      {"zone.tsig_secret: ", &config_.dns.tsig_secret},
      {"mqtt.key_file: ", &config_.mqtt.key_file}};
  for (const auto& [key, file] : files) {
    ASSERT_EQ(chmod(file->c_str(), 0640), 0);
    EXPECT_THAT(FaultsOf(config_), ElementsAre(testing::AllOf(StartsWith(key), testing::HasSubstr(*file),
                                                              testing::HasSubstr("chmod 600"))));
    ASSERT_EQ(chmod(file->c_str(), 0600), 0);
    if (::geteuid() != 0) continue;  // only root can give a file away
    ASSERT_EQ(chown(file->c_str(), 12345, static_cast<gid_t>(-1)), 0);
    EXPECT_THAT(FaultsOf(config_),
                ElementsAre(testing::AllOf(StartsWith(key), testing::HasSubstr("run it as user id 12345"),
                                           testing::Not(testing::HasSubstr("chown")))));
    ASSERT_EQ(chown(file->c_str(), 0, static_cast<gid_t>(-1)), 0);
  }
}

TEST_F(CheckTest, ASecondarysOwnKeyIsLoadedToo) {
  config_.secondaries = {{"a", "192.0.2.1", 53, {"key-of-a", folder_.In("none")}, {}}};
  EXPECT_THAT(FaultsOf(config_), testing::Contains(testing::AllOf(StartsWith("secondary.tsig_secret: "),
                                                                  testing::HasSubstr("No such file"))));
  // One name, two secrets: nobody could say which one a request means.
  folder_.Write("other", "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=\n");
  ASSERT_EQ(chmod(folder_.In("other").c_str(), 0600), 0);
  config_.secondaries[0].key = {config_.dns.tsig_name, folder_.In("other")};
  EXPECT_THAT(FaultsOf(config_),
              testing::Contains(StartsWith("secondary.tsig_secret: two secrets stand under the name")));
}

// The key that is named is the one whose file it is, and the system's reason is said.
TEST_F(CheckTest, AMissingFileIsNamedByItsKeyWithTheReason) {
  const std::pair<std::string*, const char*> files[] = {
      {&config_.pki.root_certificate, "pki.root_certificate: "},
      {&config_.pki.issuing_certificate, "pki.issuing_certificate: "},
      {&config_.pki.issuing_key, "pki.issuing_key: "},
      {&config_.pki.blocked_keys, "pki.blocked_keys: "},
      {&config_.resolver.certificate, "resolver.certificate: "},
      {&config_.mqtt.ca_file, "mqtt.ca_file: "},
      {&config_.mqtt.certificate_file, "mqtt.certificate_file: "},
      {&config_.mqtt.key_file, "mqtt.key_file: "},
      {&config_.dns.ksk, "zone: "},
      {&config_.dns.tsig_secret, "zone.tsig_secret: "}};
  for (const auto& [file, key] : files) {
    const std::string before = std::exchange(*file, folder_.In("none"));
    EXPECT_THAT(FaultsOf(config_), testing::Contains(testing::AllOf(
                                       StartsWith(key), testing::HasSubstr("No such file or directory"))))
        << key;
    *file = before;
  }
}

TEST_F(CheckTest, WithoutASecondaryItIsGoodWithAWarning) {
  ASSERT_TRUE(config_.secondaries.empty());
  EXPECT_THAT(WarningsOf(config_), ElementsAre(StartsWith("no [[secondary]] is configured")));
  config_.secondaries.emplace_back();
  EXPECT_THAT(WarningsOf(config_), IsEmpty());
}

TEST_F(CheckTest, TheConfigurationItselfIsASecret) {
  const std::string file = folder_.In("r/registry.toml");
  for (const mode_t good : {0600, 0400, 0640}) {
    ASSERT_EQ(chmod(file.c_str(), good), 0);
    EXPECT_THAT(FaultsOf(config_), IsEmpty()) << good;
  }
  for (const mode_t bad : {0644, 0604, 0660, 0602}) {
    ASSERT_EQ(chmod(file.c_str(), bad), 0);
    EXPECT_THAT(FaultsOf(config_),
                ElementsAre(file + ": can be read or written by others than its owner: chmod 600 it"));
  }
}

}  // namespace
}  // namespace registry::app
