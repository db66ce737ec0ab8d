#include "bridge/app/http_connection.h"

#include <poll.h>

namespace registry::app {

HttpConnection::~HttpConnection() {
  if (maker_ != nullptr) maker_->Forget(ticket_);
}

short HttpConnection::events() const {
  if (channel_.waits_for() != 0) return channel_.waits_for();
  const bool behind = sent_ < out_.size();
  switch (step_) {
    case Step::kWaiting:
      return 0;
    case Step::kAnswering:
      return POLLOUT;
    case Step::kStreaming:
      return behind ? POLLIN | POLLOUT : POLLIN;
    default:
      return POLLIN;
  }
}

void HttpConnection::Go(Step step, Steady::time_point now) {
  step_ = step;
  deadline_ = now + kHttpStepWithin;
}

bool HttpConnection::Turn(short events, HttpServing& serving, Steady::time_point now) {
  if (fd() < 0 || now >= deadline_ || (events & (POLLERR | POLLNVAL)) != 0) return false;
  // TLS may want to write before it can read.
  const bool readable = (events & (POLLIN | POLLHUP)) != 0 || (events & channel_.waits_for()) != 0;
  if (step_ == Step::kAsking && readable && !Receive(serving, now)) return false;
  if (step_ == Step::kWaiting) {
    if ((events & POLLHUP) != 0) return false;
    if (const auto page = maker_->MadeFor(ticket_)) Answer(*page, now);
  }
  if (step_ == Step::kStreaming) return SendStream(readable, now);
  if (step_ == Step::kAnswering && !Send(now)) return false;
  return step_ != Step::kEnding || !readable || channel_.Drain() != Took::kEnded;
}

bool HttpConnection::Receive(HttpServing& serving, Steady::time_point now) {
  if (channel_.Receive(in_) == Took::kEnded) return false;
  if (auto request = ReadHttpRequest(in_)) Take(std::move(*request), serving, now);
  return true;
}

void HttpConnection::Take(HttpRequest request, HttpServing& serving, Steady::time_point now) {
  head_only_ = request.head_only;
  if (request.status == 405) return Answer({405, "text/plain", "GET or HEAD\n"}, now);
  if (request.status != 200) return Answer({request.status, "text/plain", "no HTTP/1.1 request\n"}, now);
  request.in_tls = channel_.in_tls();
  request.peer = channel_.PeerName();
  if (serving.site.refuse) {
    if (const auto refused = serving.site.refuse(request)) return Answer(*refused, now);
  }
  if (const auto maker = serving.makers.find(request.path); maker != serving.makers.end())
    return Wait(maker->second, maker->second.Ask(), now);
  if (!serving.site.stream.empty() && request.path == serving.site.stream && !head_only_)
    return Stream(std::move(request), serving, now);
  if (serving.each != nullptr) {
    const Maker::Ticket ticket = serving.each->Ask(std::move(request));
    return Wait(*serving.each, ticket, now);
  }
  Answer({404, "text/plain", "not here\n"}, now);
}

void HttpConnection::Wait(Maker& maker, Maker::Ticket ticket, Steady::time_point now) {
  maker_ = &maker;
  ticket_ = ticket;
  Go(Step::kWaiting, now);
}

void HttpConnection::Stream(HttpRequest request, HttpServing& serving, Steady::time_point now) {
  if (serving.streams >= kHttpStreamsMax)
    return Answer({503, "text/plain", "too many watch already\n", "Retry-After: 5\r\n"}, now);
  ++serving.streams;
  Go(Step::kStreaming, now);
  out_ = HttpStreamHead(serving.site.stream_headers);
  request_ = std::move(request);
}

bool HttpConnection::MayGoOn(const HttpServing& serving, SSL_CTX* tls) const {
  if (!streams()) return true;
  if (tls != nullptr && !channel_.StillTrusted(*tls)) return false;
  return !serving.site.refuse || !serving.site.refuse(request_);
}

void HttpConnection::Say(const std::string& text, Steady::time_point now) {
  if (sent_ == out_.size()) deadline_ = now + kHttpStepWithin;
  out_ += text;
}

bool HttpConnection::SendStream(bool readable, Steady::time_point now) {
  // A peer has nothing to say here; it can only end.
  std::string said;
  if (readable && channel_.Receive(said) == Took::kEnded) return false;
  while (sent_ < out_.size()) {
    const Took took = channel_.Send(std::string_view(out_).substr(sent_), sent_);
    if (took == Took::kEnded) return false;
    if (took == Took::kWouldWait) return out_.size() - sent_ <= kStreamBehindMax;
    deadline_ = now + kHttpStepWithin;
  }
  out_.clear();
  sent_ = 0;
  deadline_ = Steady::time_point::max();
  return true;
}

void HttpConnection::Answer(const Page& page, Steady::time_point now) {
  out_ = HttpAnswer(page, head_only_);
  Go(Step::kAnswering, now);
}

bool HttpConnection::Send(Steady::time_point now) {
  const Took took = channel_.Send(std::string_view(out_).substr(sent_), sent_);
  if (took != Took::kSome) return took == Took::kWouldWait;
  if (sent_ < out_.size()) return true;
  channel_.EndSending();
  Go(Step::kEnding, now);
  return true;
}

}  // namespace registry::app
