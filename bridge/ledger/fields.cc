#include "bridge/ledger/fields.h"

#include <algorithm>

namespace registry::ledger {

void AppendVarint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

std::optional<std::uint64_t> TakeVarint(std::string_view& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < in.size() && i < 10; ++i) {
    const auto octet = static_cast<std::uint8_t>(in[i]);
    if (i == 9 && octet > 1) return std::nullopt;
    value |= std::uint64_t{octet & 0x7fu} << (7 * i);
    if (octet & 0x80) continue;
    if (octet == 0 && i > 0) return std::nullopt;  // not the shortest form
    in.remove_prefix(i + 1);
    return value;
  }
  return std::nullopt;
}

void AppendFixed64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

std::uint64_t Fixed64(std::string_view eight_octets) {
  std::uint64_t value = 0;
  for (const char octet : eight_octets.substr(0, 8)) value = value << 8 | static_cast<std::uint8_t>(octet);
  return value;
}

bool FieldReader::Read(std::string_view in, DeviceId& value) {
  DeviceId::Octets octets;
  if (in.size() != octets.size()) return false;
  std::copy(in.begin(), in.end(), octets.begin());
  value = DeviceId::FromOctets(octets);
  return true;
}

}  // namespace registry::ledger
