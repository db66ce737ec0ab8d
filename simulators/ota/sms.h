// simulators/ota/sms.h: the user data (TP-UD) of the short messages that carry a packet: header, parts, and the whole again.
// What else is in a TPDU (addresses, PID 7F, DCS F6, time stamps) is not simulated.
// Threads: plain values and functions; a Reassembly has one user at a time.
// Limits: 140 octets of user data; kPartsMost parts of a packet. A Reassembly holds the parts of kPacketsMost packets: a
//   part of another one takes the place of the oldest, and what is not whole after `patience` is dropped. The same part
//   again changes nothing. Two, since a late copy of a part of the packet before must not spoil the one that is under way.
// Errors: octets that are no user data of this kind are said to be malformed, and change nothing.
// Spec: 3GPP TS 23.040 §9.2.3.24 (header; IE 00 and 08 concatenation), 3GPP TS 31.115 §4 (IE 70 command packet, 71
//   response packet, in the first part only).
#pragma once

#include <chrono>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "schemas/base/bytes.h"

namespace registry::sim::ota {

enum class PacketKind : std::uint8_t { kCommand = 0x70, kResponse = 0x71 };

inline constexpr std::size_t kUserDataMax = 140;
inline constexpr std::size_t kPartsMost = 16, kPacketsMost = 2;

struct UserData {
  struct Concatenation {
    std::uint16_t reference = 0;
    std::uint8_t parts = 1, number = 1;  // from 1
  };
  std::optional<Concatenation> concatenation;
  std::optional<PacketKind> kind;
  Bytes text;
};

std::optional<UserData> ReadUserData(const Bytes& octets);

// The user data of each part, in order; one without concatenation when it fits. nullopt: too long for kPartsMost.
std::optional<std::vector<Bytes>> Parts(const Bytes& packet, PacketKind kind, std::uint8_t reference);

class Reassembly {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Verdict { kWaits, kWhole, kMalformed, kTooLong };

  Reassembly(PacketKind kind, std::chrono::milliseconds patience) : kind_(kind), patience_(patience) {}
  // With kWhole `packet` is what was sent.
  Verdict Take(const Bytes& user_data, Clock::time_point now, Bytes& packet);
  std::size_t parts_held() const;

 private:
  const PacketKind kind_;
  const std::chrono::milliseconds patience_;
  struct Packet {
    std::uint16_t reference = 0;
    std::uint8_t wanted = 0;
    Clock::time_point until;
    std::map<std::uint8_t, Bytes> parts;
  };
  std::list<Packet> packets_;  // the oldest first
};

}  // namespace registry::sim::ota
