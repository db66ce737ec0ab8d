#include "bridge/zone/conversation.h"

#include <poll.h>

#include <cerrno>
#include <cstring>

namespace registry::zone {
namespace {

constexpr std::chrono::milliseconds kStopLook{100};

}  // namespace

Status Conversation::Send(View octets) {
  while (!octets.empty()) {
    if (stopping_()) return failed_("stopped");
    std::size_t put = 0;
    errno = 0;
    const auto took = channel_.Send(octets, put);
    octets = octets.subspan(put);
    if (took == Channel::Took::kSome) continue;
    if (auto ready = Again(took, POLLOUT); !ready) return ready;
  }
  return Done{};
}

Result<Bytes> Conversation::ReceiveMessage() {
  const auto size = Receive(2);
  if (!size) return size.error();
  return Receive(static_cast<std::size_t>((*size)[0] << 8 | (*size)[1]));
}

Result<Bytes> Conversation::Receive(std::size_t size) {
  Bytes octets(size);
  for (std::size_t have = 0; have < size;) {
    if (stopping_()) return failed_("stopped");  // a peer that always has more to say is not waited for
    errno = 0;
    const auto took = channel_.Receive(std::span(octets).subspan(have), have);
    if (took == Channel::Took::kSome) continue;
    if (auto ready = Again(took, POLLIN); !ready) return ready.error();
  }
  return octets;
}

Status Conversation::Again(Channel::Took took, short event) {
  if (took == Channel::Took::kEnded) {
    if (!channel_.trouble().empty()) return failed_("TLS: " + channel_.trouble());
    return failed_(errno != 0 && errno != EAGAIN ? std::strerror(errno) : "it has closed the connection");
  }
  if (channel_.waits_for() != 0) event = channel_.waits_for();
  while (!stopping_()) {
    if (Clock::now() >= until_) return failed_("it does not answer in time");
    pollfd wait{channel_.fd(), event, 0};
    if (poll(&wait, 1, static_cast<int>(kStopLook.count())) > 0) return Done{};
  }
  return failed_("stopped");
}

}  // namespace registry::zone
