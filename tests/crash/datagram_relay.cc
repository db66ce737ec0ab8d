#include "tests/crash/datagram_relay.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "tests/support/loopback.h"

namespace registry::test {
namespace {

constexpr int kDatagramPollMs = 20;  // also how soon a stop is heard
constexpr std::size_t kDatagramMax = 65535;

const sockaddr* AnyKind(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

int DatagramSocket() { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

}  // namespace

Result<std::unique_ptr<DatagramRelay>> DatagramRelay::Open(std::uint16_t port, std::uint16_t to_port) {
  const int asked = DatagramSocket();
  const sockaddr_in address = Loopback(port);
  if (asked < 0 || ::bind(asked, AnyKind(address), sizeof address) != 0) {
    if (asked >= 0) ::close(asked);
    return Error::Make(Code::kFailed, "relay_failed", "cannot be asked at port " + std::to_string(port));
  }
  std::unique_ptr<DatagramRelay> relay(new DatagramRelay(asked, to_port));
  relay->thread_.Start("datagrams", [self = relay.get()] { self->Loop(); });
  return relay;
}

DatagramRelay::~DatagramRelay() {
  thread_.Stop();
  for (const Asker& asker : askers_) ::close(asker.onward);
  ::close(asked_);
}

void DatagramRelay::Loop() {
  while (!thread_.stopping()) {
    std::vector<pollfd> polled = {{asked_, POLLIN, 0}};
    for (const Asker& asker : askers_) polled.push_back({asker.onward, POLLIN, 0});
    if (::poll(polled.data(), polled.size(), kDatagramPollMs) <= 0) continue;
    std::size_t at = 1;
    for (const Asker& asker : askers_) {
      if (polled[at++].revents != 0) TakeAnswer(asker);
    }
    if (polled[0].revents != 0) TakeAsked();
  }
}

void DatagramRelay::TakeAsked() {
  std::array<char, kDatagramMax> octets;
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const ssize_t length =
      ::recvfrom(asked_, octets.data(), octets.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (length < 0 || lost_) return;
  const int onward = OnwardOf(from.sin_port);
  if (onward >= 0) (void)::send(onward, octets.data(), static_cast<std::size_t>(length), 0);
}

void DatagramRelay::TakeAnswer(const Asker& asker) const {
  std::array<char, kDatagramMax> octets;
  const ssize_t length = ::recv(asker.onward, octets.data(), octets.size(), 0);
  if (length < 0 || lost_) return;
  const sockaddr_in to = Loopback(ntohs(asker.port));
  (void)::sendto(asked_, octets.data(), static_cast<std::size_t>(length), 0, AnyKind(to), sizeof to);
}

int DatagramRelay::OnwardOf(std::uint16_t port) {
  for (const Asker& asker : askers_) {
    if (asker.port == port) return asker.onward;
  }
  const int onward = DatagramSocket();
  const sockaddr_in to = Loopback(to_port_);
  if (onward < 0 || ::connect(onward, AnyKind(to), sizeof to) != 0) {
    if (onward >= 0) ::close(onward);
    return -1;
  }
  if (askers_.size() >= kAskersMax) {
    ::close(askers_.front().onward);
    askers_.pop_front();
  }
  askers_.push_back({port, onward});
  return onward;
}

}  // namespace registry::test
