// tests/support/virtual_reader.h: a card reader as vsmartcard's driver for pcscd is one, on a port of loopback: the card
// dials it (simulators/terminal/vpcd_card.h).
// Owns: the port and the card's connection. Threads: one at a time. Errors: failed expectations; an empty answer.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "schemas/base/bytes.h"

namespace registry::test {

inline constexpr int kReaderWithinMs = 10000;

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

}  // namespace registry::test
