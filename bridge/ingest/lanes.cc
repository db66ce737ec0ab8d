#include "bridge/ingest/lanes.h"

namespace registry::ingest {
namespace {

constexpr std::size_t kTurn = 1;  // a piece of work is one turn of its sender

}  // namespace

Lanes::Lanes(std::size_t count, std::size_t queue_max) : queue_max_(queue_max) {
  for (std::size_t i = 0; i < count; ++i) lanes_.push_back(std::make_unique<Lane>());
  for (auto& lane : lanes_) lane->thread.Start("lane", [this, &lane = *lane] { Run(lane); });
}

Lanes::~Lanes() { Stop(std::chrono::milliseconds(0)); }

bool Lanes::Post(std::size_t key, const std::string& sender, Work work) {
  return Post(key, sender, StrandWork([work = std::move(work)](const Strand&) { work(); }));
}

bool Lanes::Post(std::size_t key, const std::string& sender, StrandWork work) {
  {
    MutexLock lock(space_mutex_);
    space_.Wait(lock, [this]() REQUIRES(space_mutex_) { return queued_ < queue_max_ || closing_; });
    if (closing_) return false;
    ++queued_;
  }
  Lane& lane = *lanes_[key % lanes_.size()];
  {
    const MutexLock lock(lane.mutex);
    lane.queue.Push(sender, kTurn, {key, std::move(work)});
  }
  lane.wake.NotifyOne();
  return true;
}

void Lanes::Taken() {
  bool somebody_waits = false;
  {
    const MutexLock lock(space_mutex_);
    somebody_waits = queued_ == queue_max_ || closing_;
    --queued_;
  }
  if (somebody_waits) space_.NotifyAll();
}

// Empty: nothing can run now.
Lanes::Work Lanes::Next(Lane& lane) {
  while (lane.going_on.empty() && lane.queue.ready()) {
    auto [sender, piece] = *lane.queue.Pop();
    const auto [held, free] = lane.held.try_emplace(piece.key, kTurn);
    if (free) return Begin(lane, piece.key, std::move(piece.work));
    held->second.Push(sender, kTurn, std::move(piece.work));
  }
  if (lane.going_on.empty()) return {};
  Work next = std::move(lane.going_on.front());
  lane.going_on.pop_front();
  return next;
}

// Of a key that is held from here on.
Lanes::Work Lanes::Begin(Lane& lane, std::size_t key, StrandWork work) {
  auto hold = std::make_shared<Strand::Hold>();
  hold->then = [&lane](Work next) { GoOn(lane, std::move(next)); };
  hold->end = [this, &lane, key] { End(lane, key); };
  return [this, work = std::move(work), strand = Strand(std::move(hold))] {
    if (!dropping_) work(strand);
  };
}

void Lanes::GoOn(Lane& lane, Work next) {
  {
    const MutexLock lock(lane.mutex);
    lane.going_on.push_back(std::move(next));
  }
  lane.wake.NotifyOne();
}

// By whichever thread let the last copy go.
void Lanes::End(Lane& lane, std::size_t key) {
  Taken();
  {
    const MutexLock lock(lane.mutex);
    const auto held = lane.held.find(key);
    if (auto next = held->second.Pop()) {
      lane.going_on.push_back(Begin(lane, key, std::move(next->item)));
    } else {
      lane.held.erase(held);
    }
    lane.wake.NotifyOne();  // under the lock: the lane may be gone when it has seen this
  }
}

void Lanes::Run(Lane& lane) {
  const auto ready = [&]() REQUIRES(lane.mutex) { return !lane.going_on.empty() || lane.queue.ready(); };
  MutexLock lock(lane.mutex);
  while (true) {
    // Not until closing_: a Post that was let in before it may not have reached its lane yet.
    lane.thread.Wait(lock, ready);
    // Stopping: what holds a key ends first, for it goes on here.
    lane.wake.Wait(lock, [&]() REQUIRES(lane.mutex) { return ready() || lane.held.empty(); });
    {
      Work next = Next(lane);
      if (!next && lane.held.empty() && lane.thread.stopping()) return;
      if (!next) continue;
      lock.Unlock();
      next();
    }  // and what it held goes, without the lock
    lock.Lock();
  }
}

void Lanes::Stop(std::chrono::milliseconds deadline) {
  {
    MutexLock lock(space_mutex_);
    closing_ = true;
    space_.NotifyAll();
    // Without a deadline to wait for there is no moment in which something may still begin.
    dropping_ = deadline <= std::chrono::milliseconds(0);
    space_.WaitFor(lock, deadline, [this] { return queued_ == 0; });
    dropping_ = true;
  }
  for (auto& lane : lanes_) lane->thread.Stop();  // ends when nothing is left in it
}

}  // namespace registry::ingest
