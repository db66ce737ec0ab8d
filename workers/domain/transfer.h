// workers/domain/transfer.h: a device on its way from one MNO or ASP to another. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"

namespace registry::domain {

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class TransferKind : std::uint8_t { kMno = 1, kAsp = 2 };
std::string_view TransferKindName(TransferKind kind);

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class TransferState : std::uint8_t {
  kPending = 1,
  kApproved = 2,
  kRejected = 3,
  kCancelled = 4,
  kCompleted = 5,
  kFailed = 6,
};
std::string_view TransferStateName(TransferState state);

struct Transfer {
  TransferId id;
  DeviceId device;
  TransferKind kind = TransferKind::kMno;
  PartyId from, to;
  TransferState state = TransferState::kPending;
  UtcTime requested;
  UtcTime decides_at;                    // without an answer until then it is decided by policy
  std::optional<Iccid> iccid;            // kMno: of the new profile
  std::optional<EndpointName> endpoint;  // kAsp: of the gaining ASP
  // kMno, once approved: numbers of the profile that serves until then and of the one that shall serve.
  std::uint32_t former = 0, gaining = 0;
  // Not decided yet, or approved and not carried out yet.
  bool open() const { return state == TransferState::kPending || state == TransferState::kApproved; }
  bool operator==(const Transfer&) const = default;
};

}  // namespace registry::domain
