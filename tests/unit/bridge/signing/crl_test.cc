#include "bridge/signing/crl.h"

#include <gmock/gmock.h>

#include "tests/support/device_ca.h"
#include "tests/support/openssl_tool.h"

namespace registry::signing {
namespace {

using testing::HasSubstr;
using testing::Not;

class CrlTest : public testing::Test {
 protected:
  CrlTest() {
    folder_.Write("root.pem", ToPem("CERTIFICATE", test::Ca().root.certificate));
    folder_.Write("issuing.pem", ToPem("CERTIFICATE", test::Ca().issuing.certificate));
  }
  std::string Build(const std::vector<domain::Revocation>& revocations, std::uint64_t number = 7) {
    const auto crl = BuildCrl(*test::Ca().signer, revocations, now_, now_ + std::chrono::hours(24), number);
    EXPECT_TRUE(crl.ok());
    folder_.Write("crl.pem", ToPem("X509 CRL", *crl));
    const auto result = test::OpenSsl(folder_, "crl -in crl.pem -noout -text -CAfile issuing.pem -verify");
    EXPECT_THAT(result.output, HasSubstr("verify OK"));
    return result.output;
  }
  domain::Revocation Revoked(std::uint8_t last, std::uint8_t reason = 5) {
    Bytes serial(20, 0x41);
    serial.back() = last;
    return {serial, now_ - std::chrono::hours(2), reason, now_ + std::chrono::days(30)};
  }

  test::TemporaryFolder folder_;
  UtcTime now_ = test::Ca().now;
};

TEST_F(CrlTest, AnEmptyListIsAList) {
  const std::string text = Build({});
  EXPECT_THAT(text, HasSubstr("Version 2"));
  EXPECT_THAT(text, HasSubstr("No Revoked Certificates"));
  EXPECT_THAT(text, HasSubstr("Issuer: CN = Test Issuing CA"));
  EXPECT_THAT(text, HasSubstr("Last Update: Nov 23 12:00:00 2026 GMT"));
  EXPECT_THAT(text, HasSubstr("Next Update: Nov 24 12:00:00 2026 GMT"));
  EXPECT_THAT(text, HasSubstr("X509v3 CRL Number: \n                7"));
  EXPECT_THAT(text, HasSubstr("X509v3 Authority Key Identifier"));
}

TEST_F(CrlTest, ListsWhatIsRevoked) {
  const std::string text = Build({Revoked(0x01), Revoked(0x02, 0)});
  EXPECT_THAT(text, HasSubstr("Serial Number: 4141414141414141414141414141414141414101"));
  EXPECT_THAT(text, HasSubstr("Revocation Date: Nov 23 10:00:00 2026 GMT"));
  EXPECT_THAT(text, HasSubstr("Cessation Of Operation"));
  EXPECT_THAT(text, HasSubstr("Serial Number: 4141414141414141414141414141414141414102"));
  EXPECT_THAT(text, Not(HasSubstr("Unspecified"))) << "RFC 5280 5.3.1: left out rather than said";
}

// RFC 5280 §3.3: not before it has been on one CRL issued beyond the certificate's validity.
TEST_F(CrlTest, ForgetsExpiredCertificatesOnePeriodLater) {
  auto just_expired = Revoked(0x03), nearly_forgotten = Revoked(0x05), forgotten = Revoked(0x06);
  just_expired.certificate_not_after = now_;
  nearly_forgotten.certificate_not_after = now_ - std::chrono::hours(24) + std::chrono::seconds(1);
  forgotten.certificate_not_after = now_ - std::chrono::hours(24);
  const std::string text = Build({just_expired, nearly_forgotten, forgotten, Revoked(0x04)});
  EXPECT_THAT(text, HasSubstr("41414103"));
  EXPECT_THAT(text, HasSubstr("41414105"));
  EXPECT_THAT(text, Not(HasSubstr("41414106")));
  EXPECT_THAT(text, HasSubstr("41414104"));
}

TEST_F(CrlTest, ItsNumberIsReadBack) {
  const auto crl = [&](std::uint64_t number, std::vector<domain::Revocation> revoked = {}) {
    return *BuildCrl(*test::Ca().signer, revoked, now_, now_, number);
  };
  for (std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{300}, ~std::uint64_t{0} >> 1})
    EXPECT_EQ(CrlNumber(crl(number, {Revoked(1)})), number);
  EXPECT_EQ(CrlNumber(crl(~std::uint64_t{0})), std::nullopt) << "nothing could follow";
  EXPECT_EQ(CrlNumber(test::Ca().issuing.certificate), std::nullopt);
  EXPECT_EQ(CrlNumber({}), std::nullopt);
  Bytes cut = crl(7);
  cut.pop_back();
  EXPECT_EQ(CrlNumber(cut), std::nullopt);
}

TEST_F(CrlTest, AVerifierRefusesTheRevokedCertificate) {
  const auto revoked = CreatePartyCertificate(test::Ca().issuing, *PrivateKey::Generate(),
                                              *PartyId::Parse("device"), {now_, std::chrono::days(30)});
  folder_.Write("leaf.pem", ToPem("CERTIFICATE", *revoked));
  const std::string verify = "verify -crl_check -attime " + std::to_string(now_.seconds() + 60) +
                             " -CAfile root.pem -untrusted issuing.pem -CRLfile crl.pem leaf.pem";
  Build({});
  EXPECT_EQ(test::OpenSsl(folder_, verify).output, "leaf.pem: OK\n");
  std::string serial = test::OpenSsl(folder_, "x509 -in leaf.pem -noout -serial").output.substr(7);
  serial.pop_back();
  Build({{*FromHex(serial), now_, 1, now_ + std::chrono::days(30)}});
  EXPECT_THAT(test::OpenSsl(folder_, verify).output, HasSubstr("certificate revoked"));
}

// RFC 5280 §5.2.5: it says for whom it is, critically, in the words of the certificate's distribution point.
TEST_F(CrlTest, OfAShardSaysWhichDistributionPointItIs) {
  const auto crl = BuildCrl(*test::Ca().signer, {Revoked(1)}, now_, now_ + std::chrono::hours(24), 7,
                            "http://crl.test/crl-3-of-16.pem");
  ASSERT_TRUE(crl.ok());
  folder_.Write("crl.pem", ToPem("X509 CRL", *crl));
  const auto text = test::OpenSsl(folder_, "crl -in crl.pem -noout -text -CAfile issuing.pem -verify").output;
  EXPECT_THAT(text, HasSubstr("verify OK"));
  EXPECT_THAT(text, HasSubstr("X509v3 Issuing Distribution Point: critical"));
  EXPECT_THAT(text, HasSubstr("URI:http://crl.test/crl-3-of-16.pem"));
  EXPECT_EQ(CrlNumber(*crl), 7u);
}

}  // namespace
}  // namespace registry::signing
