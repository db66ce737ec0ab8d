#include "simulators/asp/customers.h"

#include <optional>

#include "schemas/wire/life_messages.h"
#include "schemas/wire/messages.h"

namespace registry::sim {
namespace {

// Whether the device is this ASP's no more; nullopt: the notification says nothing of it.
std::optional<bool> SaysOver(const std::string& type) {
  for (const auto name :
       {wire::DeviceDeactivated::kName, wire::DeviceDeleted::kName, wire::DeviceReleased::kName}) {
    if (type == name) return true;
  }
  for (const auto name :
       {wire::DeviceCertified::kName, wire::DeviceActivated::kName, wire::DeviceReactivated::kName}) {
    if (type == name) return false;
  }
  return std::nullopt;
}

Error Refuse(std::string_view symbol, std::string_view why) {
  return Error::Make(Code::kNotAuthorised, symbol, why);
}

}  // namespace

void Customers::Claimed(const std::string& device) {
  const MutexLock lock(mutex_);
  known_.emplace(device, Known{});  // what its feed said already is newer
}

void Customers::Heard(const std::string& type, const std::string& device, std::uint64_t seq) {
  const auto over = SaysOver(type);
  if (!over || device.empty()) return;
  const MutexLock lock(mutex_);
  Known& known = known_[device];
  if (seq >= known.seq) known = {seq, *over, false};
}

void Customers::Lost(const std::string& device, std::uint64_t seq) {
  const MutexLock lock(mutex_);
  Known& known = known_[device];
  if (seq >= known.seq) known = {seq, true, true};
}

Status Customers::MayTalk(const std::string& device) const {
  const MutexLock lock(mutex_);
  const auto found = known_.find(device);
  if (found == known_.end() || found->second.lost)
    return Refuse("device_not_claimed", "the device is not this ASP's");
  if (found->second.over)
    return Refuse("device_not_active", "the device is deactivated, deleted or released");
  return Done{};
}

}  // namespace registry::sim
