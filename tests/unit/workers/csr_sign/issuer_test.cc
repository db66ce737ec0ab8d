// The certificate as the openssl program and OpenSSL's API see it.
#include <gmock/gmock.h>

#include "bridge/signing/crl.h"
#include "tests/support/csr_maker.h"
#include "tests/support/device_ca.h"
#include "tests/support/openssl_tool.h"
#include "workers/crypto/digest.h"
#include "workers/csr_sign/csr_sign.h"

namespace registry::csr_sign {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kZone[] = "iotregistry.test";

domain::Policy PolicyOf(const std::string& zone = kZone, const std::string& crl_url = "") {
  domain::Policy policy;
  policy.zone = zone;
  policy.certificate.crl_url = crl_url;
  return policy;
}

class IssuerTest : public testing::Test {
 protected:
  domain::IssuedCertificate Issue(const domain::Policy& policy) {
    const auto issuer = Issuer::Create(policy, *test::Ca().signer);
    EXPECT_TRUE(issuer.ok());
    csr_ = *CheckCsr(test::MakeCsr());
    auto issued = issuer->Issue(device_, csr_, test::Ca().context);
    EXPECT_TRUE(issued.ok());
    folder_.Write("leaf.pem", ToPem("CERTIFICATE", issued->der));
    folder_.Write("issuing.pem", ToPem("CERTIFICATE", test::Ca().issuing.certificate));
    folder_.Write("root.pem", ToPem("CERTIFICATE", test::Ca().root.certificate));
    return *issued;
  }
  std::string Text() {
    return test::OpenSsl(folder_, "x509 -in leaf.pem -noout -text -nameopt RFC2253").output;
  }
  std::string Verify(const std::string& more = "") {
    return test::OpenSsl(folder_, "verify -x509_strict -purpose sslclient -attime " +
                                      std::to_string(test::Ca().now.seconds()) + " " + more +
                                      " -CAfile root.pem -untrusted issuing.pem leaf.pem")
        .output;
  }

  test::TemporaryFolder folder_;
  DeviceId device_ = test::NewDevice();
  CheckedCsr csr_;
};

TEST_F(IssuerTest, OpenSslVerifiesItStrictly) {
  Issue(PolicyOf());
  EXPECT_EQ(Verify(), "leaf.pem: OK\n");
  EXPECT_EQ(Verify("-verify_hostname " + DeviceName(device_, kZone)), "leaf.pem: OK\n");
  EXPECT_THAT(Verify("-verify_hostname other.iotregistry.test"), HasSubstr("hostname mismatch"));
}

TEST_F(IssuerTest, CarriesTheProfile) {
  const auto issued = Issue(PolicyOf());
  const std::string text = Text();
  const std::string name = DeviceName(device_, kZone);
  EXPECT_THAT(text, HasSubstr("Version: 3 (0x2)"));
  EXPECT_THAT(text, HasSubstr("Subject: CN=" + name + "\n"));
  EXPECT_THAT(text, HasSubstr("Issuer: CN=Test Issuing CA\n"));
  EXPECT_THAT(text, HasSubstr("X509v3 Basic Constraints: critical\n                CA:FALSE\n"));
  EXPECT_THAT(text, HasSubstr("X509v3 Key Usage: critical\n                Digital Signature\n"));
  EXPECT_THAT(text,
              HasSubstr("X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n"));
  EXPECT_THAT(text, HasSubstr("X509v3 Subject Alternative Name: \n                DNS:" + name + "\n"));
  EXPECT_THAT(text, HasSubstr("X509v3 Subject Key Identifier"));
  EXPECT_THAT(text, HasSubstr("X509v3 Authority Key Identifier"));
  EXPECT_THAT(text, HasSubstr("ASN1 OID: prime256v1"));
  EXPECT_THAT(text, Not(HasSubstr("CRL Distribution Points")));
  EXPECT_LT(issued.der.size(), 600u) << "five SMS (reference: size target 554)";
}

// A relying party that follows the certificate's own distribution point is told of its revocation (RFC 5280 §6.3.3).
TEST_F(IssuerTest, OfManyCrlsOneTellsOfItAndItSaysWhich) {
  domain::Policy policy = PolicyOf(kZone, "http://crl.test/crl.pem");
  policy.certificate.crl_shards = 16;
  const auto issued = Issue(policy);
  const std::string url = CrlShardName("http://crl.test/crl.pem", CrlShardOf(issued.serial, 16), 16);
  EXPECT_THAT(Text(), HasSubstr("URI:" + url + "\n"));
  const UtcTime now = test::Ca().now;
  const auto publish = [&](const std::vector<domain::Revocation>& revoked, const std::string& point) {
    const auto crl =
        signing::BuildCrl(*test::Ca().signer, revoked, now, now + std::chrono::hours(24), 7, point);
    ASSERT_TRUE(crl.ok());
    folder_.Write("crl.pem", ToPem("X509 CRL", *crl));
  };
  const std::string check = "-crl_check -CRLfile crl.pem";
  publish({}, url);
  EXPECT_EQ(Verify(check), "leaf.pem: OK\n");
  publish({{issued.serial, now, 4, issued.not_after}}, url);
  EXPECT_THAT(Verify(check), HasSubstr("certificate revoked"));
  publish({{issued.serial, now, 4, issued.not_after}}, "");
  EXPECT_THAT(Verify(check), HasSubstr("certificate revoked")) << "the whole CRL tells of it as well";
  publish({}, CrlShardName("http://crl.test/crl.pem", CrlShardOf(issued.serial, 16) ^ 1, 16));
  EXPECT_THAT(Verify(check), Not(HasSubstr("leaf.pem: OK"))) << "another shard's CRL says nothing of it";
}

TEST_F(IssuerTest, ACrlOfAShardIsNamedBesideTheWholeOne) {
  EXPECT_EQ(CrlShardName("http://crl.test/crl.pem", 3, 16), "http://crl.test/crl-3-of-16.pem");
  EXPECT_EQ(CrlShardName("http://crl.test/crl", 3, 16), "http://crl.test/crl-3-of-16");
  EXPECT_EQ(CrlShardName("pki/crl.pem", 0, 2), "pki/crl-0-of-2.pem");
  EXPECT_EQ(CrlShardName("/var/lib/.crl", 0, 2), "/var/lib/.crl-0-of-2");
}

TEST_F(IssuerTest, SaysWhatItSays) {
  const auto issued = Issue(PolicyOf());
  EXPECT_EQ(issued.sha256, crypto::ToBytes(crypto::Sha256({issued.der})));
  EXPECT_EQ(issued.spki_sha256, csr_.spki_sha256);
  const auto serial = test::OpenSsl(folder_, "x509 -in leaf.pem -noout -serial").output;
  std::string expected = ToHex(issued.serial);
  for (char& c : expected) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(serial, "serial=" + expected + "\n");
  EXPECT_EQ(issued.not_before, test::Ca().now - std::chrono::seconds(300));
  EXPECT_EQ(issued.not_after, test::Ca().now + std::chrono::days(365));
  const auto dates =
      test::OpenSsl(folder_, "x509 -in leaf.pem -noout -startdate -enddate -dateopt iso_8601").output;
  EXPECT_EQ(dates, "notBefore=2026-11-23 11:55:00Z\nnotAfter=2027-11-23 12:00:00Z\n");
}

// The certificate is written by hand: decoding and encoding it again by OpenSSL must change nothing.
TEST_F(IssuerTest, IsTheEncodingOpenSslWouldWrite) {
  const auto issued = Issue(PolicyOf(kZone, "http://crl.iotregistry.test/crl.pem"));
  const std::uint8_t* cursor = issued.der.data();
  const std::unique_ptr<X509, decltype(&X509_free)> x509(
      d2i_X509(nullptr, &cursor, static_cast<long>(issued.der.size())), &X509_free);
  ASSERT_NE(x509, nullptr);
  EXPECT_EQ(cursor, issued.der.data() + issued.der.size());
  unsigned char* encoded = nullptr;
  ASSERT_GT(i2d_re_X509_tbs(x509.get(), &encoded), 0);
  OPENSSL_free(encoded);
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509.get(), &der);
  EXPECT_EQ(Bytes(der, der + size), issued.der);
  OPENSSL_free(der);
  EXPECT_EQ(X509_get_extension_flags(x509.get()) & (EXFLAG_INVALID | EXFLAG_CA | EXFLAG_CRITICAL), 0u);
  EXPECT_EQ(X509_get_key_usage(x509.get()), static_cast<unsigned>(KU_DIGITAL_SIGNATURE));
  EXPECT_EQ(X509_get_extended_key_usage(x509.get()), static_cast<unsigned>(XKU_SSL_CLIENT));
}

TEST_F(IssuerTest, NamesTheCrlWhenThereIsOne) {
  Issue(PolicyOf(kZone, "http://crl.iotregistry.test/crl.pem"));
  EXPECT_THAT(Text(), HasSubstr("URI:http://crl.iotregistry.test/crl.pem"));
  EXPECT_EQ(Verify(), "leaf.pem: OK\n");
}

TEST_F(IssuerTest, LongNamesHaveAnEmptySubjectAndACriticalSan) {
  const std::string zone = "devices.of.a.registry.with.a.long.name.example";
  Issue(PolicyOf(zone));
  EXPECT_THAT(Text(), HasSubstr("Subject: \n"));
  EXPECT_THAT(Text(), HasSubstr("X509v3 Subject Alternative Name: critical\n                DNS:" +
                                DeviceName(device_, zone)));
  EXPECT_EQ(Verify(), "leaf.pem: OK\n");
}

TEST_F(IssuerTest, CommonNameUpToSixtyFourOctets) {
  Issue(PolicyOf("nineteen.chars.test"));  // 45 + 19 = 64
  EXPECT_THAT(Text(), HasSubstr("Subject: CN="));
  Issue(PolicyOf("twenty.characters.io"));
  EXPECT_THAT(Text(), HasSubstr("Subject: \n"));
}

TEST_F(IssuerTest, SerialsArePositiveAndTwentyOctetsWhateverTheRandomness) {
  const auto issuer = Issuer::Create(PolicyOf(), *test::Ca().signer);
  for (std::uint8_t octet : {0x00, 0x7f, 0x80, 0xff}) {
    const domain::Context context{
        test::Ca().now, [octet](std::uint8_t* out, std::size_t size) { std::fill_n(out, size, octet); }};
    const auto issued = issuer->Issue(device_, *CheckCsr(test::MakeCsr()), context);
    ASSERT_TRUE(issued.ok());
    EXPECT_EQ(issued->serial.size(), 20u);
    EXPECT_EQ(issued->serial[0] & 0xc0, 0x40);
    folder_.Write("leaf.pem", ToPem("CERTIFICATE", issued->der));
    EXPECT_EQ(test::OpenSsl(folder_, "x509 -in leaf.pem -noout -serial").output.size(), 7u + 40 + 1);
  }
}

TEST_F(IssuerTest, EndsWithTheIssuingCertificate) {
  domain::Policy policy = PolicyOf();
  policy.certificate.validity = std::chrono::days(20 * 365);
  const auto issued = Issue(policy);
  EXPECT_EQ(issued.not_after, test::Ca().now - std::chrono::hours(1) + std::chrono::days(3650));
  const auto issuer = Issuer::Create(PolicyOf(), *test::Ca().signer);
  domain::Context later = test::Ca().context;
  later.now = test::Ca().now + std::chrono::days(4000);
  const auto expired = issuer->Issue(device_, csr_, later);
  ASSERT_FALSE(expired.ok());
  EXPECT_EQ(expired.error().symbol, "issuer_invalid");
}

TEST_F(IssuerTest, RefusesAZoneOrUrlThatCannotStandInACertificate) {
  for (const auto& policy : {PolicyOf(""), PolicyOf("Not A Zone"),
                             PolicyOf(std::string(60, 'a') + "." + std::string(60, 'b') + "." +
                                      std::string(60, 'c') + "." + std::string(40, 'd')),
                             PolicyOf(kZone, "http://crl with spaces/")}) {
    const auto issuer = Issuer::Create(policy, *test::Ca().signer);
    ASSERT_FALSE(issuer.ok()) << policy.zone;
    EXPECT_EQ(issuer.error().symbol, "issuer_invalid");
  }
}

}  // namespace
}  // namespace registry::csr_sign
