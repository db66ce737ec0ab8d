// bridge/ledger/crc32c.h: CRC-32C (Castagnoli, RFC 3720 §12.1), the checksum of stored records and intake
// segments. Finds accidents, not attacks; against those stands the hash chain. Pure, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace registry::ledger {

std::uint32_t Crc32c(std::string_view data);
// The same without the processor's own instruction: what other processors run, and the tests compare.
std::uint32_t Crc32cByTables(std::string_view data);

}  // namespace registry::ledger
