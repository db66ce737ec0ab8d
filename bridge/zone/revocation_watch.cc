#include "bridge/zone/revocation_watch.h"

#include <algorithm>

#include "workers/domain/job_kinds.h"

namespace registry::zone {

using std::chrono::microseconds;

RevocationWatch::RevocationWatch(const ledger::LedgerReader& ledger, const Clock& clock,
                                 std::vector<std::string> servers, RevocationServed told, Time now)
    : ledger_(ledger), clock_(clock), told_(std::move(told)), started_(now) {
  for (std::string& name : servers) servers_.push_back({std::move(name), 0, 0});
}

void RevocationWatch::Published(const std::vector<domain::ZoneChange>& changes, std::uint32_t serial,
                                Time now) {
  if (servers_.empty()) return;
  for (const domain::ZoneChange& change : changes) {
    if (!change.tlsa.empty() || waiting_.size() >= kRevocationsMax) continue;
    if (const auto decided = Decided(change, now)) waiting_.push_back({serial, *decided});
  }
}

// A clock that was set back in between makes nothing take less than no time.
std::optional<RevocationWatch::Time> RevocationWatch::Decided(const domain::ZoneChange& change,
                                                              Time now) const {
  const auto jobs = ledger_.JobsOf(change.device);
  if (!jobs) return std::nullopt;
  for (const domain::Job& job : *jobs) {
    if (job.kind != domain::JobKind::kZoneVisible || job.version != change.revision) continue;
    return now - std::max(clock_.Now() - job.created, microseconds(0));
  }
  return std::nullopt;
}

void RevocationWatch::Renumber(std::uint32_t serial) {
  for (Revocation& revocation : waiting_) revocation.serial = serial;
}

void RevocationWatch::Look(const Serves& serves, Time now) {
  if (waiting_.empty()) return;
  std::uint64_t everywhere = end();
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[i];
    for (; server.serves < end(); ++server.serves) {
      const Revocation& next = waiting_[server.serves - gone_];
      const auto has = serves(i, next.serial);
      if (has == false) server.lacked = end();
      if (!has.value_or(false)) break;
      Tell(server, next, now);
    }
    everywhere = std::min(everywhere, server.serves);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(everywhere - gone_));
  gone_ = everywhere;
}

void RevocationWatch::Tell(const Server& server, const Revocation& revocation, Time now) const {
  if (!told_ || (revocation.decided < started_ && server.serves >= server.lacked)) return;
  told_(server.name, std::chrono::duration_cast<microseconds>(now - revocation.decided));
}

std::chrono::milliseconds RevocationWatch::waits(std::size_t server, Time now) const {
  const std::uint64_t next = servers_[server].serves;
  Time since = std::min(now, pending_.value_or(now));
  if (next < end()) since = std::min(since, waiting_[next - gone_].decided);
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - since);
}

}  // namespace registry::zone
