// workers/domain/authorisation_code.h: an authorisation code that is valid for a device (RFC 9154). Only a hash of it is
// kept. Plain values, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "schemas/base/bytes.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"
#include "schemas/wire/messages.h"

namespace registry::domain {

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class CodePurpose : std::uint8_t { kClaim = 1, kTransfer = 2 };
std::string_view PurposeName(CodePurpose purpose);

struct AuthorisationCode {
  CodePurpose purpose = CodePurpose::kClaim;
  wire::Role role = wire::Role::kAsp;  // who may use it; the operator's: whoever may do what it is for
  Bytes hash;                          // SHA-256
  PartyId set_by;
  UtcTime expires;             // zero: never
  std::uint32_t attempts = 0;  // wrong ones since counted_from
  UtcTime counted_from{};      // the first of them
  bool operator==(const AuthorisationCode&) const = default;
};
inline constexpr std::size_t kCodesMax = 4;

// So many wrong ones within so long lock a device's codes for the rest of that time.
inline constexpr std::uint32_t kWrongCodesMax = 5;
inline constexpr std::chrono::hours kWrongCodesWithin{1};

// A clock that was set back behind the first wrong one lifts a lock: none lasts longer than it may.
inline bool StillCounted(const AuthorisationCode& code, UtcTime now) {
  return code.attempts > 0 && now >= code.counted_from && now < code.counted_from + kWrongCodesWithin;
}
inline bool Locked(const AuthorisationCode& code, UtcTime now) {
  return code.attempts >= kWrongCodesMax && StillCounted(code, now);
}
inline bool Expired(const AuthorisationCode& code, UtcTime now) {
  return code.expires.micros != 0 && code.expires <= now;
}

}  // namespace registry::domain
