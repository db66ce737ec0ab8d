// simulators/party/feed_keeper.h: a party's feed without gaps: what is missing is asked for, and only what is whole is
// acknowledged (feed_position.h).
// Threads: any. Client and report outlive it; it outlives the client's handlers.
#pragma once

#include "schemas/base/mutex.h"
#include "simulators/console/report.h"
#include "simulators/mqtt/client.h"
#include "simulators/mqtt/feed_position.h"

namespace registry::sim {

class FeedKeeper {
 public:
  // Looks at its feed once in `every`, however often Keep is called.
  FeedKeeper(Report& report, std::chrono::milliseconds gap_patience, std::chrono::milliseconds every,
             ProtocolFaults faults = {})
      : report_(report), gap_patience_(gap_patience), every_(every), faults_(std::move(faults)) {}
  void Saw(std::uint64_t seq);
  void Keep(PartyClient& client);  // now and then

 private:
  using Clock = Report::Clock;
  void Replayed(std::uint64_t from, const Reply& reply);

  Report& report_;
  const std::chrono::milliseconds gap_patience_, every_;
  const ProtocolFaults faults_;
  Mutex mutex_;
  FeedPosition position_ GUARDED_BY(mutex_);
  Clock::time_point next_ GUARDED_BY(mutex_){};
  std::uint64_t highest_ GUARDED_BY(mutex_) = 0, told_
                                                 GUARDED_BY(mutex_) = 0;  // for kAckBeyond and kSeqAsText
};

}  // namespace registry::sim
