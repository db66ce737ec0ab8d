// bridge/ingest/order_runner.h: carries running orders on, one device after the other, each at its pace. A device goes
// through the lanes like a command of the order's owner: it stands in the owner's line, so that no order stands before
// another party's commands, and work on one device stays serial. Of one order there is one device in the lanes at a time.
// Owns one thread from Start to Stop. It waits for the next device's time, for a lane's answer, or for Wake.
// Threads: Wake and open from any; Start and Stop once each. Lanes and decisions outlive it, and it outlives what it
//   posted: the lanes are stopped before it goes.
// Errors: what the ledger did not take is tried again after kRetryAfter; an order is never given up.
// Limits: OrderDecisions::kPage positions of each running order are in memory.
#pragma once

#include <chrono>
#include <deque>
#include <map>

#include "bridge/ingest/lanes.h"
#include "bridge/ingest/order_decisions.h"
#include "bridge/ingest/pace.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::ingest {

class OrderRunner {
 public:
  OrderRunner(const OrderDecisions& decisions, Lanes& lanes, Pace& pace, Observer& observer)
      : decisions_(decisions), lanes_(lanes), pace_(pace), observer_(observer) {}
  ~OrderRunner() { Stop(); }
  void Start();                    // with the orders that the last run has left
  void Wake();                     // an order was started, paused, resumed or cancelled
  void Stop() { thread_.Stop(); }  // what is in a lane ends there
  // Orders that run or are paused, as of when they were read last: at the start, and after each Wake and end.
  std::size_t open() const {
    const MutexLock lock(mutex_);
    return open_;
  }

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Running {
    domain::Order order;  // as it was when it was read, and its cursor as far as this runner has come since
    std::deque<domain::DevicePosition> page;
    Time next;
    bool in_lane = false;
    bool moved = false;  // by somebody else: it is read again before it goes on
  };

  void Run();
  // These let go of their caller's lock in between.
  void Reload(MutexLock& lock) NOT_PROVED;
  Time Step(MutexLock& lock) NOT_PROVED;
  void Advance(const OrderId& id, MutexLock& lock) NOT_PROVED;
  bool FillPage(const OrderId& id, MutexLock& lock) NOT_PROVED;
  void End(const OrderId& id, MutexLock& lock) NOT_PROVED;
  void PostItem(const OrderId& id, MutexLock& lock) NOT_PROVED;
  void SayTrouble(const std::string& line) REQUIRES(mutex_);
  void ItemSettled(const OrderId& id, const domain::DevicePosition& at, OrderDecisions::Settled settled);

  const OrderDecisions& decisions_;
  Lanes& lanes_;
  Pace& pace_;
  Observer& observer_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool woken_ GUARDED_BY(mutex_) = true;
  bool settled_ GUARDED_BY(mutex_) = false;  // a lane has answered
  std::map<OrderId, Running> running_ GUARDED_BY(mutex_);
  std::size_t open_ GUARDED_BY(mutex_) = 0;
  SayOnce said_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, changed_};
};

}  // namespace registry::ingest
