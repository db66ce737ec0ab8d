// Conversations as real IoT SAFE stacks hold them, octet by octet.
#include "simulators/euicc/applet.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "simulators/euicc/euicc.h"

namespace registry::sim {
namespace {

constexpr const char* kDigest =
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";  // of "hello"

// ECDSA over a digest, judged by OpenSSL from the octets alone.
bool Verifies(const Bytes& point, const Bytes& digest, const Bytes& raw) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  EVP_PKEY_set1_encoded_public_key(key, point.data(), point.size());
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(raw.data(), 32, nullptr), BN_bin2bn(raw.data() + 32, 32, nullptr));
  std::uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
  EVP_PKEY_verify_init(context);
  const int ok = EVP_PKEY_verify(context, der, static_cast<std::size_t>(size), digest.data(), digest.size());
  EVP_PKEY_CTX_free(context);
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  EVP_PKEY_free(key);
  return ok == 1;
}

class AppletTest : public ::testing::Test {
 protected:
  std::string Say(const std::string& hex) { return ToHex(card_->applet().Transmit(*FromHex(hex))); }
  void Select() {
    ASSERT_EQ(Say("0070000001"), "019000");
    ASSERT_EQ(Say("01a4040007a0000005590010"), "9000");
  }
  // The 65 octets behind the fixed head of a public key answer.
  static Bytes PointIn(const std::string& answer, const std::string& head) {
    EXPECT_EQ(answer.substr(0, head.size()), head);
    return *FromHex(answer.substr(head.size(), 130));
  }
  Bytes Generate() {
    return PointIn(Say("01b90000038401"
                       "01"
                       "00"),
                   "840101850101"
                   "34454943"
                   "8641");
  }

  std::unique_ptr<Euicc> card_ = Euicc::Make();
};

TEST_F(AppletTest, OpensAndClosesChannelsAsMiddlewareExpects) {
  EXPECT_EQ(Say("0070000001"), "019000");
  EXPECT_EQ(Say("0070000001"), "029000");
  EXPECT_EQ(Say("0170800100"), "9000");
  EXPECT_EQ(Say("0170800100"), "6a86") << "closing until it fails must end";
  EXPECT_EQ(Say("0070000001"), "019000") << "the channel is free again";
}

TEST_F(AppletTest, SelectsOnlyItsOwnName) {
  ASSERT_EQ(Say("0070000001"), "019000");
  EXPECT_EQ(Say("01a4040007a0000002480400"), "6a82");
  EXPECT_EQ(Say("01cb000044"), "6d00") << "nothing is selected";
  EXPECT_EQ(Say("02a4040007a0000005590010"), "6881") << "channel 2 is not open";
}

TEST_F(AppletTest, GeneratesAndReadsBackTheSigningKey) {
  Select();
  EXPECT_EQ(Say("01cd000003850101"), "6985") << "empty until generated";
  const Bytes point = Generate();
  EXPECT_EQ(PointIn(Say("01cd000003850101"),
                    "34454943"
                    "8641"),
            point);
  EXPECT_NE(Generate(), point) << "a new pair each time";
  EXPECT_EQ(Say("01b9000003840"
                "10b"
                "00"),
            "6985")
      << "the agreement key is never replaced";
  EXPECT_EQ(Say("01b900000384014400"), "6a82");
}

TEST_F(AppletTest, SignsAPaddedDigest) {
  Select();
  const Bytes point = Generate();
  ASSERT_EQ(Say("012a00000d840101a1010391020001920104"), "9000");
  const std::string answer = Say(std::string("012b8000229e20") + kDigest + "00");
  ASSERT_EQ(answer.substr(0, 4), "3340");
  ASSERT_EQ(answer.substr(answer.size() - 4), "9000");
  const Bytes raw = *FromHex(answer.substr(4, 128));
  EXPECT_TRUE(Verifies(point, *FromHex(kDigest), raw));
  EXPECT_NE(raw[0], 0);
  EXPECT_NE(raw[32], 0);
}

TEST_F(AppletTest, SignsFullTextInParts) {
  Select();
  const Bytes point = Generate();
  ASSERT_EQ(Say("012a00010d840101a1010191020001920104"), "9000");
  EXPECT_EQ(Say("012b0001049b026865"), "9000");
  const std::string answer = Say("012b8001059b036c6c6f00");
  ASSERT_EQ(answer.substr(0, 4), "3340");
  EXPECT_TRUE(Verifies(point, *FromHex(kDigest), *FromHex(answer.substr(4, 128))));
}

TEST_F(AppletTest, UsesTheLongLengthForStacksThatSetTheClassBit) {
  Select();
  Generate();
  ASSERT_EQ(Say("812a00010d840101a1010391020001920104"), "9000");
  EXPECT_EQ(Say(std::string("812b8001229e20") + kDigest).substr(0, 6), "330040");
  EXPECT_EQ(Say("812a010100"), "9000") << "the session is closed";
  EXPECT_EQ(Say("812a010100"), "6a86");
}

TEST_F(AppletTest, SurvivesAHostThatDiedInTheMiddle) {
  Select();
  Generate();
  ASSERT_EQ(Say("012a00000d840101a1010391020001920104"), "9000");
  EXPECT_EQ(Say("012a00000d840101a1010391020001920104"), "9000") << "begun anew, not wedged";
  card_->applet().Reset();
  EXPECT_EQ(Say("012b8000229e20"), "6700");
  Select();
  EXPECT_EQ(Say(std::string("012b8000229e20") + kDigest + "00"), "6a86") << "power loss ended the session";
  EXPECT_EQ(Say("01cd000003850101").substr(0, 8), "34454943") << "keys stay";
}

TEST_F(AppletTest, AgreesOnASecretWithAPutKey) {
  Select();
  const auto peer = P256Key::Generate();
  ASSERT_TRUE(peer);
  const Bytes own = PointIn(Say("01cd00000385010b"),
                            "34454943"
                            "8641");
  ASSERT_EQ(Say("01240000038501"
                "0c"
                "00"),
            "9000");
  ASSERT_EQ(Say("01d8800047344549438641" + ToHex(peer->point()) + "00"), "9000");
  const std::string secret =
      Say("0146000006840"
          "10b"
          "85010c00");
  EXPECT_EQ(secret, ToHex(*peer->Agree(own)) + "9000") << "raw Z, no tag";
}

TEST_F(AppletTest, APutKeyIsJudgedBeforeItIsKept) {
  Select();
  const auto peer = P256Key::Generate();
  ASSERT_TRUE(peer);
  ASSERT_EQ(Say("012400000385010c00"), "9000");
  ASSERT_EQ(Say("01d8800047344549438641" + ToHex(peer->point()) + "00"), "9000");
  const std::string kept = Say("01cd00000385010c00");
  const std::string secret = Say("014600000684010b85010c00");
  ASSERT_EQ(Say("012400000385010c00"), "9000");
  const std::string x_at_p = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
  const std::string wrong[] = {
      "47344549438641"
      "04" +
          std::string(128, '1'),  // off the curve
      "47344549438641"
      "04" +
          std::string(128, '0'),  // (0, 0)
      "47344549438641"
      "04" +
          x_at_p + std::string(64, '0'),  // x = p
      "07340549038601"
      "00",  // infinity
      "27342549238621"
      "02" +
          ToHex(peer->point()).substr(2, 64),                  // compressed
      "46344449428640" + ToHex(peer->point()).substr(0, 128),  // short
      "4a344549438641" + ToHex(peer->point()) + "850101",      // something behind it
      "4a344849438641" + ToHex(peer->point()) + "860100",      // a second point within
      "03850101",                                              // none
  };
  for (const std::string& data : wrong) EXPECT_EQ(Say("01d88000" + data + "00"), "6a80") << data;
  EXPECT_EQ(Say("01d8010047344549438641" + ToHex(peer->point()) + "00"), "6a86") << "neither more nor last";
  EXPECT_EQ(Say("01cd00000385010c00"), kept) << "the slot is as it was";
  EXPECT_EQ(Say("014600000684010b85010c00"), secret) << "and serves";
  EXPECT_EQ(Say("01d8800047344549438641" + ToHex(peer->point()) + "00"), "9000")
      << "the right one may follow";
  EXPECT_EQ(Say("012400000385010100"), "6985") << "a private slot takes no foreign key";
}

TEST_F(AppletTest, ARefusedTextIsNotPartOfWhatIsSigned) {
  Select();
  const Bytes point = Generate();
  ASSERT_EQ(Say("012a00010d840101a1010191020001920104"), "9000");
  ASSERT_EQ(Say("012b0001049b026865"), "9000");
  EXPECT_EQ(Say("012b4101049b027878"), "6a86") << "neither more nor last";
  EXPECT_EQ(Say("012b0001089b0278789b027878"), "6a80") << "two texts";
  EXPECT_EQ(Say("012b0001079b027878920104"), "6a80") << "a text and something else";
  const std::string answer = Say("012b8001059b036c6c6f00");
  EXPECT_TRUE(Verifies(point, *FromHex(kDigest), *FromHex(answer.substr(4, 128))));
}

TEST_F(AppletTest, TextToBeSignedHasAnEnd) {
  Select();
  const Bytes point = Generate();
  ASSERT_EQ(Say("012a00010d840101a1010191020001920104"), "9000");
  const Bytes block(128, 0xab);
  for (int i = 0; i < 32; ++i) ASSERT_EQ(Say("012b0001839b8180" + ToHex(block)), "9000");
  EXPECT_EQ(Say("012b0001039b01ab"), "6a84");
  const std::string answer = Say("012b8001029b0000");
  Bytes digest(SHA256_DIGEST_LENGTH);
  const Bytes text(4096, 0xab);
  SHA256(text.data(), text.size(), digest.data());
  EXPECT_TRUE(Verifies(point, digest, *FromHex(answer.substr(4, 128)))) << "what was taken is signed";
}

TEST_F(AppletTest, ADigestComesInOneBlock) {
  Select();
  Generate();
  ASSERT_EQ(Say("012a00000d840101a1010391020001920104"), "9000");
  EXPECT_EQ(Say(std::string("012b0000229e20") + kDigest + "00"), "6a86");
  EXPECT_EQ(Say(std::string("012b8000219e1f") + std::string(62, '1') + "00"), "6a80");
}

TEST_F(AppletTest, ARefusedSessionLeavesTheOpenOne) {
  Select();
  const Bytes point = Generate();
  ASSERT_EQ(Say("012a00000d840101a1010391020001920104"), "9000");
  EXPECT_EQ(Say("012a00000d840101a1010491020001920104"), "6a80") << "no such mode";
  EXPECT_EQ(Say("012a00000d840101a1010391020003920104"), "6a80") << "two hash functions";
  EXPECT_EQ(Say("012a00000d840101a1010391020001920102"), "6a80") << "RSA";
  EXPECT_EQ(Say("012a00000d84010ba1010391020001920104"), "6985") << "a key that signs nothing";
  const std::string answer = Say(std::string("012b8000229e20") + kDigest + "00");
  EXPECT_TRUE(Verifies(point, *FromHex(kDigest), *FromHex(answer.substr(4, 128))));
}

TEST_F(AppletTest, ANameThatIsNotHereLeavesSelectedWhatWas) {
  Select();
  EXPECT_EQ(Say("01a4040007a0000002480400"), "6a82");
  EXPECT_EQ(Say("01cb000044").substr(0, 6), "100101");
}

TEST_F(AppletTest, ReadsFilesInPartsAndNeverBeyond) {
  Bytes content(300, 0xab);
  content[255] = 0xcd;
  for (const Bytes& block : StoreDataBlocks(WriteFileScript(0x02, content))) {
    ASSERT_EQ(ToHex(card_->ota().Transmit(block)), "9000");
  }
  Select();
  EXPECT_EQ(Say("01b000000383010200").size(), 2 * (255 + 2u));
  EXPECT_EQ(Say("01b000ff0383010200"), "cd" + ToHex(Bytes(44, 0xab)) + "9000");
  EXPECT_EQ(Say("01b000000383010202"), "abab9000");
  EXPECT_EQ(Say("01b0012c0383010200"), "6a86");
  EXPECT_EQ(Say("01b000000383010900"), "6a82");
  EXPECT_EQ(Say("01cbc30003830102"), "c30d8301026001014a01012002012c9000");
}

TEST_F(AppletTest, FilesAreInvalidatedWhileTheIssuerWrites) {
  ASSERT_EQ(ToHex(card_->ota().Transmit(StoreDataBlocks(WriteFileScript(0x02, {0x30})).front())), "9000");
  Select();
  card_->applet().BeginRemote();
  EXPECT_EQ(Say("01b000000383010200"), "6984");
  card_->applet().EndRemote();
  EXPECT_EQ(Say("01b000000383010200"), "309000");
}

TEST_F(AppletTest, ListsItsObjectsWithoutPrivateOctets) {
  Select();
  const std::string list = Say("01cb010000");
  EXPECT_EQ(list.substr(list.size() - 4), "9000");
  EXPECT_NE(list.find("c1"), std::string::npos);
  EXPECT_LT(list.size(), 2 * 200u) << "descriptions only: seven, and a private key has 32 octets more";
}

TEST_F(AppletTest, TakesTheLastOctetForLeAsSomeStacksSendASpareOne) {
  Select();
  EXPECT_EQ(Say("01cd00000385010b").size(), 2 * 73u) << "case 3";
  EXPECT_EQ(Say("01cd00000385010b00").size(), 2 * 73u) << "case 4";
  EXPECT_EQ(Say("01cd00000385010b0000").size(), 2 * 73u) << "PC/SC: a spare 00, then Le";
  ASSERT_EQ(ToHex(card_->ota().Transmit(StoreDataBlocks(WriteFileScript(0x02, Bytes(9, 0xab))).front())),
            "9000");
  EXPECT_EQ(Say("01b00000038301020002"), "abab9000") << "Le is honoured";
  EXPECT_EQ(Say("01cd00000385010b000000"), "6700");
}

TEST_F(AppletTest, DescribesItself) {
  Select();
  EXPECT_EQ(Say("01cb000044"),
            "100101"
            "1107a0000005590010"
            "b10100"
            "b20103"
            "b30104"
            "b40100"
            "90010f"
            "91020007"
            "920104"
            "930101"
            "940103"
            "b70108"
            "9000");
  EXPECT_EQ(Say("01cb000100"), "6a86");
}

TEST_F(AppletTest, DescribesAKeyByTheStructureAskedFor) {
  Select();
  const std::string rest =
      "4a0100"
      "4b0113"
      "4e0101"
      "610107"
      "920104"
      "91020007"
      "6f0101"
      "9000";
  EXPECT_EQ(Say("01cbc2000385010100"), "c21c850101600101" + rest);
  EXPECT_EQ(Say("01cbc1000384010100"), "c11c840101600100" + rest);
  EXPECT_EQ(Say("01cbc2000385010c00"),
            "c215"
            "85010c"
            "600103"
            "4a0100"
            "4b0113"
            "4e0101"
            "610104"
            "6f0101"
            "9000")
      << "the peer's slot may be written";
  EXPECT_EQ(Say("01cbc1000384010c00"), "6a82") << "and has no private part";
  EXPECT_EQ(Say("01cbc2000384010100"), "6a80") << "a private key's id does not name a public key";
}

TEST_F(AppletTest, GivesRandomOctets) {
  Select();
  const std::string first = Say("0184000020");
  EXPECT_EQ(first.size(), 2 * 34u);
  EXPECT_NE(first, Say("0184000020"));
}

TEST_F(AppletTest, NothingFromOutsideStopsIt) {
  Select();
  Generate();
  std::uint32_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    Bytes apdu(static_cast<std::size_t>(i % 24));
    for (auto& octet : apdu) octet = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    if (apdu.size() > 1 && i % 2 == 0) {
      apdu[0] = 0x01;
      static constexpr std::uint8_t kKnown[] = {0xb9, 0x2a, 0x2b, 0xcd, 0x24, 0xd8,
                                                0x46, 0xb0, 0xcb, 0x84, 0xa4};
      apdu[1] = kKnown[static_cast<std::size_t>(i / 2) % sizeof kKnown];
    }
    ASSERT_GE(card_->applet().Transmit(apdu).size(), 2u);
  }
}

}  // namespace
}  // namespace registry::sim
