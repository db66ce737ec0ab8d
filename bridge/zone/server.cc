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
constexpr std::size_t kListeners = 4;  // polled before the connections
constexpr int kTickMs = 1000;          // how late a deadline may be noticed

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

Status TransferServer::ListenTls(const std::string& address, std::uint16_t port, const TransferTls& tls) {
  auto listener = ListenTcp(address, port);
  if (!listener) return listener.error();
  over_tls_ = std::move(*listener);
  tls_port_ = LocalPort(over_tls_);
  tls_ = &tls;
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
  over_tls_ = Socket();
}

void TransferServer::Run() {
  std::vector<pollfd> polled;
  while (!thread_.stopping()) {
    ++turns_;
    const bool accepting = accept_pause_.Over(Steady::now());
    polled.assign({{wake_.fd(), POLLIN, 0},
                   {accepting ? tcp_.fd() : -1, POLLIN, 0},
                   {accepting ? over_tls_.fd() : -1, POLLIN, 0},
                   {udp_.fd(), POLLIN, 0}});
    int wait = kTickMs;
    for (const Connection& connection : connections_) {
      polled.push_back({connection.fd(), connection.events(), 0});
      if (connection.ready()) wait = 0;
    }
    if (poll(polled.data(), polled.size(), wait) < 0) continue;
    const auto now = Steady::now();
    std::size_t at = kListeners;
    for (auto connection = connections_.begin(); connection != connections_.end(); ++at) {
      connection =
          Turn(*connection, polled[at].revents, now) ? std::next(connection) : connections_.erase(connection);
    }
    BeginTransfers(now);
    if (polled[3].revents != 0) AnswerDatagrams(now);
    if (polled[1].revents != 0) Accept(tcp_, nullptr, now);
    if (polled[2].revents != 0) Accept(over_tls_, tls_->Current().get(), now);
  }
}

bool TransferServer::Turn(Connection& connection, short events, Steady::time_point now) {
  const bool shook = !connection.made();
  const bool goes_on = connection.Turn(events, responder_, now);
  if (shook && connection.made()) ++tls_made_;
  const bool in_time = now < connection.deadline();
  if (!goes_on && !connection.made() && !(connection.trouble().empty() && in_time)) {
    ++tls_refused_;
    refusals_.Say("no TLS handshake: " + (in_time ? connection.trouble() : "not in time"), "",
                  connection.peer(), responder_.clock().Now());
  }
  for (std::size_t left = connection.TakeRefusals(); left > 0; --left) {
    if (!Take(connection.peer_key(), PeerRates::Use::kRefusal, "refusals", connection.peer(), now))
      return false;
  }
  return goes_on;
}

bool TransferServer::Take(PeerKey peer, PeerRates::Use use, const char* what, const std::string& who,
                          Steady::time_point now) {
  if (rates_.Take(peer, use, now)) return true;
  ++dropped_;
  refusals_.Say(std::string("too many ") + what + " a second", "", who, responder_.clock().Now());
  return false;
}

// In the order in which they were asked for.
void TransferServer::BeginTransfers(Steady::time_point now) {
  for (Connection& waiting : connections_) {
    if (!waiting.waits()) continue;
    const auto running = std::ranges::count_if(connections_, [&](const Connection& other) {
      return other.transfers() && other.peer_key() == waiting.peer_key();
    });
    if (running < static_cast<std::ptrdiff_t>(kPeerTransfersMax)) waiting.Begin(now);
  }
}

// Of those that `of` says, in the order in which they came. Whoever floods us with connections evicts its own.
template <class Of>
bool TransferServer::GiveWay(Of of) {
  auto victim =
      std::ranges::find_if(connections_, [&](const Connection& c) { return of(c) && !c.authentic(); });
  if (victim == connections_.end()) {
    for (auto each = connections_.begin(); each != connections_.end(); ++each) {
      const bool sooner = victim == connections_.end() || each->deadline() < victim->deadline();
      if (of(*each) && each->idle() && sooner) victim = each;
    }
    if (victim == connections_.end()) return false;
  }
  connections_.erase(victim);
  return true;
}

bool TransferServer::MakeRoom(PeerKey peer) {
  const auto its = [peer](const Connection& c) { return c.peer_key() == peer; };
  const auto of_peer = std::ranges::count_if(connections_, its);
  if (of_peer >= static_cast<std::ptrdiff_t>(kPeerConnectionsMax) && !GiveWay(its)) return false;
  return connections_.size() < kConnectionsMax || GiveWay([](const Connection&) { return true; });
}

void TransferServer::Accept(const Socket& listener, SSL_CTX* tls, Steady::time_point now) {
  while (true) {
    Socket socket = AcceptTcp(listener);
    if (!socket) return accept_pause_.Failed(errno, now, "zone: a connection cannot be taken", log_);
    const PeerKey peer = PeerKeyOf(socket);
    if (!Take(peer, PeerRates::Use::kConnection, "connections", PeerText(socket), now)) continue;
    if (!MakeRoom(peer)) {
      ++dropped_;
      continue;
    }
    connections_.emplace_back(Channel(std::move(socket), tls), now);
  }
}

// A datagram may come from elsewhere than it says. Its answer is never much larger, and without the key it is rare.
void TransferServer::AnswerDatagrams(Steady::time_point now) {
  for (int i = 0; i < kDatagramsPerTurn; ++i) {
    std::uint8_t buffer[4096];
    sockaddr_storage peer{};
    socklen_t peer_size = sizeof peer;
    auto* address = reinterpret_cast<sockaddr*>(&peer);
    const ssize_t size = recvfrom(udp_.fd(), buffer, sizeof buffer, 0, address, &peer_size);
    if (size < 0) return;
    const PeerKey key = PeerKeyOf(peer);
    const std::string who = PeerText(peer);
    if (!Take(key, PeerRates::Use::kDatagram, "datagrams", who, now)) continue;
    auto reply = responder_.Answer(View(buffer, static_cast<std::size_t>(size)), Transport::kUdp, who);
    if (!reply) continue;
    if (!reply->authentic() && !Take(key, PeerRates::Use::kRefusal, "refusals", who, now)) continue;
    Bytes message;
    if (!reply->Next(message)) continue;
    // Lost datagrams are the client's to repeat.
    (void)sendto(udp_.fd(), message.data(), message.size(), MSG_NOSIGNAL, address, peer_size);
  }
}

}  // namespace registry::zone
