#include "simulators/ota/sms.h"

#include <algorithm>

namespace registry::sim::ota {
namespace {

constexpr std::uint8_t kConcatenated8 = 0x00, kConcatenated16 = 0x08;
constexpr std::size_t kKindIe = 2, kConcatenationIe = 5;  // octets of the information elements

// One information element; false: it is not what its length says. One that is not known is skipped (TS 23.040 §9.2.3.24).
bool ReadElement(std::uint8_t identifier, const std::uint8_t* value, std::size_t size, UserData& data) {
  if (identifier == kConcatenated8) {
    if (size != 3) return false;
    data.concatenation = {value[0], value[1], value[2]};
  } else if (identifier == kConcatenated16) {
    if (size != 4) return false;
    data.concatenation = {static_cast<std::uint16_t>(value[0] << 8 | value[1]), value[2], value[3]};
  } else if (identifier == static_cast<std::uint8_t>(PacketKind::kCommand) ||
             identifier == static_cast<std::uint8_t>(PacketKind::kResponse)) {
    if (size != 0) return false;
    data.kind = static_cast<PacketKind>(identifier);
  }
  return true;
}

}  // namespace

std::optional<UserData> ReadUserData(const Bytes& octets) {
  if (octets.empty() || octets.size() > kUserDataMax) return std::nullopt;
  const std::size_t end = 1 + std::size_t{octets[0]};
  if (end > octets.size()) return std::nullopt;
  UserData data;
  for (std::size_t at = 1; at < end;) {
    if (end - at < 2) return std::nullopt;
    const std::size_t size = octets[at + 1];
    if (end - at - 2 < size || !ReadElement(octets[at], octets.data() + at + 2, size, data))
      return std::nullopt;
    at += 2 + size;
  }
  if (const auto& part = data.concatenation) {
    if (part->parts == 0 || part->number == 0 || part->number > part->parts) return std::nullopt;
  }
  data.text.assign(octets.begin() + static_cast<std::ptrdiff_t>(end), octets.end());
  return data;
}

std::optional<std::vector<Bytes>> Parts(const Bytes& packet, PacketKind kind, std::uint8_t reference) {
  std::vector<Bytes> parts;
  const auto kind_octet = static_cast<std::uint8_t>(kind);
  if (packet.size() <= kUserDataMax - 1 - kKindIe) {
    Bytes whole = {kKindIe, kind_octet, 0x00};
    whole.insert(whole.end(), packet.begin(), packet.end());
    parts.push_back(std::move(whole));
    return parts;
  }
  std::size_t at = 0;
  while (at < packet.size()) {
    if (parts.size() == kPartsMost) return std::nullopt;
    const bool first = parts.empty();
    const std::size_t header = kConcatenationIe + (first ? kKindIe : 0);
    Bytes part = {static_cast<std::uint8_t>(header),          kConcatenated8, 0x03, reference, 0x00,
                  static_cast<std::uint8_t>(parts.size() + 1)};
    if (first) part.insert(part.end(), {kind_octet, 0x00});
    const std::size_t size = std::min(kUserDataMax - part.size(), packet.size() - at);
    const auto begin = packet.begin() + static_cast<std::ptrdiff_t>(at);
    part.insert(part.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
    at += size;
    parts.push_back(std::move(part));
  }
  for (Bytes& part : parts) part[4] = static_cast<std::uint8_t>(parts.size());
  return parts;
}

Reassembly::Verdict Reassembly::Take(const Bytes& user_data, Clock::time_point now, Bytes& packet) {
  auto data = ReadUserData(user_data);
  if (!data) return Verdict::kMalformed;
  if (!data->concatenation || data->concatenation->parts == 1) {
    if (data->kind != kind_) return Verdict::kMalformed;
    packet = std::move(data->text);
    return Verdict::kWhole;
  }
  const auto part = *data->concatenation;
  // The packet's kind stands in the first part, and in no other.
  if (part.number == 1 ? data->kind != kind_ : data->kind.has_value()) return Verdict::kMalformed;
  if (part.parts > kPartsMost) return Verdict::kTooLong;
  packets_.remove_if([&](const Packet& held) { return held.until <= now; });
  auto held = std::find_if(packets_.begin(), packets_.end(), [&](const Packet& other) {
    return other.reference == part.reference && other.wanted == part.parts;
  });
  if (held == packets_.end()) {
    if (packets_.size() == kPacketsMost) packets_.pop_front();
    held = packets_.insert(held, {part.reference, part.parts, now + patience_, {}});
  }
  held->parts.emplace(part.number, std::move(data->text));
  if (held->parts.size() < held->wanted) return Verdict::kWaits;
  packet.clear();
  for (const auto& [number, text] : held->parts) packet.insert(packet.end(), text.begin(), text.end());
  packets_.erase(held);
  return Verdict::kWhole;
}

std::size_t Reassembly::parts_held() const {
  std::size_t held = 0;
  for (const Packet& other : packets_) held += other.parts.size();
  return held;
}

}  // namespace registry::sim::ota
