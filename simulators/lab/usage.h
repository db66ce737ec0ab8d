// simulators/lab/usage.h: what a process group has used so far, from /proc (proc(5)): user and system time of its living
// members and of the children they have waited for, context switches and octets written of the living ones, and the most
// memory one of them ever held. NSD forks a new server with every zone transfer, so the group counts, not the process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <vector>

namespace registry::lab {

struct Usage {
  std::uint64_t cpu_us = 0;
  std::uint64_t switches = 0;     // voluntary and not, of threads that live
  std::uint64_t written = 0;      // octets that went to a disk, or will
  std::uint64_t peak_octets = 0;  // resident
};

// Nothing of what cannot be read: a process of another user, or one that has ended.
std::map<pid_t, Usage> UsageOfGroups(const std::vector<pid_t>& groups);
// Field 22 of /proc/PID/stat, clock ticks since boot: tells a process from a later one with the same number.
// 0: no process, or one that has ended and was not waited for.
std::uint64_t StartTimeOf(pid_t pid);

}  // namespace registry::lab
