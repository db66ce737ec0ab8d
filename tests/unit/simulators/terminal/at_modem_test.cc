// AT commands as clients of IoT SAFE write them, and the exact framing they need.
#include "simulators/terminal/at_modem.h"

#include <gtest/gtest.h>

#include "tests/unit/simulators/terminal/plain_card.h"

namespace registry::sim {
namespace {

class AtModemTest : public ::testing::Test {
 protected:
  std::string Say(const std::string& line) { return modem_.Take(line + "\r\n"); }
  PlainCard card_;
  AtModem modem_{card_, {}};
};

constexpr const char* kOk = "\r\nOK\r\n";
constexpr const char* kError = "\r\nERROR\r\n";

// The recovery of the pilot's README.
TEST_F(AtModemTest, FramesAnswersAsThePilotNeedsThem) {
  EXPECT_EQ(Say("AT+CSIM=10,\"0070000001\""), "\r\n+CSIM: 6,\"019000\"\r\n\r\nOK\r\n");
  EXPECT_EQ(Say("AT+CSIM=24,\"01A4040007A0000002480400\""), "\r\n+CSIM: 4,\"9000\"\r\n\r\nOK\r\n");
  EXPECT_EQ(Say("AT+CSIM=24,\"012B9000069B040102030400\""), "\r\n+CSIM: 4,\"6A86\"\r\n\r\nOK\r\n");
  const std::string random = Say("AT+CSIM=10,\"0184000000\"");
  EXPECT_TRUE(random.starts_with("\r\n+CSIM: 514,\"") && random.ends_with("9000\"\r\n\r\nOK\r\n"));
}

TEST_F(AtModemTest, TakesWhatClientsWrite) {
  const std::string opened = "\r\n+CSIM: 4,\"9000\"\r\n\r\nOK\r\n";
  EXPECT_EQ(modem_.Take("AT+CSIM= 24,\"01A4040007A0000005590010\"\r"), opened) << "wolfSSL";
  EXPECT_EQ(modem_.Take("AT+CSIM=24, \"01a4040007a0000005590010\"\r\n"), opened) << "the ZARIOT example";
  EXPECT_EQ(modem_.Take("at+csim=24,01A4040007A0000005590010\n"), opened) << "no quotes, either case";
  EXPECT_EQ(modem_.Take("AT+CSIM=24,\"01A404000"), "");
  EXPECT_EQ(modem_.Take("7A0000005590010\"\r\n"), opened) << "in parts";
  EXPECT_EQ(modem_.Take("ATE0\r\nAT\r\n"), std::string(kOk) + kOk) << "two at once";
  EXPECT_EQ(Say(""), "");
  EXPECT_EQ(Say("AT+CSIM=?"), kOk);
}

TEST_F(AtModemTest, SaysNoQuotesWhereModemsHaveNone) {
  AtModem modem(card_, {.quotes = false});
  EXPECT_EQ(modem.Take("AT+CSIM=10,\"0070000001\"\r"), "\r\n+CSIM: 6,019000\r\n\r\nOK\r\n");
}

TEST_F(AtModemTest, RefusesWhatIsNoCommand) {
  for (const std::string wrong :
       {"AT+CSIM=8,\"0070000001\"", "AT+CSIM=10,\"007000000g\"", "AT+CSIM=9,\"007000000\"",
        "AT+CSIM=6,\"007000\"", "AT+CSIM=", "AT+CSIM", "AT+CSIM?", "AT+CSIM=10", "AT+CSIM=-10,\"0070000001\"",
        "AT+CSIM=99999999999999999999,\"0070000001\"", "AT+NONE", "ATX9", "HELLO",
        "AT+CGLA=1,10,\"0084000010\"", "AT+CCHC=1", "AT+CCHO=\"xx\"", "AT+CCHO=\"\"", "AT+CMEE=3"}) {
    EXPECT_EQ(Say(wrong), kError) << wrong;
  }
  EXPECT_EQ(Say("AT+CMEE=1"), kOk);
  EXPECT_EQ(Say("AT+CSIM=10"), "\r\n+CME ERROR: 50\r\n");
  EXPECT_EQ(Say("AT+NONE"), "\r\n+CME ERROR: 4\r\n");
  EXPECT_EQ(Say("AT+CCHO=\"A0000000871002\""), "\r\n+CME ERROR: 22\r\n") << "no such application";
  EXPECT_EQ(Say("AT+CMEE?"), "\r\n+CMEE: 1\r\n\r\nOK\r\n");
}

TEST_F(AtModemTest, PassesOverALineThatIsTooLong) {
  EXPECT_EQ(modem_.Take("AT+CSIM=4000,\"" + std::string(4000, '0')), "");
  EXPECT_EQ(modem_.Take("\"\r"), kError);
  EXPECT_EQ(Say("AT"), kOk) << "and goes on";
}

TEST_F(AtModemTest, EchoesWhenAskedTo) {
  EXPECT_EQ(modem_.Take("ATE1\r"), kOk);
  EXPECT_EQ(modem_.Take("AT\r"), std::string("AT\r") + kOk);
  EXPECT_EQ(modem_.Take("ATE0\r"), std::string("ATE0\r") + kOk);
  EXPECT_EQ(modem_.Take("AT\r"), kOk);
}

// 3GPP TS 27.007 §8.45 to §8.47.
TEST_F(AtModemTest, OpensSessionsByName) {
  EXPECT_EQ(Say("AT+CCHO=\"A0000005590010\""), "\r\n+CCHO: 1\r\n\r\nOK\r\n");
  EXPECT_EQ(Say("AT+CCHO=\"A0000002480400\""), "\r\n+CCHO: 2\r\n\r\nOK\r\n");
  EXPECT_EQ(Say("AT+CGLA=1,10,\"00CB000044\"").substr(0, 33), "\r\n+CGLA: 90,\"1001011107A000000559");
  EXPECT_EQ(Say("AT+CGLA=2,10,\"81CB000044\"").substr(0, 33), "\r\n+CGLA: 90,\"1001011107A000000248")
      << "the session says the channel";
  EXPECT_EQ(Say("AT+CCHC=1"), "\r\n+CCHC\r\n\r\nOK\r\n");
  EXPECT_EQ(Say("AT+CGLA=1,10,\"00CB000044\""), kError);
  EXPECT_EQ(Say("AT+CCHO=\"A0000000871002\""), kError);
  EXPECT_EQ(Say("AT+CCHO=\"A0000005590010\""), "\r\n+CCHO: 1\r\n\r\nOK\r\n") << "what failed left no channel";
  EXPECT_EQ(Say("AT+CCHO=\"A0000005590010\""), "\r\n+CCHO: 3\r\n\r\nOK\r\n");
  EXPECT_EQ(Say("AT+CCHO=\"A0000005590010\""), kError) << "three are all there are";
}

TEST_F(AtModemTest, LeavesNoChannelOpenForThoseWhoComeNext) {
  for (int i = 0; i < 3; ++i) Say("AT+CSIM=10,\"0070000001\"");
  EXPECT_EQ(Say("AT+CSIM=10,\"0070000001\""), "\r\n+CSIM: 4,\"6881\"\r\n\r\nOK\r\n");
  modem_.Take("AT+CSIM=10,\"00");
  modem_.HangUp();
  EXPECT_EQ(Say("AT+CSIM=10,\"0070000001\""), "\r\n+CSIM: 6,\"019000\"\r\n\r\nOK\r\n")
      << "neither channels nor half a line";
}

TEST_F(AtModemTest, LeavesTheChannelsOfOthersAlone) {
  ASSERT_EQ(ToHex(card_.Transmit(*FromHex("0070000001"))), "019000") << "the device's own software";
  EXPECT_EQ(Say("AT+CSIM=10,\"0070000001\""), "\r\n+CSIM: 6,\"029000\"\r\n\r\nOK\r\n");
  modem_.HangUp();
  EXPECT_EQ(ToHex(card_.Transmit(*FromHex("01a4040007a0000005590010"))), "9000");
  EXPECT_EQ(ToHex(card_.Transmit(*FromHex("0270800200"))), "6a86") << "the modem's is closed";
}

TEST_F(AtModemTest, SaysWhoItIs) {
  for (const std::string command :
       {"ATI", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "AT+CIMI", "AT+CCID", "AT+CCID?", "AT+CPIN?",
        "AT+CSQ", "AT+CREG?", "AT+CGREG?", "AT+CEREG?", "AT+CFUN?"}) {
    const std::string answer = Say(command);
    EXPECT_TRUE(answer.starts_with("\r\n") && answer.ends_with("\r\n\r\nOK\r\n") && answer.size() > 10)
        << command;
  }
  EXPECT_EQ(Say("AT+CGSN"), "\r\n490154203237518\r\n\r\nOK\r\n");
  EXPECT_EQ(Say("AT+CPIN?"), "\r\n+CPIN: READY\r\n\r\nOK\r\n");
  EXPECT_EQ(Say("AT+CREG?"), "\r\n+CREG: 0,1\r\n\r\nOK\r\n");
}

TEST_F(AtModemTest, TakesThePowerFromTheCard) {
  Say("AT+CCHO=\"A0000005590010\"");
  EXPECT_EQ(Say("AT+CFUN=1"), kOk);
  EXPECT_EQ(card_.resets, 0);
  EXPECT_EQ(Say("AT+CFUN=1,1"), kOk);
  EXPECT_EQ(card_.resets, 1);
  EXPECT_EQ(Say("AT+CGLA=1,10,\"00CB000044\""), kError);
}

}  // namespace
}  // namespace registry::sim
