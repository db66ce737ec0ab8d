#include "workers/domain/standing.h"

#include <algorithm>

namespace registry::domain {
namespace {

template <class Parts, class Which>
auto Find(Parts& parts, Which which) -> decltype(parts.data()) {
  const auto found = std::find_if(parts.begin(), parts.end(), which);
  return found == parts.end() ? nullptr : &*found;
}

template <class Device>
auto ServingOf(Device& device) -> decltype(device.profiles.data()) {
  if (const Credential* live = Live(device)) {
    const auto carries = [&](const Profile& one) { return one.number == live->profile; };
    if (auto* carrier = Find(device.profiles, carries)) return carrier;
  }
  const auto enabled = [](const Profile& one) { return one.state == ProfileState::kEnabled; };
  if (auto* found = Find(device.profiles, enabled)) return found;
  const auto there = [](const Profile& one) { return one.state != ProfileState::kDeleted; };
  const auto disabled = [](const Profile& one) { return one.state == ProfileState::kDisabled; };
  const auto last = std::find_if(device.profiles.rbegin(), device.profiles.rend(), disabled);
  if (last != device.profiles.rend()) return &*last;
  // Registering one more takes the device from nobody.
  if (auto* first = Find(device.profiles, there)) return first;
  return device.profiles.empty() ? nullptr : &device.profiles.back();
}

}  // namespace

const Profile* Serving(const Device& device) { return ServingOf(device); }
Profile* Serving(Device& device) { return ServingOf(device); }

const PartyId& Sponsor(const Device& device) {
  static const PartyId kNobody;
  const Profile* const profile = Serving(device);
  return profile != nullptr ? profile->mno : kNobody;
}

const Iccid& IccidOf(const Device& device) {
  static const Iccid kNone;
  const Profile* const profile = Serving(device);
  return profile != nullptr ? profile->iccid : kNone;
}

bool EverSeen(const Device& device) {
  const Profile* const profile = Serving(device);
  return profile != nullptr && profile->state != ProfileState::kInstalled;
}

bool Attached(const Device& device) {
  const Profile* const profile = Serving(device);
  return profile != nullptr && profile->attached;
}

bool IsAway(const Device& device) { return EverSeen(device) && !Attached(device); }

const Bytes& AgreementKey(const Device& device) {
  static const Bytes kNone;
  const Profile* const profile = Serving(device);
  return profile != nullptr ? profile->agreement_key : kNone;
}

const Credential* Live(const Device& device) {
  return Find(device.credentials, [](const Credential& one) { return one.phase == CredentialPhase::kLive; });
}

const IssuedCertificate* LiveCertificate(const Device& device) {
  const Credential* const live = Live(device);
  return live != nullptr ? &live->certificate : nullptr;
}

const Credential* NextCredential(const Device& device) {
  return Find(device.credentials, [](const Credential& one) { return one.phase == CredentialPhase::kNext; });
}

const Profile* ProfileOf(const Device& device, std::uint32_t number) {
  return Find(device.profiles, [number](const Profile& one) { return one.number == number; });
}

const Binding* LiveBinding(const Device& device) {
  return Find(device.bindings, [](const Binding& one) { return one.phase == BindingPhase::kLive; });
}

const Binding* NextBinding(const Device& device) {
  return Find(device.bindings, [](const Binding& one) { return one.phase == BindingPhase::kNext; });
}

const Binding* ToBeTold(const Device& device) {
  const Binding* const next = NextBinding(device);
  return next != nullptr ? next : LiveBinding(device);
}

bool ChangesProfile(const Device& device) {
  return device.transfer && device.transfer->state == TransferState::kApproved &&
         device.transfer->kind == TransferKind::kMno;
}

bool MayBeForgotten(const Device& device, const Profile& profile) {
  const auto of_it = [&](const Credential& one) { return one.profile == profile.number; };
  return profile.state == ProfileState::kDeleted && Find(device.credentials, of_it) == nullptr &&
         profile.number != device.profiles.back().number;
}

bool HasRoomForProfile(const Device& device) {
  return device.profiles.size() < kProfilesMax ||
         Find(device.profiles, [&](const Profile& one) { return MayBeForgotten(device, one); }) != nullptr;
}

bool HasShare(const Device& device, const PartyId& party) {
  const auto profile = [&](const Profile& one) {
    return one.mno == party && one.state != ProfileState::kDeleted;
  };
  const auto binding = [&](const Binding& one) {
    return one.asp == party && one.phase != BindingPhase::kEnded;
  };
  return Find(device.profiles, profile) != nullptr || Find(device.bindings, binding) != nullptr;
}

std::optional<PartyId> Claimer(const Device& device) {
  const Binding* const binding = LiveBinding(device);
  if (binding == nullptr || binding->asp.empty()) return std::nullopt;
  return binding->asp;
}

std::optional<EndpointName> EndpointOf(const Device& device) {
  const Binding* const binding = LiveBinding(device);
  if (binding == nullptr || binding->endpoint.empty()) return std::nullopt;
  return binding->endpoint;
}

std::uint64_t DeliveredVersion(const Device& device) {
  const Binding* const binding = LiveBinding(device);
  return binding != nullptr ? binding->delivered : 0;
}

bool PayloadOwed(const Device& device) {
  if (const Binding* live = LiveBinding(device))
    return live->delivered == 0 || live->delivered < live->composed;
  const auto ended = std::find_if(device.bindings.rbegin(), device.bindings.rend(),
                                  [](const Binding& one) { return one.phase == BindingPhase::kEnded; });
  return ended != device.bindings.rend() && ended->delivered < ended->composed;
}

std::uint64_t PayloadVersion(const Device& device) {
  std::uint64_t newest = 0;
  for (const Binding& binding : device.bindings) newest = std::max(newest, binding.composed);
  return newest;
}

bool InTransfer(const Device& device) {
  return device.transfer && (device.transfer->state == TransferState::kPending ||
                             device.transfer->state == TransferState::kApproved);
}

bool HasPayloadToReplace(const Device& device) {
  const bool pushed = device.state == State::kPublished || device.state == State::kActive;
  return pushed && LiveBinding(device) != nullptr;
}

const AuthorisationCode* CodeFor(const Device& device, CodePurpose purpose) {
  return Find(device.codes, [purpose](const AuthorisationCode& one) { return one.purpose == purpose; });
}

}  // namespace registry::domain
