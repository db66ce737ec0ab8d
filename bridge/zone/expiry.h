// bridge/zone/expiry.h: which signatures fall due first; adding, removing and taking the first cost the same in a zone
// of any size. A listed block is kept by its owner until it is removed; it is in one index only, because it knows its own
// place there, so that an entry is one pointer.
// Threads: none of its own; guarded by its owner.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <vector>

#include "bridge/zone/block.h"

namespace registry::zone {

class ExpiryIndex {
 public:
  // Signatures of one slot are taken together; a slot is short against the time between two refreshes.
  explicit ExpiryIndex(std::chrono::seconds slot) : slot_(std::max<std::int64_t>(1, slot.count())) {}

  void Add(const Block& block) { List(block, block.expires() / slot_, 0); }
  void Remove(const Block& block) {
    const auto found = slots_.find(SlotOf(block));
    std::deque<const Block*>& list = found->second;
    const std::uint32_t at = block.place_ & ~kExpedited;
    const Block* const moved = list.back();
    moved->place_ = at | (moved->place_ & kExpedited);
    list[at] = moved;
    list.pop_back();
    if (list.empty()) slots_.erase(found);
  }
  // It is the first to be taken from here on, until it is added anew.
  void Expedite(const Block& block) {
    Remove(block);
    List(block, kFirstSlot, kExpedited);
  }
  std::vector<const Block*> All() const {
    std::vector<const Block*> all;
    for (const auto& [slot, list] : slots_) all.insert(all.end(), list.begin(), list.end());
    return all;
  }
  // Blocks that expire before `time` (UTC seconds), the earliest slot first, at most `limit`; they stay listed.
  std::vector<const Block*> Before(std::int64_t time, std::size_t limit) const {
    std::vector<const Block*> due;
    for (auto slot = slots_.begin(); slot != slots_.end() && slot->first * slot_ < time; ++slot) {
      for (const Block* block : slot->second) {
        if (due.size() >= limit) return due;
        due.push_back(block);
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
  static constexpr std::uint32_t kExpedited = 1u << 31;  // in a place
  static constexpr std::int64_t kFirstSlot = 0;

  std::int64_t SlotOf(const Block& block) const {
    return (block.place_ & kExpedited) != 0 ? kFirstSlot : block.expires() / slot_;
  }
  void List(const Block& block, std::int64_t slot, std::uint32_t mark) {
    std::deque<const Block*>& list = slots_[slot];
    block.place_ = static_cast<std::uint32_t>(list.size()) | mark;
    list.push_back(&block);
  }

  std::int64_t slot_;
  std::map<std::int64_t, std::deque<const Block*>> slots_;
};

}  // namespace registry::zone
