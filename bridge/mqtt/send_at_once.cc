#include "bridge/mqtt/send_at_once.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>
#include <filesystem>
#include <string>

namespace registry::mqtt {
namespace {

// -1 when it is no connected Internet socket.
int PeerPort(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return -1;
  if (peer.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&peer)->sin_port);
  if (peer.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_port);
  return -1;
}

}  // namespace

int SendAtOnce(int peer_port) {
  int count = 0;
  std::error_code ended;
  for (std::filesystem::directory_iterator at("/proc/self/fd", ended), end; !ended && at != end;
       at.increment(ended)) {
    const std::string name = at->path().filename();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    const int on = 1;
    if (fd >= 0 && PeerPort(fd) == peer_port &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0)
      ++count;
  }
  return count;
}

}  // namespace registry::mqtt
