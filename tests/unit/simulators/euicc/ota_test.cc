// The issuer's door: scripts are carried out whole or not at all.
#include "simulators/euicc/ota.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "simulators/euicc/euicc.h"

namespace registry::sim {
namespace {

class OtaTest : public ::testing::Test {
 protected:
  std::string Send(const Bytes& script) {
    std::string last;
    for (const Bytes& block : StoreDataBlocks(script)) last = ToHex(card_->ota().Transmit(block));
    return last;
  }
  std::string Say(const std::string& hex) { return ToHex(card_->applet().Transmit(*FromHex(hex))); }
  void Select() {
    ASSERT_EQ(Say("0070000001"), "019000");
    ASSERT_EQ(Say("01a4040007a0000005590010"), "9000");
  }
  std::unique_ptr<Euicc> card_ = Euicc::Make();
};

TEST_F(OtaTest, CutsALongScriptIntoNumberedBlocks) {
  const auto blocks = StoreDataBlocks(WriteFileScript(0x06, Bytes(1000, 0x30)));
  ASSERT_EQ(blocks.size(), 5u);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(blocks[i][1], 0xe2);
    EXPECT_EQ(blocks[i][2], i + 1 == blocks.size() ? 0x80 : 0x00);
    EXPECT_EQ(blocks[i][3], i);
  }
}

TEST_F(OtaTest, ALostBlockSpoilsTheScript) {
  const auto blocks = StoreDataBlocks(WriteFileScript(0x06, Bytes(600, 0x30)));
  ASSERT_EQ(ToHex(card_->ota().Transmit(blocks[0])), "9000");
  EXPECT_EQ(ToHex(card_->ota().Transmit(blocks[2])), "6a86");
  Select();
  EXPECT_EQ(Say("01b000000383010600"), "6a82") << "nothing was written";
}

TEST_F(OtaTest, RefusesWhatDoesNotFitAndKeepsWhatWasThere) {
  ASSERT_EQ(Send(WriteFileScript(0x06, {0x31})), "9000");
  EXPECT_EQ(Send(WriteFileScript(0x06, Bytes(17000, 0x30))), "6a84");
  Select();
  EXPECT_EQ(Say("01b000000383010600"), "319000");
}

TEST_F(OtaTest, RemovesWhatIsThereAndIsContentWithoutIt) {
  ASSERT_EQ(Send(WriteFileScript(0x06, {0x31})), "9000");
  EXPECT_EQ(Send(RemoveFileScript(0x06)), "9000");
  EXPECT_EQ(Send(RemoveFileScript(0x06)), "9000");
  EXPECT_EQ(Send(DeleteFileScript(0x06)), "6a82");
  EXPECT_EQ(Send(*FromHex("7800")), "6a80") << "names nothing";
}

TEST_F(OtaTest, InstallBeginsAScriptAnew) {
  const auto blocks = StoreDataBlocks(WriteFileScript(0x06, Bytes(600, 0x30)));
  ASSERT_EQ(ToHex(card_->ota().Transmit(blocks[0])), "9000");
  EXPECT_EQ(ToHex(InstallForPersonalization()), "80e620000d000007a0000005590010000000");
  EXPECT_EQ(ToHex(card_->ota().Transmit(InstallForPersonalization())), "9000");
  EXPECT_EQ(ToHex(card_->ota().Transmit(blocks[1])), "6a86");
}

TEST_F(OtaTest, ClearAllTakesFilesAndTheSigningKey) {
  ASSERT_EQ(Send(WriteFileScript(0x02, {0x30})), "9000");
  Select();
  ASSERT_EQ(Say("01b900000384010100").substr(0, 6), "840101");
  ASSERT_EQ(Send(ClearAllScript()), "9000");
  EXPECT_EQ(Say("01b000000383010200"), "6a82");
  EXPECT_EQ(Say("01cd000003850101"), "6985");
  EXPECT_EQ(Say("01cd00000385010b").substr(0, 8), "34454943") << "the agreement key stays for a new life";
}

TEST_F(OtaTest, DeletesAFile) {
  ASSERT_EQ(Send(WriteFileScript(0x08, {0x7b})), "9000");
  EXPECT_EQ(Send(*FromHex("7603830108")), "9000");
  EXPECT_EQ(Send(*FromHex("7603830108")), "6a82");
  EXPECT_EQ(Send(*FromHex("7203830108")), "6a80");
}

TEST_F(OtaTest, JudgesAScriptBeforeAnythingOfItIsKept) {
  ASSERT_EQ(Send(WriteFileScript(0x06, {0x31})), "9000");
  const std::string good = "7706830106530132";  // what comes first would do
  const std::string wrong[] = {
      good +
          "7705830053"
          "0130",                                           // an id of no octets
      good + "771a8315" + std::string(42, '1') + "530130",  // of more than 20
      good + "7709830107830108530130",                      // two ids
      good + "7709830107530130530131",                      // two contents
      good + "7703830107",                                  // none
      good + "7606830106530130",                            // a content to be deleted
      good + "7f07636c656172616c",                          // not the word
      good +
          "72038301"
          "06",                // no such step
      good + "7706830106530",  // cut
  };
  for (std::string script : wrong) {
    if (script.size() % 2 != 0) script.pop_back();
    EXPECT_EQ(Send(*FromHex(script)), "6a80") << script;
  }
  Select();
  EXPECT_EQ(Say("01b000000383010600"), "319000") << "nothing of any of them was kept";
  EXPECT_EQ(Say("01b000000383010700"), "6a82");
}

TEST_F(OtaTest, RefusesBlocksOfAKindItCannotRead) {
  for (const char* p1 : {"e0", "c0", "88", "82"}) {
    EXPECT_EQ(ToHex(card_->ota().Transmit(*FromHex("80e2" + std::string(p1) + "00087706830106530132"))),
              "6a86")
        << p1;
  }
  EXPECT_EQ(ToHex(card_->ota().Transmit(*FromHex("80e29100087706830106530132"))), "9000")
      << "BER-TLV, case 4";
}

TEST_F(OtaTest, AScriptEndsWhereItsBlockNumbersEnd) {
  const auto blocks = StoreDataBlocks(WriteFileScript(0x06, Bytes(256 * 240, 0x30)));
  ASSERT_GT(blocks.size(), 256u);
  for (std::size_t i = 0; i < 255; ++i) ASSERT_EQ(ToHex(card_->ota().Transmit(blocks[i])), "9000") << i;
  EXPECT_EQ(ToHex(card_->ota().Transmit(blocks[255])), "6a84") << "else its rest would pass for a script";
}

TEST_F(OtaTest, HasRoomForSoManyFiles) {
  Bytes script;
  for (int i = 0; i < 256; ++i) {
    const Bytes one = WriteFileScript(static_cast<std::uint8_t>(i), {});
    script.insert(script.end(), one.begin(), one.end());
  }
  EXPECT_EQ(Send(script), "6a84");
  script.resize(script.size() - WriteFileScript(0, {}).size());
  EXPECT_EQ(Send(script), "9000");
  Select();
  EXPECT_EQ(Say("01cb000044").substr(24, 6), "b101ff");
}

TEST_F(OtaTest, ADeviceHasNoSuchDoor) {
  Select();
  EXPECT_EQ(Say("01e2800003830108"), "6d00");
  EXPECT_EQ(Say("00a4040008a000000151000000"), "6a82");
}

// GlobalPlatform 2.3 §11.5.2.3.6.
TEST_F(OtaTest, TheDomainPersonalizesTheAppletItIsTold) {
  const auto tell = [&](const std::string& hex) { return ToHex(card_->ota().Transmit(*FromHex(hex))); };
  EXPECT_EQ(tell("00a4040008a000000151000000"), "9000");
  EXPECT_EQ(tell("00a4040007a0000005590010"), "6a82") << "not through this door";
  EXPECT_EQ(tell("80e620000d000007a000000559001000000000"), "9000");
  EXPECT_EQ(tell("80e620000d000007a000000248040000000000"), "6a82") << "not laid out here";
  EXPECT_EQ(tell("80e602000d000007a000000559001000000000"), "6a86") << "for load";
  EXPECT_EQ(Send(WriteFileScript(0x06, {0x31})), "9000");
}

TEST_F(OtaTest, CreatesFilesThatAreWrittenLater) {
  EXPECT_EQ(Send(*FromHex("74"
                          "12"
                          "830133"
                          "7305"
                          "68656c6c6f"
                          "20020003"
                          "210101")),
            "6a80")
      << "a length that does not add up";
  const Bytes create = *FromHex("7411830133730568656c6c6f20020003210101");
  EXPECT_EQ(Send(create), "9000");
  EXPECT_EQ(Send(create), "6a80") << "it is there";
  EXPECT_EQ(Send(*FromHex("740e830134730568656c6c6f20020003")), "6a80") << "the label would name two";
  Select();
  EXPECT_EQ(Say("01b0000007730568656c6c6f00"), "0000009000");
  EXPECT_EQ(Send(*FromHex("770a730568656c6c6f530139")), "9000");
  EXPECT_EQ(Say("01b000000383013300"), "399000");
  EXPECT_EQ(Say("01cbc30003830133"), "c317730568656c6c6f8301336001014a0101200200012101019000");
  EXPECT_EQ(Send(*FromHex("7e03830133")), "399000");
  EXPECT_EQ(Send(*FromHex("7607730568656c6c6f")), "9000");
  EXPECT_EQ(Send(*FromHex("770a730568656c6c6f530139")), "6a82") << "a label makes no file";
}

TEST_F(OtaTest, CreatesAndDeletesKeys) {
  EXPECT_EQ(Send(*FromHex("7006840134610103")), "9000");
  EXPECT_EQ(Send(*FromHex("7006840134610103")), "6a80") << "it is there";
  EXPECT_EQ(Send(*FromHex("7006850135610105")), "9000");
  EXPECT_EQ(Send(*FromHex("7009840136850136610103")), "6a80") << "one or the other";
  EXPECT_EQ(Send(*FromHex("7b03850134")), "6985") << "empty";
  Select();
  const std::string made = Say("01b900000384013400");
  ASSERT_TRUE(made.ends_with("9000"));
  EXPECT_EQ(Send(*FromHex("7b03850134")), made.substr(12));
  EXPECT_EQ(Say("012400000385013500"), "9000");
  EXPECT_EQ(Send(*FromHex("7603850135")), "9000");
  EXPECT_EQ(Say("01d8800047344549438641" + std::string(130, '4')), "6989") << "gone in the middle";
  EXPECT_EQ(Send(*FromHex("7006850135610105")), "9000");
  EXPECT_EQ(Say("01d8800047344549438641" + std::string(130, '4')), "6989")
      << "another in its place is not it";
  EXPECT_EQ(Send(*FromHex("7603840134")), "9000");
  EXPECT_EQ(Say("01b900000384013400"), "6a82");
}

TEST_F(OtaTest, SaysWhoMayReadAndWhetherItIsActive) {
  ASSERT_EQ(Send(WriteFileScript(0x02, {0x30})), "9000");
  Select();
  EXPECT_EQ(Send(*FromHex("7906830102600100")), "9000");
  EXPECT_EQ(Say("01b000000383010200"), "6985");
  EXPECT_EQ(Say("01cbc30003830102"), "c30d8301026001004a0101200200019000");
  EXPECT_EQ(Send(*FromHex("79098301026001014a0100")), "9000");
  EXPECT_EQ(Say("01b000000383010200"), "6985");
  EXPECT_EQ(Send(*FromHex("79068301024a0101")), "9000");
  EXPECT_EQ(Say("01b000000383010200"), "309000");
  EXPECT_EQ(Send(*FromHex("790685010b600100")), "9000");
  EXPECT_EQ(Say("01cd00000385010b00"), "6985");
  EXPECT_EQ(Send(*FromHex("7903830102")), "6a80") << "nothing to change";
  EXPECT_EQ(Send(*FromHex("7909830102840101600100")), "6a80") << "two objects";
}

// The key never leaves the card: what leaves is a request, which OpenSSL finds good.
TEST_F(OtaTest, MakesACsrOnTheCard) {
  Select();
  ASSERT_TRUE(Say("01b900000384010100").ends_with("9000"));
  const std::string subject = "300f310d300b06035504030c0474657374";  // CN=test
  EXPECT_EQ(Send(*FromHex("7d16840101"
                          "5011" +
                          subject)),
            "9000");
  const std::string csr = Say("01b000001b7319" + ToHex(AsBytes(kCsrLabel)) + "00");
  ASSERT_TRUE(csr.ends_with("9000"));
  const Bytes der = *FromHex(csr.substr(0, csr.size() - 4));
  const std::uint8_t* at = der.data();
  X509_REQ* request = d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size()));
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
  X509_REQ_free(request);
  EXPECT_EQ(Send(*FromHex("7d16840102"
                          "5011" +
                          subject)),
            "6985")
      << "no pair yet";
  EXPECT_EQ(Send(*FromHex("7d0784010150023000ff")), "6a80");
}

}  // namespace
}  // namespace registry::sim
