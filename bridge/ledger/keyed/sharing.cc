#include "bridge/ledger/keyed/sharing.h"

#include "bridge/ledger/keyed/keys.h"

namespace registry::ledger {

Status Sharing::Enter(const std::vector<const Encoded*>& changesets) {
  const auto known = [this](const std::string& device) { return devices_.Knows(device); };
  ahead_.Begin();
  const auto places = ahead_.Want(changesets, known);
  auto entered = writes_.Enter(places);
  if (!entered) return entered.error();
  ahead_.Take(places, std::move(entered->stored));
  auto read = Take(entered->changes);
  if (read) read = ReadMoved(changesets);
  if (!read) (void)writes_.Leave();  // the others wait for its end
  return read;
}

// Devices that were known until another wrote them just now.
Status Sharing::ReadMoved(const std::vector<const Encoded*>& changesets) {
  const auto moved =
      ahead_.Want(changesets, [this](const std::string& device) { return devices_.Knows(device); });
  if (moved.empty()) return Done{};
  auto stored = ahead_.store().GetAll(moved);
  if (!stored) return stored.error();
  ahead_.Take(moved, std::move(*stored));
  return Done{};
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
