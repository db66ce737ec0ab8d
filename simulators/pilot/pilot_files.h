// simulators/pilot/pilot_files.h: the pilot's files on a card, as whoever reads it finds them: the device, and the MNO over
// the air. Says whether they were written whole, by the generation mark 0F that is written behind the others and before 02.
// No signature: a reader learns that nothing is missing or mixed, not who wrote it (schemas/PAYLOAD.md).
// Values; pure, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "schemas/base/bytes.h"

namespace registry::sim {

namespace pilot {
inline constexpr std::uint8_t kClient = 0x02, kAspCertificate = 0x03, kRoot = 0x06, kIssuing = 0x07,
                              kEndpoint = 0x08, kEndpointSignature = 0x09, kAspSignature = 0x0a, kMark = 0x0f;
// In the order in which they are taken away. 02 goes first, because its presence says "provisioned".
inline constexpr std::array<std::uint8_t, 8> kAll{
    kClient, kMark, kAspSignature, kEndpointSignature, kEndpoint, kAspCertificate, kIssuing, kRoot};
}  // namespace pilot

using PilotFiles = std::map<std::uint8_t, Bytes>;

enum class Written { kNone, kWhole, kHalf };
std::string_view WordOf(Written written);  // none, whole, half_written

struct CardSet {
  Written written = Written::kNone;
  std::uint64_t generation = 0;  // that the mark names, where there is one
  std::string why;               // of kHalf
};
// Files with other ids than these do not matter.
CardSet Judge(const PilotFiles& files);

// SHA-256 over the files but the mark, in the order of their ids, each as id, length in two octets, content. Hexadecimal.
std::string DigestOf(const PilotFiles& files);

}  // namespace registry::sim
