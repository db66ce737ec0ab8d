#include "simulators/ota/sms_centre.h"

#include <algorithm>
#include <utility>

namespace registry::sim::ota {
namespace {

constexpr std::uint8_t kNoRoom = 0xd3;  // TP-FCS: memory capacity exceeded

template <class Due, class Take>
void TakeUntil(Due& due, SmsCentre::Clock::time_point now, Take take) {
  const auto end = due.upper_bound(now);
  for (auto at = due.begin(); at != end; ++at) take(at->second);
  due.erase(due.begin(), end);
}

}  // namespace

bool SmsCentre::Happens(double probability) {
  return probability > 0 && std::uniform_real_distribution<double>(0, 1)(dice_) < probability;
}

SmsCentre::Clock::time_point SmsCentre::Late(Clock::time_point now) {
  const auto most = options_.faults.delay_max.count();
  if (most <= 0) return now;
  return now + std::chrono::milliseconds(std::uniform_int_distribution<long>(0, most)(dice_));
}

void SmsCentre::Submit(const std::string& card, const Bytes& user_data, Clock::time_point now) {
  if (waiting_.size() >= kWaitingMost) {
    ++given_up_;
    return;
  }
  const std::uint64_t id = ++last_id_;
  waiting_[id] = {{id, card, user_data}, 0};
  turns_.emplace(now, id);
}

std::vector<SmsCentre::Message> SmsCentre::TakeDue(Clock::time_point now) {
  std::vector<std::uint64_t> ids;
  TakeUntil(turns_, now, [&](std::uint64_t id) { ids.push_back(id); });
  for (const std::uint64_t id : ids) {
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) continue;  // reported meanwhile
    Waiting& waiting = found->second;
    if (++waiting.attempts > options_.attempts_most) {
      ++given_up_;
      waiting_.erase(found);
      continue;
    }
    auto& absent_until = absent_until_[waiting.message.card];
    if (absent_until <= now && Happens(options_.faults.absent))
      absent_until = now + options_.faults.absent_for;
    // An absent subscriber uses no attempt up: the centre is told when it is back.
    if (absent_until > now) {
      --waiting.attempts;
      turns_.emplace(absent_until, id);
      continue;
    }
    turns_.emplace(now + options_.retry_after + options_.faults.delay_max, id);
    if (Happens(options_.faults.lose)) continue;
    on_air_.emplace(Late(now), waiting.message);
    if (Happens(options_.faults.repeat)) on_air_.emplace(Late(now), waiting.message);
  }
  std::vector<Message> due;
  TakeUntil(on_air_, now, [&](Message& message) { due.push_back(std::move(message)); });
  return due;
}

bool SmsCentre::Reported(std::uint64_t id, std::uint8_t failure_cause) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return false;
  if (failure_cause == kNoRoom) return true;  // its next turn stands already
  given_up_ += failure_cause != 0;
  waiting_.erase(found);
  return true;
}

void SmsCentre::Withdraw(const std::string& card) {
  std::erase_if(waiting_, [&](const auto& waits) { return waits.second.message.card == card; });
  std::erase_if(on_air_, [&](const auto& flies) { return flies.second.card == card; });
}

void SmsCentre::Sent(const std::string& card, const Bytes& user_data, Clock::time_point now) {
  if (arriving_.size() >= kWaitingMost || Happens(options_.faults.lose)) return;
  const Message message{0, card, user_data};
  arriving_.emplace(Late(now), message);
  if (Happens(options_.faults.repeat)) arriving_.emplace(Late(now), message);
}

std::vector<SmsCentre::Message> SmsCentre::TakeArrived(Clock::time_point now) {
  std::vector<Message> arrived;
  TakeUntil(arriving_, now, [&](Message& message) { arrived.push_back(std::move(message)); });
  return arrived;
}

SmsCentre::Clock::time_point SmsCentre::NextTurn() const {
  auto next = Clock::time_point::max();
  if (!turns_.empty()) next = std::min(next, turns_.begin()->first);
  if (!on_air_.empty()) next = std::min(next, on_air_.begin()->first);
  if (!arriving_.empty()) next = std::min(next, arriving_.begin()->first);
  return next;
}

}  // namespace registry::sim::ota
