// simulators/lab/cpu.h: CPU time of a process group, from /proc/PID/stat (proc(5)): user and system time of
// its living members and of the children they have waited for. NSD forks a new server with every zone
// transfer, so the group counts, not the process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <vector>

namespace registry::lab {

std::map<pid_t, std::uint64_t> CpuMicrosOfGroups(const std::vector<pid_t>& groups);
// Field 22 of /proc/PID/stat, clock ticks since boot: tells a process from a later one with the same number.
// 0: no process, or one that has ended and was not waited for.
std::uint64_t StartTimeOf(pid_t pid);

}  // namespace registry::lab
