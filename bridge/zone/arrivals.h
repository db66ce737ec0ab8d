// bridge/zone/arrivals.h: what every secondary serves is told, in order, on a thread of its own: `visible`, then the
// cursor. A consequence that waits for its commit holds up no publishing, signing, NOTIFY or probing that way.
// Owns: its thread and at most kArrivedMax batches. Ledger and serials outlive it.
// Threads: Start, Stop and Offer from the publishing thread's owner and the publishing thread; pending from any.
// `visible` is called on this room's thread, one call at a time; neighbouring batches may be told in one call.
// Errors: a `visible` that says no, or a ledger that cannot be read or written, is a log line and another try a little
// later; a stop gives up on what is not told yet, the next start tells it.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <optional>

#include "bridge/zone/publisher.h"
#include "bridge/zone/serials.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::zone {

inline constexpr std::size_t kArrivedMax = 64;
inline constexpr std::chrono::milliseconds kRetryPause{200};  // after the ledger or `visible` failed

// The changes of one version, or of several neighbouring ones, on their way to the secondaries.
struct Batch {
  std::uint32_t serial = 0;         // the version that holds them all
  ledger::Seq after = 0, last = 0;  // their entries: behind `after`, up to `last`
  std::size_t count = 0;            // changes, at least as many as will be told
  // nullopt: to be read again, which the ledger allows until the cursor has passed them.
  std::optional<std::vector<domain::ZoneChange>> changes;
  // When the first of them was read that takes a device out of the zone; none: no such is among them.
  std::optional<std::chrono::steady_clock::time_point> revokes_since;
  std::vector<DeviceId> refused;  // nothing of theirs is in the zone, so nothing of theirs becomes visible
};

class Arrivals {
 public:
  // `page`: changes told in one call, unless a batch has more.
  Arrivals(ledger::Ledger& ledger, Serials& serials, Visible visible, LogLine log, std::size_t page)
      : ledger_(ledger), serials_(serials), visible_(std::move(visible)), log_(std::move(log)), page_(page) {}

  void Start();
  // Returns when the call of `visible` that runs has returned.
  void Stop() { thread_.Stop(); }
  // Takes a batch that every secondary serves; false, and nothing is taken, when kArrivedMax wait already.
  bool Offer(Batch& batch);
  std::size_t pending() const { return pending_; }  // changes taken and not yet told

 private:
  void Run();
  Batch Take();
  bool Tell(Batch& batch);
  bool TellAgain(Batch& batch);
  bool TellPage(const std::vector<domain::ZoneChange>& changes, ledger::Seq last);
  bool Pause();

  ledger::Ledger& ledger_;
  Serials& serials_;
  const Visible visible_;
  const LogLine log_;
  const std::size_t page_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<Batch> queue_ GUARDED_BY(mutex_);
  std::atomic<std::size_t> pending_{0};
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::zone
