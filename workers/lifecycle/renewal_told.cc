#include "workers/lifecycle/renewal_told.h"

#include <algorithm>
#include <array>
#include <utility>

#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/renewal.h"
#include "workers/domain/standing.h"

namespace registry::lifecycle {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kOutcomes{
    {{kDueEntry, "begun"},
     {kRekeyEntry, "rekey"},
     {kRenewedEntry, "done"},
     {kExpiredEntry, "expired"},
     {kDroppedEntry, "dropped"}}};

// The wait after a failure begins with it.
bool BeginsWait(const domain::Job& job, const domain::HistoryEntry& entry) {
  return job.kind == domain::JobKind::kCredentialStep && job.version == kTimerAfterFailure &&
         job.device() == entry.device && job.created == entry.at;
}

}  // namespace

std::optional<UtcTime> RenewsAt(const domain::Device& device, const domain::CertificatePolicy& certificates,
                                const domain::RenewalPolicy& policy) {
  const domain::IssuedCertificate* const live = domain::LiveCertificate(device);
  if (live == nullptr || !domain::Next(device, domain::Command::kRenew).ok()) return std::nullopt;
  return domain::RenewalDue(device.id, *live, certificates, policy);
}

std::vector<std::string_view> RenewalsOf(const domain::Changeset& changes) {
  std::vector<std::string_view> renewals;
  for (const domain::HistoryEntry& entry : changes.history) {
    for (const auto& [begin, outcome] : kOutcomes) {
      if (entry.what.starts_with(begin)) renewals.push_back(outcome);
    }
    if (entry.what.find(" failed: ") == std::string::npos) continue;
    const auto& put = changes.jobs_put;
    const auto waits = [&](const auto& job) { return BeginsWait(job, entry); };
    if (std::any_of(put.begin(), put.end(), waits)) renewals.push_back("failed");
  }
  return renewals;
}

}  // namespace registry::lifecycle
