// COMPUTE and VERIFY SIGNATURE in all modes. What the card signs is judged by OpenSSL elsewhere (applet_test.cc); here
// signatures of one side are put to the other, and digests come from elsewhere.
#include <gtest/gtest.h>

#include "tests/unit/simulators/euicc/conversation.h"

namespace registry::sim {
namespace {

constexpr const char* kHello = "68656c6c6f";
// SHA-256 of "hello", of 64 "a" and "hello"; and what SHA-256 has come to behind the 64 "a". The others alike, behind 128.
constexpr const char* kHello256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
struct Vector {
  const char *function, *state, *hashed, *digest;
};
constexpr Vector kVectors[] = {
    {"0001", "df5bb81ce81e0626fb45a8944fd40f31b25e6816d6d499c1ab90492900635e66", "00000040",
     "7a6f37e90139181dbd54487103def83d90d3e0344294f4a449c67b2f1f03a6d8"},
    {"0002",
     "91041f93c7c2e25c37d9fabfbb83072317339410cb8bbb2fa170bb5bb5276a67d6357de121728231be53cdefe6337828ab890c9"
     "7626558"
     "c450efa72bdd496605",
     "00000080",
     "5c190bb41862602492488fd214c6441687ffad90a397c8c317da2dcb8145587a213d6faa8c7e8fa11e7ceaa0101a9174"},
    {"0004",
     "03bf7c6e55c11b040d48757f45285fdced46689bfc9026c0281701a1424c80f5ca31738befe6afee30f5fe8d4e41e2489379d57"
     "c74895a"
     "f44b1e84ebc1bab8b0",
     "00000080",
     "8e8bdb883a93d77142f2051c078fdd9473390f913547f00d731ee21ef367ad0824b6a86d7e0193edf6779e5ba1dd89dcf3d08ac"
     "1aea198"
     "fe0aee128b1c06adf2"}};

class Signatures : public ::testing::Test {
 protected:
  void SetUp() override {
    card_.Select();
    point_ = card_.Generate();
  }
  std::string Say(const std::string& hex) { return card_.Say(hex); }
  static std::string Tlv(const std::string& tag, const std::string& value) {
    return tag + ToHex({static_cast<std::uint8_t>(value.size() / 2)}) + value;
  }
  static std::string With(const std::string& head, const std::string& data) {
    return Conversation::With(head, data);
  }
  std::string Open(const std::string& instruction, const std::string& mode, const std::string& function,
                   const std::string& key) {
    return Say(With("01" + instruction + "0000", key + "a101" + mode + "9102" + function + "920104"));
  }
  std::string Sign(const std::string& data) { return Say(With("012b8000", data)); }
  bool Verifies(const std::string& digest, const std::string& answer) const {
    return answer.starts_with("3340") && answer.ends_with("9000") &&
           P256Key::Verifies(point_, *FromHex(digest), *FromHex(answer.substr(4, 128)));
  }

  Conversation card_{*FindLayout("field")};
  Bytes point_;
};

TEST_F(Signatures, EveryModeAndHashFunctionSignsWhatItSays) {
  for (const Vector& vector : kVectors) {
    ASSERT_EQ(Open("2a", "03", vector.function, "840101"), "9000");
    EXPECT_TRUE(Verifies(vector.digest, Sign(Tlv("9e", vector.digest)))) << vector.function;
    ASSERT_EQ(Open("2a", "02", vector.function, "840101"), "9000");
    EXPECT_TRUE(
        Verifies(vector.digest, Sign(Tlv("9a", kHello) + Tlv("9c", vector.state) + Tlv("9d", vector.hashed))))
        << vector.function;
    ASSERT_EQ(Open("2a", "01", vector.function, "840101"), "9000");
    const bool short_block = vector.function == std::string("0001");
    const std::string text = short_block ? "9b40" + Conversation::Repeated("61", 64)
                                         : "9b8180" + Conversation::Repeated("61", 128);
    EXPECT_EQ(Say(With("012b0000", text)), "9000");
    EXPECT_TRUE(Verifies(vector.digest, Sign(Tlv("9b", kHello)))) << vector.function;
  }
}

TEST_F(Signatures, ALastBlockIsJudged) {
  ASSERT_EQ(Open("2a", "02", "0001", "840101"), "9000");
  const Vector& vector = kVectors[0];
  const std::string rest = Tlv("9a", kHello), state = Tlv("9c", vector.state), count = Tlv("9d", "00000040");
  EXPECT_EQ(Sign(rest + state), "6a80") << "no count";
  EXPECT_EQ(Sign(rest + state + Tlv("9d", "00000041")), "6a80") << "no whole blocks";
  EXPECT_EQ(Sign(rest + Tlv("9c", kVectors[1].state) + count), "6a80") << "another function's state";
  EXPECT_EQ(Sign(rest + state + count + rest), "6a80");
  EXPECT_EQ(Sign("9a8181" + std::string(2 * 129, '1') + state + count), "6a80") << "longer than 80";
  EXPECT_EQ(Say(With("012b0000", rest + state + count)), "6a86") << "there is only one block";
  EXPECT_TRUE(Verifies(vector.digest, Sign(rest + state + count)));
}

TEST_F(Signatures, VerifiesWhatItHasSigned) {
  ASSERT_EQ(Open("2a", "03", "0001", "840101"), "9000");
  const std::string signature = Sign(Tlv("9e", kHello256)).substr(4, 128);
  ASSERT_EQ(Open("2c", "03", "0001", "850101"), "9000") << "beside a signing session of the same number";
  const std::string good = Tlv("9e", kHello256);
  EXPECT_EQ(Say(With("012d8000", good + "3340" + signature)), "9000");
  EXPECT_EQ(Say(With("812d8000", good + "330040" + signature)), "9000") << "a length of two octets";
  EXPECT_EQ(Say(With("012d8000", Tlv("9e", kVectors[0].digest) + "3340" + signature)), "6d01");
  EXPECT_EQ(Say(With("012d8000", good + "3340" + std::string(128, '0'))), "6d01");
  EXPECT_EQ(Say(With("012d8000", good + "333f" + signature.substr(2))), "6a80");
  EXPECT_EQ(Say(With("012d8000", good)), "6a80") << "no signature";
  EXPECT_EQ(Say(With("012d0000", good)), "6a86");
  EXPECT_EQ(Say("012c010000"), "9000");
  EXPECT_EQ(Say("012c010000"), "6a86");
  EXPECT_EQ(Say(With("012d8000", good + "3340" + signature)), "6a86") << "closed";
}

TEST_F(Signatures, VerifiesFullTextByAForeignKey) {
  const auto peer = P256Key::Generate();
  ASSERT_TRUE(peer);
  ASSERT_EQ(Say("8124000203850105"), "9000");
  EXPECT_EQ(Open("2c", "01", "0001", "850105"), "6985") << "nothing is there yet";
  ASSERT_EQ(Say("81d880024734454943"
                "8641" +
                ToHex(peer->point())),
            "9000");
  ASSERT_EQ(Open("2c", "01", "0001", "850105"), "9000");
  const std::string signature = ToHex(*peer->Sign(*FromHex(kHello256)));
  EXPECT_EQ(Say("012d0000049b026865"), "9000");
  EXPECT_EQ(Say(With("012d8000", "9b036c6c6f3340" + signature)), "9000");
  EXPECT_EQ(Say(With("012d8000", "9b036c6c6f3340" + signature)), "6d01") << "of the last part alone";
  EXPECT_EQ(Open("2c", "01", "0001", "85010c"), "6985") << "a key to agree with only";
  EXPECT_EQ(Open("2c", "01", "0001", "850144"), "6a82");
}

// NIST SP 800-38B, appendix D.1.
TEST_F(Signatures, MacsWithASecret) {
  ASSERT_EQ(card_.Issue("7020860177610101"
                        "4b01b07603636d63"
                        "d1102b7e151628aed2a6abf7158809cf4f3c"),
            "9000");
  ASSERT_EQ(Say("012a000009860177a1010192010800"), "9000");
  EXPECT_EQ(Say("012b8000129f106bc1bee22e409f96e93d7e117393172a00"),
            "3310070a16b46b4d4144f79bdd9dd04a287c9000");
  EXPECT_EQ(Say("012b00000a9f086bc1bee22e409f96"), "9000");
  EXPECT_EQ(Say("012b80000a9f08e93d7e117393172a"), "3310070a16b46b4d4144f79bdd9dd04a287c9000") << "in parts";
  EXPECT_EQ(Say("012a00000b7603636d63a10101920108"), "9000") << "by its label";
  EXPECT_EQ(Say("012a00000986010da10101920108"), "6985") << "an HMAC secret";
  EXPECT_EQ(Say("012a000009860177a10102920108"), "6a80");
}

TEST_F(Signatures, AKeyTheIssuerTouchedEndsItsSessions) {
  ASSERT_EQ(Open("2a", "03", "0001", "840101"), "9000");
  ASSERT_EQ(Open("2c", "03", "0001", "850101"), "9000");
  ASSERT_EQ(card_.Issue("79068401014a0101"), "9000");
  EXPECT_EQ(Sign(Tlv("9e", kHello256)), "6989");
  EXPECT_EQ(Say(With("012d8000", Tlv("9e", kHello256) + "3340" + std::string(128, '1'))), "6989");
  ASSERT_EQ(Open("2a", "03", "0001", "840101"), "9000");
  EXPECT_TRUE(Verifies(kHello256, Sign(Tlv("9e", kHello256))));
  ASSERT_EQ(card_.Issue("79068401014a0100"), "9000");
  EXPECT_EQ(Open("2a", "03", "0001", "840101"), "6985") << "not active";
  EXPECT_EQ(Say("01b900000384010100"), "6985");
  EXPECT_EQ(Say("01cd00000385010100"), "6985");
}

}  // namespace
}  // namespace registry::sim
