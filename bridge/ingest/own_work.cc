#include "bridge/ingest/own_work.h"

#include <condition_variable>
#include <memory>

#include "workers/domain/compose.h"

namespace registry::ingest {

bool OwnWork::Post(const DeviceId& device, Lanes::Work work) {
  return lanes_.Post(std::hash<DeviceId>{}(device), domain::Registry().text(), std::move(work));
}

bool OwnWork::Visible(const std::vector<domain::ZoneChange>& changes, std::chrono::milliseconds deadline) {
  struct Batch {
    std::mutex mutex;
    std::condition_variable done;
    std::size_t left;
    bool good = true;
  };
  auto batch = std::make_shared<Batch>();
  batch->left = changes.size();
  const auto finish = [batch](bool good) {
    std::lock_guard lock(batch->mutex);
    batch->good = batch->good && good;
    if (--batch->left == 0) batch->done.notify_all();
  };
  for (const domain::ZoneChange& change : changes) {
    const bool posted =
        Post(change.device, [this, change, finish] { finish(decisions_.SettleVisible(change)); });
    if (!posted) finish(false);
  }
  std::unique_lock lock(batch->mutex);
  // A batch that a stop dropped never finishes; it is told again after the next start.
  batch->done.wait_for(lock, deadline, [&] { return batch->left == 0; });
  return batch->left == 0 && batch->good;
}

void OwnWork::PostDue() {
  for (const domain::Job& job : decisions_.Due()) PostDue(job);
}

void OwnWork::PostDue(const domain::Job& job) {
  {
    std::lock_guard lock(mutex_);
    if (!posted_.insert(job.id).second) return;
  }
  Post(job.device(), [this, job] {
    decisions_.SettleDue(job);
    std::lock_guard lock(mutex_);
    posted_.erase(job.id);
  });
}

}  // namespace registry::ingest
