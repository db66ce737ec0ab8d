#include "bridge/ingest/parsers.h"

#include <algorithm>

#include "bridge/thread_name.h"

namespace registry::ingest {
namespace {

constexpr std::size_t kThreads = 2;  // so that a large message of one sender is not in the way of another's
constexpr std::size_t kQuantum = 4096;  // octets per turn
constexpr std::size_t kOwnCost = 512;   // what handling costs besides its octets, in octets

}  // namespace

Parsers::Parsers(std::size_t ahead_max, Backlog backlog, Handle handle)
    : ahead_max_(ahead_max), backlog_(std::move(backlog)), handle_(std::move(handle)), queue_(kQuantum) {}

void Parsers::Start() {
  for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back(UnderName("parser", [this] { Run(); }));
}

void Parsers::Add(Arrived arrived) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    const std::string sender = arrived.sender;
    const std::size_t cost = kOwnCost + arrived.octets;
    queue_.Push(sender, cost, std::move(arrived));
  }
  changed_.notify_one();
}

// Under the lock. Whoever has a thread or too much ahead is held.
void Parsers::Update(const std::string& name, const std::function<void(Sender&)>& change) {
  Sender& sender = senders_[name];
  change(sender);
  const std::size_t ahead_max = crowded_ ? std::min(kAheadCrowded, ahead_max_) : ahead_max_;
  if (sender.handled || sender.ahead >= ahead_max) {
    queue_.Hold(name);
  } else {
    queue_.Release(name);
  }
  if (!sender.handled && sender.ahead == 0) senders_.erase(name);
}

// Whoever is held has something ahead, so it is looked at again when that is done, if not before.
void Parsers::Done(const std::string& sender) {
  const bool crowded = backlog_() >= kCrowd;
  {
    const std::lock_guard lock(mutex_);
    crowded_ = crowded;
    Update(sender, [](Sender& it) { --it.ahead; });
  }
  changed_.notify_all();
}

void Parsers::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return queue_.ready() || stopping_; });
    if (stopping_) return;
    auto next = queue_.Pop();
    if (!next) continue;
    // Counted as ahead at once: Done may come before handle_ has returned.
    Update(next->sender, [](Sender& it) {
      it.handled = true;
      ++it.ahead;
    });
    lock.unlock();
    const bool ahead = handle_(std::move(next->item));
    lock.lock();
    Update(next->sender, [ahead](Sender& it) {
      it.handled = false;
      if (!ahead) --it.ahead;
    });
    changed_.notify_all();
  }
}

void Parsers::Stop(std::chrono::milliseconds deadline) {
  {
    std::unique_lock lock(mutex_);
    closing_ = true;
    // What is held waits for the lanes, which still work.
    changed_.wait_for(lock, deadline, [this] { return queue_.size() == 0; });
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::size_t Parsers::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace registry::ingest
