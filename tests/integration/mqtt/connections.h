// tests/integration/mqtt/connections.h: the sockets of this process that are connected to a port, to look at or to cut off.
// Any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <set>

namespace registry::test {

inline std::set<int> ConnectionsTo(int port) {
  std::set<int> sockets;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = static_cast<int>(std::strtol(entry.path().filename().c_str(), nullptr, 10));
    sockaddr_in peer{};
    socklen_t size = sizeof(peer);
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && ntohs(peer.sin_port) == port)
      sockets.insert(fd);
  }
  return sockets;
}

// Whoever owns it finds it ended; nothing more is said on it, no DISCONNECT either.
inline void CutOff(int fd) { (void)shutdown(fd, SHUT_RDWR); }

}  // namespace registry::test
