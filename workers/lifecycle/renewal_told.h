// workers/lifecycle/renewal_told.h: what the operator is told of renewals (renewal.h): when a device gets another key, and
// what a decision has made of renewals, to be counted. Pure, any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "workers/domain/changeset.h"
#include "workers/domain/policy.h"

namespace registry::lifecycle {

// From then on a new key is asked for; it may be over, while an MNO is silent or the next certificate is on its way. None:
// the device has no certificate, or gets no other in the state that it is in, as on hold.
std::optional<UtcTime> RenewsAt(const domain::Device& device, const domain::CertificatePolicy& certificates,
                                const domain::RenewalPolicy& policy);

// "begun" by the registry, "rekey" by a party, "done", "failed" (a step did; tried again), "expired", "dropped" (a next
// certificate that the device does not get): each once for every device and time. By what the history is told with them.
std::vector<std::string_view> RenewalsOf(const domain::Changeset& changes);

// How the entries of the history begin, DO NOT CHANGE: ledgers hold them.
inline constexpr std::string_view kDueEntry = "renewal due", kRekeyEntry = "rekey",
                                  kRenewedEntry = "renewed serial=", kExpiredEntry = "expired",
                                  kDroppedEntry = "dropped serial=";
// Job::version of a kCredentialStep that waits after a failure.
inline constexpr std::uint64_t kTimerAfterFailure = 1;

}  // namespace registry::lifecycle
