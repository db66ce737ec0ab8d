#include "workers/domain/device_steps.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "schemas/base/check.h"
#include "workers/domain/renewal.h"
#include "workers/domain/standing.h"

namespace registry::domain {
namespace {

template <class Part>
std::uint32_t NextNumber(const std::vector<Part>& parts) {
  std::uint32_t last = 0;
  for (const Part& part : parts) last = std::max(last, part.number);
  return last + 1;
}

// The oldest go first, so the last version of a payload stays known.
void ForgetEnded(Device& device) {
  const auto has_ended = [](const Binding& one) { return one.phase == BindingPhase::kEnded; };
  auto& bindings = device.bindings;
  while (std::count_if(bindings.begin(), bindings.end(), has_ended) >
         static_cast<std::ptrdiff_t>(kEndedBindingsMax)) {
    bindings.erase(std::find_if(bindings.begin(), bindings.end(), has_ended));
  }
}

// The oldest one.
bool ForgetProfile(Device& device) {
  const auto found = std::find_if(device.profiles.begin(), device.profiles.end(),
                                  [&](const Profile& one) { return MayBeForgotten(device, one); });
  if (found == device.profiles.end()) return false;
  device.profiles.erase(found);
  return true;
}

Profile& MustServe(Device& device) {
  Profile* const profile = Serving(device);
  REG_CHECK(profile != nullptr);
  return *profile;
}

// Whom a payload is for: the next binding, or else the live ones, or else the one that ended last, whose ASP the device is
// to forget.
template <class Each>
void ForEachTold(Device& device, Each each) {
  const BindingPhase told = NextBinding(device) != nullptr   ? BindingPhase::kNext
                            : LiveBinding(device) != nullptr ? BindingPhase::kLive
                                                             : BindingPhase::kEnded;
  for (auto binding = device.bindings.rbegin(); binding != device.bindings.rend(); ++binding) {
    if (binding->phase != told) continue;
    each(*binding);
    if (told == BindingPhase::kEnded) return;
  }
}

}  // namespace

void AddProfile(Device& device, const PartyId& mno, const Iccid& iccid) {
  while (device.profiles.size() >= kProfilesMax && ForgetProfile(device)) {
  }
  Profile profile;
  profile.number = NextNumber(device.profiles);
  profile.mno = mno;
  profile.iccid = iccid;
  device.profiles.push_back(std::move(profile));
}

void SeeOnNetwork(Device& device) { SeeOnNetwork(device, MustServe(device).number); }

void SeeOnNetwork(Device& device, std::uint32_t number) {
  SetProfileState(device, number, ProfileState::kEnabled);
  for (Profile& profile : device.profiles) {
    if (profile.number == number) profile.attached = true;
  }
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

void LeaveNetwork(Device& device, std::uint32_t number) {
  for (Profile& profile : device.profiles) {
    if (profile.number == number) profile.attached = false;
  }
}

void DeleteProfile(Device& device, std::uint32_t number) {
  SetProfileState(device, number, ProfileState::kDeleted);
  for (Profile& profile : device.profiles) {
    if (profile.number == number) profile.agreement_key.clear();
  }
}

void SetAgreementKey(Device& device, Bytes key) { MustServe(device).agreement_key = std::move(key); }

void GoLive(Device& device, IssuedCertificate certificate, UtcTime now) {
  REG_CHECK(Live(device) == nullptr);
  const std::uint32_t profile = MustServe(device).number;
  device.credentials.push_back({std::move(certificate), profile, CredentialPhase::kLive, now, {}, 0, {}});
}

void DropCredentials(Device& device) { device.credentials.clear(); }

void AddNext(Device& device, IssuedCertificate certificate, std::uint32_t profile, const Bytes& agreement_key,
             UtcTime now) {
  REG_CHECK(NextCredential(device) == nullptr && ProfileOf(device, profile) != nullptr);
  Credential next{std::move(certificate), profile, CredentialPhase::kNext, now, {}, 0, {}};
  if (ProfileOf(device, profile)->agreement_key != agreement_key) next.agreement_key = agreement_key;
  device.credentials.push_back(std::move(next));
}

bool NoteServed(Device& device, const std::vector<TlsaRecord>& shown, UtcTime now) {
  bool next = false;
  for (Credential& one : device.credentials) {
    const auto is_shown = [&](const TlsaRecord& record) { return IsOf(record, one.certificate); };
    if (one.served.micros != 0 || std::none_of(shown.begin(), shown.end(), is_shown)) continue;
    one.served = now;
    next = next || one.phase == CredentialPhase::kNext;
  }
  return next;
}

void NoteCarried(Device& device, std::uint64_t version, const Credential& carried) {
  for (Credential& one : device.credentials) {
    const bool it = one.certificate.serial == carried.certificate.serial;
    if (it && one.phase == CredentialPhase::kNext) one.carried = version;
  }
}

Bytes SwitchOver(Device& device, UtcTime now) {
  Bytes former;
  for (Credential& one : device.credentials) {
    if (one.phase == CredentialPhase::kLive) {
      one.phase = CredentialPhase::kRetiring;
      one.since = now;
    } else if (one.phase == CredentialPhase::kNext) {
      one.phase = CredentialPhase::kLive;
      one.since = now;
      if (one.agreement_key.empty()) continue;
      Profile& profile = *std::find_if(device.profiles.begin(), device.profiles.end(),
                                       [&](const Profile& each) { return each.number == one.profile; });
      former = std::exchange(profile.agreement_key, std::exchange(one.agreement_key, {}));
    }
  }
  return former;
}

void WithdrawRetiring(Device& device, UtcTime now) {
  for (Credential& one : device.credentials) {
    if (one.phase != CredentialPhase::kRetiring) continue;
    one.phase = CredentialPhase::kWithdrawn;
    one.since = now;
  }
}

std::vector<Credential> TakeCredentials(Device& device, CredentialPhase phase) {
  std::vector<Credential> taken;
  std::copy_if(device.credentials.begin(), device.credentials.end(), std::back_inserter(taken),
               [phase](const Credential& one) { return one.phase == phase; });
  std::erase_if(device.credentials, [phase](const Credential& one) { return one.phase == phase; });
  return taken;
}

void SetCode(Device& device, AuthorisationCode code) {
  std::erase_if(device.codes, [&](const AuthorisationCode& one) {
    return one.purpose == code.purpose && one.role == code.role;
  });
  device.codes.push_back(std::move(code));
}

void DropCode(Device& device, CodePurpose purpose) {
  std::erase_if(device.codes, [purpose](const AuthorisationCode& one) { return one.purpose == purpose; });
}

void UseUpCode(Device& device, const Bytes& hash) {
  std::erase_if(device.codes, [&](const AuthorisationCode& one) { return one.hash == hash; });
}

void CountWrongCode(Device& device, UtcTime now) {
  for (AuthorisationCode& code : device.codes) {
    if (!StillCounted(code, now)) {
      code.attempts = 0;
      code.counted_from = now;
    }
    code.attempts = std::min(code.attempts + 1, kWrongCodesMax);
  }
}

void Bind(Device& device, const PartyId& asp, const EndpointName& endpoint) {
  Binding binding;
  binding.number = NextNumber(device.bindings);
  binding.asp = asp;
  binding.endpoint = endpoint;
  device.bindings.push_back(std::move(binding));
}

void SetWifi(Device& device, std::optional<wire::Wifi> wifi) {
  for (Binding& binding : device.bindings) {
    if (binding.phase != BindingPhase::kLive) continue;
    binding.wifi = std::move(wifi);
    return;
  }
  REG_CHECK(false);
}

void Unbind(Device& device) {
  for (Binding& binding : device.bindings) {
    if (binding.phase == BindingPhase::kLive) binding.phase = BindingPhase::kEnded;
  }
  ForgetEnded(device);
}

void BindNext(Device& device, const PartyId& asp, const EndpointName& endpoint) {
  REG_CHECK(NextBinding(device) == nullptr);
  Bind(device, asp, endpoint);
  device.bindings.back().phase = BindingPhase::kNext;
}

void PassOn(Device& device, const PartyId& former) {
  for (Binding& binding : device.bindings) {
    if (binding.phase == BindingPhase::kNext) {
      binding.phase = BindingPhase::kLive;
    } else if (binding.phase == BindingPhase::kLive && binding.asp == former) {
      binding.phase = BindingPhase::kEnded;
    }
  }
  ForgetEnded(device);
}

void DropNextBinding(Device& device) {
  for (Binding& binding : device.bindings) {
    if (binding.phase == BindingPhase::kNext) binding.phase = BindingPhase::kEnded;
  }
  ForgetEnded(device);
}

void MoveTo(Device& device, const EndpointName& endpoint) {
  const auto live = std::find_if(device.bindings.begin(), device.bindings.end(),
                                 [](const Binding& one) { return one.phase == BindingPhase::kLive; });
  REG_CHECK(live != device.bindings.end());
  live->endpoint = endpoint;
}

std::uint64_t ComposeNext(Device& device) {
  const std::uint64_t version = PayloadVersion(device) + 1;
  ForEachTold(device, [version](Binding& binding) { binding.composed = version; });
  return version;
}

void Deliver(Device& device, std::uint64_t version) {
  for (Binding& binding : device.bindings) {
    if (binding.composed == version) binding.delivered = version;
  }
}

}  // namespace registry::domain
