// ldns, another reader of RFC 4034 and 6605, judges tags, DS records and signatures.
#include "bridge/zone/keys.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <ldns/ldns.h>
#include <unistd.h>

#include "bridge/zone/key_generate.h"
#include "bridge/zone/rrset.h"
#include "bridge/zone/verifying_key.h"
#include "tests/support/soft_token.h"
#include "tests/unit/bridge/zone/zone_files.h"
#include "workers/crypto/p256.h"

namespace registry::zone::testing {
namespace {

using Rr = std::unique_ptr<ldns_rr, void (*)(ldns_rr*)>;
using RrList = std::unique_ptr<ldns_rr_list, void (*)(ldns_rr_list*)>;

Rr FromText(const std::string& text) {
  ldns_rr* rr = nullptr;
  EXPECT_EQ(ldns_rr_new_frm_str(&rr, text.c_str(), 0, nullptr, nullptr), LDNS_STATUS_OK) << text;
  return {rr, &ldns_rr_free};
}

class ZoneKeysTest : public ::testing::Test {
 protected:
  // An RRset of three records, and its one RRSIG.
  static void ExpectVerified(Sealer sealer, const ldns_rr& dnskey) {
    const Unsigned data = Render({1, 'x'}, kTypeTxt, 60, {{2, 'b', 'b'}, {1, 'c'}, {1, 'a'}});
    Bytes message = {0, 1, 0x84, 0, 0, 1, 0, 4, 0, 0, 0, 0};
    Put(message, *NameFromText(kZone));
    Put(message, Bytes{0, 16, 0, 1});
    Put(message, sealer.Seal(data, SystemClock().Now())->wire());
    ldns_pkt* packet = nullptr;
    ASSERT_EQ(ldns_wire2pkt(&packet, message.data(), message.size()), LDNS_STATUS_OK);
    const RrList answer(ldns_rr_list_clone(ldns_pkt_answer(packet)), &ldns_rr_list_deep_free);
    ldns_pkt_free(packet);
    const Rr rrsig(ldns_rr_list_pop_rr(answer.get()), &ldns_rr_free);
    const Rr key(ldns_rr_clone(&dnskey), &ldns_rr_free);
    EXPECT_EQ(ldns_verify_rrsig(answer.get(), rrsig.get(), key.get()), LDNS_STATUS_OK);
  }
  ZoneFiles files_;
};

TEST_F(ZoneKeysTest, Rfc4034_KeyTagAndDsAgreeWithLdns) {
  const auto key = LoadZoneKey(files_.path("ksk.pem"), kKskFlags);
  ASSERT_TRUE(key.ok());
  const Rr dnskey = FromText(*DnskeyText(kZone, files_.path("ksk.pem"), kKskFlags));
  EXPECT_EQ(ldns_calc_keytag(dnskey.get()), key->tag);
  const Rr ds = FromText(*DsText(kZone, files_.path("ksk.pem")));
  const Rr expected(ldns_key_rr2ds(dnskey.get(), LDNS_SHA256), &ldns_rr_free);
  EXPECT_EQ(ldns_rr_compare(ds.get(), expected.get()), 0);
}

TEST_F(ZoneKeysTest, Rfc6605_SignaturesOfSeveralRecordsVerifyWithLdns) {
  SigningProfile profile{*NameFromText(kZone),
                         {*LoadZoneKey(files_.path("ksk.pem"), kKskFlags)},
                         {*LoadZoneKey(files_.path("zsk.pem"), kZskFlags)}};
  Sealer sealer(profile);
  const UtcTime now = SystemClock().Now();
  const Unsigned data = Render({1, 'x'}, kTypeTxt, 60, {{2, 'b', 'b'}, {1, 'c'}, {1, 'a'}, {1, 'a'}});
  EXPECT_EQ(data.count, 3);
  const BlockPtr block = sealer.Seal(data, now);
  Bytes message = {0, 1, 0x84, 0, 0, 1, 0, 4, 0, 0, 0, 0};
  Put(message, profile.zone);
  Put(message, Bytes{0, 16, 0, 1});
  Put(message, block->wire());
  ldns_pkt* packet = nullptr;
  ASSERT_EQ(ldns_wire2pkt(&packet, message.data(), message.size()), LDNS_STATUS_OK);
  const RrList answer(ldns_rr_list_clone(ldns_pkt_answer(packet)), &ldns_rr_list_deep_free);
  ldns_pkt_free(packet);
  const Rr rrsig(ldns_rr_list_pop_rr(answer.get()), &ldns_rr_free);
  const Rr zsk = FromText(*DnskeyText(kZone, files_.path("zsk.pem"), kZskFlags));
  EXPECT_EQ(ldns_verify_rrsig(answer.get(), rrsig.get(), zsk.get()), LDNS_STATUS_OK);
  const Rr ksk = FromText(*DnskeyText(kZone, files_.path("ksk.pem"), kKskFlags));
  EXPECT_NE(ldns_verify_rrsig(answer.get(), rrsig.get(), ksk.get()), LDNS_STATUS_OK);
}

TEST_F(ZoneKeysTest, AKeyInATokenSignsAsOneInAFileDoes) {
  const test::SoftToken token;
  ASSERT_TRUE(keys::GenerateTokenKey(token.Uri("ksk")).ok());
  const auto key = LoadZoneKey(token.Uri("ksk"), kKskFlags);
  ASSERT_TRUE(key.ok()) << key.error().message;
  EXPECT_EQ(PublicZoneKey(token.Uri("ksk"), kKskFlags)->dnskey, key->dnskey);
  const Rr dnskey = FromText(*DnskeyText(kZone, token.Uri("ksk"), kKskFlags));
  EXPECT_EQ(ldns_calc_keytag(dnskey.get()), key->tag);
  SigningProfile profile{*NameFromText(kZone), {*key}, {*key}};
  const UtcTime now = SystemClock().Now();
  const auto block = Sealer(profile).Seal(Render({}, kTypeDnskey, 3600, {key->dnskey}), now);
  EXPECT_FALSE(profile.patience->missed());
  EXPECT_GT(block->expires(), now.seconds());
  EXPECT_EQ(LoadZoneKey(token.Uri("zsk"), kZskFlags).error().symbol, "token_key");
}

// RFC 6605, RFC 8080: each algorithm's key is made, read again, and signs as ldns verifies it.
TEST_F(ZoneKeysTest, EveryAlgorithmSignsAsLdnsVerifies) {
  for (const Algorithm& algorithm : kAlgorithms) {
    const std::string name(algorithm.name), file = files_.path(name + ".pem");
    ASSERT_TRUE(CreateKeyFileOf(algorithm.number, file).ok());
    EXPECT_EQ(CreateKeyFileOf(algorithm.number, file).error().symbol, "file_exists");
    const auto key = LoadZoneKey(file, kZskFlags);
    ASSERT_TRUE(key.ok()) << key.error().message;
    EXPECT_EQ(key->algorithm(), algorithm.number);
    EXPECT_EQ(PublicZoneKey(file, kZskFlags)->dnskey, key->dnskey);
    const Rr dnskey = FromText(*DnskeyText(kZone, file, kZskFlags));
    EXPECT_EQ(ldns_calc_keytag(dnskey.get()), key->tag) << name;
    const Rr ksk = FromText(*DnskeyText(kZone, file, kKskFlags));
    const Rr expected(ldns_key_rr2ds(ksk.get(), LDNS_SHA256), &ldns_rr_free);
    EXPECT_EQ(ldns_rr_compare(FromText(*DsText(kZone, file)).get(), expected.get()), 0) << name;
    const VerifyingKey verifying(key->dnskey);
    KeySigner signer(*key, std::make_shared<KeyPatience>());
    for (std::uint8_t i = 0; i < 20; ++i) {
      const Bytes message{i, 1, 2}, signature = signer.Sign(message);
      EXPECT_EQ(signature.size(), algorithm.signature_size);
      EXPECT_TRUE(verifying.Verifies(message, signature)) << name;
      EXPECT_FALSE(verifying.Verifies(Bytes{i, 1, 3}, signature)) << name;
    }
    ExpectVerified(Sealer({*NameFromText(kZone), {*key}, {*key}}), *dnskey);
  }
  EXPECT_FALSE(VerifyingKey(Bytes{1, 0, 3, 8, 1, 2, 3}));
  EXPECT_EQ(CreateKeyFileOf(8, files_.path("rsa.pem")).error().symbol, "zone_key_unsuitable");
}

// A key that is away: nobody is there to bring it back, so what waits for it ends when it is given up.
class KeyThatIsAway final : public keys::KeySource {
 public:
  explicit KeyThatIsAway(const keys::KeySource& real, int tries)
      : KeySource(real.point()), real_(real), tries_(tries) {}
  Result<Bytes> Sign(const crypto::Sha256Digest& digest) const override {
    if (tries_-- > 0) return Error::Make(Code::kFailed, "key_unavailable", "the token was pulled");
    return real_.Sign(digest);
  }

 private:
  const keys::KeySource& real_;
  mutable int tries_;
};

TEST_F(ZoneKeysTest, ASignatureWaitsForItsKey) {
  const auto key = *LoadZoneKey(files_.path("zsk.pem"), kZskFlags);
  ZoneKey away = key;
  away.source = std::make_shared<KeyThatIsAway>(*key.source, 2);
  const auto patience = std::make_shared<KeyPatience>();
  EXPECT_NE(KeySigner(away, patience).Sign(Bytes{1}), Bytes(64));
  EXPECT_FALSE(patience->missed());

  away.source = std::make_shared<KeyThatIsAway>(*key.source, 1'000'000);
  patience->GiveUp();
  EXPECT_EQ(KeySigner(away, patience).Sign(Bytes{1}), Bytes(64));
  EXPECT_TRUE(patience->missed());
}

// RFC 6605 §4: r and s keep their leading zeros, which a DER signature drops every 256th time.
TEST_F(ZoneKeysTest, Rfc6605_ManySignaturesOfOneContextVerify) {
  const auto key = LoadZoneKey(files_.path("zsk.pem"), kZskFlags);
  KeySigner signer(*key, std::make_shared<KeyPatience>());
  int with_leading_zero = 0;
  for (int i = 0; i < 1500; ++i) {
    const Bytes message{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
    const Bytes signature = signer.Sign(message);
    with_leading_zero += signature[0] == 0 || signature[32] == 0 ? 1 : 0;
    ECDSA_SIG* pair = ECDSA_SIG_new();
    ECDSA_SIG_set0(pair, BN_bin2bn(signature.data(), 32, nullptr),
                   BN_bin2bn(signature.data() + 32, 32, nullptr));
    std::uint8_t* der = nullptr;
    const int size = i2d_ECDSA_SIG(pair, &der);
    EXPECT_TRUE(crypto::VerifyP256(key->source->point(), crypto::Sha256({message}),
                                   {der, static_cast<std::size_t>(size)}));
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
  }
  EXPECT_GT(with_leading_zero, 0);
}

TEST_F(ZoneKeysTest, KeysOthersMayReadAreRefused) {
  chmod(files_.path("ksk.pem").c_str(), 0640);
  EXPECT_EQ(LoadZoneKey(files_.path("ksk.pem"), kKskFlags).error().symbol, "zone_key_exposed");
}

// What OpenSSL would ask for lies ready on standard input, where it looks when there is no terminal.
TEST_F(ZoneKeysTest, EncryptedKeyIsRefusedAndNobodyIsAsked) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  std::FILE* file = std::fopen(files_.path("locked.pem").c_str(), "w");
  ASSERT_TRUE(key != nullptr && file != nullptr && fchmod(fileno(file), 0600) == 0);
  char passphrase[] = "secret";
  ASSERT_EQ(PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(), passphrase, 6, nullptr, nullptr), 1);
  std::fclose(file);
  EVP_PKEY_free(key);
  std::ofstream(files_.path("typed")) << "secret\n";
  const int before = dup(STDIN_FILENO), typed = open(files_.path("typed").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(dup2(typed, STDIN_FILENO), 0);
  const auto loaded = LoadZoneKey(files_.path("locked.pem"), kKskFlags);
  const off_t read = lseek(typed, 0, SEEK_CUR);
  dup2(before, STDIN_FILENO);
  close(before);
  close(typed);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().symbol, "zone_key_unreadable");
  EXPECT_EQ(read, 0) << "nothing was asked for";
}

TEST_F(ZoneKeysTest, MissingBrokenAndUnsuitableKeysAreToldApart) {
  EXPECT_EQ(LoadZoneKey(files_.path("none.pem"), kKskFlags).error().symbol, "zone_key_unreadable");
  std::ofstream(files_.path("broken.pem"))
      << "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
  chmod(files_.path("broken.pem").c_str(), 0600);
  EXPECT_EQ(LoadZoneKey(files_.path("broken.pem"), kKskFlags).error().symbol, "zone_key_unreadable");
  files_.WriteKey("p521.pem", "P-521");
  EXPECT_EQ(LoadZoneKey(files_.path("p521.pem"), kKskFlags).error().symbol, "zone_key_unsuitable");
}

}  // namespace
}  // namespace registry::zone::testing
