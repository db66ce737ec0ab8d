#include "bridge/zone/peer_rates.h"

#include <netinet/in.h>

#include <algorithm>

namespace registry::zone {
namespace {

constexpr std::chrono::seconds kForgetEvery{1};  // a flood of new peers must not make each of them dear
constexpr int kSiteOctets = 7;                   // of an IPv6 address: /56

PeerKey KeyOf(std::uint8_t family, const std::uint8_t* octets, int count) {
  PeerKey key = family;
  for (int i = 0; i < kSiteOctets; ++i) key = key << 8 | (i < count ? octets[i] : 0u);
  return key;
}

double Now(double left, std::chrono::steady_clock::duration passed, const PeerRates::Rate& rate) {
  return std::min(rate.burst, left + std::chrono::duration<double>(passed).count() * rate.per_second);
}

}  // namespace

PeerKey PeerKeyOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    return KeyOf(4, reinterpret_cast<const std::uint8_t*>(&v4), 4);
  }
  if (address.ss_family != AF_INET6) return 0;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  // RFC 4291 §2.5.5.2: an IPv4 peer of a socket for both.
  return IN6_IS_ADDR_V4MAPPED(&v6) ? KeyOf(4, v6.s6_addr + 12, 4) : KeyOf(6, v6.s6_addr, kSiteOctets);
}

PeerKey PeerKeyOf(const Socket& connected) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return getpeername(connected.fd(), reinterpret_cast<sockaddr*>(&peer), &size) == 0 ? PeerKeyOf(peer) : 0;
}

PeerRates::Buckets PeerRates::Full(Steady::time_point now) {
  Buckets buckets;
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] = {kRates[i].burst, now};
  return buckets;
}

bool PeerRates::IsFull(const Buckets& buckets, Steady::time_point now) {
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    if (Now(buckets[i].left, now - buckets[i].at, kRates[i]) < kRates[i].burst) return false;
  }
  return true;
}

PeerRates::Buckets& PeerRates::BucketsOf(PeerKey peer, Steady::time_point now) {
  if (const auto found = peers_.find(peer); found != peers_.end()) return found->second;
  if (peers_.size() >= kPeersMax && now - looked_ >= kForgetEvery) {
    looked_ = now;
    std::erase_if(peers_, [now](const auto& known) { return IsFull(known.second, now); });
  }
  return peers_.size() < kPeersMax ? peers_.emplace(peer, Full(now)).first->second : others_;
}

bool PeerRates::Take(PeerKey peer, Use use, Steady::time_point now) {
  const auto which = static_cast<std::size_t>(use);
  Bucket& bucket = BucketsOf(peer, now)[which];
  bucket.left = Now(bucket.left, now - bucket.at, kRates[which]);
  bucket.at = now;
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

}  // namespace registry::zone
