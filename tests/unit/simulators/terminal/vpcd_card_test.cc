// The reader's side of vsmartcard's protocol, against the card that dials it.
#include "simulators/terminal/vpcd_card.h"

#include <gtest/gtest.h>

#include "tests/support/virtual_reader.h"
#include "tests/unit/simulators/terminal/plain_card.h"

namespace registry::sim {
namespace {

using test::VirtualReader;

class VpcdCardTest : public ::testing::Test {
 protected:
  void Start(const std::string& address) {
    auto card = VpcdCard::Start(address, card_, [](bool) {});
    ASSERT_TRUE(card.ok()) << card.error().message;
    in_reader_ = std::move(*card);
  }
  PlainCard card_;
  std::unique_ptr<VpcdCard> in_reader_;
};

TEST_F(VpcdCardTest, AnswersToResetAndToCommands) {
  VirtualReader reader;
  Start(reader.address());
  ASSERT_TRUE(reader.Insert());
  reader.Send("01");
  EXPECT_EQ(reader.Say("04"), ToHex(AnswerToReset()));
  EXPECT_EQ(reader.Say("0070000001"), "019000");
  EXPECT_EQ(reader.Say("01a4040007a0000005590010"), "9000");
  EXPECT_EQ(reader.Say("0184000000").size(), 2 * 257u);
  reader.Send("02");
  EXPECT_EQ(reader.Say("0184000000"), "6881") << "a reset closes the channel";
  EXPECT_EQ(reader.Say("0070000001"), "019000");
  reader.Send("00");
  EXPECT_EQ(reader.Say("04"), ToHex(AnswerToReset()));
  EXPECT_EQ(card_.resets, 3);
}

// ISO/IEC 7816-3 §8.2: TS, T0 with the number of historical bytes, TD1, the bytes, a check octet that makes the rest zero.
TEST_F(VpcdCardTest, HasAnAnswerToResetThatAddsUp) {
  const Bytes atr = AnswerToReset();
  EXPECT_EQ(atr.size(), 3 + (atr[1] & 0x0fu) + 1);
  std::uint8_t sum = 0;
  for (std::size_t i = 1; i < atr.size(); ++i) sum ^= atr[i];
  EXPECT_EQ(sum, 0);
}

TEST_F(VpcdCardTest, WaitsForAReaderAndComesBack) {
  std::uint16_t port = 0;
  {
    VirtualReader reader;
    port = reader.port();
    Start(reader.address());
    ASSERT_TRUE(reader.Insert());
    EXPECT_EQ(reader.Say("0070000001"), "019000");
  }
  VirtualReader again(port);
  ASSERT_TRUE(again.Insert());
  EXPECT_EQ(again.Say("0070000001"), "019000") << "the power was gone";
  again.Eject();
  ASSERT_TRUE(again.Insert());
}

TEST_F(VpcdCardTest, EndsWhatIsNoConversation) {
  VirtualReader reader;
  Start(reader.address());
  ASSERT_TRUE(reader.Insert());
  reader.SendRaw({0xff, 0xff});
  EXPECT_EQ(reader.Receive(), "") << "longer than any command: the card is pulled";
  reader.Eject();
  ASSERT_TRUE(reader.Insert()) << "and put in again";
  reader.SendRaw({0x00, 0x00});
  EXPECT_EQ(reader.Say("04"), ToHex(AnswerToReset())) << "nothing is no command";
  reader.SendRaw({0x00});
  reader.SendRaw({0x05, 0x00, 0x70});
  reader.SendRaw({0x00, 0x00, 0x01});
  EXPECT_EQ(reader.Receive(), "019000") << "in parts";
}

TEST_F(VpcdCardTest, StopsWhileNobodyListens) {
  std::uint16_t port = 0;
  {
    const VirtualReader reader;
    port = reader.port();
  }
  Start("localhost:" + std::to_string(port));
  in_reader_.reset();
}

TEST_F(VpcdCardTest, RefusesWhatIsNoAddress) {
  for (const char* wrong :
       {"", "localhost", ":35963", "localhost:", "localhost:0", "localhost:65536", "localhost:x",
        "reader.test:35963", "127.1:35963", "[]:35963", "[127.0.0.1:35963", "fe80::1%lo:35963"}) {
    const auto card = VpcdCard::Start(wrong, card_, [](bool) {});
    ASSERT_FALSE(card.ok()) << wrong;
    EXPECT_EQ(card.error().symbol, "reader_address");
  }
}

}  // namespace
}  // namespace registry::sim
