// bridge/ingest/order_decisions.h: what is decided of an order, one decision at a time: which devices come next, one
// device, the end. Who calls, and when, is order_runner.h's business.
// Threads: const, any; work on one device is serial. What is given outlives it.
#pragma once

#include <vector>

#include "bridge/ingest/executor.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "workers/orders/items.h"

namespace registry::ingest {

class OrderDecisions {
 public:
  OrderDecisions(const ledger::LedgerReader& reader, Observer& observer, Executor& executor)
      : reader_(reader), observer_(observer), executor_(executor) {}
  // Those that run or are paused.
  Result<std::vector<domain::Order>> Open() const;
  // Where the selection's next devices stand, at most kPage, behind `after`.
  static constexpr std::size_t kPage = 100;
  Result<std::vector<domain::DevicePosition>> Next(const domain::Order& order,
                                                   const std::optional<domain::DevicePosition>& after) const;
  // Until the ledger has room for more of the owner (allowance.h, Services::space_low); zero when it has.
  std::chrono::seconds Wait(const domain::Order& order) const { return executor_.Wait(order.owner); }
  // kMoved: the order does not run any more, or is not where it was; it must be read again. kAgain: nothing was kept.
  enum class Settled { kDecided, kMoved, kAgain };
  Settled SettleItem(const domain::Order& order, const domain::DevicePosition& at) const;
  Settled SettleEnd(const domain::Order& order) const;

 private:
  Result<domain::Decision> DecideOne(const domain::Order& order, const DeviceId& device,
                                     const domain::Context& context) const;
  using Decide = std::function<Result<domain::ItemOutcome>(domain::Case&)>;
  Result<Settled> Keep(const domain::Order& order, const Decide& decide) const;
  void SayTriedAgain(const domain::Order& order, const Error& why) const;

  const ledger::LedgerReader& reader_;
  Observer& observer_;
  Executor& executor_;
  mutable Mutex said_mutex_;
  mutable SayOnce said_ GUARDED_BY(said_mutex_);
};

}  // namespace registry::ingest
