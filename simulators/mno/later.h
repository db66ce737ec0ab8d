// simulators/mno/later.h: tasks for a time to come. Not thread-safe: its owner holds a lock.
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
  using Task = std::function<void()>;
  using Time = std::chrono::steady_clock::time_point;

  void Add(Time at, Task task) { tasks_.emplace(at, std::move(task)); }
  // In the order of their times.
  std::vector<Task> TakeDue(Time now) {
    std::vector<Task> due;
    const auto end = tasks_.upper_bound(now);
    for (auto at = tasks_.begin(); at != end; ++at) due.push_back(std::move(at->second));
    tasks_.erase(tasks_.begin(), end);
    return due;
  }
  Time NextBefore(Time time) const { return tasks_.empty() ? time : std::min(time, tasks_.begin()->first); }

 private:
  std::multimap<Time, Task> tasks_;
};

}  // namespace registry::sim
