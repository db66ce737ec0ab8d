// A program of its own, because it changes OpenSSL for the whole process.
#include "simulators/crypto/narrow_openssl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace {

template <auto Free>
struct Freeing {
  void operator()(auto* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freeing<EVP_PKEY_CTX_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freeing<SSL_free>>;

class NarrowOpensslTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { narrowed_ = registry::sim::NarrowOpenssl(); }
  void SetUp() override { ASSERT_TRUE(narrowed_); }
  static inline bool narrowed_ = false;
};

Key Decoded(const Key& key) {
  std::uint8_t* octets = nullptr;
  const int size = i2d_PUBKEY(key.get(), &octets);
  const std::uint8_t* at = octets;
  Key decoded(size > 0 ? d2i_PUBKEY(nullptr, &at, size) : nullptr);
  OPENSSL_free(octets);
  return decoded;
}

Certificate SelfSigned(const Key& key) {
  Certificate certificate(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return certificate;
}

Context ContextOf(const SSL_METHOD* method, const Key& key, const Certificate& certificate) {
  Context context(SSL_CTX_new(method));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_use_certificate(context.get(), certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(
      context.get(), [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
  return context;
}

TEST_F(NarrowOpensslTest, TheNarrowProviderIsTheOnlyOne) {
  EXPECT_EQ(OSSL_PROVIDER_available(nullptr, "narrow"), 1);
  EXPECT_EQ(OSSL_PROVIDER_available(nullptr, "default"), 0);
}

TEST_F(NarrowOpensslTest, KeysThatCertificatesHoldAreDecoded) {
  for (const Key& key : {Key(EVP_EC_gen("P-256")), Key(EVP_EC_gen("P-384")), Key(EVP_RSA_gen(2048)),
                         Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")),
                         Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"))}) {
    ASSERT_TRUE(key);
    const Key decoded = Decoded(key);
    ASSERT_TRUE(decoded) << EVP_PKEY_get0_type_name(key.get());
    EXPECT_EQ(EVP_PKEY_eq(key.get(), decoded.get()), 1) << EVP_PKEY_get0_type_name(key.get());
  }
}

TEST_F(NarrowOpensslTest, OtherKindsOfKeysAreNotThere) {
  for (const char* kind : {"DH", "DHX", "DSA", "SM2", "X448"}) {
    EXPECT_FALSE(KeyContext(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr))) << kind;
  }
  ERR_clear_error();
}

TEST_F(NarrowOpensslTest, TwoEndsWithCertificatesShakeHands) {
  for (const Key& key : {Key(EVP_EC_gen("P-256")), Key(EVP_RSA_gen(2048)),
                         Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))}) {
    const bool no_digest = EVP_PKEY_is_a(key.get(), "ED25519") == 1;
    Certificate certificate = SelfSigned(key);
    if (no_digest) X509_sign(certificate.get(), key.get(), nullptr);
    const Context server = ContextOf(TLS_server_method(), key, certificate);
    const Context client = ContextOf(TLS_client_method(), key, certificate);
    const Session accepting(SSL_new(server.get())), connecting(SSL_new(client.get()));
    BIO *one = nullptr, *other = nullptr;
    ASSERT_EQ(BIO_new_bio_pair(&one, 65536, &other, 65536), 1);
    SSL_set_bio(accepting.get(), one, one);
    SSL_set_bio(connecting.get(), other, other);
    for (int flight = 0; flight < 3; ++flight) {
      SSL_connect(connecting.get());
      SSL_accept(accepting.get());
    }
    EXPECT_EQ(SSL_is_init_finished(connecting.get()), 1) << EVP_PKEY_get0_type_name(key.get());
    EXPECT_EQ(SSL_is_init_finished(accepting.get()), 1) << EVP_PKEY_get0_type_name(key.get());
    EXPECT_STREQ(SSL_get_version(connecting.get()), "TLSv1.3");
  }
}

}  // namespace
