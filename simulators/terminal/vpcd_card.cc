#include "simulators/terminal/vpcd_card.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "schemas/base/descriptor.h"
#include "schemas/base/own_thread.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kPowerOff = 0x00, kPowerOn = 0x01, kResetCard = 0x02, kAtr = 0x04;

struct Address {
  sockaddr_storage octets{};
  socklen_t size = 0;
};

// Numbers alone: a look-up of a name cannot be interrupted, and the card would not end before it.
std::optional<Address> Numeric(const std::string& host, std::uint16_t port) {
  Address address;
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(address.octets);
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address.octets);
  if (::inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(port);
    address.size = sizeof ipv4;
    return address;
  }
  if (::inet_pton(AF_INET6, host.c_str(), &ipv6.sin6_addr) != 1) return std::nullopt;
  ipv6.sin6_family = AF_INET6;
  ipv6.sin6_port = htons(port);
  address.size = sizeof ipv6;
  return address;
}

std::optional<Address> ReadAddress(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
  std::string host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const bool digits = port.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || port.size() > 5 || std::stoi(port) < 1 || std::stoi(port) > 65535) return std::nullopt;
  return Numeric(host, static_cast<std::uint16_t>(std::stoi(port)));
}

class CardInReader : public VpcdCard {
 public:
  CardInReader(const Address& address, CardPort& card, OnState on_state)
      : address_(address),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        card_(card),
        on_state_(std::move(on_state)) {
    thread_.Start("vpcd", [this] { Run(); });
  }
  ~CardInReader() override {
    thread_.Stop([this] { ::eventfd_write(wake_.fd(), 1); });
  }

 private:
  void Run() {
    while (!thread_.stopping()) {
      if (auto reader = Dial(); reader.fd() >= 0) {
        on_state_(true);
        Serve(reader.fd());
        reader = Descriptor();
        card_.Reset();
        on_state_(false);
      }
      Ready(-1, 0, static_cast<int>(kDialAgain.count()));
    }
  }

  Descriptor Dial() const {
    Descriptor reader(::socket(address_.octets.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    int error = 0;
    socklen_t size = sizeof error;
    const bool under_way =
        ::connect(reader.fd(), reinterpret_cast<const sockaddr*>(&address_.octets), address_.size) == 0 ||
        errno == EINPROGRESS;
    if (under_way && Ready(reader.fd(), POLLOUT, kDialWithin) &&
        ::getsockopt(reader.fd(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) {
      return reader;
    }
    return Descriptor();
  }

  // False when it is to stop, or after `within`.
  bool Ready(int socket, short events, int within) const {
    pollfd fds[2] = {{wake_.fd(), POLLIN, 0}, {socket, events, 0}};
    return ::poll(fds, 2, within) > 0 && fds[0].revents == 0 && fds[1].revents != 0;
  }

  void Serve(int reader) {
    Bytes message;
    while (Receive(reader, message, 2, kForever)) {
      const std::size_t size = static_cast<std::size_t>(message[0]) << 8 | message[1];
      if (size > kCommandMax || !Receive(reader, message, size, kMessageWithin)) return;
      const auto answer = size == 1   ? Control(message.front())
                          : size == 0 ? Bytes()
                                      : card_.Transmit(message);
      if (!answer.empty() && !Send(reader, answer)) return;
    }
  }

  Bytes Control(std::uint8_t control) {
    if (control == kAtr) return AnswerToReset();
    if (control == kPowerOff || control == kPowerOn || control == kResetCard) card_.Reset();
    return {};
  }

  // `within` is for each part of it that comes.
  bool Receive(int reader, Bytes& message, std::size_t size, int within) const {
    message.resize(size);
    for (std::size_t have = 0; have < size;) {
      if (!Ready(reader, POLLIN, have == 0 ? within : kMessageWithin)) return false;
      const ssize_t got = ::recv(reader, message.data() + have, size - have, 0);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
      have += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    return true;
  }

  bool Send(int reader, const Bytes& answer) const {
    Bytes message = {static_cast<std::uint8_t>(answer.size() >> 8), static_cast<std::uint8_t>(answer.size())};
    message.insert(message.end(), answer.begin(), answer.end());
    for (std::size_t sent = 0; sent < message.size();) {
      const ssize_t size = ::send(reader, message.data() + sent, message.size() - sent, MSG_NOSIGNAL);
      if (size > 0) {
        sent += static_cast<std::size_t>(size);
      } else if ((errno != EAGAIN && errno != EINTR) || !Ready(reader, POLLOUT, kMessageWithin)) {
        return false;
      }
    }
    return true;
  }

  static constexpr int kForever = -1, kDialWithin = 5000, kMessageWithin = 10000;
  const Address address_;
  const Descriptor wake_;
  CardLine card_;
  const OnState on_state_;
  OwnThread thread_;
};

}  // namespace

Bytes AnswerToReset() {
  // TS: direct convention. T0: TD1 follows, 7 historical bytes. TD1: T=1. Historical: category 80; 31 card service data:
  // selection by full AID; 73 card capabilities, whose third octet says four channels, numbered by the card.
  Bytes atr = {0x3b, 0x87, 0x01, 0x80, 0x31, 0xa0, 0x73, 0xbe, 0x21, 0x13};
  std::uint8_t check = 0;
  for (std::size_t i = 1; i < atr.size(); ++i) check ^= atr[i];
  atr.push_back(check);  // ISO/IEC 7816-3 §8.2.5: TCK, since T is not 0
  return atr;
}

Result<std::unique_ptr<VpcdCard>> VpcdCard::Start(const std::string& address, CardPort& card,
                                                  OnState on_state) {
  const auto read = ReadAddress(address);
  if (!read)
    return Error::Make(Code::kValueSyntax, "reader_address",
                       address + " is not ADDRESS:PORT, with an IP address or localhost");
  return std::unique_ptr<VpcdCard>(new CardInReader(*read, card, std::move(on_state)));
}

}  // namespace registry::sim
