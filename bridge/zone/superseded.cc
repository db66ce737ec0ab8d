#include "bridge/zone/superseded.h"

#include <algorithm>

namespace registry::zone {
namespace {

constexpr std::size_t kPage = 4096;

}  // namespace

Status Superseded::Find(const ledger::LedgerReader& ledger, ledger::Seq cursor) {
  const auto last = ledger.OutboxLast(ledger::Sink::kZone);
  if (!last) return last.error();
  until_ = *last;
  for (ledger::Seq seq = cursor; seq < *last;) {
    const auto entries = ledger.OutboxAfter(ledger::Sink::kZone, seq, kPage, std::chrono::milliseconds(0));
    if (!entries) return entries.error();
    if (entries->empty()) break;
    for (const ledger::OutboxEntry& entry : *entries) {
      const auto* change = std::get_if<domain::ZoneChange>(&entry.item);
      if (change == nullptr) continue;
      auto& newest = newest_[change->device];
      newest = std::max(newest, change->revision);
    }
    seq = entries->back().seq;
  }
  return Done{};
}

std::vector<domain::ZoneChange> Superseded::Without(std::vector<domain::ZoneChange> changes) const {
  std::erase_if(changes, [this](const domain::ZoneChange& change) {
    const auto found = newest_.find(change.device);
    return found != newest_.end() && change.revision < found->second;
  });
  return changes;
}

void Superseded::Passed(ledger::Seq read) {
  if (read >= until_) newest_.clear();
}

}  // namespace registry::zone
