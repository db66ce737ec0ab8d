// bridge/zone/message.h: reading DNS messages from the network, strictly.
// Refused: no question in a request, more than one in any message (a response may have none: NSD answers every error that
// way), records that run past the end, octets left over, a TSIG that is not the
// last record of the additional section (RFC 8945 §5.1), more records than `records_max`. Octets from the
// network never reach a DNS library. Threads: plain values.     Spec: RFC 1035 §4.1, RFC 1995 §3, RFC 1996
// §3.
#pragma once

#include <vector>

#include "bridge/zone/wire.h"

namespace registry::zone {

inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kRecordsMax = 64;
inline constexpr std::uint16_t kFlagResponse = 0x8000, kFlagAuthoritative = 0x0400, kFlagTruncated = 0x0200,
                               kFlagRecursionDesired = 0x0100;
enum class Opcode : std::uint8_t { kQuery = 0, kNotify = 4 };
enum class Rcode : std::uint8_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNotImp = 4,
  kRefused = 5,
  kNotAuth = 9
};

struct Record {
  Name owner;
  std::uint16_t type = 0, rclass = 0;
  std::uint32_t ttl = 0;
  std::size_t start = 0, rdata_at = 0, rdata_size = 0;  // offsets in the message
};

struct Message {
  std::uint16_t id = 0, flags = 0;
  Name question;   // empty: a response that repeats none
  Bytes asked_as;  // the same as it came, in whatever case
  std::uint16_t type = 0, qclass = 0;
  std::vector<Record> answer, authority, additional;

  bool response() const { return (flags & kFlagResponse) != 0; }
  std::uint8_t opcode() const { return static_cast<std::uint8_t>(flags >> 11 & 15); }
  std::uint8_t rcode() const { return static_cast<std::uint8_t>(flags & 15); }
  const Record* tsig() const {
    return !additional.empty() && additional.back().type == kTypeTsig ? &additional.back() : nullptr;
  }
};

std::string RcodeName(std::uint8_t rcode);  // "SERVFAIL" and the like

std::optional<Message> ParseMessage(View octets, std::size_t records_max = kRecordsMax);
// The serial of a SOA record of this message; nullopt when its RDATA is not exactly a SOA's.
std::optional<std::uint32_t> SoaSerial(View octets, const Record& record);

std::uint16_t FreshId();  // of a message, that nobody guesses
// Header and question of a message that is being written; the counts are set later.
Bytes StartMessage(std::uint16_t id, std::uint16_t flags, View question, std::uint16_t type);
// RFC 6891 §6.1.2, the first additional record: answers over UDP may be larger than 512 octets, and are not fragmented.
void PutEdns(Bytes& message, bool dnssec_ok);

}  // namespace registry::zone
