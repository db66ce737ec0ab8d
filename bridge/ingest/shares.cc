#include "bridge/ingest/shares.h"

namespace registry::ingest {

bool Shares::Take(const std::string& sender, std::size_t octets, std::size_t messages) {
  const MutexLock lock(mutex_);
  const auto held = taken_.find(sender);
  if (held != taken_.end() &&
      (held->second.messages >= each_.messages || held->second.octets >= each_.octets)) {
    return false;
  }
  Load& load = taken_[sender];
  load.messages += messages;
  load.octets += octets;
  return true;
}

void Shares::TakeAnyway(const std::string& sender, std::size_t octets, std::size_t messages) {
  const MutexLock lock(mutex_);
  Load& load = taken_[sender];
  load.messages += messages;
  load.octets += octets;
}

void Shares::GiveBack(const std::string& sender, std::size_t octets, std::size_t messages) {
  const MutexLock lock(mutex_);
  const auto share = taken_.find(sender);
  share->second.octets -= octets;
  share->second.messages -= messages;
  if (share->second.messages == 0) taken_.erase(share);
}

}  // namespace registry::ingest
