// bridge/ingest/surplus.h: of messages that found both their sender's share and the line of its refusals taken, how many
// there were. Such a sender gets one answer for all of them, once in kEvery, so that what it says beyond all bounds costs
// next to nothing, and still nothing is passed over in silence. Not safe from several threads at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace registry::ingest {

class Surplus {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kEvery{1};
  struct Group {
    std::string sender;
    std::string topic;  // of the first of them
    std::uint64_t messages = 0;
  };

  void Add(const std::string& sender, const std::string& topic, Clock::time_point now);
  // Groups that have been collected for kEvery, or all of them.
  std::vector<Group> Take(Clock::time_point now, bool all);
  bool empty() const { return groups_.empty(); }

 private:
  struct Open {
    Group group;
    Clock::time_point since;
  };
  std::map<std::string, Open> groups_;
};

}  // namespace registry::ingest
