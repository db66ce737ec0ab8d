#include "bridge/ledger/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace registry::ledger {
namespace {

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

// Eight tables so that eight octets cost one step: tables[k][b] is the CRC of b followed by k zero octets.
constexpr Table MakeTables() {
  Table tables{};
  for (std::uint32_t octet = 0; octet < 256; ++octet) {
    std::uint32_t crc = octet;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0u);
    tables[0][octet] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t octet = 0; octet < 256; ++octet) {
      const std::uint32_t before = tables[k - 1][octet];
      tables[k][octet] = before >> 8 ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Table kTables = MakeTables();

// Both take and give the register before its final complement.
std::uint32_t ByTables(std::uint32_t crc, std::string_view data) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(data[i]); };
  while (data.size() >= 8) {
    const std::array<std::uint8_t, 8> step{static_cast<std::uint8_t>(octet(0) ^ (crc & 0xff)),
                                           static_cast<std::uint8_t>(octet(1) ^ (crc >> 8 & 0xff)),
                                           static_cast<std::uint8_t>(octet(2) ^ (crc >> 16 & 0xff)),
                                           static_cast<std::uint8_t>(octet(3) ^ (crc >> 24)),
                                           octet(4),
                                           octet(5),
                                           octet(6),
                                           octet(7)};
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][step[i]];
    data.remove_prefix(8);
  }
  for (std::size_t i = 0; i < data.size(); ++i) crc = crc >> 8 ^ kTables[0][(crc ^ octet(i)) & 0xff];
  return crc;
}

#if defined(__x86_64__)
// Every record is checked when it is written and again when it is read: at a fraction of what tables cost.
__attribute__((target("sse4.2"))) std::uint32_t ByInstruction(std::uint32_t crc, std::string_view data) {
  std::uint64_t wide = crc;
  for (; data.size() >= sizeof(std::uint64_t); data.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t octets;
    std::memcpy(&octets, data.data(), sizeof octets);
    wide = _mm_crc32_u64(wide, octets);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (const char octet : data) crc = _mm_crc32_u8(crc, static_cast<std::uint8_t>(octet));
  return crc;
}
#endif

using Method = std::uint32_t (*)(std::uint32_t, std::string_view);

Method BestMethod() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2") != 0) return ByInstruction;
#endif
  return ByTables;
}

}  // namespace

std::uint32_t Crc32c(std::string_view data) {
  static const Method method = BestMethod();
  return ~method(0xffffffffu, data);
}

std::uint32_t Crc32cByTables(std::string_view data) { return ~ByTables(0xffffffffu, data); }

}  // namespace registry::ledger
