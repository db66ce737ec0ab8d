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
    const ssize_t put = send(socket_.fd(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (put > 0) {
      octets = octets.subspan(static_cast<std::size_t>(put));
    } else if (auto ready = Again(POLLOUT); !ready) {
      return ready;
    }
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
    const ssize_t got = recv(socket_.fd(), octets.data() + have, size - have, 0);
    if (got == 0) return failed_("it has closed the connection");
    if (got > 0) {
      have += static_cast<std::size_t>(got);
    } else if (auto ready = Again(POLLIN); !ready) {
      return ready.error();
    }
  }
  return octets;
}

Status Conversation::Again(short event) {
  if (errno != EAGAIN && errno != EINTR) return failed_(std::strerror(errno));
  while (!stopping_()) {
    if (Clock::now() >= until_) return failed_("it does not answer in time");
    pollfd wait{socket_.fd(), event, 0};
    if (poll(&wait, 1, static_cast<int>(kStopLook.count())) > 0) return Done{};
  }
  return failed_("stopped");
}

}  // namespace registry::zone
