// Both CMS layers, judged by the openssl program: it verifies, decrypts, and refuses what has been touched.
#include "workers/payload_push/cms.h"

#include <gmock/gmock.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <rapidcheck/gtest.h>

#include "tests/support/csr_maker.h"
#include "tests/support/device_ca.h"
#include "tests/support/openssl_tool.h"
#include "workers/crypto/der_reader.h"
#include "workers/crypto/digest.h"

namespace registry::payload_push {
namespace {

using testing::HasSubstr;

// What a device holds: its key-agreement key, and a certificate only because the openssl program names keys by one.
struct Recipient {
  test::Key key = test::NewEcKey();
  Bytes point = test::PointOf(key);

  std::string KeyPem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
  }
};

class CmsTest : public testing::Test {
 protected:
  CmsTest() {
    folder_.Write("root.pem", ToPem("CERTIFICATE", test::Ca().root.certificate));
    folder_.Write("issuing.pem", ToPem("CERTIFICATE", test::Ca().issuing.certificate));
    folder_.Write("device.key", device_.KeyPem());
  }
  Bytes Seal(const std::string& content) { return *Encrypt(AsBytes(content), device_.point); }
  Bytes Protect(const std::string& content) {
    return *SignContent(Seal(content), *test::Ca().signer, test::Ca().now);
  }
  test::Ran Verify(const Bytes& cms) {
    folder_.Write("signed.der", cms);
    return test::OpenSsl(
        folder_,
        "cms -verify -binary -inform DER -in signed.der -out inner.der -certfile issuing.pem "
        "-CAfile root.pem -attime " +
            std::to_string(test::Ca().now.seconds()));
  }
  test::Ran Decrypt(const std::string& file, const std::string& key = "device.key") {
    return test::OpenSsl(folder_,
                         "cms -decrypt -binary -inform DER -in " + file + " -inkey " + key + " -out plain");
  }

  test::TemporaryFolder folder_;
  Recipient device_;
};

TEST_F(CmsTest, OpenSslVerifiesAndDecrypts) {
  for (const std::string& content :
       {std::string("{\"version\":1}"), std::string(3000, 'x'), std::string("z")}) {
    const auto verified = Verify(Protect(content));
    ASSERT_TRUE(verified.ok()) << verified.output;
    const auto decrypted = Decrypt("inner.der");
    ASSERT_TRUE(decrypted.ok()) << decrypted.output;
    EXPECT_EQ(folder_.Read("plain"), content);
  }
}

TEST_F(CmsTest, HasTheStructureItPromises) {
  folder_.Write("signed.der", Protect("content"));
  const std::string outer = test::OpenSsl(folder_, "cms -cmsout -print -inform DER -in signed.der").output;
  EXPECT_THAT(outer, HasSubstr("pkcs7-signedData"));
  EXPECT_THAT(outer, HasSubstr("d.subjectKeyIdentifier"));
  EXPECT_THAT(outer, HasSubstr("algorithm: ecdsa-with-SHA256"));
  EXPECT_THAT(outer, HasSubstr("certificates:\n      <ABSENT>"));
  EXPECT_THAT(outer, HasSubstr("signingTime"));
  EXPECT_THAT(outer, HasSubstr("UTCTIME:Nov 23 12:00:00 2026 GMT"));
  EXPECT_THAT(outer, HasSubstr("messageDigest"));
  folder_.Write("inner.der", Seal("content"));
  const std::string inner = test::OpenSsl(folder_, "cms -cmsout -print -inform DER -in inner.der").output;
  EXPECT_THAT(inner, HasSubstr("id-smime-ct-authEnvelopedData"));
  EXPECT_THAT(inner, HasSubstr("dhSinglePass-stdDH-sha256kdf-scheme"));
  EXPECT_THAT(inner, HasSubstr("d.rKeyId"));
  EXPECT_THAT(inner, HasSubstr("algorithm: aes-128-gcm"));
}

TEST_F(CmsTest, IsStrictDerAndSmall) {
  const Bytes cms = Protect(std::string(2000, 'x'));
  EXPECT_TRUE(crypto::IsStrictDer(cms));
  EXPECT_LT(cms.size(), 2600u) << "the frame of both layers together is about 565 octets";
}

TEST_F(CmsTest, NothingIsUsedTwice) {
  const Bytes first = Seal("same"), second = Seal("same");
  EXPECT_NE(first, second);
  EXPECT_NE(Bytes(first.end() - 40, first.end()), Bytes(second.end() - 40, second.end()));
}

TEST_F(CmsTest, AnotherDeviceCannotOpenIt) {
  folder_.Write("other.key", Recipient().KeyPem());
  folder_.Write("inner.der", Seal("content"));
  EXPECT_FALSE(Decrypt("inner.der", "other.key").ok());
  EXPECT_NE(folder_.Read("plain"), "content");
}

TEST_F(CmsTest, OnlyTheRegistrysSignatureCounts) {
  const auto stranger = *signing::CreateRoot("Stranger CA", {test::Ca().now});
  const auto signer = *signing::MakeSigner(stranger.key, stranger.certificate);
  EXPECT_FALSE(Verify(*SignContent(Seal("content"), *signer, test::Ca().now)).ok());
}

TEST_F(CmsTest, EveryChangedPartIsNoticed) {
  const Bytes good = Protect("content that matters");
  ASSERT_TRUE(Verify(good).ok());
  // One octet in the content, in the signed attributes and in the signature.
  for (std::size_t at : {good.size() / 2, good.size() - 120, good.size() - 10}) {
    Bytes bad = good;
    bad[at] ^= 1;
    EXPECT_FALSE(Verify(bad).ok()) << at;
  }
}

TEST_F(CmsTest, TamperedCiphertextDoesNotDecrypt) {
  const Bytes good = Seal("content that matters");
  for (std::size_t back : {1u, 16u, 20u, 30u}) {  // tag and ciphertext
    Bytes bad = good;
    bad[bad.size() - back] ^= 1;
    folder_.Write("bad.der", bad);
    EXPECT_FALSE(Decrypt("bad.der").ok()) << back;
  }
}

TEST_F(CmsTest, NoPayloadForAPointOffTheCurve) {
  Bytes off = device_.point;
  off[12] ^= 1;
  const auto refused = Encrypt(AsBytes("content"), off);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "payload_failed");
}

std::optional<Bytes> OpenWithLibcrypto(const Bytes& sealed, const test::Key& key) {
  const std::uint8_t* cursor = sealed.data();
  const std::unique_ptr<CMS_ContentInfo, decltype(&CMS_ContentInfo_free)> cms(
      d2i_CMS_ContentInfo(nullptr, &cursor, static_cast<long>(sealed.size())), &CMS_ContentInfo_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  const bool opened = cms && CMS_decrypt_set1_pkey(cms.get(), key.get(), nullptr) == 1 &&
                      CMS_decrypt(cms.get(), nullptr, nullptr, nullptr, out.get(), CMS_BINARY) == 1;
  if (!opened) return std::nullopt;
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return Bytes(text, text + size);
}

// Many keys and lengths through OpenSSL's library: a leading zero in a coordinate or a secret must not matter.
RC_GTEST_PROP(CmsProperty, LibcryptoDecryptsWhatWasSealed, (const Bytes& content)) {
  const Recipient recipient;
  const auto sealed = Encrypt(content, recipient.point);
  RC_ASSERT(sealed.ok());
  RC_ASSERT(OpenWithLibcrypto(*sealed, recipient.key) == content);
}

}  // namespace
}  // namespace registry::payload_push
