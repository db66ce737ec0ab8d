// simulators/mqtt/seen.h: which positions of a feed have been handed on, so that each notification is seen
// once even when the broker or a replay brings it again, in any order. Kept as ranges, so a feed without gaps
// costs one entry. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>

namespace registry::sim {

class SeenSequence {
 public:
  bool Add(std::uint64_t seq);  // false: was there already

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // first -> last, neither touching nor overlapping
};

}  // namespace registry::sim
