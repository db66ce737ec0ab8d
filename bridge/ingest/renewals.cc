#include "bridge/ingest/renewals.h"

#include <utility>

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
        decisions_.SettleRenewal(device, strand.Onward(), [this](const auto& stands) { Settled(stands); });
      });
  if (!posted) Settled({});
}

void Renewals::Settled(const lifecycle::RenewalStanding& stands) {
  const MutexLock lock(mutex_);
  if (stands.due) {
    ++found_.due;
    found_.under_way += stands.under_way ? 1 : 0;
    if (found_.oldest == UtcTime{} || *stands.due < found_.oldest) found_.oldest = *stands.due;
  }
  --open_;
  EndRoundIfDone();
}

void Renewals::EndRoundIfDone() {
  if (open_ > 0 || !last_page_) return;
  last_page_ = false;
  after_.reset();
  next_ = std::chrono::steady_clock::now() + every_;
  ++rounds_;
  due_ = std::exchange(found_, {});
}

void Renewals::Hurry() {
  const MutexLock lock(mutex_);
  next_ = {};
}

RenewalsDue Renewals::due() const {
  const MutexLock lock(mutex_);
  return due_;
}

std::uint64_t Renewals::rounds() const {
  const MutexLock lock(mutex_);
  return rounds_;
}

}  // namespace registry::ingest
