// tests/bench/report.h: measures CPU time of one thread and writes what `./dev bench` collects:
// a list of {name, value, unit, floor, floor_name, ratio, goal}. A goal is what is wanted, in the figure's unit; null: none.
#pragma once

#include <time.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace registry::bench {

inline double ThreadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Mean CPU microseconds of one call.
template <class Call>
double MicrosPerCall(int calls, Call call) {
  const double start = ThreadSeconds();
  for (int i = 0; i < calls; ++i) call(i);
  return (ThreadSeconds() - start) * 1e6 / calls;
}

class Report {
 public:
  // A figure without a floor of its own: it is reported, and nothing is claimed of it.
  void AddAlone(const std::string& name, double value, const std::string& unit,
                std::optional<double> goal = std::nullopt) {
    entries_.push_back({{"name", name},
                        {"value", value},
                        {"unit", unit},
                        {"floor", nullptr},
                        {"floor_name", nullptr},
                        {"ratio", nullptr},
                        {"goal", OrNull(goal)}});
    std::printf("%-40s %12.1f %-16s%s\n", name.c_str(), value, unit.c_str(), Wanted(goal).c_str());
  }
  // `ratio` as the goal states it: 1 is the floor itself, less is slower.
  void Add(const std::string& name, double value, const std::string& unit, double floor,
           const std::string& floor_name, double ratio, std::optional<double> goal = std::nullopt) {
    entries_.push_back({{"name", name},
                        {"value", value},
                        {"unit", unit},
                        {"floor", floor},
                        {"floor_name", floor_name},
                        {"ratio", ratio},
                        {"goal", OrNull(goal)}});
    std::printf("%-40s %12.1f %-16s %12.1f %-36s %6.2f%s\n", name.c_str(), value, unit.c_str(), floor,
                floor_name.c_str(), ratio, Wanted(goal).c_str());
  }

  // To `json`, a file's name; empty: the table was all. False when the file cannot be written.
  bool Write(const std::string& json) const {
    if (json.empty()) return true;
    std::ofstream file(json);
    file << entries_.dump(2) << "\n";
    return file.good();
  }

 private:
  static nlohmann::json OrNull(std::optional<double> goal) { return goal ? nlohmann::json(*goal) : nullptr; }
  static std::string Wanted(std::optional<double> goal) {
    return goal ? "  goal " + nlohmann::json(*goal).dump() : std::string();
  }

  nlohmann::json entries_ = nlohmann::json::array();
};

}  // namespace registry::bench
