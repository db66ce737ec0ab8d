#include "bridge/app/http.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <list>
#include <vector>

#include "bridge/app/http_connection.h"
#include "bridge/app/http_tls.h"
#include "bridge/zone/accept_pause.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {
namespace {

constexpr std::size_t kSaidMax = 64;
constexpr int kTickMs = 1000;  // how late a deadline may be noticed

class PollServer : public HttpServer {
 public:
  explicit PollServer(LogLine log) : log_(std::move(log)) {}
  ~PollServer() override {
    thread_.Stop([this] { Wake(); });
  }

  Status Listen(const std::string& address, std::uint16_t port, HttpSite site) {
    wake_ = zone::Socket(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    auto listener = zone::ListenTcp(address, port);
    if (!wake_ || !listener) {
      const std::string why = listener ? "no eventfd" : listener.error().message;
      return Error::Make(Code::kFailed, "http_failed", "cannot listen for HTTP: " + why);
    }
    listener_ = std::move(*listener);
    port_ = zone::LocalPort(listener_);
    for (const auto& [path, make] : site.pages) serving_.makers.try_emplace(path, make, [this] { Wake(); });
    if (site.asked) serving_.each = std::make_unique<EachMaker>(site.asked, [this] { Wake(); });
    serving_.site = std::move(site);
    thread_.Start("http", [this] { Run(); });
    return Done{};
  }

  std::uint16_t port() const override { return port_; }
  void Say(std::string text) override {
    {
      const MutexLock lock(mutex_);
      if (said_.size() >= kSaidMax) said_.pop_front();  // the server's thread has not come for a while
      said_.push_back(std::move(text));
    }
    Wake();
  }

 private:
  void Wake() const {
    const std::uint64_t one = 1;
    (void)!write(wake_.fd(), &one, sizeof one);  // noticed at the next tick when it cannot be written
  }

  void Run() {
    std::vector<pollfd> polled;
    while (!thread_.stopping()) {
      JudgeStreams(Steady::now());
      const bool accepting = accept_pause_.Over(Steady::now());
      polled.assign({{wake_.fd(), POLLIN, 0}, {accepting ? listener_.fd() : -1, POLLIN, 0}});
      for (const auto& connection : connections_) polled.push_back({connection.fd(), connection.events(), 0});
      if (poll(polled.data(), polled.size(), kTickMs) < 0) continue;
      std::uint64_t count = 0;
      (void)!read(wake_.fd(), &count, sizeof count);
      SayAll(Steady::now());
      TurnAll(polled, Steady::now());
      if (polled[1].revents != 0) Accept(Steady::now());
    }
  }

  void SayAll(Steady::time_point now) {
    std::deque<std::string> said;
    {
      const MutexLock lock(mutex_);
      said.swap(said_);
    }
    serving_.streams = 0;
    for (auto& connection : connections_) {
      if (!connection.streams()) continue;
      ++serving_.streams;
      for (const std::string& text : said) connection.Say(text, now);
    }
  }

  void TurnAll(const std::vector<pollfd>& polled, Steady::time_point now) {
    std::size_t at = 2;
    for (auto connection = connections_.begin(); connection != connections_.end(); ++at) {
      const bool goes_on = connection->Turn(polled[at].revents, serving_, now);
      connection = goes_on ? std::next(connection) : connections_.erase(connection);
    }
  }

  // A stream may be open for days: whose certificate or role is withdrawn meanwhile is not told any more.
  void JudgeStreams(Steady::time_point now) {
    if (now - judged_ < HttpTls::kCrlLookEvery) return;
    judged_ = now;
    const auto tls = serving_.site.tls ? serving_.site.tls->Current(now, log_) : nullptr;
    if (serving_.site.tls && !tls) return;
    connections_.remove_if(
        [&](const HttpConnection& connection) { return !connection.MayGoOn(serving_, tls.get()); });
  }

  // They stand in the order in which they came.
  bool MakeRoom() {
    if (connections_.size() < kHttpConnectionsMax) return true;
    const auto idle = std::find_if(connections_.begin(), connections_.end(),
                                   [](const HttpConnection& connection) { return connection.gives_way(); });
    if (idle == connections_.end()) return false;
    connections_.erase(idle);
    return true;
  }

  void Accept(Steady::time_point now) {
    while (true) {
      zone::Socket socket = zone::AcceptTcp(listener_);
      if (!socket) return accept_pause_.Failed(errno, now, "a connection cannot be taken", log_);
      if (!MakeRoom()) continue;
      const auto tls = serving_.site.tls ? serving_.site.tls->Current(now, log_) : nullptr;
      if (serving_.site.tls && !tls) continue;
      connections_.emplace_back(std::move(socket), tls.get(), now);
      // What it asks is mostly here already; its turn comes before another one takes its place.
      if (!connections_.back().Turn(POLLIN, serving_, now)) connections_.pop_back();
    }
  }

  const LogLine log_;
  zone::Socket wake_, listener_;
  std::uint16_t port_ = 0;
  zone::AcceptPause accept_pause_;
  Steady::time_point judged_{};
  Mutex mutex_;
  std::deque<std::string> said_ GUARDED_BY(mutex_);
  HttpServing serving_;  // its threads wake the server, whose descriptors outlive them
  std::list<HttpConnection> connections_;
  OwnThread thread_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address, std::uint16_t port,
                                                      const Pages& pages, LogLine log) {
  HttpSite site;
  site.pages = pages;
  return Serve(address, port, std::move(site), std::move(log));
}

Result<std::unique_ptr<HttpServer>> HttpServer::Serve(const std::string& address, std::uint16_t port,
                                                      HttpSite site, LogLine log) {
  auto server = std::make_unique<PollServer>(std::move(log));
  if (auto listening = server->Listen(address, port, std::move(site)); !listening) return listening.error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace registry::app
