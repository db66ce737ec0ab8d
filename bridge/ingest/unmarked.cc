#include "bridge/ingest/unmarked.h"

#include "bridge/ingest/backlog.h"
#include "schemas/base/mutex.h"

namespace registry::ingest {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kBatchMax = 8;  // answers of one commit
// Replies on their way to the broker, from which on no batch is added: what stands there stands before everybody's next
// reply, at up to a millisecond each while commands pour in (Paho receives and sends under one lock).
constexpr std::uint64_t kBacklogMax = 8;
constexpr milliseconds kLookAgain{2};

}  // namespace

Unmarked::Unmarked(ledger::Ledger& ledger, Intake& intake, Observer& observer, milliseconds retry_after,
                   Backlog backlog, MakeForSurplus make_for_surplus)
    : ledger_(ledger),
      intake_(intake),
      observer_(observer),
      retry_after_(retry_after),
      backlog_(std::move(backlog)),
      make_for_surplus_(std::move(make_for_surplus)),
      queue_(1) {}

void Unmarked::Start() {
  thread_.Start("unmarked", [this] { Run(); });
}

void Unmarked::Add(Waiting waiting) {
  {
    const MutexLock lock(mutex_);
    if (thread_.stopping()) return;  // its record stays in the intake
    const std::string sender = waiting.sender;
    queue_.Push(sender, 1, std::move(waiting));
  }
  changed_.NotifyAll();
}

void Unmarked::AddSurplus(const std::string& sender, const std::string& topic) {
  const MutexLock lock(mutex_);
  surplus_.Add(sender, topic, SteadyClock::now());  // looked at soon enough
}

void Unmarked::Run() {
  std::vector<Made> batch;
  MutexLock lock(mutex_);
  while (WaitForTurn(lock)) {
    std::vector<Waiting> taken = TakeSome();
    const auto groups = surplus_.Take(SteadyClock::now(), thread_.stopping());
    lock.Unlock();
    for (Waiting& waiting : taken) {
      Refusal refusal = waiting.make();
      batch.push_back({std::move(waiting), std::move(refusal)});
    }
    for (const auto& group : groups)
      batch.push_back({{0, group.sender, {}, [] {}}, make_for_surplus_(group)});
    bool kept = batch.empty() || Keep(batch);
    lock.Lock();
    while (!kept && thread_.Rest(lock, retry_after_)) {
      lock.Unlock();
      kept = Keep(batch);
      lock.Lock();
    }
    if (!kept) return;
    batch.clear();
  }
}

// False when everything is said and it is time to stop.
bool Unmarked::WaitForTurn(MutexLock& lock) {
  while (!thread_.stopping()) {
    thread_.WaitFor(lock, queue_.size() > 0 ? kLookAgain : milliseconds(Surplus::kEvery) / 4,
                    [this]() REQUIRES(mutex_) { return queue_.size() > 0; });
    if (thread_.stopping()) break;
    lock.Unlock();
    const bool open = backlog_() < kBacklogMax;
    lock.Lock();
    if (open && (queue_.size() > 0 || !surplus_.empty())) return true;
    if (!open) thread_.Rest(lock, kLookAgain);
  }
  return queue_.size() > 0 || !surplus_.empty();
}

std::vector<Unmarked::Waiting> Unmarked::TakeSome() {
  std::vector<Waiting> taken;
  while (taken.size() < kBatchMax) {
    auto next = queue_.Pop();
    if (!next) break;
    taken.push_back(std::move(next->item));
  }
  return taken;
}

bool Unmarked::Keep(const std::vector<Made>& batch) {
  domain::Changeset changes;
  for (const auto& [waiting, refusal] : batch) {
    if (const auto* reply = std::get_if<domain::OutgoingMessage>(&refusal.what)) {
      changes.messages.push_back(*reply);
    } else {
      changes.dead_letters.push_back(std::get<domain::DeadLetter>(refusal.what));
    }
  }
  const Status committed = ledger_.Commit(std::move(changes));
  if (!committed) {
    observer_.Log(Level::kError, std::to_string(batch.size()) + " rejections not kept, tried again: " +
                                     committed.error().symbol + ": " + committed.error().message);
  }
  Tell(batch, committed);
  return committed.ok();
}

void Unmarked::Tell(const std::vector<Made>& batch, const Status& committed) {
  for (const auto& [waiting, refusal] : batch) {
    if (committed) {
      intake_.MarkDone(waiting.ticket);
      waiting.give_back();
    }
    observer_.CommandDone(refusal.command, committed ? refusal.outcome : "failed",
                          committed ? refusal.symbol : committed.error().symbol,
                          std::chrono::microseconds(0));
  }
}

}  // namespace registry::ingest
