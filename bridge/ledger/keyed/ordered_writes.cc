#include "bridge/ledger/keyed/ordered_writes.h"

#include <algorithm>
#include <tuple>

namespace registry::ledger {

const std::vector<OrderedWrites::Write>& OrderedWrites::InOrder() {
  const auto is_range = [](const Write& write) { return write.act == Act::kDeleteRange; };
  const auto before = [](const Write& a, const Write& b) {
    return std::tie(a.column, a.key) < std::tie(b.column, b.key);
  };
  for (auto from = writes_.begin(); from != writes_.end();) {
    const auto to = std::find_if(from, writes_.end(), is_range);
    std::stable_sort(from, to, before);
    from = to == writes_.end() ? to : to + 1;
  }
  return writes_;
}

void OrderedWrites::Clear() {
  writes_.clear();
  kept_.clear();
}

}  // namespace registry::ledger
