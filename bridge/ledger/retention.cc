#include "bridge/ledger/retention.h"

#include <algorithm>

#include "bridge/ledger/sound.h"

namespace registry::ledger {
namespace {

constexpr std::size_t kErasedAtOnce = 2048;  // of one commit, which others wait for
constexpr int kCommitsOfATick = 32;
constexpr domain::Day kAhead = 1;                         // for senders' clocks
constexpr auto kBehindMax = std::chrono::hours(30 * 24);  // what this registry's clock may be without harm

UtcTime StartOf(domain::Day day) { return {static_cast<std::int64_t>(day) * domain::kDayMicros}; }

}  // namespace

// Its mark is not of a day before the one it was said on (TimeOfMark). Marks of earlier versions are of the day of the
// decision; so that a sender's clock may have been ahead of it, a day more is refused.
bool MayBeForgotten(UtcTime said, const MarksKept& kept) {
  return kept.from > 0 && domain::DayOf(said) < kept.from + kAhead;
}

UtcTime TimeOfMark(UtcTime now, std::optional<UtcTime> said, const MarksKept& kept) {
  if (!said) return now;
  const UtcTime latest = std::max(now, StartOf(kept.from)) + kBehindMax;
  return std::max(now, std::min(*said, latest));
}

domain::Day Retention::FirstKept(UtcTime time) const {
  const domain::Day today = domain::DayOf(time);
  return today > days_ + kAhead ? today - days_ - kAhead : 0;
}

Result<std::optional<domain::Day>> Retention::OldestDay() {
  const auto oldest = ledger_.DayMarksAfter(erased_, 1);
  if (!oldest) return oldest.error();
  const auto day = oldest->empty() ? std::optional<domain::Day>() : oldest->front().day;
  oldest_ = day ? StartOf(*day).seconds() : 0;
  return day;
}

Result<bool> Retention::Tick(UtcTime clock, CarefulClock::Steady steady) {
  const auto oldest = OldestDay();
  if (!oldest) return oldest.error();
  // The last day on which all marks there are have to be kept.
  if (!careful_) careful_.emplace(*oldest ? StartOf(**oldest + days_ + kAhead) : clock, steady);
  const domain::Day first_kept = FirstKept(careful_->Now(clock, steady));
  const auto kept = ledger_.LoadMarksKept();
  if (!kept) return kept.error();
  if (!*oldest || **oldest >= std::max(first_kept, kept->from)) return false;
  if (first_kept > kept->from) {
    domain::Changeset changes;
    changes.marks_from = first_kept;
    if (auto noted = CommitSound(ledger_, std::move(changes)); !noted) return noted.error();
  }
  for (int commits = 0; commits < kCommitsOfATick; ++commits) {
    const auto more = EraseSome();
    if (!more || !*more) return more;
  }
  return true;
}

Result<bool> Retention::EraseSome() {
  const auto kept = ledger_.LoadMarksKept();
  if (!kept) return kept.error();
  auto marks = ledger_.DayMarksAfter(erased_, kErasedAtOnce);
  if (!marks) return marks.error();
  const std::size_t read = marks->size();
  std::erase_if(*marks, [&](const domain::DayMark& mark) { return mark.day >= kept->from; });
  if (marks->empty()) return false;
  const bool more = marks->size() == read;
  domain::DayMark last = marks->back();
  domain::Changeset changes;
  changes.marks_erase = std::move(*marks);
  if (auto erased = CommitSound(ledger_, std::move(changes)); !erased) return erased.error();
  erased_ = std::move(last);
  if (auto oldest = OldestDay(); !oldest) return oldest.error();
  return more;
}

}  // namespace registry::ledger
