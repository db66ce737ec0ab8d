#include "simulators/lab/terminal.h"

#include <gmock/gmock.h>

#include "simulators/lab/one_device.h"
#include "simulators/lab/story.h"

namespace registry::lab {
namespace {

TEST(TerminalTest, LabelsStandBesideTheirText) {
  EXPECT_EQ(Labelled("TLSA", "3 0 1 abcdef", 6, 14), "TLSA  3 0 1\n      abcdef");
}

TEST(TerminalTest, ColoursOnlyWhereTheyAreWanted) {
  Terminal terminal;
  EXPECT_EQ(Inked(terminal, Ink::kBad, "FAILED"), "FAILED");
  terminal.colours = true;
  EXPECT_EQ(Inked(terminal, Ink::kBad, "FAILED"), "\x1b[31mFAILED\x1b[0m");
}

TEST(StoryTest, ItsLinesFitTheTerminal) {
  const std::string digest(56, 'A');
  const Chapter chapter{"connected to its ASP",
                        true,
                        {"DNS shows TLSA 3 0 1 " + digest + " 12345678",
                         "asp-a hears its telemetry: MQTT over TLS with the key in the card"}};
  EXPECT_EQ(TextOf(chapter, 80),
            "connected to its ASP               done\n"
            "    DNS shows TLSA 3 0 1\n"
            "      " +
                digest +
                " 12345678\n"
                "    asp-a hears its telemetry: MQTT over TLS with the key in the card\n");
  EXPECT_EQ(TextOf({"deleted", false, {"missing: no TXT record; DNS shows x"}}, 40),
            "deleted                            NOT\n                                   DONE\n"
            "    missing: no TXT record; DNS shows x\n");
  EXPECT_EQ(TextOf({"deleted", false, {}}, 120), "deleted                            NOT DONE\n");
}

TEST(OneDeviceTest, ReadsTheAdBitAndTheRecord) {
  const std::string answer =
      ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 10652\n"
      ";; flags: qr rd ra ad; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1\n\n"
      "d._device.iot.test. 5 IN TLSA 3 0 1 98FC7B \n";
  EXPECT_TRUE(TlsaOf(answer).validated);
  EXPECT_EQ(TlsaOf(answer).record, "3 0 1 98FC7B");
  const ShownTlsa none = TlsaOf(";; flags: qr rd ra; QUERY: 1, ADDITIONAL: 1\n");
  EXPECT_FALSE(none.validated);
  EXPECT_EQ(none.record, "");
  EXPECT_FALSE(TlsaOf("").validated);
}

}  // namespace
}  // namespace registry::lab
