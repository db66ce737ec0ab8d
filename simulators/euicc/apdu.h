// simulators/euicc/apdu.h: what crosses the card's contacts: short command APDUs, simple TLVs, status words.
// Spec: ISO/IEC 7816-4 §5.2 (command-response pairs), GSMA IoT.05 §4 (tags). Plain values, any thread.
// Limits: short APDUs only (Lc up to 255). Behind the data there may be Le, or a spare octet, as some PC/SC stacks add one,
// and then Le: the last one counts. A signature's length may have two octets (33 00 40), as wolfSSL writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "schemas/base/bytes.h"

namespace registry::sim {

enum class StatusWord : std::uint16_t {
  kOk = 0x9000,
  kMoreData = 0x6300,
  kRemoteOver = 0x63cf,
  kWrongLength = 0x6700,
  kChannelUnsupported = 0x6881,
  kInvalidated = 0x6984,
  kConditions = 0x6985,
  kTouchedMeanwhile = 0x6989,
  kBadData = 0x6a80,
  kNotFound = 0x6a82,
  kNoMemory = 0x6a84,
  kBadParameters = 0x6a86,
  kUnknownInstruction = 0x6d00,
  kSignatureMismatch = 0x6d01,
  kUnknownClass = 0x6e00,
  kOther = 0x6f00,
};

// ISO/IEC 7816-4 §5.3.4: so many octets wait for GET RESPONSE (61xx); the Le to ask again with (6Cxx). 00 stands for more
// than 255.
StatusWord OctetsWait(std::size_t count);
StatusWord CorrectLe(std::size_t count);

struct Command {
  std::uint8_t cla = 0, ins = 0, p1 = 0, p2 = 0;
  Bytes data;
  std::size_t le = 0;  // 0: absent or "as much as there is"
  // ISO/IEC 7816-4 §5.4.1: the logical channel is in the two low bits; bit 8 is the proprietary class some
  // stacks set.
  std::uint8_t channel() const { return cla & 0x03; }
  bool proprietary_class() const { return (cla & 0x80) != 0; }
};
std::optional<Command> ParseCommand(const Bytes& apdu);

struct Tlv {
  std::uint8_t tag = 0;
  Bytes value;
};
// One-octet tags; lengths of one octet, or BER 81 and 82 forms. nullopt when the octets do not add up.
std::optional<std::vector<Tlv>> ParseTlvs(const Bytes& octets);
const Bytes* FindTlv(const std::vector<Tlv>& tlvs, std::uint8_t tag);
void AppendTlv(Bytes& out, std::uint8_t tag, const Bytes& value);

struct ResponseApdu {
  StatusWord status = StatusWord::kOk;
  Bytes data;
  ResponseApdu(StatusWord word) : status(word) {}          // NOLINT: implicit by design
  ResponseApdu(Bytes octets) : data(std::move(octets)) {}  // NOLINT: implicit by design
  ResponseApdu(StatusWord word, Bytes octets) : status(word), data(std::move(octets)) {}
  Bytes Encode() const;
};

}  // namespace registry::sim
