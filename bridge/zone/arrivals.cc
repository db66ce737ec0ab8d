#include "bridge/zone/arrivals.h"

#include <algorithm>

namespace registry::zone {
namespace {

void DropRefused(const std::vector<DeviceId>& refused, std::vector<domain::ZoneChange>& changes) {
  std::erase_if(changes, [&refused](const domain::ZoneChange& change) {
    return std::ranges::find(refused, change.device) != refused.end();
  });
}

}  // namespace

void Arrivals::Start() {
  thread_.Start("zone-visible", [this] { Run(); });
}

bool Arrivals::Offer(Batch& batch) {
  const MutexLock lock(mutex_);
  if (queue_.size() >= kArrivedMax) return false;
  pending_ += batch.count;
  if (batch.changes) DropRefused(batch.refused, *batch.changes);
  queue_.push_back(std::move(batch));
  wake_.NotifyAll();
  return true;
}

void Arrivals::Run() {
  while (true) {
    {
      MutexLock lock(mutex_);
      thread_.Wait(lock, [this]() REQUIRES(mutex_) { return !queue_.empty(); });
      if (thread_.stopping()) return;
    }
    Batch batch = Take();
    while (!Tell(batch)) {
      if (!Pause()) return;
    }
    pending_ -= batch.count;
  }
}

// The first batch, and what has arrived behind it as long as one call carries both: every call waits for a commit.
Batch Arrivals::Take() {
  const MutexLock lock(mutex_);
  Batch first = std::move(queue_.front());
  queue_.pop_front();
  while (first.changes && !queue_.empty() && queue_.front().changes &&
         first.changes->size() + queue_.front().changes->size() <= page_) {
    Batch& next = queue_.front();
    first.changes->insert(first.changes->end(), std::make_move_iterator(next.changes->begin()),
                          std::make_move_iterator(next.changes->end()));
    first.last = next.last;
    first.count += next.count;
    queue_.pop_front();
  }
  return first;
}

bool Arrivals::Tell(Batch& batch) {
  return batch.changes ? TellPage(*batch.changes, batch.last) : TellAgain(batch);
}

bool Arrivals::TellAgain(Batch& batch) {
  while (batch.after < batch.last) {
    const auto entries = ledger_.OutboxAfter(ledger::Sink::kZone, batch.after, page_, {});
    if (!entries) {
      log_.Error("zone: the ledger cannot be read: " + entries.error().message);
      return false;
    }
    std::vector<domain::ZoneChange> changes;
    ledger::Seq last = batch.last;  // nothing there: nothing is left to be told up to here
    for (const ledger::OutboxEntry& entry : *entries) {
      if (entry.seq > batch.last) break;
      last = entry.seq;
      if (const auto* change = std::get_if<domain::ZoneChange>(&entry.item)) changes.push_back(*change);
    }
    DropRefused(batch.refused, changes);
    if (!TellPage(changes, last)) return false;
    batch.after = last;
    if (thread_.stopping()) return false;
  }
  return true;
}

bool Arrivals::TellPage(const std::vector<domain::ZoneChange>& changes, ledger::Seq last) {
  if (!changes.empty() && !visible_(changes)) {
    log_.Warning("zone: what has become visible could not be recorded, trying again");
    return false;
  }
  if (auto arrived = serials_.Arrived(last); !arrived) {
    log_.Error("zone: the cursor could not be stored: " + arrived.error().message);
    return false;
  }
  return true;
}

// False: stopping.
bool Arrivals::Pause() {
  MutexLock lock(mutex_);
  return thread_.Rest(lock, kRetryPause);
}

}  // namespace registry::zone
