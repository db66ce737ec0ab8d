// workers/domain/device_status.h: what holds beside a device's state, under EPP's names where they fit (RFC 5731 §2.3).
// Who set a hold lifts it; the operator lifts any. Plain values, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace registry::domain {

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class DeviceStatus : std::uint8_t {
  kPendingTransfer = 1,     // a transfer was asked for and nobody has decided it
  kClientHold = 2,          // of the ASP
  kServerHold = 3,          // of the operator
  kTransferProhibited = 4,  // of the operator
  kSponsorHold = 5,         // of the MNO
  kDisconnected = 6,        // its profile was disabled on demand
  kExpired = 7,             // its certificate ended before a new one came
};
std::string_view StatusName(DeviceStatus status);

}  // namespace registry::domain
