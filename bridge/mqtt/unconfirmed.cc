#include "bridge/mqtt/unconfirmed.h"

namespace registry::mqtt {

void Unconfirmed::Narrow(std::size_t limit) {
  const MutexLock lock(mutex_);
  limit_ = limit;
}

Result<Unconfirmed::Key> Unconfirmed::Add(Confirmed confirmed) {
  const MutexLock lock(mutex_);
  if (closed_) return Error::Make(Code::kFailed, "not_connected", "the connection to the broker is down");
  if (waiting_.size() >= limit_) {
    return Error::Make(Code::kFailed, "in_flight_full", "too many messages wait for their PUBACK");
  }
  const Key key = next_++;
  waiting_.emplace_hint(waiting_.end(), key, std::move(confirmed));
  return key;
}

std::optional<Unconfirmed::Confirmed> Unconfirmed::Take(Key key) {
  const MutexLock lock(mutex_);
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return std::nullopt;
  Confirmed confirmed = std::move(found->second);
  waiting_.erase(found);
  return confirmed;
}

bool Unconfirmed::Withdraw(Key key) { return Take(key).has_value(); }

void Unconfirmed::Tell(Key key, Receipt answer) {
  if (auto confirmed = Take(key)) (*confirmed)(std::move(answer));
}

void Unconfirmed::TellAll(const Receipt& answer) {
  std::map<Key, Confirmed> waiting;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    waiting.swap(waiting_);
  }
  for (auto& [key, confirmed] : waiting) confirmed(answer);
}

}  // namespace registry::mqtt
