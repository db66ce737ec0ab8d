#include "simulators/mqtt/seen.h"

#include <iterator>

namespace registry::sim {

bool SeenSequence::Add(std::uint64_t seq) {
  auto after = ranges_.upper_bound(seq);
  auto before = after == ranges_.begin() ? ranges_.end() : std::prev(after);
  if (before != ranges_.end() && before->second >= seq) return false;
  const bool joins_before = before != ranges_.end() && before->second + 1 == seq;
  const bool joins_after = after != ranges_.end() && after->first == seq + 1;
  const std::uint64_t last = joins_after ? after->second : seq;
  if (joins_after) ranges_.erase(after);
  if (joins_before) {
    before->second = last;
  } else {
    ranges_[seq] = last;
  }
  return true;
}

}  // namespace registry::sim
