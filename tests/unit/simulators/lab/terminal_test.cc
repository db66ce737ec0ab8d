#include "simulators/lab/terminal.h"

#include <gmock/gmock.h>

#include "simulators/lab/one_device.h"

namespace registry::lab {
namespace {

TEST(TerminalTest, FoldsAtSpaces) {
  EXPECT_EQ(Folded("one two three", 80, 2), "one two three");
  EXPECT_EQ(Folded("one two three", 7, 2), "one two\n  three");
  EXPECT_EQ(Folded("a longest-of-words b", 8, 1), "a\n longest-of-words\n b");
  EXPECT_EQ(Folded("", 8, 1), "");
  EXPECT_EQ(Labelled("TLSA", "3 0 1 abcdef", 6, 14), "TLSA  3 0 1\n      abcdef");
}

TEST(TerminalTest, ColoursOnlyWhereTheyAreWanted) {
  Terminal terminal;
  EXPECT_EQ(Inked(terminal, Ink::kBad, "FAILED"), "FAILED");
  terminal.colours = true;
  EXPECT_EQ(Inked(terminal, Ink::kBad, "FAILED"), "\x1b[31mFAILED\x1b[0m");
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
