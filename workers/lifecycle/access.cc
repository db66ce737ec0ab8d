#include "workers/lifecycle/access.h"

#include "workers/crypto/p256.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"

namespace registry::lifecycle {

using domain::Device;

Result<Device> FindLive(const DeviceId& id, const domain::View& view) {
  auto found = view.LoadDevice(id);
  if (!found) return found.error();
  if (!*found || (*found)->state == domain::State::kDeleted) {
    return Error::Make(Code::kNotFound, "device_unknown", "no such device", "/device");
  }
  return std::move(**found);
}

Result<Device> FindSponsored(const DeviceId& id, const domain::Origin& origin, const domain::View& view) {
  auto device = FindLive(id, view);
  if (device && domain::Sponsor(*device) != origin.party) {
    return NotSponsor();
  }
  return device;
}

Result<Device> FindConcerned(const DeviceId& id, const domain::Origin& origin, const domain::View& view) {
  return origin.role == wire::Role::kMno ? FindSponsored(id, origin, view) : FindManaged(id, origin, view);
}

const domain::Profile* ProfileOf(const Device& device, std::uint32_t number, const PartyId& party) {
  const domain::Profile* profile = domain::Serving(device);
  for (const domain::Profile& one : device.profiles) {
    if (number != 0 && one.number == number) profile = &one;
  }
  const bool found = profile != nullptr && (number == 0 || profile->number == number);
  return found && profile->mno == party ? profile : nullptr;
}

Status RefuseInTransfer(const Device& device) {
  if (!domain::InTransfer(device)) return Done{};
  return domain::StateProhibits(device, "refused, a transfer of it is carried out");
}

Error NotSponsor() {
  return Error::Make(Code::kNotAuthorised, "not_sponsor", "another MNO sponsors this device", "/device");
}

Result<Device> FindManaged(const DeviceId& id, const domain::Origin& origin, const domain::View& view) {
  auto device = FindLive(id, view);
  if (!device || origin.role == wire::Role::kOperator) return device;
  if (domain::Claimer(*device) != origin.party) {
    return Error::Make(Code::kNotAuthorised, "not_claimer", "the device is not claimed by this party",
                       "/device");
  }
  return device;
}

Status ReleaseEsim(Device& device, const domain::View& view, domain::Changeset& changes) {
  std::vector<domain::UniqueValue> values{{domain::UniqueKind::kEid, AsBytes(device.eid.text())}};
  for (domain::Profile& profile : device.profiles) {
    values.push_back({domain::UniqueKind::kIccid, AsBytes(profile.iccid.text())});
    if (profile.agreement_key.empty()) continue;
    values.push_back({domain::UniqueKind::kAgreementKey, crypto::P256KeyDigest(profile.agreement_key)});
    profile.agreement_key.clear();
  }
  for (const domain::UniqueValue& value : values) {
    auto holder = view.FindUnique(value);
    if (!holder) return holder.error();
    if (*holder == device.id) changes.releases.push_back(value);
  }
  return Done{};
}

Status ReleaseAgreementKey(const Device& device, const Bytes& key, const domain::View& view,
                           domain::Changeset& changes) {
  if (key.empty()) return Done{};
  domain::UniqueValue value{domain::UniqueKind::kAgreementKey, crypto::P256KeyDigest(key)};
  auto holder = view.FindUnique(value);
  if (!holder) return holder.error();
  if (*holder == device.id) changes.releases.push_back(std::move(value));
  return Done{};
}

void Put(const Device& device, domain::Changeset& changes) {
  changes.devices.push_back({device, device.version});
}

}  // namespace registry::lifecycle
