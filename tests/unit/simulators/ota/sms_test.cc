// Parts of a packet come in any order, twice, or not at all.
#include "simulators/ota/sms.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>

namespace registry::sim::ota {
namespace {

using Clock = Reassembly::Clock;
using Verdict = Reassembly::Verdict;
constexpr std::chrono::seconds kPatience{60};
const Clock::time_point kStart = Clock::time_point(std::chrono::hours(1));

Bytes Packet(std::size_t size) {
  Bytes packet(size);
  for (std::size_t i = 0; i < size; ++i) packet[i] = static_cast<std::uint8_t>(i * 7);
  return packet;
}

TEST(Sms, OneThatFitsHasOnlyThePacketsElement) {
  const auto parts = Parts(Packet(137), PacketKind::kCommand, 9);
  ASSERT_EQ(parts->size(), 1u);
  EXPECT_EQ(ToHex(parts->front()).substr(0, 6), "027000");
  EXPECT_EQ(parts->front().size(), 140u);
}

TEST(Sms, ThePacketsElementStandsInTheFirstPartOnly) {
  const auto parts = Parts(Packet(300), PacketKind::kResponse, 0x2a);
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ(ToHex((*parts)[0]).substr(0, 16), "0700032a03017100");
  EXPECT_EQ(ToHex((*parts)[1]).substr(0, 12), "0500032a0302");
  EXPECT_EQ((*parts)[0].size(), 140u);
  EXPECT_EQ((*parts)[1].size(), 140u);
}

RC_GTEST_PROP(Sms, AnyOrderWithRepetitionsIsWhole, ()) {
  const Bytes packet = Packet(*rc::gen::inRange<std::size_t>(1, 2100));
  std::vector<Bytes> parts = *Parts(packet, PacketKind::kCommand, *rc::gen::arbitrary<std::uint8_t>());
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  std::shuffle(parts.begin(), parts.end(), random);
  Reassembly reassembly(PacketKind::kCommand, kPatience);
  Bytes whole;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    if (!last && random() % 2 == 0)
      RC_ASSERT(reassembly.Take(parts[i], kStart, whole) == Verdict::kWaits);  // twice
    RC_ASSERT(reassembly.Take(parts[i], kStart, whole) == (last ? Verdict::kWhole : Verdict::kWaits));
  }
  RC_ASSERT(whole == packet);
  RC_ASSERT(reassembly.parts_held() == 0u);
}

RC_GTEST_PROP(Sms, OctetsFromOutsideStopNothing, ()) {
  Reassembly reassembly(PacketKind::kCommand, kPatience);
  Bytes whole;
  for (const Bytes& octets : *rc::gen::arbitrary<std::vector<Bytes>>())
    (void)reassembly.Take(octets, kStart, whole);
  RC_ASSERT(reassembly.parts_held() <= kPartsMost * kPacketsMost);
}

TEST(Sms, WhatIsNotWholeInTimeIsDropped) {
  const auto parts = Parts(Packet(200), PacketKind::kCommand, 1);
  Reassembly reassembly(PacketKind::kCommand, kPatience);
  Bytes whole;
  EXPECT_EQ(reassembly.Take((*parts)[0], kStart, whole), Verdict::kWaits);
  EXPECT_EQ(reassembly.Take((*parts)[1], kStart + kPatience, whole), Verdict::kWaits) << "the first is gone";
  EXPECT_EQ(reassembly.Take((*parts)[0], kStart + kPatience, whole), Verdict::kWhole);
}

TEST(Sms, TwoPacketsAtATimeAndAThirdTakesThePlaceOfTheOldest) {
  const auto one = Parts(Packet(200), PacketKind::kCommand, 1),
             two = Parts(Packet(250), PacketKind::kCommand, 2),
             three = Parts(Packet(260), PacketKind::kCommand, 3);
  Reassembly reassembly(PacketKind::kCommand, kPatience);
  Bytes whole;
  EXPECT_EQ(reassembly.Take((*one)[0], kStart, whole), Verdict::kWaits);
  EXPECT_EQ(reassembly.Take((*two)[0], kStart, whole), Verdict::kWaits);
  EXPECT_EQ(reassembly.parts_held(), 2u);
  EXPECT_EQ(reassembly.Take((*three)[0], kStart, whole), Verdict::kWaits);
  EXPECT_EQ(reassembly.parts_held(), 2u);
  EXPECT_EQ(reassembly.Take((*two)[1], kStart, whole), Verdict::kWhole);
  EXPECT_EQ(whole, Packet(250));
  EXPECT_EQ(reassembly.Take((*three)[1], kStart, whole), Verdict::kWhole);
  EXPECT_EQ(reassembly.Take((*one)[1], kStart, whole), Verdict::kWaits) << "its first part is gone";
}

TEST(Sms, TooManyPartsAreRefused) {
  EXPECT_FALSE(Parts(Packet(3000), PacketKind::kCommand, 1).has_value());
  Reassembly reassembly(PacketKind::kCommand, kPatience);
  Bytes whole;
  EXPECT_EQ(reassembly.Take(*FromHex("0500030111"
                                     "02aa"),
                            kStart, whole),
            Verdict::kTooLong);
}

TEST(Sms, TheLongReferenceIsReadToo) {
  Reassembly reassembly(PacketKind::kCommand, kPatience);
  Bytes whole;
  EXPECT_EQ(reassembly.Take(*FromHex("0806040102020202"
                                     "00cc"),
                            kStart, whole),
            Verdict::kMalformed);
  EXPECT_EQ(reassembly.Take(*FromHex("06080401020202"
                                     "cc"),
                            kStart, whole),
            Verdict::kWaits);
  EXPECT_EQ(reassembly.Take(*FromHex("080804010202017000"
                                     "bb"),
                            kStart, whole),
            Verdict::kWhole);
  EXPECT_EQ(ToHex(whole), "bbcc");
}

TEST(Sms, WhatIsNoSuchMessageIsMalformed) {
  Reassembly reassembly(PacketKind::kCommand, kPatience);
  Bytes whole;
  for (const char* hex : {"", "05", "0500030100", "050003010001aa", "050003010200aa", "050003010203aa",
                          "0500020102aa", "027100aa", "02700100", "00aa", "0400030102"}) {
    EXPECT_EQ(reassembly.Take(*FromHex(hex), kStart, whole), Verdict::kMalformed) << hex;
  }
  EXPECT_EQ(reassembly.parts_held(), 0u);
}

}  // namespace
}  // namespace registry::sim::ota
