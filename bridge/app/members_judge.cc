#include "bridge/app/members_judge.h"

#include <algorithm>

namespace registry::app {

using std::chrono::milliseconds;

MembersJudge::MembersJudge(milliseconds patience, milliseconds every)
    : patience_(patience), counts_at_most_(2 * every) {}

MembersJudge::Judged MembersJudge::Look(const std::vector<ledger::MemberSeen>& seen, Time now) {
  const milliseconds since =
      looked_ == Time() ? milliseconds(0) : std::chrono::duration_cast<milliseconds>(now - looked_);
  const milliseconds counts = std::clamp(since, milliseconds(0), counts_at_most_);
  looked_ = now;
  std::map<std::string, std::int64_t> youngest;
  for (const ledger::MemberSeen& one : seen) {
    if (!one.ended) youngest[one.name] = std::max(youngest[one.name], one.number);
  }
  Judged judged;
  std::map<std::int64_t, Pulse> pulses;
  for (const ledger::MemberSeen& one : seen) {
    const auto known = pulses_.find(one.number);
    Pulse pulse{one.beats};
    if (known != pulses_.end() && known->second.beats == one.beats)
      pulse.still = known->second.still + counts;
    pulses[one.number] = pulse;
    const bool gone = one.ended || pulse.still >= patience_ || one.number < youngest[one.name];
    if (gone) {
      judged.gone.push_back(one);
    } else {
      judged.living.insert(one.name);
    }
  }
  pulses_ = std::move(pulses);
  return judged;
}

}  // namespace registry::app
