// bridge/app/known_series.h: the series of a metric's family that were asked for, by the values of their labels. The family
// itself makes one for every asking and throws it away where it has it (prometheus-cpp, Family::Add): for a histogram that
// costs more than what is counted.
// Owns nothing: a family keeps its series where they are. Threads: any.
// Limits: as many as the family has, whose labels are bounded.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "schemas/base/mutex.h"

namespace registry::app {

template <class Series>
class KnownSeries {
 public:
  using Values = std::tuple<std::string_view, std::string_view, std::string_view>;  // "": no such label

  // `add` asks the family, and is called when nobody has asked for these values.
  template <class Add>
  Series& Of(const Values& values, Add add) {
    const MutexLock lock(mutex_);
    const auto found = series_.find(values);
    return found != series_.end() ? *found->second : *series_.emplace(values, &add()).first->second;
  }

 private:
  using Kept = std::tuple<std::string, std::string, std::string>;
  // Tuples of different types are not compared by every compiler that builds this (Clang 14), so both become views.
  struct Before {
    using is_transparent = void;
    static const Values& View(const Values& values) { return values; }
    static Values View(const Kept& kept) { return Values(kept); }
    bool operator()(const auto& one, const auto& other) const { return View(one) < View(other); }
  };
  Mutex mutex_;
  std::map<Kept, Series*, Before> series_ GUARDED_BY(mutex_);
};

}  // namespace registry::app
