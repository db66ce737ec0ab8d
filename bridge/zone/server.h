// bridge/zone/server.h: the transfer server: one TCP and one UDP socket on one port, perhaps one for TLS on another,
// one thread, bounded connections. Owns: its sockets and its thread. Responder and TransferTls outlive it.
// Threads: Start and Stop from one thread; the server's thread calls the Responder and the log.
// Limits: kConnectionsMax, and of each peer kPeerConnectionsMax and kPeerTransfersMax; further transfers of it wait. When
// all are taken, the peer's or everybody's, the oldest one whose peer has not shown that it has the key gives way (RFC 7766
// §6.2.2), then the one that has been idle longest, else the new one goes. What a peer asks in a second is bounded, too
// (peer_rates.h): beyond that it is not answered. That is counted and said. Out of file descriptors: said once a minute,
// and the waiting connections are looked at again a tick later. Why a TLS handshake was not made is said (refusals_said.h).
#pragma once

#include <atomic>
#include <list>

#include "bridge/log_line.h"
#include "bridge/zone/accept_pause.h"
#include "bridge/zone/connection.h"
#include "bridge/zone/transfer_tls.h"
#include "schemas/base/own_thread.h"

namespace registry::zone {

inline constexpr std::size_t kConnectionsMax = 64, kPeerConnectionsMax = 16, kPeerTransfersMax = 4;

class TransferServer {
 public:
  explicit TransferServer(Responder& responder, LogLine log = {})
      : responder_(responder), log_(log), refusals_(std::move(log)) {}
  ~TransferServer() { Stop(); }

  // Before Start, which begins to serve it.
  Status ListenTls(const std::string& address, std::uint16_t port, const TransferTls& tls);
  Status Start(const std::string& address, std::uint16_t port);
  void Stop();
  std::uint16_t port() const { return port_; }
  std::uint16_t tls_port() const { return tls_port_; }  // 0: none
  std::uint64_t tls_made() const { return tls_made_; }  // handshakes
  std::uint64_t tls_refused() const { return tls_refused_; }
  std::uint64_t dropped() const { return dropped_; }  // requests and connections beyond a peer's share
  std::uint64_t turns() const { return turns_; }      // of the thread's loop, to see that it rests

 private:
  void Run();
  bool Turn(Connection& connection, short events, Steady::time_point now);
  void Accept(const Socket& listener, SSL_CTX* tls, Steady::time_point now);
  template <class Of>
  bool GiveWay(Of of);
  bool MakeRoom(PeerKey peer);
  void BeginTransfers(Steady::time_point now);
  bool Take(PeerKey peer, PeerRates::Use use, const char* what, const std::string& who,
            Steady::time_point now);
  void AnswerDatagrams(Steady::time_point now);

  Responder& responder_;
  const LogLine log_;
  RefusalsSaid refusals_;
  Socket tcp_, udp_, over_tls_, wake_;
  const TransferTls* tls_ = nullptr;
  std::uint16_t port_ = 0, tls_port_ = 0;
  std::atomic<std::uint64_t> tls_made_{0}, tls_refused_{0}, dropped_{0};
  PeerRates rates_;
  std::list<Connection> connections_;
  AcceptPause accept_pause_;
  std::atomic<std::uint64_t> turns_{0};
  OwnThread thread_;
};

}  // namespace registry::zone
