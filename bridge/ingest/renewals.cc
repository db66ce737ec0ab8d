#include "bridge/ingest/renewals.h"

#include "workers/domain/compose.h"

namespace registry::ingest {

void Renewals::Look() {
  std::optional<domain::DevicePosition> after;
  {
    const MutexLock lock(mutex_);
    if (open_ > 0 || std::chrono::steady_clock::now() < next_) return;
    after = after_;
  }
  const auto page = decisions_.EndingSoon(after, kPage);
  if (!page) return;  // later
  {
    const MutexLock lock(mutex_);
    open_ = page->due.size();
    last_page_ = !page->last;
    after_ = page->last;
    EndRoundIfDone();
  }
  for (const DeviceId& device : page->due) Post(device);
}

void Renewals::Post(const DeviceId& device) {
  const bool posted = lanes_.Post(
      std::hash<DeviceId>{}(device), domain::RegistryParty().text(), [this, device](const Strand& strand) {
        decisions_.SettleRenewal(device, strand.Onward(), [this](bool) { Settled(); });
      });
  if (!posted) Settled();
}

void Renewals::Settled() {
  const MutexLock lock(mutex_);
  --open_;
  EndRoundIfDone();
}

void Renewals::EndRoundIfDone() {
  if (open_ > 0 || !last_page_) return;
  last_page_ = false;
  after_.reset();
  next_ = std::chrono::steady_clock::now() + every_;
  ++rounds_;
}

void Renewals::Hurry() {
  const MutexLock lock(mutex_);
  next_ = {};
}

std::uint64_t Renewals::rounds() const {
  const MutexLock lock(mutex_);
  return rounds_;
}

}  // namespace registry::ingest
