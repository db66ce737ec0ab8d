// bridge/ledger/device_fields.h: the tags of a device, its parts and its brief; a share of record_fields.h, whose rules hold
// here too.
// Private to bridge/ledger. Plain functions, any thread.
#pragma once

#include "bridge/ledger/fields.h"
#include "workers/domain/device_places.h"

namespace registry::ledger {

inline constexpr std::uint8_t kVersionTag =
    1;  // first in device and endpoint records, so that PeekVersion is cheap

template <>
struct StoredEnum<domain::State> : FrozenEnum<domain::State, 7> {};
template <>
struct StoredEnum<domain::DeviceStatus> : FrozenEnum<domain::DeviceStatus, 7> {};
template <>
struct StoredEnum<domain::ProfileState> : FrozenEnum<domain::ProfileState, 4> {};
template <>
struct StoredEnum<domain::CredentialPhase> : FrozenEnum<domain::CredentialPhase, 4> {};
template <>
struct StoredEnum<domain::BindingPhase> : FrozenEnum<domain::BindingPhase, 3> {};
template <>
struct StoredEnum<domain::CodePurpose> : FrozenEnum<domain::CodePurpose, 2> {};
template <>
struct StoredEnum<domain::TransferKind> : FrozenEnum<domain::TransferKind, 2> {};
template <>
struct StoredEnum<domain::TransferState> : FrozenEnum<domain::TransferState, 6> {};
template <>
struct StoredEnum<wire::Role>
    : NumberedFromOne<wire::Role, wire::Role::kMno, wire::Role::kAsp, wire::Role::kOperator> {};

template <class A, Is<domain::IssuedCertificate> T>
void Fields(A& archive, T& certificate) {
  archive(1, certificate.der);
  archive(2, certificate.serial);
  archive(3, certificate.sha256);
  archive(4, certificate.spki_sha256);
  archive(5, certificate.not_before);
  archive(6, certificate.not_after);
}

template <class A, Is<domain::TraceStep> T>
void Fields(A& archive, T& step) {
  archive(1, step.step);
  archive(2, step.at);
}

template <class A, Is<domain::Profile> T>
void Fields(A& archive, T& profile) {
  archive(1, profile.number);
  archive(2, profile.iccid);
  archive(3, profile.mno);
  archive(4, profile.state);
  archive(5, profile.attached);
  archive(6, profile.agreement_key);
}

template <class A, Is<domain::Credential> T>
void Fields(A& archive, T& credential) {
  archive(1, credential.certificate);
  archive(2, credential.profile);
  archive(3, credential.phase);
  archive(4, credential.since);
  archive(5, credential.served);
  archive(6, credential.carried);
  archive(7, credential.agreement_key);
}

template <class A, Is<wire::Wifi> T>
void Fields(A& archive, T& wifi) {
  archive(1, wifi.ssid);
  archive(2, wifi.sealed_passphrase);
}

template <class A, Is<domain::Binding> T>
void Fields(A& archive, T& binding) {
  archive(1, binding.number);
  archive(2, binding.asp);
  archive(3, binding.endpoint);
  archive(4, binding.phase);
  archive(5, binding.composed);
  archive(6, binding.delivered);
  archive(7, binding.wifi);
}

template <class A, Is<domain::AuthorisationCode> T>
void Fields(A& archive, T& code) {
  archive(1, code.purpose);
  archive(2, code.role);
  archive(3, code.hash);
  archive(4, code.set_by);
  archive(5, code.expires);
  archive(6, code.attempts);
  archive(7, code.counted_from);
}

template <class A, Is<domain::Transfer> T>
void Fields(A& archive, T& transfer) {
  archive(1, transfer.id);
  archive(2, transfer.device);
  archive(3, transfer.kind);
  archive(4, transfer.from);
  archive(5, transfer.to);
  archive(6, transfer.state);
  archive(7, transfer.requested);
  archive(8, transfer.decides_at);
  archive(9, transfer.iccid);
  archive(10, transfer.endpoint);
  archive(11, transfer.former);
  archive(12, transfer.gaining);
}

template <class A, Is<domain::EndedJob> T>
void Fields(A& archive, T& job) {
  archive(1, job.id);
  archive(2, job.to);
}

// Version 2; device_v1.h has the tags of version 1.
template <class A, Is<domain::Device> T>
void Fields(A& archive, T& device) {
  archive(kVersionTag, device.version);
  archive(2, device.id);
  archive(3, device.state);
  archive(4, device.statuses);
  archive(5, device.eid);
  archive(6, device.profiles);
  archive(7, device.credentials);
  archive(8, device.bindings);
  archive(9, device.codes);
  archive(10, device.transfer);
  archive(11, device.zone.wanted);
  archive(12, device.zone.visible);
  archive(13, device.trace);
  archive(14, device.created);
  archive(15, device.updated);
  archive(16, device.ended_jobs);
  archive(17, device.came_back);
}

template <class A, Is<domain::DeviceBrief> T>
void Fields(A& archive, T& brief) {
  archive(1, brief.state);
  archive(2, brief.statuses);
  archive(3, brief.sponsor);
  archive(4, brief.claimer);
  archive(5, brief.endpoint);
  archive(6, brief.expires);
}

}  // namespace registry::ledger
