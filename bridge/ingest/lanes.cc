#include "bridge/ingest/lanes.h"

namespace registry::ingest {

Lanes::Lanes(std::size_t count, std::size_t queue_max) : queue_max_(queue_max) {
  for (std::size_t i = 0; i < count; ++i) lanes_.push_back(std::make_unique<Lane>());
  for (auto& lane : lanes_) lane->thread.Start("lane", [this, &lane = *lane] { Run(lane); });
}

Lanes::~Lanes() { Stop(std::chrono::milliseconds(0)); }

bool Lanes::Post(std::size_t key, const std::string& sender, Work work) {
  {
    MutexLock lock(space_mutex_);
    space_.Wait(lock, [this]() REQUIRES(space_mutex_) { return queued_ < queue_max_ || closing_; });
    if (closing_) return false;
    ++queued_;
  }
  Lane& lane = *lanes_[key % lanes_.size()];
  {
    const MutexLock lock(lane.mutex);
    lane.queue.Push(sender, 1, std::move(work));
  }
  lane.wake.NotifyOne();
  return true;
}

void Lanes::Taken() {
  {
    const MutexLock lock(space_mutex_);
    --queued_;
  }
  space_.NotifyAll();
}

void Lanes::Run(Lane& lane) {
  while (true) {
    Work work;
    {
      MutexLock lock(lane.mutex);
      // Not until closing_: a Post that was let in before it may not have reached its lane yet.
      lane.thread.Wait(lock, [&]() REQUIRES(lane.mutex) { return lane.queue.ready(); });
      auto next = lane.queue.Pop();
      if (!next) return;
      work = std::move(next->item);
    }
    if (!dropping_) work();
    Taken();
  }
}

void Lanes::Stop(std::chrono::milliseconds deadline) {
  {
    MutexLock lock(space_mutex_);
    closing_ = true;
    space_.NotifyAll();
    space_.WaitFor(lock, deadline, [this] { return queued_ == 0; });
    dropping_ = true;
  }
  for (auto& lane : lanes_) lane->thread.Stop();  // ends when nothing is left in it
}

}  // namespace registry::ingest
