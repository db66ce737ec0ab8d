// tests/support/loopback.h: addresses and ports of this host's loopback, for tests that talk to sockets by themselves.
// Threads: any. Errors: it ends the program.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

#include "schemas/base/check.h"

namespace registry::test {

// 0: any free port, for bind(2).
inline sockaddr_in Loopback(std::uint16_t port = 0) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A TCP port that takes connections. It says nothing, unless the test accepts them and does. Owns its socket.
class ListeningPort {
 public:
  ListeningPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = Loopback();
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REG_CHECK(bind(fd_, any, size) == 0 && listen(fd_, 8) == 0 && getsockname(fd_, any, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ListeningPort(const ListeningPort&) = delete;
  ListeningPort& operator=(const ListeningPort&) = delete;
  ~ListeningPort() { close(fd_); }
  int fd() const { return fd_; }
  std::uint16_t port() const { return port_; }

 private:
  const int fd_;
  std::uint16_t port_ = 0;
};

}  // namespace registry::test
