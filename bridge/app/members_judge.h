// bridge/app/members_judge.h: which nodes that decided beside the active one do so no longer
// (bridge/ledger/postgres/members.h): one that was ended, one whose beats stood still for too long, and the older of
// two of one name, which was started again.
// Only time counts in which the ledger's server answered: while it does not, no member can beat.
// Pure, but for what it was told. Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bridge/ledger/postgres/members.h"

namespace registry::app {

class MembersJudge {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // `every`: how often it is told.
  MembersJudge(std::chrono::milliseconds patience, std::chrono::milliseconds every);

  struct Judged {
    std::vector<ledger::MemberSeen> gone;
    std::set<std::string> living;  // names
  };
  Judged Look(const std::vector<ledger::MemberSeen>& seen, Time now);
  void Missed() { looked_ = Time(); }  // the server did not answer

 private:
  struct Pulse {
    std::int64_t beats = 0;
    std::chrono::milliseconds still{0};
  };
  const std::chrono::milliseconds patience_, counts_at_most_;
  Time looked_{};
  std::map<std::int64_t, Pulse> pulses_;  // by number
};

}  // namespace registry::app
