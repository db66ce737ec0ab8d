#include "bridge/zone/journal.h"

namespace registry::zone {

void Journal::Append(DeltaPtr delta) {
  if (delta->to != delta->from + 1) {
    versions_.clear();
    octets_ = 0;
    return;
  }
  octets_ += delta->octets();
  versions_.push_back(std::move(delta));
  while (!versions_.empty() && (octets_ > octets_max_ || versions_.size() > changes_max_)) {
    octets_ -= versions_.front()->octets();
    versions_.pop_front();
  }
}

std::vector<DeltaPtr> Journal::After(std::uint32_t serial) const {
  // Serials in the journal grow by one from its oldest version to its newest.
  if (versions_.empty()) return {};
  const std::uint32_t steps = serial - versions_.front()->from;
  if (steps >= versions_.size() || versions_[steps]->from != serial) return {};
  return {versions_.begin() + steps, versions_.end()};
}

}  // namespace registry::zone
