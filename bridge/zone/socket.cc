#include "bridge/zone/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace registry::zone {
namespace {

using AddressList = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

Result<AddressList> Numeric(const std::string& address, std::uint16_t port, int type) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = type;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return Error::Make(Code::kFailed, "zone_address_invalid", "not an IP address: " + address);
  }
  return AddressList(found, &freeaddrinfo);
}

Error SocketError(const std::string& address, std::uint16_t port) {
  return Error::Make(Code::kFailed, "zone_socket_failed",
                     address + " port " + std::to_string(port) + ": " + std::strerror(errno));
}

Result<Socket> Open(const std::string& address, std::uint16_t port, int type,
                    int (*attach)(int, const sockaddr*, socklen_t)) {
  auto list = Numeric(address, port, type);
  if (!list) return list.error();
  const addrinfo& info = **list;
  Socket socket(::socket(info.ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!socket || setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      attach(socket.fd(), info.ai_addr, info.ai_addrlen) != 0) {
    return SocketError(address, port);
  }
  return socket;
}

bool Wildcard(const addrinfo& info) {
  if (info.ai_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(*info.ai_addr).sin6_addr;
    return IN6_IS_ADDR_UNSPECIFIED(&address);
  }
  return reinterpret_cast<const sockaddr_in&>(*info.ai_addr).sin_addr.s_addr == htonl(INADDR_ANY);
}

// Without SO_REUSEADDR: the kernel then picks a port that nobody has.
Result<Socket> OpenFrom(const std::string& source, const addrinfo& to) {
  Socket socket(::socket(to.ai_family, to.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return SocketError("a socket", 0);
  if (source.empty()) return socket;
  auto from = Numeric(source, 0, to.ai_socktype);
  if (!from) return from.error();
  const addrinfo& own = **from;
  if (own.ai_family == to.ai_family && !Wildcard(own) && bind(socket.fd(), own.ai_addr, own.ai_addrlen) != 0)
    return SocketError(source, 0);
  return socket;
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Result<Socket> ListenTcp(const std::string& address, std::uint16_t port) {
  auto socket = Open(address, port, SOCK_STREAM, &::bind);
  if (socket && listen(socket->fd(), 64) != 0) return SocketError(address, port);
  return socket;
}

Socket AcceptTcp(const Socket& listener) {
  Socket socket(accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  const int on = 1;
  if (socket) setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

Result<Socket> ConnectTcp(const std::string& address, std::uint16_t port, const std::string& source) {
  auto to = Numeric(address, port, SOCK_STREAM);
  if (!to) return to.error();
  auto socket = OpenFrom(source, **to);
  if (!socket) return socket;
  if (connect(socket->fd(), (*to)->ai_addr, (*to)->ai_addrlen) != 0 && errno != EINPROGRESS)
    return SocketError(address, port);
  return socket;
}

bool IsExhausted(int why) { return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM; }

Result<Socket> BindUdp(const std::string& address, std::uint16_t port) {
  return Open(address, port, SOCK_DGRAM, &::bind);
}

Result<Socket> ConnectUdp(const std::string& address, std::uint16_t port, const std::string& source) {
  auto to = Numeric(address, port, SOCK_DGRAM);
  if (!to) return to.error();
  auto socket = OpenFrom(source, **to);
  if (!socket) return socket;
  if (connect(socket->fd(), (*to)->ai_addr, (*to)->ai_addrlen) != 0) return SocketError(address, port);
  return socket;
}

std::uint16_t LocalPort(const Socket& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::string PeerText(const sockaddr_storage& peer) {
  char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&peer), sizeof peer, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "an unknown address";
  }
  return std::string(host) + " port " + port;
}

bool IsOfThisHost(const Socket& connected) {
  sockaddr_storage own{}, peer{};
  socklen_t own_size = sizeof own, peer_size = sizeof peer;
  if (getsockname(connected.fd(), reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
      getpeername(connected.fd(), reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0 ||
      own.ss_family != peer.ss_family) {
    return false;
  }
  if (own.ss_family == AF_INET6) {
    return IN6_ARE_ADDR_EQUAL(&reinterpret_cast<const sockaddr_in6&>(own).sin6_addr,
                              &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr);
  }
  return own.ss_family == AF_INET && reinterpret_cast<const sockaddr_in&>(own).sin_addr.s_addr ==
                                         reinterpret_cast<const sockaddr_in&>(peer).sin_addr.s_addr;
}

std::string PeerText(const Socket& connected) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  getpeername(connected.fd(), reinterpret_cast<sockaddr*>(&peer),
              &size);  // gone already: of no family, so unknown
  return PeerText(peer);
}

}  // namespace registry::zone
