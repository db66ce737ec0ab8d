// workers/domain/credential.h: a certificate of a device, and where it is between its issue and its end. Plain values, any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "schemas/base/bytes.h"
#include "schemas/base/utc_time.h"

namespace registry::domain {

struct IssuedCertificate {
  Bytes der;
  Bytes serial;       // 20 octets
  Bytes sha256;       // of der: what TLSA 3 0 1 publishes
  Bytes spki_sha256;  // of SubjectPublicKeyInfo: what TLSA 3 1 1 publishes, and the key's identity
  UtcTime not_before;
  UtcTime not_after;
  bool operator==(const IssuedCertificate&) const = default;
};

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class CredentialPhase : std::uint8_t {
  kNext = 1,       // issued and published, not yet on the device
  kLive = 2,       // what the device authenticates with
  kRetiring = 3,   // replaced; its TLSA is withdrawn next
  kWithdrawn = 4,  // its TLSA is wanted no more; revoked when no secondary serves it
};
// As parties read it: a withdrawn one is still retiring to them.
std::string_view PhaseName(CredentialPhase phase);

struct Credential {
  IssuedCertificate certificate;
  std::uint32_t profile = 1;  // number of the profile whose applet holds the key
  CredentialPhase phase = CredentialPhase::kLive;
  UtcTime since;     // when it came into this phase; not before, in a record from before phases were kept
  UtcTime served{};  // since when every secondary shows it; zero: not yet, or before this was kept
  // Of a next one: version of the payload that brings it to its device; 0: none was made.
  std::uint64_t carried = 0;
  // Of a next one whose request named another key-agreement key than its profile has: the profile's once it is live.
  Bytes agreement_key{};
  bool operator==(const Credential&) const = default;
};
inline constexpr std::size_t kCredentialsMax = 4;

}  // namespace registry::domain
