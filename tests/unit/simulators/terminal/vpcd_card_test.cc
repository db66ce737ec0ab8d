// The reader's side of vsmartcard's protocol, against the card that dials it.
#include "simulators/terminal/vpcd_card.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/simulators/terminal/plain_card.h"

namespace registry::sim {
namespace {

constexpr int kReaderWithinMs = 10000;

class VirtualReader {
 public:
  explicit VirtualReader(std::uint16_t port = 0)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(port);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    socklen_t size = sizeof here;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size);
    port_ = ntohs(here.sin_port);
  }
  ~VirtualReader() {
    Eject();
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  bool Insert() {
    pollfd fd = {listener_, POLLIN, 0};
    if (::poll(&fd, 1, kReaderWithinMs) <= 0) return false;
    card_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    return card_ >= 0;
  }
  void Eject() {
    if (card_ >= 0) ::close(std::exchange(card_, -1));
  }
  void Send(const std::string& hex) const {
    const Bytes octets = *FromHex(hex);
    Bytes message = {static_cast<std::uint8_t>(octets.size() >> 8), static_cast<std::uint8_t>(octets.size())};
    message.insert(message.end(), octets.begin(), octets.end());
    ASSERT_EQ(::send(card_, message.data(), message.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(message.size()));
  }
  void SendRaw(const Bytes& octets) const {
    ASSERT_EQ(::send(card_, octets.data(), octets.size(), MSG_NOSIGNAL), static_cast<ssize_t>(octets.size()));
  }
  std::string Receive() const {
    const Bytes length = Exactly(2);
    return length.size() == 2 ? ToHex(Exactly(static_cast<std::size_t>(length[0]) << 8 | length[1])) : "";
  }
  std::string Say(const std::string& hex) const {
    Send(hex);
    return Receive();
  }

 private:
  Bytes Exactly(std::size_t size) const {
    Bytes octets;
    pollfd fd = {card_, POLLIN, 0};
    while (octets.size() < size && ::poll(&fd, 1, kReaderWithinMs) > 0) {
      std::uint8_t part[600];
      const ssize_t got = ::recv(card_, part, std::min(sizeof part, size - octets.size()), 0);
      if (got <= 0) return {};
      octets.insert(octets.end(), part, part + got);
    }
    return octets;
  }
  int listener_, card_ = -1;
  std::uint16_t port_ = 0;
};

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
