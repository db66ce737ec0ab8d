// simulators/mno/failing.h: the actions that an MNO refuses, because its configuration or its console says so.
// Threads: any.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "schemas/base/mutex.h"

namespace registry::sim {

class Failing {
 public:
  explicit Failing(const std::vector<std::string>& actions) : actions_(actions.begin(), actions.end()) {}
  bool Has(const std::string& action) const {
    const MutexLock lock(mutex_);
    return actions_.contains(action);
  }
  void Set(const std::string& action, bool on) {
    const MutexLock lock(mutex_);
    if (on) {
      actions_.insert(action);
    } else {
      actions_.erase(action);
    }
  }

 private:
  mutable Mutex mutex_;
  std::set<std::string> actions_ GUARDED_BY(mutex_);
};

}  // namespace registry::sim
