// bridge/app/http_connection.h: one TCP connection to the operator's pages: a request in, its answer out, the end.
// Owns its socket. Each of the steps has kHttpStepWithin; what a peer sends after its request is read away, bounded in
// time, so that the answer is not lost to a reset (RFC 9112 §9.6). Threads: the server's only.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "bridge/app/http_message.h"
#include "bridge/app/http_page.h"
#include "bridge/zone/socket.h"

namespace registry::app {

using Steady = std::chrono::steady_clock;
inline constexpr std::chrono::seconds kHttpStepWithin{5};

class HttpConnection {
 public:
  using Makers = std::map<std::string, PageMaker, std::less<>>;

  HttpConnection(zone::Socket socket, Steady::time_point now)
      : socket_(std::move(socket)), deadline_(now + kHttpStepWithin) {}
  int fd() const { return socket_.fd(); }
  short events() const;
  // It has not asked yet, or has been answered.
  bool gives_way() const { return step_ == Step::kAsking || step_ == Step::kEnding; }
  // False: the connection is over.
  bool Turn(short events, Makers& makers, Steady::time_point now);

 private:
  enum class Step { kAsking, kWaiting, kAnswering, kEnding };

  bool Receive(Makers& makers, Steady::time_point now);
  void Take(const HttpRequest& request, Makers& makers, Steady::time_point now);
  void Answer(const Page& page, Steady::time_point now);
  bool Send(Steady::time_point now);
  void Go(Step step, Steady::time_point now);

  zone::Socket socket_;
  Step step_ = Step::kAsking;
  Steady::time_point deadline_;
  std::string in_, out_;
  std::size_t sent_ = 0;
  bool head_only_ = false;
  PageMaker* maker_ = nullptr;  // of the page that is waited for
  PageMaker::Ticket ticket_ = 0;
};

}  // namespace registry::app
