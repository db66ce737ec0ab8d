#include "bridge/ledger/keyed/sharing.h"

#include "bridge/ledger/keyed/keys.h"

namespace registry::ledger {

Status Sharing::Enter(const std::vector<const Encoded*>& changesets) {
  for (;;) {
    const auto entered = TryToEnter(changesets);
    if (!entered) return entered.error();
    if (*entered) return Done{};
  }
}

Result<bool> Sharing::TryToEnter(const std::vector<const Encoded*>& changesets) {
  ahead_.Begin();
  const auto places =
      ahead_.Want(changesets, [this](const std::string& device) { return devices_.Knows(device); });
  auto entered = writes_.Enter(places);
  if (!entered) return entered.error();
  ahead_.Take(places, std::move(entered->stored));
  const auto taken = Take(entered->changes);
  auto read = taken ? ReadMoved(changesets) : Result<bool>(taken.error());
  if (!read) (void)writes_.Leave();  // the others wait for its end
  return read;
}

// Devices that were known until another wrote them just now.
Result<bool> Sharing::ReadMoved(const std::vector<const Encoded*>& changesets) {
  const auto moved =
      ahead_.Want(changesets, [this](const std::string& device) { return devices_.Knows(device); });
  if (moved.empty()) return true;
  auto stored = writes_.Ask(moved);
  if (!stored) return stored.error();
  if (!*stored) return false;
  ahead_.Take(moved, std::move(**stored));
  return true;
}

Status Sharing::Look(SharedWrites::Patience patience) {
  const auto changes = writes_.Look(patience);
  return changes ? Take(*changes) : Status(changes.error());
}

Status Sharing::Take(const SharedWrites::Changes& changes) {
  if (changes.empty()) return Done{};
  Ledger::Others others;
  for (const std::string& octets : changes) {
    const auto change = DecodeChange(octets);
    if (!change) return change.error();
    for (const auto& [device, version] : change->devices) devices_.Forget(keys::OfDevice(device));
    Apply(*change, live_);
    others.jobs = others.jobs || !change->jobs.empty();
    others.orders = others.orders || change->orders;
  }
  live_.ReadByItsWriter();
  tail_.Reach(EndsOf(live_.head));
  const MutexLock lock(mutex_);
  if (tell_ && (others.jobs || others.orders)) tell_(others);
  return Done{};
}

void Sharing::WhenOthersWrote(std::function<void(const Ledger::Others&)> tell) {
  const MutexLock lock(mutex_);
  tell_ = std::move(tell);
}

}  // namespace registry::ledger
