#include "bridge/ledger/keyed/store.h"

namespace registry::ledger {

Result<std::vector<Store::Stored>> Store::GetAll(const std::vector<Place>& places) const {
  std::vector<Stored> all;
  all.reserve(places.size());
  for (const auto& [column, key] : places) {
    auto stored = Get(column, key);
    if (!stored) return stored.error();
    all.push_back(std::move(*stored));
  }
  return all;
}

}  // namespace registry::ledger
