// The names of what a device is made of, as operators and parties read them.
#include "schemas/base/check.h"
#include "workers/domain/device.h"

namespace registry::domain {

std::string_view StatusName(DeviceStatus status) {
  switch (status) {
    case DeviceStatus::kPendingTransfer:
      return "pendingTransfer";
    case DeviceStatus::kClientHold:
      return "clientHold";
    case DeviceStatus::kServerHold:
      return "serverHold";
    case DeviceStatus::kTransferProhibited:
      return "transferProhibited";
    case DeviceStatus::kSponsorHold:
      return "sponsorHold";
    case DeviceStatus::kDisconnected:
      return "disconnected";
    case DeviceStatus::kExpired:
      return "expired";
  }
  REG_CHECK(false);
}

std::string_view ProfileStateName(ProfileState state) {
  switch (state) {
    case ProfileState::kInstalled:
      return "installed";
    case ProfileState::kEnabled:
      return "enabled";
    case ProfileState::kDisabled:
      return "disabled";
    case ProfileState::kDeleted:
      return "deleted";
  }
  REG_CHECK(false);
}

std::string_view PhaseName(CredentialPhase phase) {
  switch (phase) {
    case CredentialPhase::kNext:
      return "next";
    case CredentialPhase::kLive:
      return "live";
    case CredentialPhase::kRetiring:
    case CredentialPhase::kWithdrawn:
      return "retiring";
  }
  REG_CHECK(false);
}

std::string_view PhaseName(BindingPhase phase) {
  switch (phase) {
    case BindingPhase::kNext:
      return "next";
    case BindingPhase::kLive:
      return "live";
    case BindingPhase::kEnded:
      return "ended";
  }
  REG_CHECK(false);
}

std::string_view PurposeName(CodePurpose purpose) {
  switch (purpose) {
    case CodePurpose::kClaim:
      return "claim";
    case CodePurpose::kTransfer:
      return "transfer";
  }
  REG_CHECK(false);
}

std::string_view TransferKindName(TransferKind kind) {
  switch (kind) {
    case TransferKind::kMno:
      return "mno";
    case TransferKind::kAsp:
      return "asp";
  }
  REG_CHECK(false);
}

std::string_view TransferStateName(TransferState state) {
  switch (state) {
    case TransferState::kPending:
      return "pending";
    case TransferState::kApproved:
      return "approved";
    case TransferState::kRejected:
      return "rejected";
    case TransferState::kCancelled:
      return "cancelled";
    case TransferState::kCompleted:
      return "completed";
    case TransferState::kFailed:
      return "failed";
  }
  REG_CHECK(false);
}

}  // namespace registry::domain
