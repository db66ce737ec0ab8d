#include "bridge/ingest/lanes.h"

#include "bridge/thread_name.h"

namespace registry::ingest {

Lanes::Lanes(std::size_t count, std::size_t queue_max) : queue_max_(queue_max) {
  for (std::size_t i = 0; i < count; ++i) lanes_.push_back(std::make_unique<Lane>());
  for (auto& lane : lanes_)
    lane->thread = std::thread(UnderName("lane", [this, &lane = *lane] { Run(lane); }));
}

Lanes::~Lanes() { Stop(std::chrono::milliseconds(0)); }

bool Lanes::Post(std::size_t key, const std::string& sender, Work work) {
  {
    std::unique_lock lock(space_mutex_);
    space_.wait(lock, [this] { return queued_ < queue_max_ || closing_; });
    if (closing_) return false;
    ++queued_;
  }
  Lane& lane = *lanes_[key % lanes_.size()];
  {
    std::lock_guard lock(lane.mutex);
    lane.queue.Push(sender, 1, std::move(work));
  }
  lane.wake.notify_one();
  return true;
}

void Lanes::Taken() {
  {
    std::lock_guard lock(space_mutex_);
    --queued_;
  }
  space_.notify_all();
}

void Lanes::Run(Lane& lane) {
  while (true) {
    Work work;
    {
      std::unique_lock lock(lane.mutex);
      // Not closing_: a Post that was let in before it may not have reached its lane yet.
      lane.wake.wait(lock, [&] { return lane.queue.ready() || dropping_; });
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
    std::unique_lock lock(space_mutex_);
    closing_ = true;
    space_.notify_all();
    space_.wait_for(lock, deadline, [this] { return queued_ == 0; });
    dropping_ = true;
  }
  for (auto& lane : lanes_) {
    // Taken once so that a lane between its check and its wait cannot miss the wake-up.
    { std::lock_guard lock(lane->mutex); }
    lane->wake.notify_all();
  }
  for (auto& lane : lanes_) {
    if (lane->thread.joinable()) lane->thread.join();
  }
}

}  // namespace registry::ingest
