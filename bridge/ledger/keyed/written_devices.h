// bridge/ledger/keyed/written_devices.h: the devices that were written last, as they are. Whoever decides about a device
// reads it, and so does the check of what was decided: a device on its way through an activation is read a dozen times
// within seconds, and need not be looked up and decoded each time.
// Private to bridge/ledger. Threads: none of its own; the owner locks. What Find gives stays as it is.
// Only the committer puts, when the write is durable, so nobody can put an older one behind it.
// Limits: kKept devices of some 4 KB each; whoever was put first goes first.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>

#include "workers/domain/device.h"

namespace registry::ledger {

class WrittenDevices {
 public:
  static constexpr std::size_t kKept = 4096;
  using Written = std::shared_ptr<const domain::Device>;

  Written Find(const DeviceId& id) const {
    const auto found = devices_.find(id);
    return found == devices_.end() ? nullptr : found->second;
  }
  // Until it is put again: while the database may already show a newer one.
  void Hide(const DeviceId& id) {
    const auto found = devices_.find(id);
    if (found != devices_.end()) found->second = nullptr;
  }
  void Put(Written device) {
    const DeviceId id = device->id;
    if (!devices_.insert_or_assign(id, std::move(device)).second) return;
    order_.push_back(id);
    if (order_.size() <= kKept) return;
    devices_.erase(order_.front());
    order_.pop_front();
  }

 private:
  std::unordered_map<DeviceId, Written> devices_;
  std::deque<DeviceId> order_;
};

}  // namespace registry::ledger
