// bridge/zone/expiry.h: which signatures fall due first; adding, removing and taking the first cost the same in a zone
// of any size. Cells must not move while they are listed.
// Threads: none of its own; guarded by its owner.
#pragma once

#include <list>
#include <map>

#include "bridge/zone/rrset.h"

namespace registry::zone {

// One signed RRset's place in the zone.
struct Cell {
  BlockPtr block;
  std::int64_t slot = 0;
  std::list<Cell*>::iterator at;
};

class ExpiryIndex {
 public:
  // Signatures of one slot are taken together; a slot is short against the time between two refreshes.
  explicit ExpiryIndex(std::chrono::seconds slot) : slot_(std::max<std::int64_t>(1, slot.count())) {}

  void Add(Cell& cell) { List(cell, cell.block->expires / slot_); }
  void Remove(Cell& cell) {
    const auto found = slots_.find(cell.slot);
    found->second.erase(cell.at);
    if (found->second.empty()) slots_.erase(found);
  }
  // It is the first to be taken from here on, until it is added anew.
  void Expedite(Cell& cell) {
    Remove(cell);
    List(cell, 0);
  }
  std::vector<Cell*> All() const {
    std::vector<Cell*> all;
    for (const auto& [slot, list] : slots_) all.insert(all.end(), list.begin(), list.end());
    return all;
  }
  // Cells that expire before `time` (UTC seconds), the earliest first, at most `limit`; they stay listed.
  std::vector<Cell*> Before(std::int64_t time, std::size_t limit) const {
    std::vector<Cell*> due;
    for (auto slot = slots_.begin(); slot != slots_.end() && slot->first * slot_ < time; ++slot) {
      for (Cell* cell : slot->second) {
        if (due.size() >= limit) return due;
        due.push_back(cell);
      }
    }
    return due;
  }
  // UTC seconds; nullopt when nothing is signed.
  std::optional<std::int64_t> First() const {
    if (slots_.empty()) return std::nullopt;
    return slots_.begin()->first * slot_;
  }

 private:
  void List(Cell& cell, std::int64_t slot) {
    cell.slot = slot;
    auto& list = slots_[slot];
    cell.at = list.insert(list.end(), &cell);
  }

  std::int64_t slot_;
  std::map<std::int64_t, std::list<Cell*>> slots_;
};

}  // namespace registry::zone
