#include "bridge/app/http_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace registry::app {
namespace {

bool WouldWait() { return errno == EAGAIN || errno == EINTR; }

}  // namespace

short HttpConnection::events() const {
  if (step_ == Step::kWaiting) return 0;
  return step_ == Step::kAnswering ? POLLOUT : POLLIN;
}

void HttpConnection::Go(Step step, Steady::time_point now) {
  step_ = step;
  deadline_ = now + kHttpStepWithin;
}

bool HttpConnection::Turn(short events, Makers& makers, Steady::time_point now) {
  if (now >= deadline_ || (events & (POLLERR | POLLNVAL)) != 0) return false;
  const bool readable = (events & (POLLIN | POLLHUP)) != 0;
  if (step_ == Step::kAsking && readable && !Receive(makers, now)) return false;
  if (step_ == Step::kWaiting) {
    if ((events & POLLHUP) != 0) return false;
    if (const auto page = maker_->MadeFor(ticket_)) Answer(*page, now);
  }
  if (step_ == Step::kAnswering && !Send(now)) return false;
  if (step_ != Step::kEnding || !readable) return true;
  char part[4096];
  const ssize_t size = recv(socket_.fd(), part, sizeof part, 0);
  return size > 0 || (size < 0 && WouldWait());
}

bool HttpConnection::Receive(Makers& makers, Steady::time_point now) {
  char part[4096];
  const ssize_t size = recv(socket_.fd(), part, sizeof part, 0);
  if (size <= 0) return size < 0 && WouldWait();
  in_.append(part, static_cast<std::size_t>(size));
  if (const auto request = ReadHttpRequest(in_)) Take(*request, makers, now);
  return true;
}

void HttpConnection::Take(const HttpRequest& request, Makers& makers, Steady::time_point now) {
  head_only_ = request.head_only;
  const auto maker = makers.find(request.path);
  if (request.status == 405) return Answer({405, "text/plain", "GET or HEAD\n"}, now);
  if (request.status != 200) return Answer({request.status, "text/plain", "no HTTP/1.1 request\n"}, now);
  if (maker == makers.end()) return Answer({404, "text/plain", "not here\n"}, now);
  maker_ = &maker->second;
  ticket_ = maker_->Ask();
  Go(Step::kWaiting, now);
}

void HttpConnection::Answer(const Page& page, Steady::time_point now) {
  out_ = HttpAnswer(page, head_only_);
  Go(Step::kAnswering, now);
}

bool HttpConnection::Send(Steady::time_point now) {
  const ssize_t size = send(socket_.fd(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
  if (size < 0) return WouldWait();
  sent_ += static_cast<std::size_t>(size);
  if (sent_ < out_.size()) return true;
  shutdown(socket_.fd(), SHUT_WR);
  Go(Step::kEnding, now);
  return true;
}

}  // namespace registry::app
