#include "bridge/zone/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace registry::zone {
namespace {

constexpr int kDatagramsPerTurn = 32;
constexpr int kPortTries = 16;
constexpr int kTickMs = 1000;  // how late a deadline may be noticed

}  // namespace

Status TransferServer::Start(const std::string& address, std::uint16_t port) {
  // A port that is free for TCP may be taken for UDP; with port 0 another one is as good.
  for (int attempt = 0; attempt < kPortTries; ++attempt) {
    auto tcp = ListenTcp(address, port);
    if (!tcp) return tcp.error();
    auto udp = BindUdp(address, LocalPort(*tcp));
    if (!udp && (port != 0 || attempt + 1 == kPortTries)) return udp.error();
    if (!udp) continue;
    tcp_ = std::move(*tcp);
    udp_ = std::move(*udp);
    break;
  }
  port_ = LocalPort(tcp_);
  wake_ = Socket(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return Error::Make(Code::kFailed, "zone_socket_failed", "no eventfd");
  thread_.Start("zone-server", [this] { Run(); });
  return Done{};
}

void TransferServer::Stop() {
  if (!thread_.running()) return;
  thread_.Stop([this] {
    const std::uint64_t one = 1;
    (void)!write(wake_.fd(), &one, sizeof one);  // noticed at the next tick when it cannot be written
  });
  connections_.clear();
  tcp_ = Socket();
  udp_ = Socket();
}

void TransferServer::Run() {
  std::vector<pollfd> polled;
  while (!thread_.stopping()) {
    ++turns_;
    const bool accepting = accept_pause_.Over(Steady::now());
    polled.assign({{wake_.fd(), POLLIN, 0}, {accepting ? tcp_.fd() : -1, POLLIN, 0}, {udp_.fd(), POLLIN, 0}});
    for (const Connection& connection : connections_)
      polled.push_back({connection.fd(), connection.events(), 0});
    if (poll(polled.data(), polled.size(), kTickMs) < 0) continue;
    const auto now = Steady::now();
    std::size_t at = 3;
    for (auto connection = connections_.begin(); connection != connections_.end(); ++at) {
      connection = connection->Turn(polled[at].revents, responder_, now) ? std::next(connection)
                                                                         : connections_.erase(connection);
    }
    if (polled[2].revents != 0) AnswerDatagrams();
    if (polled[1].revents != 0) Accept(now);
  }
}

bool TransferServer::MakeRoom() {
  if (connections_.size() < kConnectionsMax) return true;
  // In the order in which they came. Whoever floods us with connections evicts its own.
  auto victim = std::ranges::find_if(connections_, [](const Connection& c) { return !c.authentic(); });
  if (victim == connections_.end()) {
    victim = std::min_element(connections_.begin(), connections_.end(), [](const auto& a, const auto& b) {
      return std::pair(!a.idle(), a.deadline()) < std::pair(!b.idle(), b.deadline());
    });
    if (!victim->idle()) return false;
  }
  connections_.erase(victim);
  return true;
}

void TransferServer::Accept(Steady::time_point now) {
  while (true) {
    Socket socket = AcceptTcp(tcp_);
    if (!socket) return accept_pause_.Failed(errno, now, "zone: a connection cannot be taken", log_);
    if (MakeRoom()) connections_.emplace_back(std::move(socket), now);
  }
}

void TransferServer::AnswerDatagrams() {
  for (int i = 0; i < kDatagramsPerTurn; ++i) {
    std::uint8_t buffer[4096];
    sockaddr_storage peer{};
    socklen_t peer_size = sizeof peer;
    auto* address = reinterpret_cast<sockaddr*>(&peer);
    const ssize_t size = recvfrom(udp_.fd(), buffer, sizeof buffer, 0, address, &peer_size);
    if (size < 0) return;
    auto reply =
        responder_.Answer(View(buffer, static_cast<std::size_t>(size)), Transport::kUdp, PeerText(peer));
    Bytes message;
    if (!reply || !reply->Next(message)) continue;
    // Lost datagrams are the client's to repeat.
    (void)sendto(udp_.fd(), message.data(), message.size(), MSG_NOSIGNAL, address, peer_size);
  }
}

}  // namespace registry::zone
