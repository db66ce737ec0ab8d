#include "bridge/ingest/order_runner.h"

#include <algorithm>

namespace registry::ingest {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kRetryAfter{1};  // what the ledger did not read or take
constexpr std::chrono::seconds kLookAgain{10};  // while nothing is to be done
constexpr std::int64_t kMicrosPerSecond = 1'000'000;

}  // namespace

void OrderRunner::Start() {
  thread_.Start("orders", [this] { Run(); });
}

void OrderRunner::Wake() {
  {
    const MutexLock lock(mutex_);
    woken_ = true;
  }
  changed_.NotifyAll();
}

void OrderRunner::Run() {
  MutexLock lock(mutex_);
  while (!thread_.stopping()) {
    if (woken_) Reload(lock);
    settled_ = false;
    const Time next = Step(lock);
    thread_.WaitFor(lock, next - steady_clock::now(),
                    [this]() REQUIRES(mutex_) { return woken_ || settled_; });
  }
}

// The ledger is asked without the lock, which lanes need for their answers.
void OrderRunner::Reload(MutexLock& lock) {
  woken_ = false;
  lock.Unlock();
  auto orders = decisions_.Open();
  lock.Lock();
  if (!orders) {
    SayTrouble("orders: " + orders.error().message);
    woken_ = true;  // Step's time is the longest until it is tried again
    (void)thread_.Rest(lock, kRetryAfter);
    return;
  }
  open_ = orders->size();
  std::map<OrderId, Running> still;
  for (auto& order : *orders) {
    if (order.state != domain::OrderState::kRunning) continue;
    Running& running = still[order.id];
    if (const auto known = running_.find(order.id); known != running_.end()) {
      running.next = known->second.next;  // pausing and resuming does not make it faster
    }
    running.order = std::move(order);
  }
  for (auto& [id, running] : running_) {
    if (!running.in_lane) continue;
    running.moved = true;
    still.insert_or_assign(id, std::move(running));
  }
  running_ = std::move(still);
}

// What is tried each second may fail each second.
void OrderRunner::SayTrouble(const std::string& line) {
  if (said_.Due(line, SayOnce::Steady::now())) observer_.Log(Level::kError, line);
}

// Goes on with every order whose time has come; when the next one's is.
OrderRunner::Time OrderRunner::Step(MutexLock& lock) {
  const Time now = steady_clock::now();
  std::vector<OrderId> due;
  for (const auto& [id, running] : running_) {
    if (!running.in_lane && running.next <= now) due.push_back(id);
  }
  for (const OrderId& id : due) {
    if (thread_.stopping() || woken_) break;
    Advance(id, lock);
  }
  Time next = now + kLookAgain;
  for (const auto& [id, running] : running_) {
    if (!running.in_lane) next = std::min(next, running.next);
  }
  return next;
}

void OrderRunner::Advance(const OrderId& id, MutexLock& lock) {
  Running& running = running_.at(id);
  if (const auto wait = decisions_.Wait(running.order); wait.count() > 0) {
    running.next = steady_clock::now() + wait;
    return;
  }
  if (running.page.empty() && !FillPage(id, lock)) return;
  if (running.page.empty()) {
    End(id, lock);
  } else {
    PostItem(id, lock);
  }
}

// Only this thread changes which orders are there, so a Running stays where it is while the lock is open.
bool OrderRunner::FillPage(const OrderId& id, MutexLock& lock) {
  Running& running = running_.at(id);
  lock.Unlock();
  const auto positions = decisions_.Next(running.order, running.order.cursor);
  lock.Lock();
  if (positions) {
    running.page.assign(positions->begin(), positions->end());
    return true;
  }
  SayTrouble("order " + id.text() + ": " + positions.error().message);
  running.next = steady_clock::now() + kRetryAfter;
  return false;
}

void OrderRunner::End(const OrderId& id, MutexLock& lock) {
  Running& running = running_.at(id);
  lock.Unlock();
  const auto settled = decisions_.SettleEnd(running.order);
  lock.Lock();
  if (settled == OrderDecisions::Settled::kMoved) {
    woken_ = true;
  } else {
    running.next = steady_clock::now() + kRetryAfter;
  }
}

// The next device's time is counted from here, so that the rate does not suffer from what a decision takes.
void OrderRunner::PostItem(const OrderId& id, MutexLock& lock) {
  Running& running = running_.at(id);
  const auto at = running.page.front();
  const Time now = steady_clock::now();
  running.in_lane = true;
  running.next = now + microseconds(kMicrosPerSecond * pace_.Divisor(now) / running.order.rate);
  const domain::Order order = running.order;
  lock.Unlock();
  const bool posted = lanes_.Post(std::hash<DeviceId>{}(at.device), order.owner.text(), [this, order, at] {
    ItemSettled(order.id, at, decisions_.SettleItem(order, at));
  });
  lock.Lock();
  if (!posted) running.in_lane = false;  // stopping; the next start goes on here
}

void OrderRunner::ItemSettled(const OrderId& id, const domain::DevicePosition& at,
                              OrderDecisions::Settled settled) {
  {
    const MutexLock lock(mutex_);
    Running& running = running_.at(id);
    running.in_lane = false;
    if (settled == OrderDecisions::Settled::kDecided) {
      running.order.cursor = at;
      running.page.pop_front();
    }
    if (settled == OrderDecisions::Settled::kAgain)
      running.next = std::max(running.next, steady_clock::now() + kRetryAfter);
    if (running.moved || settled == OrderDecisions::Settled::kMoved) woken_ = true;
    settled_ = true;
  }
  changed_.NotifyAll();
}

}  // namespace registry::ingest
