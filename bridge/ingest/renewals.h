// bridge/ingest/renewals.h: finds the devices whose certificate ends soon, in the ledger's index of expiry, and lets each be
// decided about (lifecycle::DecideRenewal) through its lane. Nothing waits for a device meanwhile: what is to be done is
// read from the index again and again, so a restart loses nothing.
// Owns: nothing. What is given outlives it, and it outlives what it posted.
// Threads: Look from one thread at a time, the rest from any.
// Errors: a page that cannot be read is logged, and read again with the next look.
// Limits: a page of kPage devices at once, and no more before all of it are decided; none while many messages wait for the
//   broker.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "bridge/ingest/lanes.h"
#include "bridge/ingest/own_decisions.h"
#include "schemas/base/mutex.h"

namespace registry::ingest {

class Renewals {
 public:
  // `every`: from the end of one round through the index to the beginning of the next.
  Renewals(const OwnDecisions& decisions, Lanes& lanes, std::chrono::milliseconds every)
      : decisions_(decisions), lanes_(lanes), every_(every) {}
  void Look();
  void Hurry();                  // the next round begins with the next look
  std::uint64_t rounds() const;  // that have ended, each with all its decisions
  RenewalsDue due() const;       // as the last of them found it

  static constexpr std::size_t kPage = 500;

 private:
  using Time = std::chrono::steady_clock::time_point;

  void Post(const DeviceId& device);
  void Settled(const lifecycle::RenewalStanding& stands);
  void EndRoundIfDone() REQUIRES(mutex_);

  const OwnDecisions& decisions_;
  Lanes& lanes_;
  const std::chrono::milliseconds every_;
  mutable Mutex mutex_;
  std::size_t open_ GUARDED_BY(mutex_) = 0;  // of the page, not decided yet
  bool last_page_ GUARDED_BY(mutex_) = false;
  std::optional<domain::DevicePosition> after_ GUARDED_BY(mutex_);
  Time next_ GUARDED_BY(mutex_);
  std::uint64_t rounds_ GUARDED_BY(mutex_) = 0;
  RenewalsDue found_ GUARDED_BY(mutex_);  // in the round that goes on
  RenewalsDue due_ GUARDED_BY(mutex_);
};

}  // namespace registry::ingest
