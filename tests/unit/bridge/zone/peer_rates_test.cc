// What one peer may ask in a second, and that others are not touched by it; the bound on the table of peers.
#include "bridge/zone/peer_rates.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <string>

namespace registry::zone {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Use = PeerRates::Use;

PeerKey KeyOf(const std::string& text) {
  sockaddr_storage address{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) address.ss_family = AF_INET;
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) address.ss_family = AF_INET6;
  return PeerKeyOf(address);
}

class PeerRatesTest : public ::testing::Test {
 protected:
  // How many of `tries` at one moment.
  int Taken(PeerKey peer, Use use, int tries) {
    int taken = 0;
    for (int i = 0; i < tries; ++i) taken += rates_.Take(peer, use, now_) ? 1 : 0;
    return taken;
  }
  PeerRates rates_;
  PeerRates::Steady::time_point now_{std::chrono::hours(1)};
};

TEST_F(PeerRatesTest, APeerIsAnAddressOfIpv4AndASiteOfIpv6) {
  EXPECT_NE(KeyOf("192.0.2.1"), KeyOf("192.0.2.2"));
  EXPECT_EQ(KeyOf("192.0.2.1"), KeyOf("::ffff:192.0.2.1")) << "RFC 4291 §2.5.5.2";
  EXPECT_EQ(KeyOf("2001:db8:1:ab00::1"), KeyOf("2001:db8:1:abff:ffff::")) << "RFC 6177 §2: one /56";
  EXPECT_NE(KeyOf("2001:db8:1:ab00::1"), KeyOf("2001:db8:1:ac00::1"));
  EXPECT_NE(KeyOf("2001:db8::"), KeyOf("32.1.13.184"));
}

TEST_F(PeerRatesTest, OnePeersFloodTakesNothingFromAnother) {
  const PeerKey flood = KeyOf("192.0.2.1"), quiet = KeyOf("192.0.2.2");
  EXPECT_EQ(Taken(flood, Use::kDatagram, 10'000), 2000) << "the burst";
  EXPECT_EQ(Taken(quiet, Use::kDatagram, 10), 10);
  EXPECT_EQ(Taken(flood, Use::kRefusal, 1000), 100) << "each use has a bucket of its own";
  now_ += seconds(1);
  EXPECT_EQ(Taken(flood, Use::kDatagram, 10'000), 1000) << "and its rate behind that";
  EXPECT_EQ(Taken(flood, Use::kRefusal, 1000), 20);
  now_ += milliseconds(100);
  EXPECT_EQ(Taken(flood, Use::kDatagram, 10'000), 100);
  now_ += std::chrono::hours(1);
  EXPECT_EQ(Taken(flood, Use::kDatagram, 10'000), 2000);
}

TEST_F(PeerRatesTest, TheTableIsBoundedAndForgetsWhoIsQuiet) {
  for (PeerKey peer = 1; peer <= PeerRates::kPeersMax; ++peer)
    EXPECT_EQ(Taken(peer, Use::kRefusal, 101), 100);
  EXPECT_EQ(rates_.known(), PeerRates::kPeersMax);
  // Newcomers share what one has.
  int taken = 0;
  for (PeerKey peer = 100'000; peer < 101'000; ++peer) taken += Taken(peer, Use::kRefusal, 1);
  EXPECT_EQ(taken, 100);
  EXPECT_EQ(rates_.known(), PeerRates::kPeersMax);
  EXPECT_EQ(Taken(1, Use::kRefusal, 1), 0) << "nobody gets a new share by others' flood";
  now_ += seconds(10);
  EXPECT_EQ(Taken(200'000, Use::kRefusal, 101), 100);
  EXPECT_EQ(rates_.known(), 1u) << "all others' buckets were full again";
}

}  // namespace
}  // namespace registry::zone
