// bridge/app/http_connection.h: one TCP connection to the operator's pages: a request in, its answer out, the end; or a
// stream, which goes on until the peer ends it.
// Owns its socket. Each of the steps has kHttpStepWithin; what a peer sends after its request is read away, bounded in
// time, so that the answer is not lost to a reset (RFC 9112 §9.6). Threads: the server's only.
// Limits: a stream whose peer leaves kStreamBehindMax octets untaken ends.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "bridge/app/http_channel.h"
#include "bridge/app/http_message.h"
#include "bridge/app/http_page.h"

namespace registry::app {

using Steady = std::chrono::steady_clock;
inline constexpr std::chrono::seconds kHttpStepWithin{5};
inline constexpr std::size_t kStreamBehindMax = std::size_t{1} << 20;

// What a server serves, and from which threads it has it.
struct HttpServing {
  HttpSite site;
  std::map<std::string, PageMaker, std::less<>> makers;
  std::unique_ptr<EachMaker> each;
  std::size_t streams = 0;  // that are open
};

class HttpConnection {
 public:
  HttpConnection(zone::Socket socket, SSL_CTX* tls, Steady::time_point now)
      : channel_(std::move(socket), tls), deadline_(now + kHttpStepWithin) {}
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  int fd() const { return channel_.fd(); }
  short events() const;
  // It has not asked yet, or has been answered.
  bool gives_way() const { return step_ == Step::kAsking || step_ == Step::kEnding; }
  bool streams() const { return step_ == Step::kStreaming; }
  // False: the connection is over.
  bool Turn(short events, HttpServing& serving, Steady::time_point now);
  // Whether a stream would be let in now; `tls` null: plain. Everything else ends by itself within moments.
  bool MayGoOn(const HttpServing& serving, SSL_CTX* tls) const;
  // Of a stream: what it is told next.
  void Say(const std::string& text, Steady::time_point now);

 private:
  enum class Step { kAsking, kWaiting, kAnswering, kEnding, kStreaming };
  using Took = HttpChannel::Took;

  bool Receive(HttpServing& serving, Steady::time_point now);
  void Take(HttpRequest request, HttpServing& serving, Steady::time_point now);
  void Wait(Maker& maker, Maker::Ticket ticket, Steady::time_point now);
  void Stream(HttpRequest request, HttpServing& serving, Steady::time_point now);
  void Answer(const Page& page, Steady::time_point now);
  bool Send(Steady::time_point now);
  bool SendStream(bool readable, Steady::time_point now);
  void Go(Step step, Steady::time_point now);

  HttpChannel channel_;
  Step step_ = Step::kAsking;
  Steady::time_point deadline_;
  std::string in_, out_;
  std::size_t sent_ = 0;
  bool head_only_ = false;
  HttpRequest request_;     // that began the stream
  Maker* maker_ = nullptr;  // of the page that is waited for
  Maker::Ticket ticket_ = 0;
};

}  // namespace registry::app
