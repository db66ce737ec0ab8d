#include "bridge/outbox/patience.h"

#include <algorithm>

namespace registry::outbox {

Patience::Verdict Patience::Failed(const Window::Stuck& head) {
  if (head.seq != head_) {
    head_ = head.seq;
    refusals_ = cut_offs_ = losses_ = 0;
  }
  const auto suspect = [&](ledger::Seq until) { one_by_one_until_ = std::max(one_by_one_until_, until); };
  switch (head.answer.fate) {
    case Publisher::Fate::kTaken:
      break;
    case Publisher::Fate::kImpossible:
      return Verdict::kBury;
    case Publisher::Fate::kRefused:
      suspect(head.seq);
      return ++refusals_ >= kRefusalsMax ? Verdict::kBury : Verdict::kCarryOn;
    case Publisher::Fate::kCutOff:
      suspect(head.until);
      if (head.alone) ++cut_offs_;
      return cut_offs_ >= kCutOffsMax ? Verdict::kBury : Verdict::kCarryOn;
    case Publisher::Fate::kLost:
      if (++losses_ >= kLossesOneByOne) suspect(head.until);
      return losses_ == kLossesComplained ? Verdict::kComplain : Verdict::kCarryOn;
  }
  return Verdict::kCarryOn;
}

}  // namespace registry::outbox
