#include "simulators/lab/usage.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace registry::lab {
namespace {

struct Stat {
  char state = 'X';
  pid_t group = 0;
  std::uint64_t ticks = 0, start = 0;
};

// proc(5): pid (comm) state ppid pgrp ...; comm may hold blanks and brackets, so count from the last ')'.
Stat ReadStat(const std::filesystem::path& folder) {
  std::ifstream in(folder / "stat");
  std::string line;
  std::getline(in, line);
  const std::size_t end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream fields(line.substr(end + 1));
  Stat stat;
  std::string skipped;
  for (int number = 3; number <= 22 && fields; ++number) {
    if (number == 3) {
      fields >> stat.state;
    } else if (number == 5) {
      fields >> stat.group;
    } else if (number >= 14 && number <= 17) {
      std::int64_t ticks = 0;
      fields >> ticks;
      stat.ticks += static_cast<std::uint64_t>(std::max<std::int64_t>(ticks, 0));
    } else if (number == 22) {
      fields >> stat.start;
    } else {
      fields >> skipped;
    }
  }
  return stat;
}

// The number behind each line's name in a file of lines "NAME: NUMBER ..."; 0 of a name that is not there.
std::map<std::string, std::uint64_t> ReadNumbers(const std::filesystem::path& file) {
  std::map<std::string, std::uint64_t> numbers;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::istringstream(line.substr(colon + 1)) >> numbers[line.substr(0, colon)];
  }
  return numbers;
}

std::uint64_t SwitchesOf(const std::filesystem::path& process) {
  std::uint64_t switches = 0;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(process / "task", error)) {
    auto status = ReadNumbers(thread.path() / "status");
    switches += status["voluntary_ctxt_switches"] + status["nonvoluntary_ctxt_switches"];
  }
  return switches;
}

}  // namespace

std::map<pid_t, Usage> UsageOfGroups(const std::vector<pid_t>& groups) {
  std::map<pid_t, Usage> usages;
  for (const pid_t group : groups) usages[group] = {};
  const auto per_tick = 1'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.empty() || name[0] < '0' || name[0] > '9') continue;
    const Stat stat = ReadStat(entry.path());
    const auto found = usages.find(stat.group);
    if (found == usages.end()) continue;
    Usage& usage = found->second;
    usage.cpu_us += stat.ticks * per_tick;
    usage.switches += SwitchesOf(entry.path());
    usage.written += ReadNumbers(entry.path() / "io")["write_bytes"];
    usage.peak_octets = std::max(usage.peak_octets, ReadNumbers(entry.path() / "status")["VmHWM"] * 1024);
  }
  return usages;
}

std::uint64_t StartTimeOf(pid_t pid) {
  const Stat stat = ReadStat("/proc/" + std::to_string(pid));
  // A dead process that nobody has waited for keeps its entry: for good where process 1 does not wait (containers).
  return stat.state == 'Z' || stat.state == 'X' ? 0 : stat.start;
}

}  // namespace registry::lab
