// bridge/zone/server.h: the transfer server: one TCP and one UDP socket on one port, one thread, bounded
// connections. Owns: its sockets and its thread. Responder outlives it. Threads: Start and Stop from one
// thread; the server's thread calls the Responder and the log. Limits: kConnectionsMax; when they are all taken the
// oldest one whose peer has not shown that it has the key gives way (RFC 7766 §6.2.2), then the one that has been idle
// longest, else the new one goes. Out of file descriptors: said once a minute, and the waiting connections are looked at
// again a tick later.
#pragma once

#include <atomic>
#include <list>

#include "bridge/log_line.h"
#include "bridge/zone/accept_pause.h"
#include "bridge/zone/connection.h"
#include "schemas/base/own_thread.h"

namespace registry::zone {

inline constexpr std::size_t kConnectionsMax = 64;

class TransferServer {
 public:
  explicit TransferServer(Responder& responder, LogLine log = {})
      : responder_(responder), log_(std::move(log)) {}
  ~TransferServer() { Stop(); }

  Status Start(const std::string& address, std::uint16_t port);
  void Stop();
  std::uint16_t port() const { return port_; }
  std::uint64_t turns() const { return turns_; }  // of the thread's loop, to see that it rests

 private:
  void Run();
  void Accept(Steady::time_point now);
  bool MakeRoom();
  void AnswerDatagrams();

  Responder& responder_;
  const LogLine log_;
  Socket tcp_, udp_, wake_;
  std::uint16_t port_ = 0;
  std::list<Connection> connections_;
  AcceptPause accept_pause_;
  std::atomic<std::uint64_t> turns_{0};
  OwnThread thread_;
};

}  // namespace registry::zone
