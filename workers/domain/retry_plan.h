// workers/domain/retry_plan.h: when an MNO is asked again, how long what it reports puts that off, and how much of one
// MNO is open at once. Plain values, any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>

#include "schemas/ids/ids.h"

namespace registry::domain {

struct RetryPlan {
  std::chrono::seconds first{30};  // from the first sending to the second; doubles with every one
  std::uint32_t attempts_max = 6;
  std::chrono::seconds progress{600};  // how long an MNO that reports progress is left alone
  std::chrono::seconds reported{7 *
                                86'400};  // from the first sending: how long reports can put the next one off
  std::size_t open_max = 10'000;          // jobs sent and not finished; what is more waits for its turn

  bool operator==(const RetryPlan&) const = default;
};

struct RetryPlans {
  RetryPlan usual;  // also of an MNO that is configured no longer: what it has open must still end
  std::map<PartyId, RetryPlan> own;

  const RetryPlan& Of(const PartyId& mno) const {
    const auto found = own.find(mno);
    return found == own.end() ? usual : found->second;
  }
  bool operator==(const RetryPlans&) const = default;
};

}  // namespace registry::domain
