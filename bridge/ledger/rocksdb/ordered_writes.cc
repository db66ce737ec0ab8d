#include "bridge/ledger/rocksdb/ordered_writes.h"

#include <algorithm>
#include <tuple>

namespace registry::ledger {

void OrderedWrites::MoveTo(rocksdb::WriteBatch& batch, const Store& store) {
  const auto is_range = [](const Write& write) { return write.act == Act::kDeleteRange; };
  const auto before = [](const Write& a, const Write& b) {
    return std::tie(a.column, a.key) < std::tie(b.column, b.key);
  };
  for (auto from = writes_.begin(); from != writes_.end();) {
    const auto to = std::find_if(from, writes_.end(), is_range);
    std::stable_sort(from, to, before);
    from = to == writes_.end() ? to : to + 1;
  }
  for (const Write& write : writes_) {
    auto* const family = store.handle(write.column);
    if (write.act == Act::kPut) {
      batch.Put(family, write.key, write.value);
    } else if (write.act == Act::kDelete) {
      batch.Delete(family, write.key);
    } else {
      batch.DeleteRange(family, write.key, write.value);
    }
  }
  writes_.clear();
}

}  // namespace registry::ledger
