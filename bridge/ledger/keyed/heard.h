// bridge/ledger/keyed/heard.h: what a ledger that is not the only one that writes remembers of the last transactions, of its
// own and of the others': versions of devices, and jobs that are gone.
// - The jobs of a device are in memory, and the device is read from the server, which may be ahead. Whoever reads it sees
//   by its version whether the memory has got as far (keyed_ledger.cc).
// - A job's put has no version to be checked by. Its id is never used twice, so one that was erased does not come back.
// Private to bridge/ledger. Threads: none of its own; the owner locks.
// Limits: kKept devices and as many jobs, some 60 octets each; who was first goes first.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "schemas/ids/ids.h"

namespace registry::ledger {

class Heard {
 public:
  static constexpr std::size_t kKept = 100'000;

  void Note(const DeviceId& device, std::uint64_t version) {
    if (!versions_.insert_or_assign(device, version).second) return;
    devices_.push_back(device);
    if (devices_.size() <= kKept) return;
    versions_.erase(devices_.front());
    devices_.pop_front();
  }
  // Nothing: it was not among the last.
  std::optional<std::uint64_t> VersionOf(const DeviceId& device) const {
    const auto found = versions_.find(device);
    return found == versions_.end() ? std::nullopt : std::optional(found->second);
  }

  void NoteErased(const JobId& job) {
    if (!erased_.insert(job.text()).second) return;
    jobs_.push_back(job.text());
    if (jobs_.size() <= kKept) return;
    erased_.erase(jobs_.front());
    jobs_.pop_front();
  }
  bool WasErased(const JobId& job) const { return erased_.contains(job.text()); }

 private:
  std::unordered_map<DeviceId, std::uint64_t> versions_;
  std::deque<DeviceId> devices_;
  std::unordered_set<std::string> erased_;
  std::deque<std::string> jobs_;
};

}  // namespace registry::ledger
