// bridge/zone/socket.h: the few socket calls of this room, non-blocking and closed on exec.
// Errors: "zone_address_invalid" for what is no IP address, "zone_socket_failed" with the system's reason.
// Threads: a Socket belongs to its owner.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>

#include "schemas/base/result.h"

namespace registry::zone {

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket();
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

Result<Socket> ListenTcp(const std::string& address, std::uint16_t port);
// The next waiting connection, no Socket when there is none or errno says why not. Without Nagle's algorithm: answers
// are written whole, and what it would hold back is the end of one.
Socket AcceptTcp(const Socket& listener);
// Whether this errno of an accept means that there is no descriptor or memory for it, and the same connection waits on.
bool IsExhausted(int why);
// Begun, and perhaps not done: the first send waits for it, and says why not. Both Connects send from `source`, unless that
// is empty, a wildcard, or of another family: then from what the kernel picks.
Result<Socket> ConnectTcp(const std::string& address, std::uint16_t port, const std::string& source = {});
Result<Socket> BindUdp(const std::string& address, std::uint16_t port);
// Connected: the kernel drops datagrams from any other address; the source port is random.
Result<Socket> ConnectUdp(const std::string& address, std::uint16_t port, const std::string& source = {});
std::uint16_t LocalPort(const Socket& socket);
// Address and port, for the log.
std::string PeerText(const sockaddr_storage& peer);
std::string PeerText(const Socket& connected);
// Whether both ends have the same IP address: the octets then pass no wire.
bool IsOfThisHost(const Socket& connected);

}  // namespace registry::zone
