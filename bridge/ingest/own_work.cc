#include "bridge/ingest/own_work.h"

#include <memory>

#include "schemas/base/mutex.h"
#include "workers/domain/compose.h"

namespace registry::ingest {

bool OwnWork::Post(const DeviceId& device, Lanes::Work work) {
  return lanes_.Post(std::hash<DeviceId>{}(device), domain::Registry().text(), std::move(work));
}

bool OwnWork::Visible(const std::vector<domain::ZoneChange>& changes, std::chrono::milliseconds deadline) {
  struct Batch {
    Mutex mutex;
    CondVar done;
    std::size_t left GUARDED_BY(mutex);
    bool good GUARDED_BY(mutex) = true;
    explicit Batch(std::size_t size) : left(size) {}
  };
  const auto batch = std::make_shared<Batch>(changes.size());
  const auto finish = [batch](bool good) {
    const MutexLock lock(batch->mutex);
    batch->good = batch->good && good;
    if (--batch->left == 0) batch->done.NotifyAll();
  };
  for (const domain::ZoneChange& change : changes) {
    const bool posted =
        Post(change.device, [this, change, finish] { finish(decisions_.SettleVisible(change)); });
    if (!posted) finish(false);
  }
  MutexLock lock(batch->mutex);
  // A batch that a stop dropped never finishes; it is told again after the next start.
  batch->done.WaitFor(lock, deadline, [&]() REQUIRES(batch->mutex) { return batch->left == 0; });
  return batch->left == 0 && batch->good;
}

void OwnWork::PostDue() {
  for (const domain::Job& job : decisions_.Due()) PostDue(job);
}

void OwnWork::PostDue(const domain::Job& job) {
  {
    const MutexLock lock(mutex_);
    if (!posted_.insert(job.id).second) return;
  }
  Post(job.device(), [this, job] {
    decisions_.SettleDue(job);
    const MutexLock lock(mutex_);
    posted_.erase(job.id);
  });
}

}  // namespace registry::ingest
