#include "workers/domain/device_steps.h"

#include <algorithm>

#include "schemas/base/check.h"
#include "workers/domain/standing.h"

namespace registry::domain {
namespace {

template <class Part>
std::uint32_t NextNumber(const std::vector<Part>& parts) {
  std::uint32_t last = 0;
  for (const Part& part : parts) last = std::max(last, part.number);
  return last + 1;
}

Profile& MustServe(Device& device) {
  Profile* const profile = Serving(device);
  REG_CHECK(profile != nullptr);
  return *profile;
}

}  // namespace

void AddProfile(Device& device, const PartyId& mno, const Iccid& iccid) {
  Profile profile;
  profile.number = NextNumber(device.profiles);
  profile.mno = mno;
  profile.iccid = iccid;
  device.profiles.push_back(std::move(profile));
}

void SeeOnNetwork(Device& device) {
  Profile& profile = MustServe(device);
  profile.state = ProfileState::kEnabled;
  profile.attached = true;
}

void SetProfileState(Device& device, std::uint32_t number, ProfileState state) {
  for (Profile& profile : device.profiles) {
    const bool other = profile.number != number;
    if (other && state == ProfileState::kEnabled && profile.state == ProfileState::kEnabled)
      profile.state = ProfileState::kDisabled;
    if (other) continue;
    profile.state = state;
    if (state != ProfileState::kEnabled) profile.attached = false;
  }
}

void SetAgreementKey(Device& device, Bytes key) { MustServe(device).agreement_key = std::move(key); }

void GoLive(Device& device, IssuedCertificate certificate, UtcTime now) {
  REG_CHECK(Live(device) == nullptr);
  const std::uint32_t profile = MustServe(device).number;
  device.credentials.push_back({std::move(certificate), profile, CredentialPhase::kLive, now});
}

void DropCredentials(Device& device) { device.credentials.clear(); }

void SetCode(Device& device, AuthorisationCode code) {
  std::erase_if(device.codes, [&](const AuthorisationCode& one) { return one.purpose == code.purpose; });
  device.codes.push_back(std::move(code));
}

void Bind(Device& device, const PartyId& asp, const EndpointName& endpoint) {
  Binding binding;
  binding.number = NextNumber(device.bindings);
  binding.asp = asp;
  binding.endpoint = endpoint;
  device.bindings.push_back(std::move(binding));
}

std::uint64_t ComposeNext(Device& device) {
  const std::uint64_t version = PayloadVersion(device) + 1;
  for (Binding& binding : device.bindings) {
    if (binding.phase == BindingPhase::kLive) binding.composed = version;
  }
  return version;
}

void Deliver(Device& device, std::uint64_t version) {
  for (Binding& binding : device.bindings) {
    if (binding.phase == BindingPhase::kLive && binding.composed == version) binding.delivered = version;
  }
}

}  // namespace registry::domain
