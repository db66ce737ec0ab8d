// workers/domain/authorisation_code.h: an authorisation code that is valid for a device (RFC 9154). Only a hash of it is
// kept. Plain values, any thread.
#pragma once

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
  wire::Role role = wire::Role::kAsp;  // who may use it
  Bytes hash;                          // SHA-256; a used code is still known by it
  PartyId set_by;
  UtcTime expires;             // zero: never
  std::uint32_t attempts = 0;  // wrong ones since it was set
  bool operator==(const AuthorisationCode&) const = default;
};
inline constexpr std::size_t kCodesMax = 4;

}  // namespace registry::domain
