#include "bridge/zone/connection.h"

#include <poll.h>

namespace registry::zone {
namespace {

constexpr std::size_t kInputMax = 2 + 65'535;
constexpr int kMessagesPerTurn = 16;  // then other connections have their turn

Transport TransportOf(const Channel& channel) {
  if (channel.in_tls()) return Transport::kTls;
  return IsOfThisHost(channel.socket()) ? Transport::kTcpOfThisHost : Transport::kTcp;
}

}  // namespace

Connection::Connection(Channel channel, Steady::time_point now)
    : channel_(std::move(channel)),
      peer_(PeerText(channel_.socket())),
      peer_key_(PeerKeyOf(channel_.socket())),
      transport_(TransportOf(channel_)),
      deadline_(now + (channel_.made() ? kIdleLimit : kShakeLimit)) {}

Connection::~Connection() {
  // RFC 8446 §6.1: the peer sees that nothing was cut off.
  if (channel_.in_tls() && made()) channel_.EndSending();
}

bool Connection::wants_input() const { return !ended_ && in_.size() < kInputMax && !reply_; }

short Connection::events() const {
  if (!made()) return channel_.waits_for() != 0 ? channel_.waits_for() : short{POLLIN};
  const short output = channel_.waits_for() == POLLIN ? POLLIN : POLLOUT;  // TLS may have to read first
  const bool wants_output = !out_.empty() || (reply_.has_value() && !waits());
  return static_cast<short>((wants_input() ? POLLIN : 0) | (wants_output ? output : 0));
}

bool Connection::Turn(short events, Responder& responder, Steady::time_point now) {
  if (fd() < 0 || now >= deadline_ || TooSlow(now) || (events & (POLLERR | POLLNVAL)) != 0) return false;
  const bool shakes = !made();
  const bool readable = (events & (POLLIN | POLLHUP)) != 0 || (shakes && events != 0) || ready();
  if (readable && !ended_ && !Receive(now)) return false;
  if (!made()) return true;
  if (shakes && in_.empty()) deadline_ = now + kIdleLimit;
  return Work(responder, now);
}

bool Connection::TooSlow(Steady::time_point now) const {
  if ((!reply_ && out_.empty()) || waits()) return false;
  const auto late = std::chrono::duration_cast<std::chrono::seconds>(now - answer_begun_ - kSlowGrace);
  return late.count() > 0 && answer_taken_ < late.count() * kSlowest;
}

bool Connection::Receive(Steady::time_point now) {
  const bool was_empty = in_.empty();
  std::uint8_t buffer[4096];
  std::size_t got = 0;
  switch (channel_.Receive(std::span(buffer, std::min(sizeof buffer, kInputMax - in_.size())), got)) {
    case Channel::Took::kWouldWait:
      return true;
    case Channel::Took::kEnded:
      ended_ = true;
      return reply_.has_value() || !out_.empty();
    default:
      break;
  }
  Put(in_, View(buffer, got));
  if (was_empty && !reply_) deadline_ = now + kRequestLimit;
  return true;
}

// False when what arrived cannot be answered: the connection is of no further use.
bool Connection::TakeRequest(Responder& responder, Steady::time_point now, bool& taken) {
  taken = false;
  if (in_.size() < 2) return true;
  const std::size_t size = static_cast<std::size_t>(in_[0]) << 8 | in_[1];
  if (in_.size() < 2 + size) return true;
  reply_ = responder.Answer(View(in_).subspan(2, size), transport_, peer_);
  in_.erase(in_.begin(), in_.begin() + static_cast<long>(2 + size));
  taken = true;
  answer_begun_ = now;
  answer_taken_ = 0;
  if (!reply_) return false;
  authentic_ = authentic_ || reply_->authentic();
  if (!reply_->authentic()) ++refusals_;
  if (reply_->large()) {
    transfer_ = Transfer::kWaiting;
    deadline_ = now + kWaitLimit;
  }
  return true;
}

bool Connection::Work(Responder& responder, Steady::time_point now) {
  for (int i = 0; i < kMessagesPerTurn;) {
    if (!out_.empty()) {
      if (!Send(now)) return false;
      if (!out_.empty()) return true;
    }
    if (waits()) return true;
    Bytes message;
    if (reply_ && reply_->Next(message)) {
      PutU16(out_, static_cast<std::uint16_t>(message.size()));
      Put(out_, message);
      ++i;
      continue;
    }
    const bool finished = reply_.has_value();
    reply_.reset();
    transfer_ = Transfer::kNone;
    bool taken = false;
    if (!TakeRequest(responder, now, taken)) return false;
    if (taken) continue;
    if (finished) deadline_ = now + (in_.empty() ? kIdleLimit : kRequestLimit);
    return !ended_;
  }
  return true;
}

void Connection::Begin(Steady::time_point now) {
  transfer_ = Transfer::kRunning;
  answer_begun_ = now;
  deadline_ = now + kProgressLimit;
}

bool Connection::Send(Steady::time_point now) {
  std::size_t size = 0;
  const Channel::Took took = channel_.Send(View(out_).subspan(sent_), size);
  if (took != Channel::Took::kSome) return took == Channel::Took::kWouldWait;
  sent_ += size;
  answer_taken_ += static_cast<std::int64_t>(size);
  deadline_ = now + kProgressLimit;
  if (sent_ < out_.size()) return true;
  out_.clear();
  sent_ = 0;
  return true;
}

}  // namespace registry::zone
