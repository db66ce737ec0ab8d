#include "clients/verdict/own_devices.h"

#include <optional>

#include "clients/verdict/verdict.h"
#include "schemas/wire/life_messages.h"
#include "schemas/wire/messages.h"

namespace registry::clients {
namespace {

// Whether the device may not be served any more; nullopt: the notification says nothing of it. One hold of two may be
// over while the other lasts: then its record is still withheld.
std::optional<bool> SaysOver(const std::string& type) {
  for (const auto name : {wire::DeviceDeactivated::kName, wire::DeviceDeleted::kName,
                          wire::DeviceReleased::kName, wire::DeviceSuspended::kName}) {
    if (type == name) return true;
  }
  for (const auto name : {wire::DeviceCertified::kName, wire::DeviceActivated::kName,
                          wire::DeviceReactivated::kName, wire::DeviceResumed::kName}) {
    if (type == name) return false;
  }
  return std::nullopt;
}

}  // namespace

void OwnDevices::Claimed(const std::string& device) {
  const MutexLock lock(mutex_);
  known_.emplace(device, Known{});  // what its feed said already is newer
}

void OwnDevices::Heard(const std::string& type, const std::string& device, std::uint64_t seq) {
  const auto over = SaysOver(type);
  if (!over || device.empty()) return;
  const MutexLock lock(mutex_);
  Known& known = known_[device];
  if (seq >= known.seq) known = {seq, *over, false};
}

void OwnDevices::Lost(const std::string& device, std::uint64_t seq) {
  const MutexLock lock(mutex_);
  Known& known = known_[device];
  if (seq >= known.seq) known = {seq, true, true};
}

void OwnDevices::Listed(const std::set<std::string>& devices) {
  const MutexLock lock(mutex_);
  for (const std::string& device : listed_) {
    if (!devices.contains(device)) known_[device].lost = true;
  }
  for (const std::string& device : devices) {
    Known& known = known_[device];
    if (!listed_.contains(device)) known.lost = false;
  }
  listed_ = devices;
}

Status OwnDevices::MayTalk(const std::string& device) const {
  const MutexLock lock(mutex_);
  const auto found = known_.find(device);
  if (found == known_.end() || found->second.lost) return Refusal(Verdict::kDeviceNotClaimed);
  if (found->second.over) return Refusal(Verdict::kDeviceNotActive);
  return Done{};
}

}  // namespace registry::clients
