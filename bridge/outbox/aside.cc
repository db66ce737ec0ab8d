#include "bridge/outbox/aside.h"

namespace registry::outbox {
namespace {

constexpr std::chrono::milliseconds kLookAgain{2};

}  // namespace

Aside::Aside(Publisher& publisher, Outbox outbox, std::chrono::milliseconds patience)
    : publisher_(publisher), outbox_(std::move(outbox)), patience_(patience) {}

void Aside::Start() {
  thread_.Start("aside", [this] { Run(); });
}

void Aside::Offer(const PartyId& party, domain::OutgoingMessage message) {
  const std::size_t octets = message.topic.size() + message.payload.size() + message.correlation_data.size();
  Waiting waiting{{std::move(message.topic), std::move(message.payload), std::move(message.correlation_data)},
                  octets,
                  outbox_.last(),
                  Clock::now() + patience_};
  {
    const MutexLock lock(mutex_);
    const auto line = lines_.find(party);
    const std::size_t share = line == lines_.end() ? 0 : line->second.octets;
    if (thread_.stopping() || share + octets > kShareMax || octets_ + octets > kOctetsMax)
      return CountDropped(1);
    Line& mine = lines_[party];
    mine.waiting.push_back(std::move(waiting));
    mine.octets += octets;
    octets_ += octets;
  }
  changed_.NotifyOne();
}

void Aside::Finish(std::chrono::milliseconds within) {
  MutexLock lock(mutex_);
  changed_.WaitFor(lock, within, [this]() REQUIRES(mutex_) { return lines_.empty(); });
}

void Aside::Run() {
  MutexLock lock(mutex_);
  while (!thread_.stopping()) {
    thread_.Wait(lock, [this]() REQUIRES(mutex_) { return !lines_.empty(); });
    DropOld(Clock::now());
    lock.Unlock();
    // The end first: what is committed in between then counts as unconfirmed.
    const ledger::Seq last = outbox_.last();
    const std::uint64_t depth = outbox_.depth();
    lock.Lock();
    std::optional<Waiting> next;
    const std::uint64_t before = outbox_.of_another ? 0 : depth;  // in the way
    if (before < kCrowd && RoomInFlight(before)) next = TakeNext(last - std::min(last, depth));
    bool left = false;
    if (next) {
      lock.Unlock();
      left = Publish(std::move(*next));
      lock.Lock();
      if (lines_.empty()) changed_.NotifyAll();
    }
    if (!left) thread_.Rest(lock, kLookAgain);
  }
}

// The parties in turn, each one's in the order they were made.
std::optional<Aside::Waiting> Aside::TakeNext(ledger::Seq confirmed) {
  for (std::size_t tried = 0, parties = lines_.size(); tried < parties; ++tried) {
    auto line = lines_.upper_bound(turn_);
    if (line == lines_.end()) line = lines_.begin();
    turn_ = line->first;
    if (line->second.waiting.front().behind > confirmed) continue;
    Waiting next = TakeFirst(line->second);
    if (line->second.waiting.empty()) lines_.erase(line);
    return next;
  }
  return std::nullopt;
}

Aside::Waiting Aside::TakeFirst(Line& line) {
  Waiting first = std::move(line.waiting.front());
  line.waiting.pop_front();
  line.octets -= first.octets;
  octets_ -= first.octets;
  return first;
}

void Aside::DropOld(Clock::time_point now) {
  for (auto line = lines_.begin(); line != lines_.end();) {
    auto& waiting = line->second.waiting;
    while (!waiting.empty() && waiting.front().until <= now) {
      TakeFirst(line->second);
      CountDropped(1);
    }
    line = waiting.empty() ? lines_.erase(line) : std::next(line);
  }
}

// False when the publisher took nothing: the broker is away.
bool Aside::Publish(Waiting waiting) {
  {
    const MutexLock lock(flight_->mutex);
    ++flight_->count;
  }
  const auto taken =
      publisher_.Publish(std::move(waiting.message), [flight = flight_](Publisher::Receipt answer) {
        const MutexLock lock(flight->mutex);
        --flight->count;
        ++(answer.fate == Publisher::Fate::kTaken ? flight->said : flight->dropped);
      });
  if (taken) return true;
  const MutexLock lock(flight_->mutex);
  --flight_->count;
  ++flight_->dropped;
  return false;
}

void Aside::CountDropped(std::uint64_t messages) {
  const MutexLock lock(flight_->mutex);
  flight_->dropped += messages;
}

bool Aside::RoomInFlight(std::uint64_t depth) const {
  const bool shared = publisher_.AtOnceMax() >= kAtOnceWorthSharing;
  const MutexLock lock(flight_->mutex);
  return shared ? flight_->count < kAtOnce : flight_->count == 0 && depth == 0;
}

std::uint64_t Aside::said() const {
  const MutexLock lock(flight_->mutex);
  return flight_->said;
}

std::uint64_t Aside::dropped() const {
  const MutexLock lock(flight_->mutex);
  return flight_->dropped;
}

}  // namespace registry::outbox
