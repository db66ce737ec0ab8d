// bridge/ledger/outbox_tail.h: how far each sink's outbox reaches, and the waiting for more.
// Threads: all calls from any thread.
#pragma once

#include <array>
#include <chrono>

#include "bridge/ledger/ledger.h"
#include "schemas/base/mutex.h"

namespace registry::ledger {

inline constexpr std::array kAllSinks = {Sink::kMqtt, Sink::kZone, Sink::kCrl};
constexpr std::size_t IndexOf(Sink sink) { return static_cast<std::size_t>(sink) - 1; }

class OutboxTail {
 public:
  using Ends = std::array<Seq, kAllSinks.size()>;

  // Entries up to these are committed and durable. Wakes those who wait for them, and no other sink.
  void Reach(const Ends& ends);
  Seq Last(Sink sink) const;
  // The end as soon as it lies behind `after`, or at the latest after `wait` or WakeAll.
  Seq WaitBehind(Sink sink, Seq after, std::chrono::milliseconds wait) const;
  void WakeAll();

 private:
  mutable Mutex mutex_;
  mutable std::array<CondVar, kAllSinks.size()> grown_;
  Ends ends_ GUARDED_BY(mutex_){};
  std::uint64_t wakes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace registry::ledger
