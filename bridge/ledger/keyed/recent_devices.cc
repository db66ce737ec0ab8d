#include "bridge/ledger/keyed/recent_devices.h"

#include <algorithm>

#include "bridge/ledger/record_codec.h"

namespace registry::ledger {

Result<RecentDevices::State> RecentDevices::Find(const std::string& device) {
  if (const auto known = now_.find(device); known != now_.end()) return known->second;
  const auto known = before_.find(device);
  auto state = known != before_.end() ? Result<State>(known->second) : Read(device);
  if (state) now_[device] = *state;
  return state;
}

Result<RecentDevices::State> RecentDevices::Read(const std::string& device) const {
  static const auto kNowhere = std::make_shared<const DevicePlaces>();
  const auto stored = stored_.Get(Column::kDevices, device);
  if (!stored) return stored.error();
  if (!*stored) return State{0, kNowhere};
  const auto decoded = Decode<domain::Device>(**stored);
  if (!decoded) return decoded.error();
  return State{decoded->version, std::make_shared<const DevicePlaces>(DevicePlacesOf(*decoded))};
}

bool RecentDevices::AnyIn(const keys::KeyRange& range) const {
  return std::any_of(now_.begin(), now_.end(), [&](const auto& known) {
    const auto& keys = known.second.places->keys;
    const auto first = std::lower_bound(keys.begin(), keys.end(), range.first);
    return first != keys.end() && *first < range.end;
  });
}

void RecentDevices::Forget() {
  if (now_.size() < kKept) return;
  before_ = std::move(now_);
  now_.clear();
}

}  // namespace registry::ledger
