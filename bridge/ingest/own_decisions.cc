#include "bridge/ingest/own_decisions.h"

#include <algorithm>
#include <tuple>

#include "bridge/ingest/backlog.h"
#include "workers/domain/renewal.h"

namespace registry::ingest {
namespace {

constexpr std::size_t kDueMax = 1000;      // jobs looked at at once
constexpr ledger::Seq kBacklogMax = 1000;  // messages on their way to the broker, above which no job is due

}  // namespace

// While many messages wait for the broker, what was asked last may be among them. Asking again would use up an attempt
// that nobody heard and lengthen the queue: under load every answer would come too late, for good.
std::vector<domain::Job> OwnDecisions::Due() const {
  const auto backlog = MqttBacklog(reader_);
  if (backlog && *backlog > kBacklogMax) return {};
  const UtcTime now = clock_.Now();
  auto due = reader_.JobsDue({now, lifecycle::LatestDue(executor_.terms()->policy, now)}, kDueMax);
  if (!due) {
    observer_.Log(Level::kError, "jobs due: " + due.error().message);
    return {};
  }
  AddUnsent(*due);
  return std::move(*due);
}

// How many of the jobs that wait for this MNO it has room for.
std::size_t OwnDecisions::RoomOf(const ledger::LedgerReader::MnoLoad& mno) const {
  const std::size_t open_max = executor_.terms()->policy.retry.Of(mno.first).open_max;
  return mno.second.open < open_max ? std::min(open_max - mno.second.open, mno.second.unsent) : 0;
}

bool OwnDecisions::SomeoneHasRoom() const {
  const auto loads = reader_.JobLoads();
  return loads &&
         std::any_of(loads->begin(), loads->end(), [this](const auto& load) { return RoomOf(load) > 0; });
}

void OwnDecisions::AddUnsent(std::vector<domain::Job>& jobs) const {
  const auto loads = reader_.JobLoads();
  if (!loads) return observer_.Log(Level::kError, "jobs unsent: " + loads.error().message);
  for (const auto& load : *loads) {
    const std::size_t room = std::min(RoomOf(load), kDueMax);
    if (room == 0) continue;
    const auto unsent = reader_.JobsUnsent(load.first, room);
    if (!unsent) return observer_.Log(Level::kError, "jobs unsent: " + unsent.error().message);
    jobs.insert(jobs.end(), unsent->begin(), unsent->end());
  }
}

std::optional<OwnDecisions::Ending> OwnDecisions::EndingSoon(
    const std::optional<domain::DevicePosition>& after, std::size_t limit) const {
  const auto backlog = MqttBacklog(reader_);
  if (backlog && *backlog > kBacklogMax) return std::nullopt;
  const UtcTime now = clock_.Now();
  const auto terms = executor_.terms();
  const auto& [certificates, renewal] = std::tie(terms->policy.certificate, terms->policy.renewal);
  const auto group = domain::DeviceGroup::ByExpiry(std::nullopt);
  const auto page = reader_.DevicesIn(group, after, domain::EndOfThoseDue(certificates, renewal, now), limit);
  if (!page) {
    observer_.Log(Level::kError, "renewals: " + page.error().message);
    return std::nullopt;
  }
  Ending ending;
  for (const domain::DeviceBrief& device : *page) {
    if (domain::MayBeDue(device, certificates, renewal, now)) ending.due.push_back(device.id);
  }
  if (page->size() == limit) ending.last = domain::PositionIn(group.kind, page->back());
  return ending;
}

void OwnDecisions::SettleRenewal(const DeviceId& device, Resume resume, RenewalEnd end) const {
  const auto stands = std::make_shared<lifecycle::RenewalStanding>();
  const auto decide = [device, stands](domain::Case& at) -> Status {
    const auto decided = lifecycle::DecideRenewal(device, at);
    *stands = decided ? *decided : lifecycle::RenewalStanding{};
    return decided ? Status(Done{}) : decided.error();
  };
  executor_.Settle(decide, "renewal", std::move(resume),
                   [stands, end = std::move(end)](bool) { end(*stands); });
}

void OwnDecisions::SettleDue(const domain::Job& job, Resume resume, End end) const {
  executor_.Settle([job](domain::Case& at) { return lifecycle::DecideDue(job, at); }, "due",
                   std::move(resume), std::move(end));
}

void OwnDecisions::SettleVisible(const domain::ZoneChange& change, Resume resume, End end) const {
  executor_.Settle([change](domain::Case& at) { return lifecycle::DecideVisible(change, at); }, "visible",
                   std::move(resume), std::move(end));
}

}  // namespace registry::ingest
