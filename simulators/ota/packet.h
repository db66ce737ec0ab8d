// simulators/ota/packet.h: SCP80's command packet and response packet, from their length to their last octet, without the
// user data header that stands before them in a short message (sms.h).
//   command   CPL(2) CHL(1) SPI(2) KIc(1) KID(1) TAR(3) CNTR(5) PCNTR(1) CC(0, 4 or 8) data    enciphered from CNTR on
//   response  RPL(2) RHL(1) TAR(3) CNTR(5) PCNTR(1) status(1) CC(0, 4 or 8) data                enciphered from CNTR on
// The checksum is over everything before it and the data with their padding; of a response also over 02 71 00, as cards in
// the field do it (the known answers in the test are of such a card). CNTR of a response is that of the command it answers.
// Threads: pure functions and values, any thread. Errors: as each says; octets from outside stop nothing.
// Not simulated: redundancy checks and digital signatures (RC, DS), 3DES and DES: such a packet is refused with 0A or 06.
// Spec: ETSI TS 102 225 §5.1 (tables 1 to 5), 3GPP TS 31.115 §4.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "simulators/ota/keys.h"

namespace registry::sim::ota {

// TS 102 225 §5.1.1, SPI: bits 4 and 5 of the first octet.
enum class CounterRule : std::uint8_t { kNone = 0, kUnchecked = 1, kHigher = 2, kNext = 3 };
// Bits 1 and 2 of the second: when a proof of receipt (PoR) is wanted.
enum class Proof : std::uint8_t { kNever = 0, kAlways = 1, kOnError = 2 };

struct Spi {
  bool checksum = true, ciphered = true;
  CounterRule counter = CounterRule::kHigher;
  Proof proof = Proof::kAlways;
  bool proof_checksum = true, proof_ciphered = true;
  bool proof_by_submit = true;  // in a short message of its own; false: in the delivery report
  std::array<std::uint8_t, 2> Encode() const;
  static std::optional<Spi> Decode(std::uint8_t first,
                                   std::uint8_t second);  // nullopt: RC, DS, or a reserved bit
};

// TS 102 225 table 5.
enum class PacketStatus : std::uint8_t {
  kOk = 0x00,
  kChecksumFailed = 0x01,
  kCounterLow = 0x02,
  kCounterHigh = 0x03,
  kCounterBlocked = 0x04,
  kCipheringError = 0x05,
  kSecurityError = 0x06,
  kNoMemory = 0x07,
  kMoreTime = 0x08,
  kTarUnknown = 0x09,
  kSecurityTooLow = 0x0a,
};

using Tar = std::array<std::uint8_t, 3>;
inline constexpr Tar kDomainTar = {0x00, 0x00, 0x00};  // TS 101 220: the issuer security domain
inline constexpr std::uint64_t kCounterMax = 0xffffffffff;

struct CommandPacket {
  Spi spi;
  Tar tar = kDomainTar;
  std::uint64_t counter = 0;
  Bytes data;
};

// nullopt: the keys are none, the counter is beyond 40 bits, or there is more data than CPL can say.
std::optional<Bytes> Seal(const CommandPacket& packet, const KeySet& keys);

// As far as it could be read. With another status than kOk only what stands before CNTR is known, and none of it is proved.
struct OpenedCommand {
  PacketStatus status = PacketStatus::kOk;
  CommandPacket packet;
};
// The security of the packet by itself, and that it is at least `least`: counters are the card's (card_agent.h).
// nullopt: the octets are no packet, nobody can be answered.
std::optional<OpenedCommand> Open(const Bytes& octets, const KeySet& keys, const Tar& tar, const Spi& least);

struct ResponsePacket {
  Tar tar = kDomainTar;
  std::uint64_t counter = 0;
  PacketStatus status = PacketStatus::kOk;
  Bytes data;
};

// Secured as the SPI of the command asks.
std::optional<Bytes> SealResponse(const ResponsePacket& packet, const Spi& spi, const KeySet& keys);
// nullopt: no response, or not of somebody who has the keys.
std::optional<ResponsePacket> OpenResponse(const Bytes& octets, const Spi& spi, const KeySet& keys);

}  // namespace registry::sim::ota
