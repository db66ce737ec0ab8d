#include "clients/conformance/certify.h"

#include <gtest/gtest.h>

#include "tests/support/csr_maker.h"

namespace registry::conformance {
namespace {

std::string SymbolOf(const std::string& text) {
  const auto csr = ReadCsr(text);
  return csr ? "" : csr.error().symbol;
}

TEST(ReadCsr, TakesPemAndBase64OfTheSameRequest) {
  const test::Key key = test::NewEcKey();
  test::CsrOptions options;
  options.key = key;
  const Bytes der = test::MakeCsr(options);
  for (const std::string& text :
       {ToBase64(der), ToPem("CERTIFICATE REQUEST", der), ToPem("NEW CERTIFICATE REQUEST", der)}) {
    const auto csr = ReadCsr(text);
    ASSERT_TRUE(csr.ok()) << csr.error().symbol;
    EXPECT_EQ(csr->public_key, test::PublicKeyInfo(key));
  }
}

TEST(ReadCsr, RefusesWhatTheContractRefuses) {
  test::CsrOptions other_curve, rsa;
  other_curve.key = test::NewEcKey("P-384");
  rsa.key = test::NewRsaKey();
  EXPECT_EQ(SymbolOf(""), "csr_malformed");
  EXPECT_EQ(SymbolOf("no base64 !"), "csr_malformed");
  EXPECT_EQ(SymbolOf(ToBase64(test::MakeCsr(other_curve))), "csr_key_type");
  EXPECT_EQ(SymbolOf(ToBase64(test::MakeCsr(rsa))), "csr_key_type");
  Bytes longer = test::MakeCsr({});
  longer.push_back(0);
  EXPECT_EQ(SymbolOf(ToBase64(longer)), "csr_malformed");
  Bytes forged = test::MakeCsr({});
  forged[forged.size() - 1] ^= 1;  // of the signature's s
  EXPECT_EQ(SymbolOf(ToBase64(forged)), "csr_signature_invalid");
}

TEST(CertificateFor, IsForTheKeyOfTheRequest) {
  const auto csr = ReadCsr(ToBase64(test::MakeCsr({})));
  ASSERT_TRUE(csr.ok());
  const auto device = DeviceId::Parse("0b5e4c1e-8f0a-4c39-9a51-2b1f3c4d5e6f");
  const auto issued = CertificateFor(*csr, *device, device->text() + "._device.iot.example");
  ASSERT_TRUE(issued.ok()) << issued.error().message;
  const unsigned char* at = issued->certificate.data();
  const std::unique_ptr<X509, void (*)(X509*)> certificate(
      d2i_X509(nullptr, &at, static_cast<long>(issued->certificate.size())), X509_free);
  ASSERT_NE(certificate, nullptr);
  const test::Key key(X509_get_pubkey(certificate.get()), EVP_PKEY_free);
  EXPECT_EQ(test::PublicKeyInfo(key), csr->public_key);
}

}  // namespace
}  // namespace registry::conformance
