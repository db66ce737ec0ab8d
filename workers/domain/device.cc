#include "workers/domain/device.h"

#include "schemas/base/check.h"
#include "workers/domain/changeset.h"

namespace registry::domain {

std::string_view StateName(State state) {
  switch (state) {
    case State::kRegistered:
      return "registered";
    case State::kAttached:
      return "attached";
    case State::kCertified:
      return "certified";
    case State::kPublished:
      return "published";
    case State::kActive:
      return "active";
    case State::kDeactivated:
      return "deactivated";
    case State::kDeleted:
      return "deleted";
  }
  REG_CHECK(false);
}

std::optional<State> StateOf(std::string_view name) {
  for (int number = 1; number <= static_cast<int>(State::kDeleted); ++number) {
    const auto state = static_cast<State>(number);
    if (StateName(state) == name) return state;
  }
  return std::nullopt;
}

bool Changeset::empty() const {
  return !mark && devices.empty() && endpoints.empty() && endpoints_erase.empty() && claims.empty() &&
         releases.empty() && jobs_put.empty() && jobs_erase.empty() && history.empty() && messages.empty() &&
         notifications.empty() && zone.empty() && revocations.empty() && dead_letters.empty() &&
         feed_acks.empty() && orders.empty() && order_items.empty() && orders_erase.empty() && !marks_from &&
         marks_erase.empty() && revocations_erase.empty();
}

}  // namespace registry::domain
