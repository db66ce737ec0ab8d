#include "bridge/app/census.h"

#include <algorithm>

namespace registry::app {
namespace {

constexpr std::size_t kCensusPage = 500;
constexpr int kRestsFor = 20;
constexpr std::chrono::seconds kRoundRestMin{2}, kRoundRestMax{60};
constexpr domain::State kCountedStates[] = {domain::State::kRegistered, domain::State::kAttached,
                                            domain::State::kCertified,  domain::State::kPublished,
                                            domain::State::kActive,     domain::State::kDeactivated,
                                            domain::State::kDeleted};

// Places of kEndsNames.
std::size_t EndsClass(UtcTime expires, UtcTime now) {
  constexpr std::array<int, 4> kDays = {1, 7, 30, 90};
  if (expires <= now) return 0;
  const auto within = std::find_if(kDays.begin(), kDays.end(),
                                   [&](int days) { return expires <= now + std::chrono::hours(24 * days); });
  return 1 + static_cast<std::size_t>(within - kDays.begin());
}

}  // namespace

void CensusCounts::Add(const domain::DeviceBrief& device) {
  ++states[device.state];
  if (device.state == domain::State::kDeleted) return;
  ++parties[device.sponsor].sponsored;
  if (device.claimer) ++parties[*device.claimer].claimed;
  const auto holds = [](domain::DeviceStatus status) {
    return status == domain::DeviceStatus::kClientHold || status == domain::DeviceStatus::kSponsorHold ||
           status == domain::DeviceStatus::kServerHold;
  };
  if (std::any_of(device.statuses.begin(), device.statuses.end(), holds)) ++on_hold;
  if (device.expires != UtcTime{}) ++ends[EndsClass(device.expires, taken)];
}

Census::Census(const ledger::LedgerReader& ledger, const Clock& clock, LogLine log)
    : ledger_(ledger), clock_(clock), log_(std::move(log)) {}

void Census::Start() {
  thread_.Start("census", [this] { Run(); });
}

CensusCounts Census::counts() const {
  const MutexLock lock(mutex_);
  return counts_;
}

void Census::Run() {
  Steady::duration rest{};
  do {
    const auto worked = Round();
    rest = worked ? std::clamp<Steady::duration>(*worked * kRestsFor, kRoundRestMin, kRoundRestMax)
                  : Steady::duration(kRoundRestMax);
    if (!worked && said_.Due(worked.error().message, Steady::now()))
      log_.Error("devices are not counted: " + worked.error().message);
    MutexLock lock(mutex_);
    if (!thread_.Rest(lock, rest)) return;
  } while (true);
}

Result<Census::Steady::duration> Census::Round() {
  CensusCounts counts;
  counts.taken = clock_.Now();
  for (const domain::State state : kCountedStates) counts.states[state] = 0;
  Steady::duration worked{};
  for (const auto& group : {domain::DeviceGroup::Of(std::nullopt),
                            domain::DeviceGroup::In(domain::State::kDeleted, std::nullopt)}) {
    const auto whole = Walk(group, counts, worked);
    if (!whole) return whole.error();
    if (!*whole) return worked;
  }
  const MutexLock lock(mutex_);
  counts_ = std::move(counts);
  return worked;
}

Result<bool> Census::Walk(const domain::DeviceGroup& group, CensusCounts& counts, Steady::duration& worked) {
  std::optional<domain::DevicePosition> after;
  while (true) {
    const auto begun = Steady::now();
    const auto page = ledger_.DevicesIn(group, after, std::nullopt, kCensusPage);
    if (!page) return page.error();
    for (const domain::DeviceBrief& device : *page) counts.Add(device);
    const auto took = Steady::now() - begun;
    worked += took;
    if (page->size() < kCensusPage) return !thread_.stopping();
    after = domain::PositionIn(group.kind, page->back());
    MutexLock lock(mutex_);
    if (!thread_.Rest(lock, took * kRestsFor)) return false;
  }
}

}  // namespace registry::app
