#include "clients/follow/sequence.h"

#include <algorithm>
#include <iterator>

namespace registry::follow {

void Sequence::Connected() {
  unasked_ = true;
  for (Question& question : asked_) question.id.clear();
}

void Sequence::Heard(Notification notification, Time now) {
  heard_at_ = now;
  last_ = std::max(last_, notification.seq);
  const std::uint64_t seq = notification.seq;
  if (seq <= applied_) return;
  waiting_.insert_or_assign(seq, std::move(notification));
  // The last one goes: of the first one there must always be room, or nothing would ever move.
  if (waiting_.size() > kWaitingMax) waiting_.erase(std::prev(waiting_.end()));
}

const Notification* Sequence::Next() const {
  const auto first = waiting_.begin();
  return first != waiting_.end() && first->first == applied_ + 1 ? &first->second : nullptr;
}

void Sequence::Handled() {
  waiting_.erase(waiting_.begin());
  ++applied_;
  pause_ = kReplayEvery;
}

// A feed has no gap up to its last number, so the count says with which number a replay begins. A full one is only known by
// what it brings. Nothing that was not acknowledged is ever gone.
std::optional<std::pair<std::uint64_t, std::uint64_t>> Sequence::Accepted(bool replay, const Status& status) {
  asked_[replay].id.clear();
  acked_ = std::max(acked_, status.acked);
  if (!replay) return std::nullopt;
  unasked_ = false;
  last_ = std::max(last_, status.last);
  if (applied_ >= status.last) pause_ = kReplayEvery;
  std::uint64_t first = waiting_.empty() ? 0 : waiting_.begin()->first;
  if (status.replayed < kReplayMax) first = status.last + 1 - std::min(status.last, status.replayed);
  const std::uint64_t gone = std::min(status.acked, first == 0 ? 0 : first - 1);
  if (gone <= applied_) return std::nullopt;
  return std::pair(applied_ + 1, gone);
}

void Sequence::Gone(std::uint64_t last) {
  applied_ = std::max(applied_, last);
  waiting_.erase(waiting_.begin(), waiting_.upper_bound(applied_));
}

void Sequence::Rejected(bool replay, std::chrono::milliseconds retry_after, Time now) {
  Question& question = asked_[replay];
  question.id.clear();
  if (retry_after.count() > 0) question.not_before = now + std::max(retry_after, kReplayEvery);
  if (retry_after.count() == 0 && !replay) question.not_before = now + kPauseMax;
}

std::optional<std::uint64_t> Sequence::ReplayDue(Time now) const {
  const Question& question = asked_[true];
  const bool missing = applied_ < last_ && now - heard_at_ > kGapPatience;
  if (!question.id.empty() || now < question.not_before || !(unasked_ || missing)) return std::nullopt;
  return applied_ + 1;
}

std::optional<std::uint64_t> Sequence::AckDue(Time now) const {
  const Question& question = asked_[false];
  if (!question.id.empty() || now < question.not_before || applied_ <= acked_) return std::nullopt;
  return applied_;
}

void Sequence::Asked(bool replay, std::string id, Time now) {
  asked_[replay] = {std::move(id), now, now + (replay ? pause_ : kAckEvery)};
  if (replay) pause_ = std::min(2 * pause_, kPauseMax);
}

bool Sequence::GaveUp(bool replay, Time now, std::chrono::seconds patience) {
  Question& question = asked_[replay];
  if (question.id.empty() || now - question.since <= patience) return false;
  question.id.clear();
  return true;
}

}  // namespace registry::follow
