#include "bridge/ingest/own_work.h"

#include <memory>

#include "schemas/base/mutex.h"
#include "workers/domain/compose.h"

namespace registry::ingest {

bool OwnWork::Post(const DeviceId& device, Lanes::StrandWork work) {
  return lanes_.Post(std::hash<DeviceId>{}(device), domain::RegistryParty().text(), std::move(work));
}

bool OwnWork::Visible(const std::vector<domain::ZoneChange>& changes, std::chrono::milliseconds deadline) {
  struct Countdown {
    Mutex mutex;
    CondVar done;
    std::size_t left GUARDED_BY(mutex);
    bool good GUARDED_BY(mutex) = true;
    explicit Countdown(std::size_t size) : left(size) {}
  };
  const auto countdown = std::make_shared<Countdown>(changes.size());
  const auto finish = [countdown](bool good) {
    const MutexLock lock(countdown->mutex);
    countdown->good = countdown->good && good;
    if (--countdown->left == 0) countdown->done.NotifyAll();
  };
  for (const domain::ZoneChange& change : changes) {
    const bool posted = Post(change.device, [this, change, finish](const Strand& strand) {
      decisions_.SettleVisible(change, strand.Onward(), finish);
    });
    if (!posted) finish(false);
  }
  MutexLock lock(countdown->mutex);
  // A countdown that a stop dropped never finishes; it is told again after the next start.
  countdown->done.WaitFor(lock, deadline, [&]() REQUIRES(countdown->mutex) { return countdown->left == 0; });
  return countdown->left == 0 && countdown->good;
}

void OwnWork::PostDue() {
  for (const domain::Job& job : decisions_.Due()) PostDue(job);
}

void OwnWork::PostDue(const domain::Job& job) {
  {
    const MutexLock lock(mutex_);
    if (!posted_.insert(job.id).second) return;
  }
  Post(job.device(), [this, job](const Strand& strand) {
    decisions_.SettleDue(job, strand.Onward(), [this, id = job.id](bool) {
      const MutexLock lock(mutex_);
      posted_.erase(id);
    });
  });
}

}  // namespace registry::ingest
