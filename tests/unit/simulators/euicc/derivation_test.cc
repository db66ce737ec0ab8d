// COMPUTE PRF and HKDF extract against vectors from elsewhere.
#include <gtest/gtest.h>

#include "tests/unit/simulators/euicc/conversation.h"

namespace registry::sim {
namespace {

class Derivation : public ::testing::Test {
 protected:
  void SetUp() override { card_.Select(); }
  std::string Say(const std::string& hex) { return card_.Say(hex); }
  static std::string With(const std::string& head, const std::string& data) {
    return Conversation::With(head, data);
  }
  Conversation card_{*FindLayout("field")};
};

// RFC 5869, appendices A.1 and A.3.
TEST_F(Derivation, ExtractsAsHkdfDoes) {
  const std::string material = "d116" + Conversation::Repeated("0b", 22);
  EXPECT_EQ(Say(With("814a0000", material + "d50d000102030405060708090a0b0c91020001")),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e59000");
  const std::string no_salt = "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb049000";
  EXPECT_EQ(Say(With("814a0000", material + "d50091020001")), no_salt);
  EXPECT_EQ(Say(With("814a0000", material + "91020001")), no_salt);
  EXPECT_EQ(Say(With("814a0000", material + "d520" + std::string(64, '0') + "91020001")), no_salt)
      << "zeros are no salt";
  EXPECT_EQ(Say(With("814a0000", material + "91020002")).size(), 2 * 50u);
  EXPECT_EQ(Say(With("814a0000", material + "91020004")).size(), 2 * 66u);
  EXPECT_EQ(Say(With("814a0000", material + "91020003")), "6a80");
  EXPECT_EQ(Say(With("814a0000", material)), "6a80");
  EXPECT_EQ(Say(With("814a0000", "91020001")), "6a80");
  EXPECT_EQ(Say(With("814a0100", material + "91020001")), "6a86");
}

// The vector for SHA-256 that the TLS working group's list has used since 2009.
TEST_F(Derivation, ComputesTheTls12Prf) {
  const std::string secret = "d1109bbe436ba940f017b17652849a71db35";
  const std::string seed = "d21a74657374206c6162656ca0ba9f936cda311827a6f796ffd5198c";
  EXPECT_EQ(
      Say(With("01480000", secret + seed + "d30164") + "00"),
      "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022"
      "f7"
      "077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b669000");
  EXPECT_EQ(Say(With("01480000", secret + seed + "d301ff") + "00").size(), 2 * 257u);
  EXPECT_EQ(Say(With("01480000", secret + seed + "d30100")), "6a80");
  EXPECT_EQ(Say(With("01480000", seed + "d30164")), "6a80") << "no secret";
  EXPECT_EQ(Say(With("01480000", secret + "d30164")), "6a80") << "no seed";
  EXPECT_EQ(Say(With("01480300", secret + seed + "d30164")), "6a86");
}

// Expected values by `openssl kdf TLS1-PRF` over the premaster secrets of RFC 4279 §2 and RFC 5489 §2.
TEST_F(Derivation, ComputesThePrfWithASecretOfTheCard) {
  ASSERT_EQ(card_.Issue("701b860155610108"
                        "4b01a0"
                        "d1100102030405060708090a0b0c0d0e0f10"),
            "9000");
  const std::string seed = "d2116d61737465722073656372657473656564d30130";
  EXPECT_EQ(
      Say(With("01480100", "860155" + seed)),
      "31bc7a552cfa0151b8e34e12172bd7c88e73bed857de30004172fb258d360afe438f597f73c02763cdd0f0eca7b86e439000");
  const std::string premaster = "d420" + Conversation::Repeated("aa", 32);
  EXPECT_EQ(
      Say(With("01480200", "860155" + premaster + seed)),
      "d79c9f1acabb4390972c42b67516c29a0fd8db4fff0205bce4b568d567036a82004907f9eaa993de4bac94b795095b5b9000");
  EXPECT_EQ(Say(With("01480100", "760370736b" + seed)).size(), 2 * 50u) << "one by its label";
  EXPECT_EQ(Say(With("01480100", "860155" + premaster + seed)), "6a80");
  EXPECT_EQ(Say(With("01480200", "860155" + seed)), "6a80");
  EXPECT_EQ(Say(With("01480100", "860199" + seed)), "6a82");
  EXPECT_EQ(Say(With("01480100", "86010e" + seed)), "6985") << "one for MACs only";
}

TEST_F(Derivation, AgreesWithAKeyThatCameInBlocks) {
  const auto peer = P256Key::Generate();
  ASSERT_TRUE(peer);
  const Bytes own = card_.Generate("04");
  const std::string data = "344549438641" + ToHex(peer->point());
  ASSERT_EQ(Say("0024000003850105"), "6d00") << "nothing is selected on the basic channel";
  ASSERT_EQ(Say("0124000003850105"), "9000");
  EXPECT_EQ(Say(With("01d80000", data.substr(0, 20))), "9000");
  EXPECT_EQ(Say(With("01d88000", data.substr(22))), "6a80") << "an octet is missing";
  EXPECT_EQ(Say(With("01d88000", data.substr(20))), "9000");
  EXPECT_EQ(Say("014600000684010485010500"), ToHex(*peer->Agree(own)) + "9000");
  EXPECT_EQ(Say("014600001b740d657068656d6572616c206b6579750a736572766572206b657900"),
            ToHex(*peer->Agree(own)) + "9000")
      << "both by their labels";
}

}  // namespace
}  // namespace registry::sim
