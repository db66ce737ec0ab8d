#include "bridge/zone/delta.h"

#include <unordered_set>

namespace registry::zone {

std::size_t Delta::octets() const {
  std::size_t sum = 0;
  for (const BlockPtr& block : removed) sum += block->size();
  for (const BlockPtr& block : added) sum += block->size();
  return sum;
}

// By address, not by content: a block is made once and then only handed on, so one that is in both lists came with one
// version and went with another, and whoever takes both steps at once need not hear of it.
void Cancel(Delta& delta) {
  std::unordered_set<const Block*> gone;
  for (const BlockPtr& block : delta.removed) gone.insert(block.get());
  std::unordered_set<const Block*> both;
  for (const BlockPtr& block : delta.added) {
    if (gone.contains(block.get())) both.insert(block.get());
  }
  if (both.empty()) return;
  const auto in_both = [&both](const BlockPtr& block) { return both.contains(block.get()); };
  std::erase_if(delta.removed, in_both);
  std::erase_if(delta.added, in_both);
}

// RFC 1995 §6: what a client with the first version lacks for the last, without the steps in between. Lists are only put
// behind each other; a record that was added and removed on the way stands in both and cancels out.
Delta Condense(const std::vector<DeltaPtr>& versions) {
  Delta whole{versions.front()->from,
              versions.back()->to,
              versions.front()->soa_from,
              versions.back()->soa_to,
              {},
              {}};
  for (const DeltaPtr& version : versions) {
    whole.removed.insert(whole.removed.end(), version->removed.begin(), version->removed.end());
    whole.added.insert(whole.added.end(), version->added.begin(), version->added.end());
  }
  if (versions.size() > 1) Cancel(whole);
  return whole;
}

}  // namespace registry::zone
