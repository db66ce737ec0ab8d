#include "workers/crypto/p256.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/support/csr_maker.h"
#include "tests/support/device_ca.h"
#include "workers/crypto/issuer.h"

namespace registry::crypto {
namespace {

Bytes SignDigest(const test::Key& key, const Sha256Digest& digest) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(key.get(), nullptr), &EVP_PKEY_CTX_free);
  Bytes signature(72);
  std::size_t size = signature.size();
  REG_CHECK(EVP_PKEY_sign_init(context.get()) == 1);
  REG_CHECK(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) == 1);
  signature.resize(size);
  return signature;
}

TEST(P256, PointOnCurve) { EXPECT_TRUE(IsOnP256(test::PointOf(test::NewEcKey()))); }

TEST(P256, PointNotOnCurve) {
  for (std::size_t at : {1u, 32u, 33u, 64u}) {
    Bytes point = test::PointOf(test::NewEcKey());
    point[at] ^= 1;
    EXPECT_FALSE(IsOnP256(point)) << at;
  }
}

TEST(P256, PointForms) {
  const Bytes point = test::PointOf(test::NewEcKey());
  Bytes compressed(point.begin(), point.begin() + 33);
  compressed[0] = 0x02 | (point[64] & 1);
  EXPECT_FALSE(IsOnP256(compressed));
  Bytes hybrid = point;
  hybrid[0] = 0x06 | (point[64] & 1);
  EXPECT_FALSE(IsOnP256(hybrid));
  EXPECT_EQ(UncompressedP256(point), point);
  EXPECT_EQ(UncompressedP256(compressed), point);
  Bytes other = compressed;
  other[0] ^= 1;
  const auto mirrored = UncompressedP256(other);
  ASSERT_TRUE(mirrored);
  EXPECT_NE(*mirrored, point) << "the other Y";
  EXPECT_TRUE(IsOnP256(*mirrored));
  for (const Bytes& wrong : {hybrid, Bytes{}, Bytes{0}, Bytes(33, 0xff), Bytes(33, 0x04), Bytes(65, 0x02)})
    EXPECT_EQ(UncompressedP256(wrong), std::nullopt);
  EXPECT_FALSE(IsOnP256({}));
  EXPECT_FALSE(IsOnP256(Bytes{0})) << "infinity";
  Bytes zero(65, 0);
  zero[0] = 4;
  EXPECT_FALSE(IsOnP256(zero));
  Bytes beyond_p(65, 0xff);  // coordinates above p
  beyond_p[0] = 4;
  EXPECT_FALSE(IsOnP256(beyond_p));
}

TEST(P256, VerifiesOneKeyAfterAnother) {
  const auto digest = Sha256({AsBytes("message")});
  const test::Key a = test::NewEcKey(), b = test::NewEcKey();
  const Bytes by_a = SignDigest(a, digest), by_b = SignDigest(b, digest);
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(VerifyP256(test::PointOf(a), digest, by_a));
    EXPECT_FALSE(VerifyP256(test::PointOf(a), digest, by_b));
    EXPECT_TRUE(VerifyP256(test::PointOf(b), digest, by_b));
    EXPECT_FALSE(VerifyP256(test::PointOf(b), digest, by_a));
    Bytes off = test::PointOf(a);
    off[10] ^= 1;
    EXPECT_FALSE(VerifyP256(off, digest, by_a)) << "and the slot recovers from a bad point";
    EXPECT_FALSE(VerifyP256(test::PointOf(a), Sha256({AsBytes("other")}), by_a));
    EXPECT_FALSE(VerifyP256(test::PointOf(a), digest, {}));
  }
}

TEST(P256, ManyThreadsShareNothing) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&wrong] {
      const test::Key key = test::NewEcKey();
      const Bytes point = test::PointOf(key);
      for (std::uint8_t i = 0; i < 50; ++i) {
        const Bytes message{i};
        const auto digest = Sha256({message});
        if (!VerifyP256(point, digest, SignDigest(key, digest)) || !AgreeP256(point)) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(P256, AgreesWithOpenSsl) {
  const test::Key recipient = test::NewEcKey();
  const auto agreement = AgreeP256(test::PointOf(recipient));
  ASSERT_TRUE(agreement);
  const test::Key ephemeral = test::NewEcKey();
  REG_CHECK(EVP_PKEY_set1_encoded_public_key(ephemeral.get(), agreement->ephemeral.data(),
                                             agreement->ephemeral.size()) == 1);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(recipient.get(), nullptr), &EVP_PKEY_CTX_free);
  REG_CHECK(EVP_PKEY_derive_init(context.get()) == 1 &&
            EVP_PKEY_derive_set_peer(context.get(), ephemeral.get()) == 1);
  std::array<std::uint8_t, 32> secret{};
  std::size_t size = secret.size();
  ASSERT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &size), 1);
  EXPECT_EQ(secret, agreement->secret);
  EXPECT_NE(AgreeP256(test::PointOf(recipient))->ephemeral, agreement->ephemeral) << "ephemeral means once";
}

TEST(P256, NoAgreementWithAPointOffTheCurve) {
  Bytes point = test::PointOf(test::NewEcKey());
  point[40] ^= 0x10;
  EXPECT_FALSE(AgreeP256(point));
}

TEST(P256, PublicKeyInfoIsOpenSsls) {
  const test::Key key = test::NewEcKey();
  EXPECT_EQ(P256PublicKeyInfo(test::PointOf(key)), test::PublicKeyInfo(key));
}

TEST(Issuer, FieldsOfACaCertificate) {
  const auto fields = ReadIssuer(test::Ca().issuing.certificate);
  ASSERT_TRUE(fields.ok());
  EXPECT_EQ(fields->public_key, test::Ca().issuing.key.point());
  EXPECT_EQ(fields->not_before, test::Ca().now - std::chrono::hours(1));
  EXPECT_EQ(fields->not_after, test::Ca().now - std::chrono::hours(1) + std::chrono::days(3650));
  EXPECT_EQ(fields->key_id.size(), 20u);
}

TEST(Issuer, RefusesWhatIsNoCertificate) {
  const Bytes& good = test::Ca().issuing.certificate;
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ReadIssuer(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))).ok())
        << size;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(ReadIssuer(longer).ok());
}

}  // namespace
}  // namespace registry::crypto
