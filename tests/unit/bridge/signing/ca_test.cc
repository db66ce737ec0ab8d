#include "bridge/signing/ca.h"

#include <gmock/gmock.h>

#include "tests/support/device_ca.h"
#include "tests/support/openssl_tool.h"

namespace registry::signing {
namespace {

using testing::HasSubstr;

class CaTest : public testing::Test {
 protected:
  CaTest() {
    folder_.Write("root.pem", ToPem("CERTIFICATE", test::Ca().root.certificate));
    folder_.Write("issuing.pem", ToPem("CERTIFICATE", test::Ca().issuing.certificate));
  }
  std::string Text(const std::string& file) {
    return test::OpenSsl(folder_, "x509 -noout -text -in " + file).output;
  }
  std::string Verify(const std::string& more) {
    return test::OpenSsl(folder_, "verify -x509_strict -attime " + std::to_string(test::Ca().now.seconds()) +
                                      " " + more)
        .output;
  }

  test::TemporaryFolder folder_;
  Validity validity_{test::Ca().now, std::chrono::days(100)};
};

TEST_F(CaTest, RootAndIssuingVerifyStrictly) {
  EXPECT_EQ(Verify("-check_ss_sig -CAfile root.pem root.pem"), "root.pem: OK\n");
  EXPECT_EQ(Verify("-CAfile root.pem issuing.pem"), "issuing.pem: OK\n");
}

TEST_F(CaTest, ProfilesOfTheDeviceHierarchy) {
  const std::string root = Text("root.pem"), issuing = Text("issuing.pem");
  EXPECT_THAT(root, HasSubstr("X509v3 Basic Constraints: critical\n                CA:TRUE\n"));
  EXPECT_THAT(root, HasSubstr("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n"));
  EXPECT_THAT(issuing, HasSubstr("CA:TRUE, pathlen:0"));
  EXPECT_THAT(
      issuing,
      HasSubstr(
          "X509v3 Key Usage: critical\n                Digital Signature, Certificate Sign, CRL Sign\n"));
  EXPECT_THAT(issuing, HasSubstr("X509v3 Authority Key Identifier"));
  EXPECT_THAT(issuing, HasSubstr("ecdsa-with-SHA256"));
}

TEST_F(CaTest, ServerCertificateNamesItsHosts) {
  const auto ca = CreateRoot("Interface CA", validity_);
  const auto key = PrivateKey::Generate();
  const auto certificate =
      CreateServerCertificate(*ca, *key, {"mqtt.example.test", "127.0.0.1", "::1"}, validity_);
  ASSERT_TRUE(certificate.ok()) << certificate.error().message;
  folder_.Write("ca.pem", ToPem("CERTIFICATE", ca->certificate));
  folder_.Write("broker.pem", ToPem("CERTIFICATE", *certificate));
  EXPECT_THAT(Text("broker.pem"),
              HasSubstr("DNS:mqtt.example.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1"));
  EXPECT_EQ(Verify("-purpose sslserver -verify_ip 127.0.0.1 -CAfile ca.pem broker.pem"), "broker.pem: OK\n");
  EXPECT_EQ(Verify("-purpose sslserver -verify_hostname mqtt.example.test -CAfile ca.pem broker.pem"),
            "broker.pem: OK\n");
  EXPECT_THAT(Verify("-purpose sslclient -CAfile ca.pem broker.pem"),
              HasSubstr("unsuitable certificate purpose"));
}

TEST_F(CaTest, PartyCertificateNamesTheParty) {
  const auto ca = CreateRoot("Interface CA", validity_);
  const auto certificate =
      CreatePartyCertificate(*ca, *PrivateKey::Generate(), *PartyId::Parse("mno-a"), validity_);
  ASSERT_TRUE(certificate.ok());
  folder_.Write("ca.pem", ToPem("CERTIFICATE", ca->certificate));
  folder_.Write("party.pem", ToPem("CERTIFICATE", *certificate));
  EXPECT_THAT(Text("party.pem"), HasSubstr("Subject: CN = mno-a\n"));
  EXPECT_EQ(Verify("-purpose sslclient -CAfile ca.pem party.pem"), "party.pem: OK\n");
  EXPECT_THAT(Verify("-CAfile root.pem party.pem"), HasSubstr("unable to get local issuer"))
      << "the hierarchies never mix";
}

TEST_F(CaTest, RefusesNamesThatWouldSayMore) {
  const auto ca = CreateRoot("Interface CA", validity_);
  const auto key = PrivateKey::Generate();
  for (const char* host : {"a.test,DNS:b.test", "", "a b", "*.test", "URI:x"}) {
    const auto refused = CreateServerCertificate(*ca, *key, {host}, validity_);
    ASSERT_FALSE(refused.ok()) << host;
    EXPECT_EQ(refused.error().symbol, "name_invalid");
  }
  EXPECT_FALSE(CreateServerCertificate(*ca, *key, {}, validity_).ok());
  EXPECT_FALSE(CreateRoot(std::string(65, 'x'), validity_).ok());
}

}  // namespace
}  // namespace registry::signing
