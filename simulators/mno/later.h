// simulators/mno/later.h: what is to be done at some time, in the order of the times. Not thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace registry::sim {

class Later {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Task = std::function<void()>;

  void Add(Time at, Task task) { tasks_.emplace(at, std::move(task)); }

  // What is due.
  std::vector<Task> Take(Time now) {
    std::vector<Task> due;
    const auto end = tasks_.upper_bound(now);
    for (auto at = tasks_.begin(); at != end; ++at) due.push_back(std::move(at->second));
    tasks_.erase(tasks_.begin(), end);
    return due;
  }

  // When the next one is due, if that is before `end`.
  Time Before(Time end) const { return tasks_.empty() ? end : std::min(end, tasks_.begin()->first); }

 private:
  std::multimap<Time, Task> tasks_;
};

}  // namespace registry::sim
