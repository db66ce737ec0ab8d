#include "workers/lifecycle/codes.h"

#include <algorithm>

#include "workers/crypto/digest.h"
#include "workers/domain/compose.h"
#include "workers/domain/device_steps.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/code_text.h"

namespace registry::lifecycle {
namespace {

using domain::AuthorisationCode;
using domain::Case;
using domain::CodePurpose;
using domain::Device;

Error Invalid() {
  return Error::Make(Code::kBadAuthorisationCode, "authorisation_invalid",
                     "the authorisation code is not valid for this device", "/authorisationCode");
}

Error IsLocked() {
  return Error::Make(
      Code::kBadAuthorisationCode, "authorisation_locked",
      "too many wrong authorisation codes were given for this device: its codes are locked for up to an "
      "hour; authorisation.set makes another",
      "/authorisationCode");
}

// Codes of older ledgers have no end and stayed with the device when they were used: a claim was the only use.
bool UsedUp(const AuthorisationCode& code, const Device& device) {
  return code.purpose == CodePurpose::kClaim && code.expires.micros == 0 && !device.bindings.empty();
}

// But for a lock.
bool IsFor(const AuthorisationCode& code, CodePurpose purpose, const Device& device, const Case& at) {
  const bool for_party = code.role == at.origin.role || code.role == wire::Role::kOperator;
  return code.purpose == purpose && for_party && !Expired(code, at.context.now) && !UsedUp(code, device);
}

bool MayBeUsed(const AuthorisationCode& code, CodePurpose purpose, const Device& device, const Case& at) {
  return IsFor(code, purpose, device, at) && !Locked(code, at.context.now);
}

// The code that was given, locked or not. All are compared, found or not. Of no device the work is the same.
const AuthorisationCode* FindGiven(const Device& device, CodePurpose purpose, const Bytes& hash,
                                   const Case& at) {
  static const Bytes kNobodys(hash.size(), 0);
  const AuthorisationCode* given = nullptr;
  for (std::size_t i = 0; i < domain::kCodesMax; ++i) {
    const AuthorisationCode* const code = i < device.codes.size() ? &device.codes[i] : nullptr;
    const bool same = crypto::SameSecret(code != nullptr ? code->hash : kNobodys, hash);
    if (same && code != nullptr && IsFor(*code, purpose, device, at)) given = code;
  }
  return given;
}

// One that was set since is not.
bool AllLocked(const Device& device, CodePurpose purpose, const Case& at) {
  const auto& codes = device.codes;
  const auto locked = [&](const AuthorisationCode& code) { return domain::Locked(code, at.context.now); };
  const auto open = [&](const AuthorisationCode& code) { return MayBeUsed(code, purpose, device, at); };
  return std::any_of(codes.begin(), codes.end(), locked) && std::none_of(codes.begin(), codes.end(), open);
}

// The count is all that stays of the command, with who it was. Where there is no code there is nothing to guess.
Error Wrong(Device device, Case& at) {
  if (device.codes.empty()) return Invalid();
  domain::CountWrongCode(device, at.context.now);
  domain::Changeset kept;
  kept.history.push_back(
      domain::History(device, at.origin.party, "wrong authorisation code", at.context.now, at.origin.id));
  Put(device, kept);
  return domain::RefuseButKeep(Invalid(), std::move(kept), at);
}

// Of a lock only the right code is told: to any other it would say that there is such a device. What is said under a lock
// is not counted any further, so that a stranger writes no more than the count into a device.
Result<Device> Check(std::optional<Device> found, CodePurpose purpose, std::string_view given, Case& at) {
  const bool there = found && found->state != domain::State::kDeleted;
  Device device = there ? std::move(*found) : Device();
  const Bytes hash = CodeHash(given);
  const AuthorisationCode* const code = FindGiven(device, purpose, hash, at);
  if (!there) return Invalid();
  if (code == nullptr) return AllLocked(device, purpose, at) ? Invalid() : Wrong(std::move(device), at);
  if (domain::Locked(*code, at.context.now)) return IsLocked();
  domain::UseUpCode(device, hash);
  return device;
}

}  // namespace

std::string GiveCode(Device& device, CodePurpose purpose, wire::Role role, UtcTime expires, const Case& at) {
  const CodeMade made{device.id, purpose, at.origin.party, at.origin.id.value_or(EventId())};
  const std::string text = CodeText(at.policy.authorisation.key, made);
  domain::SetCode(device, {purpose, role, CodeHash(text), at.origin.party, expires});
  return std::string(kCodePlaceholder);
}

Result<Device> Authorise(const DeviceId& device, CodePurpose purpose, std::string_view given, Case& at) {
  auto found = at.view.LoadDevice(device);
  if (!found) return found.error();
  return Check(std::move(*found), purpose, given, at);
}

Result<Device> AuthoriseByEid(const Eid& eid, CodePurpose purpose, std::string_view given, Case& at) {
  auto holder = at.view.FindUnique({domain::UniqueKind::kEid, AsBytes(eid.text())});
  if (!holder) return holder.error();
  auto found = at.view.LoadDevice(holder->value_or(DeviceId()));
  if (!found) return found.error();
  return Check(std::move(*found), purpose, given, at);
}

}  // namespace registry::lifecycle
