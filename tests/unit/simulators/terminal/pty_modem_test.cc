// The modem as a serial device: opened, written and read as the pilot's middleware does it.
#include "simulators/terminal/pty_modem.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "tests/support/temporary_folder.h"
#include "tests/unit/simulators/terminal/plain_card.h"

namespace registry::sim {
namespace {

constexpr int kWithinMs = 10000;

// O_NOCTTY, O_NDELAY, everything else of the line at zero: a client that has never seen a pseudo-terminal.
class SerialPort {
 public:
  explicit SerialPort(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NDELAY)) {
    termios settings{};
    EXPECT_EQ(::tcgetattr(fd_, &settings), 0) << path;
    settings = {};
    settings.c_cflag = CS8 | CREAD | CLOCAL;
    ::cfsetspeed(&settings, B115200);
    settings.c_cc[VTIME] = 1;
    EXPECT_EQ(::tcsetattr(fd_, TCSANOW, &settings), 0);
    ::tcflush(fd_, TCIFLUSH);
  }
  ~SerialPort() { ::close(fd_); }
  void Write(const std::string& text) const {
    ASSERT_EQ(::write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  bool HasAnswer() const {
    pollfd fd = {fd_, POLLIN, 0};
    return ::poll(&fd, 1, kWithinMs) > 0;
  }
  // Up to the OK or ERROR that always comes.
  std::string Say(const std::string& line) const {
    Write(line + "\r\n");
    std::string said;
    pollfd fd = {fd_, POLLIN, 0};
    while (!said.ends_with("OK\r\n") && !said.ends_with("ERROR\r\n") && ::poll(&fd, 1, kWithinMs) > 0) {
      char part[600];
      const ssize_t size = ::read(fd_, part, sizeof part);
      if (size > 0) said.append(part, static_cast<std::size_t>(size));
    }
    return said;
  }

 private:
  int fd_;
};

class PtyModemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto modem = PtyModem::Start(path_, card_, {});
    ASSERT_TRUE(modem) << modem.error().message;
    modem_ = std::move(*modem);
  }
  test::TemporaryFolder folder_;
  const std::string path_ = folder_.In("modem");
  PlainCard card_;
  std::unique_ptr<PtyModem> modem_;
};

constexpr const char* kOpen = "AT+CSIM=10,\"0070000001\"";

TEST_F(PtyModemTest, AnswersLikeAnyOther) {
  const SerialPort port(path_);
  EXPECT_EQ(port.Say("ATE0"), "\r\nOK\r\n");
  EXPECT_EQ(port.Say(kOpen), "\r\n+CSIM: 6,\"019000\"\r\n\r\nOK\r\n");
  EXPECT_EQ(port.Say("AT+CSIM=24,\"01A4040007A0000005590010\""), "\r\n+CSIM: 4,\"9000\"\r\n\r\nOK\r\n");
  const std::string longest =
      "01840000FF" + std::string(2 * 255, '0') + "00";  // the longest command there is
  EXPECT_TRUE(port.Say("AT+CSIM=522,\"" + longest + "\"").ends_with("OK\r\n"));
}

// Every call of the pilot's middleware opens the port anew and ignores a failed close of its channel.
TEST_F(PtyModemTest, AClientThatGoesLeavesNoChannel) {
  for (int call = 0; call < 8; ++call) {
    const SerialPort port(path_);
    ASSERT_EQ(port.Say(kOpen), "\r\n+CSIM: 6,\"019000\"\r\n\r\nOK\r\n") << call;
  }
}

TEST_F(PtyModemTest, TheNextClientHearsNothingOfTheLast) {
  {
    const SerialPort port(path_);
    port.Write("AT+CGSN\r\nAT+CSI");
    ASSERT_TRUE(port.HasAnswer());
  }
  const SerialPort port(path_);
  EXPECT_EQ(port.Say("AT+CPIN?"), "\r\n+CPIN: READY\r\n\r\nOK\r\n");
}

TEST_F(PtyModemTest, AChannelStaysWhileAnyClientIsThere) {
  const SerialPort port(path_);
  ASSERT_EQ(port.Say(kOpen), "\r\n+CSIM: 6,\"019000\"\r\n\r\nOK\r\n");
  { const SerialPort other(path_); }
  EXPECT_EQ(port.Say(kOpen), "\r\n+CSIM: 6,\"029000\"\r\n\r\nOK\r\n");
}

TEST_F(PtyModemTest, IsGoneWithItsPath) {
  modem_.reset();
  EXPECT_FALSE(std::filesystem::is_symlink(path_));
}

TEST_F(PtyModemTest, TakesALinkThatWasLeftAndNoFile) {
  const std::string left = folder_.In("left");
  std::filesystem::create_symlink("/dev/pts/none", left);
  EXPECT_TRUE(PtyModem::Start(left, card_, {}).ok());
  const std::string file = folder_.Write("file", "precious");
  const auto refused = PtyModem::Start(file, card_, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "terminal_path");
  EXPECT_EQ(folder_.Read("file"), "precious");
  EXPECT_FALSE(PtyModem::Start(folder_.In("none/modem"), card_, {}).ok());
}

TEST_F(PtyModemTest, LeavesALinkThatLeadsElsewhere) {
  const std::string file = folder_.Write("file", "precious"), link = folder_.In("link");
  std::filesystem::create_symlink(file, link);
  const auto refused = PtyModem::Start(link, card_, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "terminal_path");
  EXPECT_EQ(std::filesystem::read_symlink(link), file);
}

TEST_F(PtyModemTest, ThePathIsTheLaterModems) {
  PlainCard card;
  auto later = PtyModem::Start(path_, card, {});
  ASSERT_TRUE(later.ok());
  modem_.reset();
  EXPECT_EQ(SerialPort(path_).Say("AT"), "\r\nOK\r\n") << "the first has ended";
}

TEST_F(PtyModemTest, AnswersLateWhenItIsToldTo) {
  PlainCard card;
  const std::string path = folder_.In("slow");
  auto modem = PtyModem::Start(path, card, {.answer_after = std::chrono::milliseconds(20)});
  ASSERT_TRUE(modem.ok());
  EXPECT_EQ(SerialPort(path).Say("AT"), "\r\nOK\r\n");
}

}  // namespace
}  // namespace registry::sim
