// bridge/ingest/retries.h: requests that the ledger did not take, each until it is its time again, later every time.
// Threads: any. Limits: what waits here keeps its sender's share, so there are never more of them than of shares (shares.h).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include "bridge/ingest/admission.h"
#include "bridge/ingest/parsers.h"
#include "schemas/base/mutex.h"

namespace registry::ingest {

// A request on its way through a lane.
struct Taken {
  Arrived arrived;  // without the message's octets, which have been read
  std::size_t lane = 0;
  Request request;
  std::chrono::milliseconds retry_after{0};
};

class Retries {
 public:
  using Clock = std::chrono::steady_clock;
  void Add(std::shared_ptr<Taken> taken, Clock::time_point now);
  std::vector<std::shared_ptr<Taken>> TakeDue(Clock::time_point now);

 private:
  Mutex mutex_;
  std::multimap<Clock::time_point, std::shared_ptr<Taken>> waiting_ GUARDED_BY(mutex_);
};

}  // namespace registry::ingest
