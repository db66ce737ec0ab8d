#include "simulators/lab/ports.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <random>
#include <string>

namespace registry::lab {
namespace {

constexpr int kFirst = 20000, kLast = 31999;  // Linux gives outgoing connections 32768 and above
constexpr int kTriesMax = 2000;

bool CanBind(int type, int port) {
  const int socket = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return bound;
}

int Reserve(int port) {
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const std::string name = "iot-registry-lab/port/" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());  // sun_path[0] = NUL: the abstract name space
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0) return socket;
  ::close(socket);
  return -1;
}

}  // namespace

Ports::~Ports() {
  for (int socket : reservations_) ::close(socket);
}

Result<std::uint16_t> Ports::Take() {
  static thread_local std::mt19937 random(std::random_device{}());
  std::uniform_int_distribution<int> any(kFirst, kLast);
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const int port = any(random);
    const int reservation = Reserve(port);
    if (reservation < 0) continue;
    if (CanBind(SOCK_STREAM, port) && CanBind(SOCK_DGRAM, port)) {
      reservations_.push_back(reservation);
      return static_cast<std::uint16_t>(port);
    }
    ::close(reservation);
  }
  return Error::Make(Code::kLimit, "no_free_port", "no free loopback port found");
}

}  // namespace registry::lab
