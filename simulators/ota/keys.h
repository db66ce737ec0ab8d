// simulators/ota/keys.h: what an operator and one security domain on one of its cards share: the key set of SCP80 and the
// pre-shared key of the HTTP session. Plain values. JSON: {"version", "kic", "kid", "kik", "psk", "checksum_octets"}, keys
//   in hex.
// Errors: 2005 config_malformed, naming the member, never a key. Privacy: keys go to no log and no report.
// Spec: ETSI TS 102 225 §5.1.2 and §5.1.3 (a key set has a version of 1 to 15; AES with 16, 24 or 32 octets);
//   GlobalPlatform Amendment B (the PSK). KIK protects keys that are sent to a card; no key is sent here, so that it is kept
//   and not used.
#pragma once

#include <nlohmann/json.hpp>

#include "schemas/base/bytes.h"
#include "schemas/base/result.h"

namespace registry::sim::ota {

struct KeySet {
  std::uint8_t version = 1;
  Bytes kic, kid, kik;
  Bytes psk;
  std::size_t checksum_octets = 8;  // of AES-CMAC: 8, or 4 as an operator may have it
};

Result<KeySet> ReadKeys(const nlohmann::json& keys);

}  // namespace registry::sim::ota
