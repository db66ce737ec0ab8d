#include "bridge/ingest/parsers.h"

#include <algorithm>

namespace registry::ingest {
namespace {

constexpr std::size_t kThreads = 2;  // so that a large message of one sender is not in the way of another's
constexpr std::size_t kQuantum = 4096;  // octets per turn
constexpr std::size_t kOwnCost = 512;   // what handling costs besides its octets, in octets
constexpr std::size_t kSplitShare =
    4;  // looking for where items begin and end costs that part of reading them

// A batch is only split here; its items are paid for one by one.
std::size_t CostOf(const Arrived& arrived) {
  return kOwnCost + (arrived.messages > 1 ? arrived.octets / kSplitShare : arrived.octets);
}

}  // namespace

Parsers::Parsers(std::size_t ahead_max, Backlog backlog, Handle handle)
    : ahead_max_(ahead_max), backlog_(std::move(backlog)), handle_(std::move(handle)), queue_(kQuantum) {}

void Parsers::Start() {
  const auto run = [this] { Run(); };
  threads_.Start("parser", run, kThreads);
}

void Parsers::Add(Arrived arrived) {
  {
    const MutexLock lock(mutex_);
    if (closing_) return;
    const std::string sender = arrived.sender;
    const std::size_t cost = CostOf(arrived);
    queue_.Push(sender, cost, std::move(arrived));
  }
  ready_.NotifyOne();  // one message is no work for two
}

// Whoever has a thread or too much ahead is held.
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
    const MutexLock lock(mutex_);
    crowded_ = crowded;
    Update(sender, [](Sender& it) { --it.ahead; });
  }
  ready_.NotifyOne();
}

void Parsers::Run() {
  MutexLock lock(mutex_);
  while (true) {
    threads_.Wait(lock, [this]() REQUIRES(mutex_) { return queue_.ready(); });
    if (threads_.stopping()) return;
    auto next = queue_.Pop();
    if (!next) continue;
    // Counted as ahead at once: Done may come before handle_ has returned.
    Update(next->sender, [](Sender& it) {
      it.handled = true;
      ++it.ahead;
    });
    ++handling_;
    lock.Unlock();
    Handled handled = handle_(std::move(next->item));
    lock.Lock();
    Settle(next->sender, std::move(handled));  // what is ready now, this thread takes itself
    if (closing_ && queue_.size() + handling_ == 0) idle_.NotifyAll();
  }
}

void Parsers::Settle(const std::string& sender, Handled handled) {
  --handling_;
  for (auto part = handled.parts.rbegin(); part != handled.parts.rend(); ++part) {
    const std::size_t cost = CostOf(*part);
    queue_.PushFront(sender, cost, std::move(*part));
  }
  Update(sender, [ahead = handled.ahead](Sender& it) {
    it.handled = false;
    if (!ahead) --it.ahead;
  });
}

void Parsers::Stop(std::chrono::milliseconds deadline) {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    // What is held waits for the lanes, which still work.
    if (threads_.running()) {
      idle_.WaitFor(lock, deadline, [this]() REQUIRES(mutex_) { return queue_.size() + handling_ == 0; });
    }
  }
  threads_.Stop();
}

std::size_t Parsers::waiting() const {
  const MutexLock lock(mutex_);
  return queue_.size();
}

}  // namespace registry::ingest
