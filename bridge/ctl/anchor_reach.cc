#include "bridge/ctl/anchor_reach.h"

#include <algorithm>

#include "workers/domain/standing.h"
#include "workers/domain/trace.h"

namespace registry::ctl {
namespace {

constexpr std::size_t kDevicesAtOnce = 1000;

bool WorksWithOne(const domain::Device& device) {
  const bool works = device.state == domain::State::kPublished || device.state == domain::State::kActive;
  const domain::Binding* const live = domain::LiveBinding(device);
  return works && live != nullptr && live->composed > 0;
}

// Whatever it was made for: that of a transfer under way is the newest, and the ASP of before has had its own.
bool NewestIsConfirmed(const domain::Device& device) {
  return !domain::PayloadOwed(device) && domain::DeliveredVersion(device) == domain::PayloadVersion(device);
}

bool AnyOf(const std::set<std::string>& these, const std::set<std::string>& those) {
  return std::any_of(these.begin(), these.end(), [&](const std::string& one) { return those.contains(one); });
}

}  // namespace

std::size_t BelievedAnchors::PlaceOf(const domain::Device& device, std::optional<std::size_t> step) const {
  std::size_t place = unknown();
  if (!step) return place;
  const UtcTime made = device.trace[*step].at;
  for (std::size_t i = 0; i < given.size() && given[i].since <= made; ++i) place = i;
  return place;
}

BelievedAnchors::Held BelievedAnchors::HeldBy(const domain::Device& device) const {
  const domain::PayloadSteps steps = domain::PayloadStepsOf(device);
  const std::size_t newest = PlaceOf(device, steps.newest);
  if (NewestIsConfirmed(device)) return {newest, none()};
  if (domain::DeliveredVersion(device) == 0) return {none(), newest};
  return {PlaceOf(device, steps.confirmed), newest};
}

bool BelievedAnchors::Has(std::size_t place, const std::set<std::string>& labels) const {
  return place < given.size() && AnyOf(labels, given[place].labels);
}

std::uint64_t BelievedAnchors::Sum(const std::function<bool(const Held&)>& counts) const {
  std::uint64_t sum = 0;
  for (const auto& [held, devices] : devices_) sum += counts(held) ? devices : 0;
  return sum;
}

void BelievedAnchors::Add(const domain::Device& device) {
  if (WorksWithOne(device)) ++devices_[HeldBy(device)];
}

BelievedAnchors::Lack BelievedAnchors::LackOf(const domain::Device& device,
                                              const std::set<std::string>& labels) const {
  if (!WorksWithOne(device)) return Lack::kNothing;
  const Held held = HeldBy(device);
  const auto has_all = [&](std::size_t place) {
    return place < given.size() && std::ranges::includes(given[place].labels, labels);
  };
  if (has_all(held.confirmed)) return Lack::kNothing;
  return has_all(held.under_way) ? Lack::kConfirmation : Lack::kPayload;
}

std::uint64_t BelievedAnchors::devices() const {
  return Sum([](const Held&) { return true; });
}

BelievedAnchors::Count BelievedAnchors::With(const std::set<std::string>& labels) const {
  const auto confirmed = [&](const Held& held) { return Has(held.confirmed, labels); };
  return {Sum(confirmed),
          Sum([&](const Held& held) { return !confirmed(held) && Has(held.under_way, labels); })};
}

std::uint64_t BelievedAnchors::LostWith(const std::set<std::string>& labels) const {
  return Sum([&](const Held& held) {
    return !Has(held.confirmed == none() ? held.under_way : held.confirmed, labels);
  });
}

bool BelievedAnchors::Everywhere(const std::set<std::string>& labels) const {
  return std::all_of(labels.begin(), labels.end(),
                     [this](const std::string& label) { return LostWith({label}) == 0; });
}

std::uint64_t BelievedAnchors::MayBelieve(const std::string& label) const {
  return Sum([&](const Held& held) {
    const auto may = [&](std::size_t place) { return place == unknown() || Has(place, {label}); };
    return may(held.confirmed) || may(held.under_way);
  });
}

Status ForEachDevice(const ledger::LedgerReader& ledger,
                     const std::function<void(const std::vector<domain::Device>& page)>& take) {
  std::optional<DeviceId> after;
  for (;;) {
    const auto page = ledger.DevicesAfter(after, kDevicesAtOnce);
    if (!page) return page.error();
    take(*page);
    if (page->size() < kDevicesAtOnce) return Done{};
    after = page->back().id;
  }
}

Result<BelievedAnchors> LookAtDevices(const ledger::LedgerReader& ledger) {
  auto given = app::ReadAnchorsGiven(ledger);
  if (!given) return given.error();
  BelievedAnchors believed(std::move(*given));
  const auto looked = ForEachDevice(ledger, [&](const std::vector<domain::Device>& page) {
    for (const auto& device : page) believed.Add(device);
  });
  if (!looked) return looked.error();
  return believed;
}

}  // namespace registry::ctl
