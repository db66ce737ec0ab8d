#include "workers/lifecycle/access.h"

#include <openssl/evp.h>

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
  if (device && device->sponsor != origin.party) {
    return Error::Make(Code::kNotAuthorised, "not_sponsor", "another MNO sponsors this device", "/device");
  }
  return device;
}

Result<Device> FindManaged(const DeviceId& id, const domain::Origin& origin, const domain::View& view) {
  auto device = FindLive(id, view);
  if (!device || origin.role == wire::Role::kOperator) return device;
  if (device->claimer != origin.party) {
    return Error::Make(Code::kNotAuthorised, "not_claimer", "the device is not claimed by this party",
                       "/device");
  }
  return device;
}

void Put(const Device& device, domain::Changeset& changes) {
  changes.devices.push_back({device, device.version});
}

Bytes Sha256(std::string_view text) {
  Bytes digest(32);
  REG_CHECK(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

}  // namespace registry::lifecycle
