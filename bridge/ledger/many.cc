#include "bridge/ledger/ledger.h"

namespace registry::ledger {

Result<std::vector<std::optional<DeviceId>>> LedgerReader::FindUniques(
    const std::vector<domain::UniqueValue>& values) const {
  std::vector<std::optional<DeviceId>> holders;
  holders.reserve(values.size());
  for (const auto& value : values) {
    const auto holder = FindUnique(value);
    if (!holder) return holder.error();
    holders.push_back(*holder);
  }
  return holders;
}

Result<std::vector<std::optional<domain::EventMark>>> LedgerReader::FindEvents(
    const std::vector<EventKey>& wanted) const {
  std::vector<std::optional<domain::EventMark>> marks;
  marks.reserve(wanted.size());
  for (const auto& [source, id] : wanted) {
    auto mark = FindEvent(source, id);
    if (!mark) return mark.error();
    marks.push_back(std::move(*mark));
  }
  return marks;
}

}  // namespace registry::ledger
