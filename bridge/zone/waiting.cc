#include "bridge/zone/waiting.h"

namespace registry::zone {

void Waiting::StartBehind(ledger::Seq read) {
  batch_ = Batch();
  batch_.after = batch_.last = read;
  batch_.changes.emplace();
  entries_ = 0;
}

Status Waiting::Read(std::chrono::milliseconds wait) {
  if (entries_ >= max_) return Done{};
  auto entries = ledger_.OutboxAfter(ledger::Sink::kZone, batch_.last, max_ - entries_,
                                     empty() ? wait : std::chrono::milliseconds(0));
  if (!entries) return entries.error();
  for (ledger::OutboxEntry& entry : *entries) {
    batch_.last = entry.seq;
    ++entries_;
    auto* change = std::get_if<domain::ZoneChange>(&entry.item);
    if (change == nullptr) continue;
    if (change->tlsa.empty() && !revokes()) batch_.revokes_since = std::chrono::steady_clock::now();
    batch_.changes->push_back(std::move(*change));
  }
  return Done{};
}

Batch Waiting::Take() {
  Batch taken = std::move(batch_);
  StartBehind(taken.last);
  return taken;
}

}  // namespace registry::zone
