#include "bridge/app/http.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <vector>

#include "bridge/app/http_connection.h"
#include "bridge/zone/accept_pause.h"
#include "schemas/base/own_thread.h"

namespace registry::app {
namespace {

constexpr int kTickMs = 1000;  // how late a deadline may be noticed

class PollServer : public HttpServer {
 public:
  explicit PollServer(LogLine log) : log_(std::move(log)) {}
  ~PollServer() override {
    thread_.Stop([this] { Wake(); });
  }

  Status Listen(const std::string& address, std::uint16_t port, const Pages& pages) {
    wake_ = zone::Socket(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    auto listener = zone::ListenTcp(address, port);
    if (!wake_ || !listener) {
      const std::string why = listener ? "no eventfd" : listener.error().message;
      return Error::Make(Code::kFailed, "http_failed", "cannot listen for HTTP: " + why);
    }
    listener_ = std::move(*listener);
    port_ = zone::LocalPort(listener_);
    for (const auto& [path, make] : pages) makers_.try_emplace(path, make, [this] { Wake(); });
    thread_.Start("http", [this] { Run(); });
    return Done{};
  }

  std::uint16_t port() const override { return port_; }

 private:
  void Wake() const {
    const std::uint64_t one = 1;
    (void)!write(wake_.fd(), &one, sizeof one);  // noticed at the next tick when it cannot be written
  }

  void Run() {
    std::vector<pollfd> polled;
    while (!thread_.stopping()) {
      const bool accepting = accept_pause_.Over(Steady::now());
      polled.assign({{wake_.fd(), POLLIN, 0}, {accepting ? listener_.fd() : -1, POLLIN, 0}});
      for (const auto& connection : connections_) polled.push_back({connection.fd(), connection.events(), 0});
      if (poll(polled.data(), polled.size(), kTickMs) < 0) continue;
      std::uint64_t count = 0;
      (void)!read(wake_.fd(), &count, sizeof count);
      TurnAll(polled, Steady::now());
      if (polled[1].revents != 0) Accept(Steady::now());
    }
  }

  void TurnAll(const std::vector<pollfd>& polled, Steady::time_point now) {
    std::size_t at = 2;
    for (auto connection = connections_.begin(); connection != connections_.end(); ++at) {
      const bool goes_on = connection->Turn(polled[at].revents, makers_, now);
      connection = goes_on ? std::next(connection) : connections_.erase(connection);
    }
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
      connections_.emplace_back(std::move(socket), now);
      // What it asks is mostly here already; its turn comes before another one takes its place.
      if (!connections_.back().Turn(POLLIN, makers_, now)) connections_.pop_back();
    }
  }

  const LogLine log_;
  zone::Socket wake_, listener_;
  std::uint16_t port_ = 0;
  std::list<HttpConnection> connections_;
  zone::AcceptPause accept_pause_;
  HttpConnection::Makers makers_;  // their threads wake the server, whose descriptors outlive them
  OwnThread thread_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address, std::uint16_t port,
                                                      const Pages& pages, LogLine log) {
  auto server = std::make_unique<PollServer>(std::move(log));
  if (auto listening = server->Listen(address, port, pages); !listening) return listening.error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace registry::app
