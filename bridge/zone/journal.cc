#include "bridge/zone/journal.h"

#include <algorithm>

#include "bridge/zone/wire.h"

namespace registry::zone {

void Journal::Clear() {
  versions_.clear();
  octets_ = 0;
}

void Journal::Append(DeltaPtr delta) {
  if (!versions_.empty() && versions_.back()->to != delta->from) Clear();
  octets_ += delta->octets();
  versions_.push_back(std::move(delta));
  while (!versions_.empty() && (octets_ > octets_max_ || versions_.size() > changes_max_)) {
    octets_ -= versions_.front()->octets();
    versions_.pop_front();
  }
}

std::vector<DeltaPtr> Journal::After(std::uint32_t serial) const {
  // Serials in the journal only go forward, and all of them lie within half of the circle (RFC 1982 §3.2).
  const auto first =
      std::partition_point(versions_.begin(), versions_.end(),
                           [serial](const DeltaPtr& version) { return SerialAhead(serial, version->from); });
  if (first == versions_.end() || (*first)->from != serial) return {};
  return {first, versions_.end()};
}

}  // namespace registry::zone
