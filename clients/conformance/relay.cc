#include "clients/conformance/relay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace registry::conformance {
namespace {

constexpr int kPollMs = 5;  // also how soon a Cut is heard
constexpr std::size_t kBufferMax = 65536;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

const sockaddr* Generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

void Prepare(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(socket, F_SETFL, O_NONBLOCK);
}

int ListenOn(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = Loopback(port);
  if (::bind(socket, Generic(address), sizeof address) == 0 && ::listen(socket, 64) == 0) return socket;
  ::close(socket);
  return -1;
}

std::uint16_t PortOf(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

bool Temporary(ssize_t size) { return size < 0 && (errno == EAGAIN || errno == EINTR); }

// False: the other end is gone.
bool ReadInto(int socket, std::string& buffer) {
  char octets[16384];
  const ssize_t size = ::recv(socket, octets, sizeof octets, 0);
  if (size > 0) buffer.append(octets, static_cast<std::size_t>(size));
  return size > 0 || Temporary(size);
}

bool WriteFrom(int socket, std::string& buffer) {
  if (buffer.empty()) return true;
  const ssize_t size = ::send(socket, buffer.data(), buffer.size(), MSG_NOSIGNAL);
  if (size > 0) buffer.erase(0, static_cast<std::size_t>(size));
  return size > 0 || Temporary(size);
}

short Wants(const std::string& from, const std::string& to) {
  return static_cast<short>((from.size() < kBufferMax ? POLLIN : 0) | (to.empty() ? 0 : POLLOUT));
}

}  // namespace

std::uint16_t FreePort() {
  const int socket = ListenOn(0);
  if (socket < 0) return 0;
  const std::uint16_t port = PortOf(socket);
  ::close(socket);
  return port;
}

bool Listens(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  const sockaddr_in address = Loopback(port);
  const bool answered = ::connect(socket, Generic(address), sizeof address) == 0;
  ::close(socket);
  return answered;
}

Result<std::unique_ptr<Relay>> Relay::Open(std::uint16_t port, std::uint16_t broker_port) {
  const int listener = ListenOn(port);
  if (listener < 0)
    return Error::Make(Code::kFailed, "relay_failed",
                       "cannot listen on port " + std::to_string(port) + ": " + std::strerror(errno));
  ::fcntl(listener, F_SETFL, O_NONBLOCK);
  std::unique_ptr<Relay> relay(new Relay(listener, PortOf(listener), broker_port));
  relay->thread_.Start("relay", [self = relay.get()] { self->Loop(); });
  return relay;
}

Relay::~Relay() {
  thread_.Stop();
  Sweep(true);
  ::close(listener_);
}

void Relay::Loop() {
  while (!thread_.stopping()) {
    if (cut_.exchange(false)) Sweep(true);
    if (still_) {
      ::poll(nullptr, 0, kPollMs);
      continue;
    }
    std::vector<pollfd> polled = {{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      // A deaf relay reads on and keeps it, so that it sees the party go.
      polled.push_back({pair.party, Wants(pair.to_broker, pair.to_party), 0});
      polled.push_back({pair.broker, Wants(pair.to_party, deaf_ ? std::string() : pair.to_broker), 0});
    }
    if (::poll(polled.data(), polled.size(), kPollMs) <= 0) continue;
    std::size_t at = 1;
    for (Pair& pair : pairs_) {
      Turn(pair, polled[at].revents, polled[at + 1].revents);
      at += 2;
    }
    if (polled[0].revents != 0) Accept();
    Sweep(false);
  }
}

void Relay::Accept() {
  const int party = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (party < 0) return;
  const int broker =
      away_ || pairs_.size() >= kConnectionsMax ? -1 : ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(broker_port_);
  if (broker < 0 || ::connect(broker, Generic(address), sizeof address) != 0) {
    if (broker >= 0) ::close(broker);
    ::close(party);
    return;
  }
  Prepare(party);
  Prepare(broker);
  Pair pair;
  pair.party = party;
  pair.broker = broker;
  pairs_.push_back(std::move(pair));
  connections_ = pairs_.size();
}

void Relay::Turn(Pair& pair, short party, short broker) {
  bool good = true;
  if ((party & (POLLIN | POLLHUP | POLLERR)) != 0) good = ReadInto(pair.party, pair.to_broker);
  if (good && (broker & (POLLIN | POLLHUP | POLLERR)) != 0) good = ReadInto(pair.broker, pair.to_party);
  if (good) good = WriteFrom(pair.party, pair.to_party);
  if (good && !deaf_) good = WriteFrom(pair.broker, pair.to_broker);
  pair.over = !good;
}

void Relay::Close(Pair& pair) {
  if (!deaf_) WriteFrom(pair.broker, pair.to_broker);
  WriteFrom(pair.party, pair.to_party);
  ::close(pair.party);
  ::close(pair.broker);
}

void Relay::Sweep(bool all) {
  for (auto pair = pairs_.begin(); pair != pairs_.end();) {
    if (all || pair->over) {
      Close(*pair);
      pair = pairs_.erase(pair);
    } else {
      ++pair;
    }
  }
  connections_ = pairs_.size();
}

}  // namespace registry::conformance
