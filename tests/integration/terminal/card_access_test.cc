// Software by others finds the cards of device-sim: through AT modems on pseudo-terminals, and through Debian's pcscd.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/modem_line.h"
#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace registry::sim {
namespace {

const std::string kDeviceSim = std::string(REGISTRY_BINARY_DIR) + "/bin/device-sim";
const std::string kInPcsc = std::string(REGISTRY_SOURCE_DIR) + "/tests/integration/terminal/in_pcsc.sh";

using test::SayToModem;

TEST(CardAccess, SeveralModemsEachWithACardOfItsOwn) {
  const test::TemporaryFolder folder;
  const std::string a = folder.In("modem-a"), b = folder.In("modem-b");
  // The program says it is ready once both are there; its end takes the links away.
  const std::string script = "coproc SIM { exec " + kDeviceSim + " --modem " + a + " --modem " + b +
                             "; }\n"
                             "while read -r line <&${SIM[0]}; do [[ $line == *ready* ]] && break; done\n"
                             "read -r _\nkill $SIM_PID\nwait $SIM_PID\n";
  FILE* const running = ::popen(("bash -c '" + script + "'").c_str(), "w");
  ASSERT_NE(running, nullptr);
  for (int tries = 0; tries < 1000 && !std::filesystem::is_symlink(b); ++tries) ::poll(nullptr, 0, 10);
  const std::string generate = "AT+CSIM=18,\"00B900000384010400\"";
  for (const std::string& modem : {a, b}) {
    EXPECT_EQ(SayToModem(modem, "AT+CSIM=24,\"00A4040007A0000005590010\""),
              "\r\n+CSIM: 4,\"9000\"\r\n\r\nOK\r\n");
  }
  const std::string key = SayToModem(a, generate), other = SayToModem(b, generate);
  EXPECT_TRUE(key.starts_with("\r\n+CSIM: 158,\"84010485010434454943864104")) << key;
  EXPECT_NE(key, other);
  std::fputs("\n", running);
  EXPECT_EQ(::pclose(running), 0) << "SIGTERM is an orderly end";
  EXPECT_FALSE(std::filesystem::is_symlink(a) || std::filesystem::is_symlink(b));
}

// Debian's pcscd, its driver for vsmartcard's reader, and opensc-tool: nothing of them knows this project.
TEST(CardAccess, PcscFindsTwoCards) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root has a network and a /run of its own";
  const auto in_pcsc = [](const std::string& line) {
    return test::Shell("unshare -mn bash " + kInPcsc + " " + kDeviceSim + " '" + line + "' 2>&1");
  };
  const std::string tool = "timeout 20 opensc-tool --card-driver default --reader ";
  const std::string select = " -s 00A4040007A0000005590010";
  const auto ran = in_pcsc(tool + "0 --atr; " + tool + "0" + select +
                           " -s 0070000001 -s 00B900000384010100; "
                           "echo =; " +
                           tool + "1" + select + " -s 00CD00000385010100 -s 01A4040007A0000002480400");
  EXPECT_TRUE(ran.ok()) << ran.output;
  EXPECT_NE(ran.output.find("3b:87:01:80:31:a0:73:be:21:13:68"), std::string::npos) << ran.output;
  const std::string first = ran.output.substr(0, ran.output.find("=\n")),
                    second = ran.output.substr(first.size());
  EXPECT_NE(first.find("84 01 01 85 01 01 34 45 49 43 86 41 04"), std::string::npos) << first;
  EXPECT_NE(second.find("(SW1=0x69, SW2=0x85)"), std::string::npos)
      << "the other card has no key yet: " << second;
  EXPECT_NE(second.find("01 A4 04 00 07 A0 00 00 02 48 04 00"), std::string::npos) << second;
}

}  // namespace
}  // namespace registry::sim
