#include "simulators/lab/cpu.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
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

}  // namespace

std::map<pid_t, std::uint64_t> CpuMicrosOfGroups(const std::vector<pid_t>& groups) {
  std::map<pid_t, std::uint64_t> micros;
  for (const pid_t group : groups) micros[group] = 0;
  const auto per_tick = 1'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.empty() || name[0] < '0' || name[0] > '9') continue;
    const Stat stat = ReadStat(entry.path());
    if (const auto found = micros.find(stat.group); found != micros.end())
      found->second += stat.ticks * per_tick;
  }
  return micros;
}

std::uint64_t StartTimeOf(pid_t pid) {
  const Stat stat = ReadStat("/proc/" + std::to_string(pid));
  // A dead process that nobody has waited for keeps its entry: for good where process 1 does not wait (containers).
  return stat.state == 'Z' || stat.state == 'X' ? 0 : stat.start;
}

}  // namespace registry::lab
