// bridge/zone/peer_rates.h: how much each peer may ask of the transfer server in a second, so that one that floods takes
// nothing from the others. A peer is an IPv4 address or an IPv6 /56, which is what one site gets (RFC 6177 §2).
// Token buckets, by what is asked for: datagrams looked at, refusals answered (without a TSIG that verifies nobody has
// shown that it is where it says), connections accepted.
// Limits: kPeersMax peers are known by themselves. Whose buckets are full again is forgotten; where nobody can be, all
// newcomers share one bucket. Plain value, one thread.
#pragma once

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <unordered_map>

#include "bridge/zone/socket.h"

namespace registry::zone {

using PeerKey = std::uint64_t;
PeerKey PeerKeyOf(const sockaddr_storage& address);  // 0: neither IPv4 nor IPv6
PeerKey PeerKeyOf(const Socket& connected);

class PeerRates {
 public:
  using Steady = std::chrono::steady_clock;
  enum class Use : std::uint8_t { kDatagram, kRefusal, kConnection };
  struct Rate {
    double per_second, burst;
  };
  static constexpr std::array<Rate, 3> kRates{{{1000, 2000}, {20, 100}, {50, 200}}};  // by Use
  static constexpr std::size_t kPeersMax = 4096;

  // False: it has had its share.
  bool Take(PeerKey peer, Use use, Steady::time_point now);
  std::size_t known() const { return peers_.size(); }

 private:
  struct Bucket {
    double left = 0;
    Steady::time_point at;
  };
  using Buckets = std::array<Bucket, kRates.size()>;
  static Buckets Full(Steady::time_point now);
  static bool IsFull(const Buckets& buckets, Steady::time_point now);
  Buckets& BucketsOf(PeerKey peer, Steady::time_point now);

  std::unordered_map<PeerKey, Buckets> peers_;
  Buckets others_ = Full({});
  Steady::time_point looked_{};  // for peers to forget
};

}  // namespace registry::zone
