// ISO/IEC 7816-4: logical channels, SELECT by several names, and answers longer than their Le.
#include <gtest/gtest.h>

#include "tests/unit/simulators/euicc/conversation.h"

namespace registry::sim {
namespace {

constexpr const char* kNames[] = {"07a0000005590010", "0fa00000003053f12401770101495341", "07a0000002480400",
                                  "10a0000001157000000000000049534102"};

TEST(AppletNames, AreAllSelectedWhereTheyAreLaidOut) {
  Conversation field(*FindLayout("field"));
  for (const std::string name : kNames) {
    EXPECT_EQ(field.Say("00a40400" + name), "9000") << "basic channel, " << name;
    EXPECT_EQ(field.Say("01a40400" + name + "00"), "9000") << "with Le, " << name;
    EXPECT_EQ(field.Say("01cb000044").substr(0, 24), ("10010111" + name).substr(0, 24));
  }
  Conversation plain;
  for (const std::string name : kNames)
    EXPECT_EQ(plain.Say("00a40400" + name), name == kNames[0] ? "9000" : "6a82") << name;
  EXPECT_EQ(field.Say("00a4040010a0000005591010ffffffff8900000100"), "6a82")
      << "ISD-R is no applet of this card";
}

TEST(AppletNames, AnotherNameIsAnotherLife) {
  Conversation card(*FindLayout("field"));
  card.Select();
  card.Generate();
  ASSERT_EQ(card.Say("012a00000d840101a1010391020001920104"), "9000");
  EXPECT_EQ(card.Say("01a4040007a0000005590010"), "9000");
  EXPECT_EQ(card.Say("012a010000"), "9000") << "the same name again leaves the session";
  ASSERT_EQ(card.Say("012a00000d840101a1010391020001920104"), "9000");
  EXPECT_EQ(card.Say("01a4040007a0000002480400"), "9000");
  EXPECT_EQ(card.Say("012a010000"), "6a86");
}

TEST(LogicalChannels, SelectOpensOneWhereCardsDoSo) {
  Conversation card(*FindLayout("field"));
  EXPECT_EQ(card.Say("02a4040007a0000002480401"), "6a82");
  EXPECT_EQ(card.Say("8284000010"), "6881") << "an unknown name opens nothing";
  EXPECT_EQ(card.Say("01a4040007a0000005590010"), "9000") << "wolfSSL opens no channel";
  EXPECT_EQ(card.Say("8184000010").size(), 2 * 18u);
  EXPECT_EQ(card.Say("0070000001"), "029000") << "01 is taken";
  Conversation plain;
  EXPECT_EQ(plain.Say("01a4040007a0000005590010"), "6881");
}

TEST(LogicalChannels, AreFourAndIndependent) {
  Conversation card;
  EXPECT_EQ(card.Say("0070000000"), "019000");
  EXPECT_EQ(card.Say("0070000001"), "029000");
  EXPECT_EQ(card.Say("0070000001"), "039000");
  EXPECT_EQ(card.Say("0070000001"), "6881");
  for (const std::string channel : {"01", "02"})
    ASSERT_EQ(card.Say(channel + "a4040007a0000005590010"), "9000");
  card.Generate();
  for (const std::string channel : {"01", "02"})
    EXPECT_EQ(card.Say(channel + "2a00000d840101a1010391020001920104"), "9000") << "session 00 of each";
  EXPECT_EQ(card.Say("0170800100"), "9000");
  EXPECT_EQ(card.Say("022a010000"), "9000") << "the other's session is not touched";
  for (int channel = 2; channel <= 3; ++channel)
    EXPECT_EQ(card.Say("0070800" + std::to_string(channel)), "9000");
  EXPECT_EQ(card.Say("0070800100"), "6a86") << "closing until it fails must end";
  EXPECT_EQ(card.Say("41cb010000"), "6e00") << "channels 4 to 19 are not of this card";
}

TEST(LogicalChannels, ACloseEndsWhatWasOnIt) {
  Conversation card;
  card.Select();
  card.Generate();
  ASSERT_EQ(card.Say("012a00000d840101a1010391020001920104"), "9000");
  ASSERT_EQ(card.Say("0070800100"), "9000");
  card.Select();
  EXPECT_EQ(card.Say("012a010000"), "6a86");
}

TEST(LongAnswers, ACommandWithoutDataIsToldTheRightLe) {
  Conversation card;
  card.Select();
  const std::string whole = card.Say("01cb000000");
  const std::size_t size = whole.size() / 2 - 2;
  EXPECT_EQ(card.Say("01cb000010"), "6c" + ToHex({static_cast<std::uint8_t>(size)}));
  EXPECT_EQ(card.Say("01cb0000" + ToHex({static_cast<std::uint8_t>(size)})), whole);
  const std::string list = card.Say("01cb010000");
  EXPECT_EQ(card.Say("01cb010010").substr(0, 2), "6c");
  EXPECT_EQ(card.Say("01cb010000"), list);
}

TEST(LongAnswers, WaitForGetResponseWhereLeHasNoRoom) {
  Conversation card;
  card.Select();
  const std::string whole = card.Say("01cd00000385010b00");
  ASSERT_EQ(whole.size(), 2 * (71 + 2u));
  EXPECT_EQ(card.Say("01cd00000385010b10"), "6147") << "never 6Cxx to a command with data";
  EXPECT_EQ(card.Say("01c0000048"), "6c47") << "more than there is";
  EXPECT_EQ(card.Say("81c0000040"), whole.substr(0, 128) + "6107") << "either class";
  EXPECT_EQ(card.Say("01c0000000"), whole.substr(128)) << "the rest, and 9000";
  EXPECT_EQ(card.Say("01c0000000"), "6985") << "nothing waits any more";
}

TEST(LongAnswers, AreGoneWithTheNextCommand) {
  Conversation card;
  card.Select();
  ASSERT_EQ(card.Say("01cd00000385010b10"), "6147");
  card.Say("0184000001");
  EXPECT_EQ(card.Say("01c0000000"), "6985");
  ASSERT_EQ(card.Say("01cd00000385010b10"), "6147");
  card.Say("0170800100");
  card.Select();
  EXPECT_EQ(card.Say("01c0000000"), "6985");
  EXPECT_EQ(card.Say("03c0000000"), "6881");
}

// As the ZARIOT SIM speaks (three-octet ids, CLA 81).
TEST(LongAnswers, AllWaitOnCardsThatDoSo) {
  CardLayout layout = Conversation::Field({.always_get_response = true});
  layout.keys = {{AsBytes("001"), "", kMaySign | kMayGenerate}};
  Conversation card(layout);
  card.Select();
  EXPECT_EQ(card.Say("81b90000058403303031"), "6151");
  const std::string made = card.Say("81c0000051");
  EXPECT_EQ(made.substr(0, 32), "84033030318503303031344549438641");
  EXPECT_EQ(card.Say("81cd000005850330303100"), "6147");
  ASSERT_EQ(card.Say("812a00010f8403303031a1010391020001920104"), "9000") << "no data, nothing waits";
  EXPECT_EQ(card.Say("812b8001229e20" + std::string(64, '7')), "6143");
  EXPECT_EQ(card.Say("81c0000043").substr(0, 6), "330040");
  EXPECT_EQ(card.Say("8184000010").size(), 2 * 18u) << "a command without data is answered at once";
}

TEST(Remote, TheDeviceIsToldOnceWhereCardsDoSo) {
  Conversation card(Conversation::Field({.tells_remote_over = true}));
  card.Select();
  ASSERT_EQ(card.Write(0x02, {0x30}), "9000");
  card.applet().BeginRemote();
  EXPECT_EQ(card.Say("01b000000383010200"), "6984");
  card.applet().EndRemote();
  EXPECT_EQ(card.Say("01b000000383010900"), "6a82");
  EXPECT_EQ(card.Say("01b000000383010200"), "3063cf");
  EXPECT_EQ(card.Say("01b000000383010200"), "309000");
}

}  // namespace
}  // namespace registry::sim
