// tests/crash/node_clock.h: the clock of one node, which can be set without anything else on this machine noticing
// (stepped_clock.cc).
// Owns: its file, which the node's program maps when it starts. Threads: the lab's owner; the program reads meanwhile.
#pragma once

#include <cstdint>
#include <string>

#include "schemas/base/result.h"

namespace registry::test {

// A folder with the programs of `built`, in which registryd is one whose clock is the file `clock` beside its
// configuration. Of a `registryd --config FILE` only.
Status MakeSteppedPrograms(const std::string& built, const std::string& folder);

class NodeClock {
 public:
  // In the folder of the node's configuration.
  explicit NodeClock(const std::string& node_folder);
  ~NodeClock();
  NodeClock(const NodeClock&) = delete;
  NodeClock& operator=(const NodeClock&) = delete;
  // So many seconds before or behind the machine's clock, at once.
  void Set(std::int64_t seconds);

 private:
  volatile std::int64_t* step_ = nullptr;
};

}  // namespace registry::test
