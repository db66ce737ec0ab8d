// SCP80 packets against known answers of others, and against every changed bit.
#include "simulators/ota/packet.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "simulators/ota/cipher.h"

namespace registry::sim::ota {
namespace {

KeySet Keys() {
  KeySet keys;
  keys.version = 1;
  keys.kic = *FromHex("404142434445464748494a4b4c4d4e4f");
  keys.kid = *FromHex("505152535455565758595a5b5c5d5e5f");
  return keys;
}

// The keys, command and answer of an sysmoISIM-SJA5 in osmocom's pySim (tests of pySim/ota.py): a card of the field.
KeySet CardOfTheField() {
  KeySet keys;
  keys.version = 2;
  keys.kic = *FromHex("200102030405060708090a0b0c0d0e0f");
  keys.kid = *FromHex("201102030405060708090a0b0c0d0e0f");
  return keys;
}
constexpr Spi kOfTheField{.checksum = true,
                          .ciphered = true,
                          .counter = CounterRule::kNone,
                          .proof = Proof::kAlways,
                          .proof_checksum = true,
                          .proof_ciphered = true,
                          .proof_by_submit = false};

TEST(Packet, ACardOfTheFieldTakesOurCommand) {
  const CommandPacket packet{kOfTheField, {0xb0, 0x00, 0x11}, 0, *FromHex("00a40004023f00")};
  EXPECT_EQ(ToHex(*Seal(packet, CardOfTheField())),
            "00281506192222b00011e87cceebb2d93083011ce294f93fc4d8de80da1abae8c37ca3e72ec4432e5058");
}

TEST(Packet, WeTakeTheAnswerOfACardOfTheField) {
  const auto response =
      OpenResponse(*FromHex("002412b00011ebc6b497e2cad7aedf36ace0e3a29b38853f0fe9ccde81913be5702b73abce1f"),
                   kOfTheField, CardOfTheField());
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, PacketStatus::kOk);
  EXPECT_EQ(response->counter, 0u);
  EXPECT_EQ(ToHex(response->data), "016132");
}

// Made with `openssl mac -cipher AES-128-CBC … CMAC` and `openssl enc -aes-128-cbc -nopad`.
TEST(Packet, IsWhatOpensslsCommandsMakeOfIt) {
  const CommandPacket packet{Spi(), kDomainTar, 0x0102030405, *FromHex("80e2800001aa")};
  EXPECT_EQ(ToHex(*Seal(packet, Keys())),
            "00281516391212000000a43a5732ad6e6d63eb09f192b5988d69679b280635431ddb5e654b71fbedb983");
}

// NIST SP 800-38B, appendix D.1, example 2: 16 octets; and the shorter one is its beginning (TS 102 225 §5.1.3.1).
TEST(Packet, ChecksumIsCmacCutShort) {
  const Bytes key = *FromHex("2b7e151628aed2a6abf7158809cf4f3c"),
              text = *FromHex("6bc1bee22e409f96e93d7e117393172a");
  EXPECT_EQ(ToHex(*Checksum(key, text, 16)), "070a16b46b4d4144f79bdd9dd04a287c");
  EXPECT_EQ(ToHex(*Checksum(key, text, 8)), "070a16b46b4d4144");
  EXPECT_EQ(ToHex(*Checksum(key, text, 4)), "070a16b4");
  EXPECT_FALSE(Checksum(Bytes(15), text, 8).has_value());
}

Spi AnySpi() {
  Spi spi;
  spi.checksum = *rc::gen::arbitrary<bool>();
  spi.ciphered = *rc::gen::arbitrary<bool>();
  spi.counter = *rc::gen::element(CounterRule::kNone, CounterRule::kUnchecked, CounterRule::kHigher,
                                  CounterRule::kNext);
  spi.proof = *rc::gen::element(Proof::kNever, Proof::kAlways, Proof::kOnError);
  spi.proof_checksum = *rc::gen::arbitrary<bool>();
  spi.proof_ciphered = *rc::gen::arbitrary<bool>();
  spi.proof_by_submit = *rc::gen::arbitrary<bool>();
  return spi;
}

KeySet AnyKeys() {
  KeySet keys = Keys();
  keys.version = *rc::gen::inRange<std::uint8_t>(1, 16);
  keys.checksum_octets = *rc::gen::element<std::size_t>(4, 8);
  keys.kic.resize(*rc::gen::element<std::size_t>(16, 32), 0x11);
  keys.kid.resize(*rc::gen::element<std::size_t>(16, 32), 0x22);
  return keys;
}

constexpr Spi kAnything{.checksum = false, .ciphered = false, .counter = CounterRule::kNone};

RC_GTEST_PROP(Packet, OpensToWhatWasSealed, ()) {
  const KeySet keys = AnyKeys();
  const CommandPacket packet{AnySpi(), kDomainTar, *rc::gen::inRange<std::uint64_t>(0, kCounterMax),
                             *rc::gen::arbitrary<Bytes>()};
  const auto sealed = Seal(packet, keys);
  RC_ASSERT(sealed.has_value());
  const auto opened = Open(*sealed, keys, kDomainTar, kAnything);
  RC_ASSERT(opened.has_value());
  RC_ASSERT(opened->status == PacketStatus::kOk);
  RC_ASSERT(opened->packet.data == packet.data);
  RC_ASSERT(opened->packet.counter == packet.counter);
  RC_ASSERT(opened->packet.spi.Encode() == packet.spi.Encode());
}

RC_GTEST_PROP(Packet, AResponseOpensToWhatWasSealed, ()) {
  const KeySet keys = AnyKeys();
  const Spi spi = AnySpi();
  const ResponsePacket packet{kDomainTar, *rc::gen::inRange<std::uint64_t>(0, kCounterMax),
                              static_cast<PacketStatus>(*rc::gen::inRange(0, 11)),
                              *rc::gen::arbitrary<Bytes>()};
  const auto opened = OpenResponse(*SealResponse(packet, spi, keys), spi, keys);
  RC_ASSERT(opened.has_value());
  RC_ASSERT(opened->data == packet.data);
  RC_ASSERT(opened->counter == packet.counter);
  RC_ASSERT(opened->status == packet.status);
}

// Which octet was changed, and what a card says of it. Nothing: it cannot tell who is to be answered.
std::set<std::optional<PacketStatus>> Expected(std::size_t octet) {
  if (octet < 2) return {std::nullopt};                   // CPL
  if (octet == 2) return {PacketStatus::kSecurityError};  // CHL
  if (octet == 3)
    return {PacketStatus::kSecurityError, PacketStatus::kSecurityTooLow, PacketStatus::kChecksumFailed};
  if (octet == 4) return {PacketStatus::kSecurityError, PacketStatus::kChecksumFailed};
  if (octet < 7) return {PacketStatus::kSecurityError};  // KIc, KID
  if (octet < 10) return {PacketStatus::kTarUnknown};
  return {PacketStatus::kChecksumFailed};
}

TEST(Packet, EveryChangedBitIsRefusedWithTheStandardsStatus) {
  const CommandPacket packet{Spi(), kDomainTar, 7, Bytes(100, 0x5a)};
  const Bytes sealed = *Seal(packet, Keys());
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1 << bit % 8);
    const auto opened = Open(changed, Keys(), kDomainTar, Spi());
    std::optional<PacketStatus> status;
    if (opened) status = opened->status;
    EXPECT_TRUE(Expected(bit / 8).contains(status))
        << "bit " << bit << " says " << (status ? static_cast<int>(*status) : -1);
    EXPECT_TRUE(!opened || opened->packet.data.empty()) << "bit " << bit;
  }
}

TEST(Packet, EveryChangedBitOfAResponseIsRefused) {
  const Bytes sealed = *SealResponse({kDomainTar, 7, PacketStatus::kOk, Bytes(20, 0x5a)}, Spi(), Keys());
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(OpenResponse(changed, Spi(), Keys()).has_value()) << "bit " << bit;
  }
}

TEST(Packet, LessSecurityThanTheCardAsksForIsTooLow) {
  for (const Spi& spi :
       {Spi{.checksum = false}, Spi{.ciphered = false}, Spi{.counter = CounterRule::kUnchecked}}) {
    const auto opened = Open(*Seal({spi, kDomainTar, 7, {0x01}}, Keys()), Keys(), kDomainTar, Spi());
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->status, PacketStatus::kSecurityTooLow);
  }
}

TEST(Packet, CiphertextThatIsNoWholeBlocksIsACipheringError) {
  Bytes sealed = *Seal({Spi(), kDomainTar, 7, Bytes(30, 0x01)}, Keys());
  sealed.pop_back();
  --sealed[1];
  const auto opened = Open(sealed, Keys(), kDomainTar, Spi());
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->status, PacketStatus::kCipheringError);
}

RC_GTEST_PROP(Packet, OctetsFromOutsideStopNothing, ()) {
  const Bytes octets = *rc::gen::arbitrary<Bytes>();
  (void)Open(octets, Keys(), kDomainTar, kAnything);
  (void)OpenResponse(octets, AnySpi(), Keys());
}

TEST(Packet, WhatDoesNotFitIsNotSealed) {
  EXPECT_FALSE(Seal({Spi(), kDomainTar, kCounterMax + 1, {}}, Keys()).has_value());
  EXPECT_FALSE(Seal({Spi(), kDomainTar, 1, Bytes(70'000)}, Keys()).has_value());
  KeySet none;
  EXPECT_FALSE(Seal({Spi(), kDomainTar, 1, {}}, none).has_value());
}

}  // namespace
}  // namespace registry::sim::ota
