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
  Known& known = known_[device];
  known = {known.seq, false, false, false};  // what its feed said already is older, and not to be heard again
}

void OwnDevices::Heard(const std::string& type, const std::string& device, std::uint64_t seq) {
  const auto over = SaysOver(type);
  if (!over || device.empty()) return;
  const MutexLock lock(mutex_);
  Known& known = known_[device];
  if (IsNew(seq, known)) known = {seq, *over, false, false};
}

void OwnDevices::Lost(const std::string& device, std::uint64_t seq) {
  const MutexLock lock(mutex_);
  Known& known = known_[device];
  if (IsNew(seq, known)) known = {seq, true, true, true};
}

// A notification can come again, since the feed is replayed: what has been done since is not undone by it.
bool OwnDevices::IsNew(std::uint64_t seq, const Known& known) { return known.seq == 0 || seq > known.seq; }

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

Status OwnDevices::MayTalk(const std::string& device, Whose whose) const {
  const MutexLock lock(mutex_);
  const auto found = known_.find(device);
  const Known known = found != known_.end() ? found->second : Known{0, false, true, false};
  if (whose == Whose::kOwn && known.lost) return Refusal(Verdict::kDeviceNotClaimed);
  // What becomes of it at another ASP is not told here, so that nothing is known of it.
  if (known.over && !known.elsewhere) return Refusal(Verdict::kDeviceNotActive);
  return Done{};
}

}  // namespace registry::clients
