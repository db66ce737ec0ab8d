// bridge/zone/connection.h: one connection of a secondary, plain TCP or TLS: requests in, in order; answers out, as the
// peer takes them. Owns its channel and at most one running answer; requests sent meanwhile wait in a bounded
// buffer (RFC 7766 §6.2.1.1). Deadlines: a TLS handshake must be made within kShakeLimit, a request must be whole
// kRequestLimit after its first octet, an answer must make progress within kProgressLimit and be taken at kSlowest once
// kSlowGrace is over, an idle connection is closed after kIdleLimit, a transfer that is not let begin after kWaitLimit.
// Threads: the server's thread only.
// Spec: RFC 1035 §4.2.2, RFC 7766, RFC 5936 §4.1, RFC 9103 §7.
#pragma once

#include <chrono>

#include "bridge/zone/channel.h"
#include "bridge/zone/peer_rates.h"
#include "bridge/zone/responder.h"

namespace registry::zone {

using Steady = std::chrono::steady_clock;
inline constexpr std::chrono::seconds kShakeLimit{5}, kRequestLimit{5}, kProgressLimit{10}, kIdleLimit{30},
    kWaitLimit{60};
// A peer that takes an octet now and then would hold the whole zone of one version in memory for ever.
inline constexpr std::chrono::seconds kSlowGrace{30};
inline constexpr std::int64_t kSlowest = 16 * 1024;  // octets a second, since the answer was begun

class Connection {
 public:
  Connection(Channel channel, Steady::time_point now);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return channel_.fd(); }
  short events() const;
  bool ready() const { return wants_input() && channel_.holds_some(); }  // without waiting for events
  bool authentic() const { return authentic_; }  // a request of this peer carried a TSIG that verified
  bool idle() const { return !reply_ && out_.empty() && in_.empty(); }
  bool made() const { return channel_.made(); }  // no TLS handshake is under way
  // Why there was no TLS handshake; empty: nothing has gone wrong in one, or nothing was said.
  const std::string& trouble() const { return channel_.trouble(); }
  const std::string& peer() const { return peer_; }
  PeerKey peer_key() const { return peer_key_; }
  // A transfer is begun when it is let: Begin does that for one that waits.
  bool waits() const { return transfer_ == Transfer::kWaiting; }
  bool transfers() const { return transfer_ == Transfer::kRunning; }
  void Begin(Steady::time_point now);
  // Requests refused since the last call, of a peer that has not shown that it has the key.
  std::size_t TakeRefusals() { return std::exchange(refusals_, 0); }
  Steady::time_point deadline() const { return deadline_; }
  // False: the connection is over.
  bool Turn(short events, Responder& responder, Steady::time_point now);

 private:
  enum class Transfer { kNone, kWaiting, kRunning };
  bool wants_input() const;
  bool Receive(Steady::time_point now);
  bool TooSlow(Steady::time_point now) const;
  bool Work(Responder& responder, Steady::time_point now);
  bool TakeRequest(Responder& responder, Steady::time_point now, bool& taken);
  bool Send(Steady::time_point now);

  Channel channel_;
  const std::string peer_;
  const PeerKey peer_key_;
  const Transport transport_;
  Transfer transfer_ = Transfer::kNone;
  std::size_t refusals_ = 0;
  Bytes in_, out_;
  std::size_t sent_ = 0;
  std::optional<Reply> reply_;
  bool ended_ = false;  // the peer sends no more
  bool authentic_ = false;
  Steady::time_point deadline_, answer_begun_;
  std::int64_t answer_taken_ = 0;  // octets
};

}  // namespace registry::zone
