#include "workers/domain/order.h"

#include <array>

#include "schemas/base/check.h"

namespace registry::domain {
namespace {

constexpr std::array<std::string_view, 6> kKinds{"deactivate", "delete", "reprovision",
                                                 "suspend",    "resume", "rekey"};
constexpr std::array<std::string_view, 4> kStates{"running", "paused", "cancelled", "done"};
constexpr std::array<std::string_view, 4> kOutcomes{"done", "refused", "failed", "skipped"};

template <class Names, class E>
std::string_view NameOf(const Names& names, E value) {
  const auto place = static_cast<std::size_t>(value) - 1;
  REG_CHECK(place < names.size());
  return names[place];
}

template <class E, class Names>
std::optional<E> ValueOf(const Names& names, std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<E>(i + 1);
  }
  return std::nullopt;
}

}  // namespace

std::string_view OrderKindName(OrderKind kind) { return NameOf(kKinds, kind); }
std::optional<OrderKind> OrderKindOf(std::string_view name) { return ValueOf<OrderKind>(kKinds, name); }
std::string_view OrderStateName(OrderState state) { return NameOf(kStates, state); }
std::string_view ItemOutcomeName(ItemOutcome outcome) { return NameOf(kOutcomes, outcome); }
std::optional<ItemOutcome> ItemOutcomeOf(std::string_view name) {
  return ValueOf<ItemOutcome>(kOutcomes, name);
}

void OrderCounts::Add(ItemOutcome outcome) {
  switch (outcome) {
    case ItemOutcome::kDone:
      ++done;
      break;
    case ItemOutcome::kRefused:
      ++refused;
      break;
    case ItemOutcome::kFailed:
      ++failed;
      break;
    case ItemOutcome::kSkipped:
      ++skipped;
      break;
  }
}

}  // namespace registry::domain
