// workers/domain/profile.h: one subscription on a device's eUICC. The IoT SAFE applet lives in the profile, so its keys
// come and go with it. Plain values, any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "schemas/base/bytes.h"
#include "schemas/ids/ids.h"

namespace registry::domain {

// As the MNO says (GSMA SGP.32). Stored: DO NOT CHANGE THESE NUMBERS.
enum class ProfileState : std::uint8_t { kInstalled = 1, kEnabled = 2, kDisabled = 3, kDeleted = 4 };
std::string_view ProfileStateName(ProfileState state);

struct Profile {
  std::uint32_t number = 1;  // within its device, never given twice
  Iccid iccid;
  PartyId mno;
  ProfileState state = ProfileState::kInstalled;
  bool attached =
      false;  // on the network, as far as its MNO has said; one that never was is still kInstalled
  // Uncompressed P-256 point that payloads are encrypted to; from the first CSR until the eSIM is free.
  Bytes agreement_key;
  bool operator==(const Profile&) const = default;
};
inline constexpr std::size_t kProfilesMax = 8;

}  // namespace registry::domain
