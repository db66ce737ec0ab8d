#include "clients/dane/tlsa.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

namespace registry::clients {
namespace {

struct Made {
  Bytes der, spki;
};

Made MakeCertificate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 60);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  Made made;
  std::uint8_t* octets = nullptr;
  int size = i2d_X509(certificate, &octets);
  made.der.assign(octets, octets + size);
  OPENSSL_free(octets);
  octets = nullptr;
  size = i2d_PUBKEY(key, &octets);
  made.spki.assign(octets, octets + size);
  OPENSSL_free(octets);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return made;
}

Bytes Sha256(const Bytes& octets) {
  Bytes out(32);
  SHA256(octets.data(), octets.size(), out.data());
  return out;
}

TEST(Tlsa, FindsTheKeyInACertificate) {
  const Made made = MakeCertificate();
  auto view = CertificateView::Of(made.der);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->spki, made.spki);
}

TEST(Tlsa, RefusesWhatIsNotOneWholeCertificate) {
  const Made made = MakeCertificate();
  Bytes longer = made.der;
  longer.push_back(0);
  EXPECT_EQ(CertificateView::Of(longer).error().symbol, "certificate_malformed");
  for (std::size_t size = 0; size < made.der.size(); ++size) {
    EXPECT_FALSE(
        CertificateView::Of(Bytes(made.der.begin(), made.der.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST(Tlsa, MatchesByCertificateAndByKey) {
  const Made made = MakeCertificate();
  const auto view = *CertificateView::Of(made.der);
  EXPECT_TRUE(Matches({3, 0, 1, Sha256(made.der)}, view));
  EXPECT_TRUE(Matches({3, 1, 1, Sha256(made.spki)}, view));
  EXPECT_TRUE(Matches({3, 0, 0, made.der}, view));
  EXPECT_TRUE(Matches({3, 1, 0, made.spki}, view));
  EXPECT_FALSE(Matches({3, 0, 1, Sha256(made.spki)}, view));
  EXPECT_FALSE(Matches({3, 1, 1, {}}, view));
}

TEST(Tlsa, UnknownParametersNeverMatch) {
  const Made made = MakeCertificate();
  const auto view = *CertificateView::Of(made.der);
  EXPECT_FALSE(Matches({3, 2, 0, made.der}, view));
  EXPECT_FALSE(Matches({3, 0, 3, Sha256(made.der)}, view));
}

// The published pilot record was the hash of the hexadecimal text; a verifier must refuse it.
TEST(Tlsa, RefusesTheHashOfTheHexText) {
  const Made made = MakeCertificate();
  const auto view = *CertificateView::Of(made.der);
  EXPECT_FALSE(Matches({3, 0, 1, Sha256(AsBytes(ToHex(made.der)))}, view));
}

// RFC 7671 §9: whoever can forge SHA-256 gains nothing where SHA-512 is published, too.
TEST(Tlsa, OfSeveralDigestsTheStrongestCounts) {
  const Made made = MakeCertificate();
  const auto view = *CertificateView::Of(made.der);
  Bytes strong(64);
  SHA512(made.der.data(), made.der.size(), strong.data());
  const TlsaRecord weak{3, 0, 1, Sha256(made.der)}, wrong{3, 0, 2, Bytes(64, 1)};
  EXPECT_TRUE(MatchesAny({weak, {3, 0, 2, strong}}, 3, view));
  EXPECT_FALSE(MatchesAny({weak, wrong}, 3, view));
  EXPECT_TRUE(MatchesAny({weak, {3, 1, 2, Bytes(64, 1)}}, 3, view)) << "of another selector";
  EXPECT_TRUE(MatchesAny({weak, {1, 0, 2, Bytes(64, 1)}}, 3, view)) << "of another usage";
  EXPECT_TRUE(MatchesAny({wrong, {3, 0, 0, made.der}}, 3, view)) << "the whole is no digest";
}

TEST(Tlsa, OneOfSeveralSuffices) {
  const Made made = MakeCertificate();
  const auto view = *CertificateView::Of(made.der);
  const std::vector<TlsaRecord> records = {
      {3, 0, 1, Bytes(32, 1)}, {0, 0, 1, Sha256(made.der)}, {3, 1, 1, Sha256(made.spki)}};
  EXPECT_TRUE(MatchesAny(records, 3, view));
  EXPECT_TRUE(MatchesAny(records, 0, view));
  EXPECT_FALSE(MatchesAny(records, 2, view));
}

}  // namespace
}  // namespace registry::clients
