// simulators/lab/ports.h: free loopback ports, for TCP and UDP alike.
// Taken from below the range the kernel gives to outgoing connections, and reserved against other labs on
// this machine by an abstract Unix socket as long as this object lives, so that two labs starting at once do
// not meet. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "schemas/base/result.h"

namespace registry::lab {

class Ports {
 public:
  Ports() = default;
  ~Ports();
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;
  Result<std::uint16_t> Take();

 private:
  std::vector<int> reservations_;
};

}  // namespace registry::lab
