#include "bridge/zone/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace registry::zone {
namespace {

constexpr std::size_t kInputMax = 2 + 65'535;
constexpr int kMessagesPerTurn = 16;  // then other connections have their turn

}  // namespace

short Connection::events() const {
  const bool want_input = !ended_ && in_.size() < kInputMax && !reply_;
  const bool want_output = !out_.empty() || reply_.has_value();
  return static_cast<short>((want_input ? POLLIN : 0) | (want_output ? POLLOUT : 0));
}

bool Connection::Turn(short events, Responder& responder, Steady::time_point now) {
  if (now >= deadline_ || (events & (POLLERR | POLLNVAL)) != 0) return false;
  if ((events & (POLLIN | POLLHUP)) != 0 && !ended_ && !Receive(now)) return false;
  return Work(responder, now);
}

bool Connection::Receive(Steady::time_point now) {
  const bool was_empty = in_.empty();
  std::uint8_t buffer[4096];
  const ssize_t size = recv(socket_.fd(), buffer, std::min(sizeof buffer, kInputMax - in_.size()), 0);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) {
    ended_ = true;
    return reply_.has_value() || !out_.empty();
  }
  Put(in_, View(buffer, static_cast<std::size_t>(size)));
  if (was_empty && !reply_) deadline_ = now + kRequestLimit;
  return true;
}

// False when what arrived cannot be answered: the connection is of no further use.
bool Connection::TakeRequest(Responder& responder, bool& taken) {
  taken = false;
  if (in_.size() < 2) return true;
  const std::size_t size = static_cast<std::size_t>(in_[0]) << 8 | in_[1];
  if (in_.size() < 2 + size) return true;
  reply_ = responder.Answer(View(in_).subspan(2, size), Transport::kTcp, peer_);
  in_.erase(in_.begin(), in_.begin() + static_cast<long>(2 + size));
  taken = true;
  authentic_ = authentic_ || (reply_ && reply_->authentic());
  return reply_.has_value();
}

bool Connection::Work(Responder& responder, Steady::time_point now) {
  for (int i = 0; i < kMessagesPerTurn;) {
    if (!out_.empty()) {
      if (!Send(now)) return false;
      if (!out_.empty()) return true;
    }
    Bytes message;
    if (reply_ && reply_->Next(message)) {
      PutU16(out_, static_cast<std::uint16_t>(message.size()));
      Put(out_, message);
      ++i;
      continue;
    }
    const bool finished = reply_.has_value();
    reply_.reset();
    bool taken = false;
    if (!TakeRequest(responder, taken)) return false;
    if (taken) continue;
    if (finished) deadline_ = now + (in_.empty() ? kIdleLimit : kRequestLimit);
    return !ended_;
  }
  return true;
}

bool Connection::Send(Steady::time_point now) {
  const ssize_t size = send(socket_.fd(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  sent_ += static_cast<std::size_t>(size);
  deadline_ = now + kProgressLimit;
  if (sent_ < out_.size()) return true;
  out_.clear();
  sent_ = 0;
  return true;
}

}  // namespace registry::zone
