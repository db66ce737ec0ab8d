// Keys in a token of SoftHSM 2, made by registry code and by OpenSC's pkcs11-tool.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "bridge/keys/key_source.h"
#include "tests/support/soft_token.h"
#include "workers/crypto/p256.h"

namespace registry::keys {
namespace {

using testing::HasSubstr;

const auto kDigest = crypto::Sha256({});

class TokenKeyTest : public testing::Test {
 protected:
  void ExpectRefused(const std::string& uri, std::string_view symbol, const std::string& words) {
    const auto key = OpenTokenKey(uri);
    ASSERT_FALSE(key.ok()) << uri;
    EXPECT_EQ(key.error().symbol, symbol) << key.error().message;
    EXPECT_THAT(key.error().message, HasSubstr(words));
  }
  std::string With(std::string uri, const std::string& from, const std::string& to) const {
    const std::size_t at = uri.find(from);
    EXPECT_NE(at, std::string::npos);
    return uri.replace(at, from.size(), to);
  }

  test::SoftToken token_;
};

TEST_F(TokenKeyTest, AKeyMadeHereSignsAndStaysInside) {
  ASSERT_TRUE(GenerateTokenKey(token_.Uri("issuing")).ok());
  const auto key = OpenTokenKey(token_.Uri("issuing"));
  ASSERT_TRUE(key.ok()) << key.error().message;
  const auto signature = (*key)->Sign(kDigest);
  ASSERT_TRUE(signature.ok());
  EXPECT_TRUE(crypto::VerifyP256((*key)->point(), kDigest, *signature));
  EXPECT_TRUE((*key)->Ready().ok());
  EXPECT_EQ(*TokenPoint(token_.Uri("issuing")), (*key)->point());
  const std::string listed = token_.Tool("--list-objects --type privkey").output;
  EXPECT_THAT(listed, HasSubstr("label:      issuing"));
  EXPECT_THAT(listed, HasSubstr("sensitive, always sensitive, never extractable"));
}

TEST_F(TokenKeyTest, AKeyOfPkcs11ToolSignsToo) {
  ASSERT_TRUE(token_.Tool("--keypairgen --key-type EC:prime256v1 --label made --id 0b").ok());
  const auto key = OpenTokenKey(With(token_.Uri("made"), "object=made", "id=%0b"));
  ASSERT_TRUE(key.ok()) << key.error().message;
  EXPECT_TRUE(crypto::VerifyP256((*key)->point(), kDigest, *(*key)->Sign(kDigest)));
}

TEST_F(TokenKeyTest, ManyThreadsSignAtOnceWithTwoKeys) {
  ASSERT_TRUE(GenerateTokenKey(token_.Uri("one")).ok());
  ASSERT_TRUE(GenerateTokenKey(token_.Uri("two")).ok());
  const KeySourcePtr keys[] = {*OpenTokenKey(token_.Uri("one")), *OpenTokenKey(token_.Uri("two"))};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint8_t t = 0; t < 24; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint8_t i = 0; i < 10; ++i) {
        const std::uint8_t message[] = {t, i};
        const auto digest = crypto::Sha256({message});
        const auto signature = keys[i % 2]->Sign(digest);
        if (!signature || !crypto::VerifyP256(keys[i % 2]->point(), digest, *signature)) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(TokenKeyTest, WhatIsWrongWithAUriIsSaid) {
  const std::string good = token_.Uri("issuing");
  ASSERT_TRUE(GenerateTokenKey(good).ok());
  ExpectRefused(With(good, test::SoftToken::kModule, "/usr/lib/none.so"), "token_module", "/usr/lib/none.so");
  ExpectRefused(With(good, test::SoftToken::kModule, "/etc/passwd"), "token_module", "/etc/passwd");
  ExpectRefused(With(good, "token=registry", "token=other"), "token_missing", "it has 'registry'");
  ExpectRefused(With(good, "object=issuing", "object=ksk"), "token_key", "has no such private key");
  ExpectRefused(good.substr(0, good.find("&pin-source")), "token_pin", "pin-source=file:");
  ExpectRefused("pkcs11:object=issuing", "key_uri_invalid", "module-path");
  token_.Initialise("registry");
  ExpectRefused(good, "token_missing", "2 tokens");
}

TEST_F(TokenKeyTest, KeysThatCannotBeUsedAreToldApart) {
  ASSERT_TRUE(token_.Tool("--keypairgen --key-type EC:secp384r1 --label p384 --id 01").ok());
  ExpectRefused(token_.Uri("p384"), "token_key", "not on P-256");
  ASSERT_TRUE(token_.Tool("--keypairgen --key-type rsa:2048 --label rsa --id 02").ok());
  ExpectRefused(token_.Uri("rsa"), "token_key", "no elliptic curve key");
  for (const char* id : {"03", "04"}) {
    ASSERT_TRUE(
        token_.Tool(std::string("--keypairgen --key-type EC:prime256v1 --label twin --id ") + id).ok());
  }
  ExpectRefused(token_.Uri("twin"), "token_key", "say its id too");
  ASSERT_TRUE(token_.Tool("--delete-object --type pubkey --label twin --id 04").ok());
  ExpectRefused(With(token_.Uri("twin"), "object=twin", "id=%04"), "token_key", "no such public key");
}

TEST_F(TokenKeyTest, ANameThatIsTakenIsRefused) {
  ASSERT_TRUE(GenerateTokenKey(token_.Uri("zsk")).ok());
  const auto again = GenerateTokenKey(token_.Uri("zsk"));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().symbol, "token_key");
  EXPECT_THAT(again.error().message, HasSubstr("zsk"));
}

TEST_F(TokenKeyTest, ThePublicKeyNeedsNoPin) {
  const std::string uri = token_.Uri("ksk");
  ASSERT_TRUE(GenerateTokenKey(uri).ok());
  EXPECT_TRUE(TokenPoint(uri.substr(0, uri.find("&pin-source"))).ok());
}

}  // namespace
}  // namespace registry::keys
