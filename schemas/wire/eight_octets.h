// schemas/wire/eight_octets.h: octets of a text looked at eight at a time, in one machine word.
// Pure, any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace registry::wire {

constexpr std::uint64_t Each(std::uint8_t octet) { return std::uint64_t{0x0101010101010101} * octet; }
inline constexpr std::uint64_t kHighBits = Each(0x80);

// How many octets stand before the first eight for which `holds` is false, or before the last that are fewer than eight.
template <class Holds>
std::size_t EightsAtStart(std::string_view text, Holds holds) {
  std::size_t size = 0;
  for (std::uint64_t octets = 0; text.size() - size >= sizeof octets; size += sizeof octets) {
    std::memcpy(&octets, text.data() + size, sizeof octets);
    if (!holds(octets)) break;
  }
  return size;
}

}  // namespace registry::wire
