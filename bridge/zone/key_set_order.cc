#include "bridge/zone/key_set_order.h"

#include <algorithm>
#include <array>

namespace registry::zone {
namespace {

template <typename T>
std::size_t PlaceIn(std::initializer_list<T> order, T what) {
  return static_cast<std::size_t>(std::ranges::find(order, what) - order.begin());
}

// Both as a roll-over, of keys or of the algorithm, goes through them.
std::size_t StageOf(KeyState state) {
  using enum KeyState;
  return PlaceIn({kPreActive, kPublished, kReady, kActive, kRetired, kPostActive}, state);
}
std::size_t StageOf(RollStep step) {
  using enum RollStep;
  return PlaceIn({kSign, kPublish, kSubmit, kRetire, kWithdraw, kUnsign}, step);
}

bool HasRemoved(const KeySet& set, std::uint16_t tag) {
  return std::ranges::find(set.removed, tag) != set.removed.end();
}

bool KeyIsAhead(const KeyEntry& key, const KeySet& of) {
  const KeyEntry* const there = of.Find(key.tag);
  return there == nullptr ? !HasRemoved(of, key.tag) : StageOf(key.state) > StageOf(there->state);
}

bool RollIsAhead(const Roll& roll, const KeySet& of) {
  const Roll* const there = of.RollOf(roll.role);
  return there != nullptr && there->to == roll.to && StageOf(roll.step) > StageOf(there->step);
}

// A set with as many removed keys as it remembers may have forgotten this one.
bool RemovalIsAhead(std::uint16_t tag, const KeySet& of) {
  return of.Find(tag) != nullptr || (!HasRemoved(of, tag) && of.removed.size() < kRemovedMax);
}

bool IsAhead(const KeySet& set, const KeySet& of) {
  return std::ranges::any_of(set.keys, [&](const KeyEntry& key) { return KeyIsAhead(key, of); }) ||
         std::ranges::any_of(set.removed, [&](std::uint16_t tag) { return RemovalIsAhead(tag, of); }) ||
         std::ranges::any_of(set.rolls, [&](const Roll& roll) { return RollIsAhead(roll, of); });
}

}  // namespace

SetOrder OrderOf(const KeySet& set, const KeySet& other) {
  const bool ahead = IsAhead(set, other), behind = IsAhead(other, set);
  if (ahead && behind) return SetOrder::kApart;
  return ahead ? SetOrder::kLater : behind ? SetOrder::kEarlier : SetOrder::kAlike;
}

std::string TagsOf(const KeySet& set) {
  return std::to_string(set.Anchor().tag) + "/" + std::to_string(set.Signer().tag);
}

bool HasSigned(const KeySet& set, std::uint16_t tag) {
  const KeyEntry* const key = set.Find(tag);
  if (key == nullptr) return HasRemoved(set, tag);
  // A CSK that is ready signs the zone's data (key_set.h, Signer).
  return StageOf(key->state) >= StageOf(key->role == KeyRole::kCsk ? KeyState::kReady : KeyState::kActive);
}

}  // namespace registry::zone
