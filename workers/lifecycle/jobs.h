// workers/lifecycle/jobs.h: work that waits for an MNO, from its first sending to its last retry. Pure.
#pragma once

#include "workers/domain/compose.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/sending.h"

namespace registry::lifecycle {

// Asks the sponsor for a new key pair on the applet, or for the applet to be emptied.
Status AskForKey(domain::Device& device, const View& view, const Context& context, const Policy& policy,
                 domain::Changeset& changes);
Status AskForWipe(const domain::Device& device, const View& view, const Context& context,
                  const Policy& policy, domain::Changeset& changes);
// Composes the payload for this endpoint and sends it to the sponsor.
Status PushPayload(domain::Device& device, const domain::EndpointRecord& endpoint, const View& view,
                   const Context& context, const Policy& policy, const domain::Signer& signer,
                   domain::Changeset& changes);
// Puts the alarm for a zone change that must become visible.
void ExpectVisible(const domain::Device& device, const Context& context, const Policy& policy,
                   domain::Changeset& changes);
// Ends every job of that kind; the caller puts the device.
Status EndJobs(domain::Device& device, const View& view, domain::JobKind kind, domain::Changeset& changes);
// Ends every job but a wipe: what an MNO was asked to wipe it may still wipe, so that is not forgotten before it ends.
Status EndAllButWipe(domain::Device& device, const View& view, domain::Changeset& changes);
bool Waits(const std::vector<domain::Job>& jobs, domain::JobKind kind);
Result<bool> Waits(const domain::Device& device, domain::JobKind kind, const View& view);
// A reactivated device's wipe is no longer wanted, only waited for, as long as the MNO may still carry it out: it is not
// sent again, and nothing puts its end off. Deactivated or deleted anew, the device needs it as before.
bool Unwanted(const domain::Job& job, const domain::Device& device);
// For the device that is reactivated: whether a wipe waits. It then ends at the deadline the MNO was told, at the latest;
// one that no MNO was sent is called off.
Result<bool> StopWanting(const domain::Device& device, const View& view, domain::Changeset& changes);
// What waited for the applet to be empty: the eSIM of a deleted device, the new key of a reactivated one.
Status AfterWipe(domain::Device& device, const View& view, const Context& context, const Policy& policy,
                 domain::Changeset& changes);
// A step failed: in the trace and history, `device.failed` to sponsor and claimer. The caller puts the device.
void ReportFailure(domain::Device& device, std::string step, Error error, const Context& context,
                   const Policy& policy, const std::optional<EventId>& cause, domain::Changeset& changes);
// The job failed for good, by the command that is its cause or because its MNO was silent: erased and reported. A wipe
// given up has ended too: AfterWipe.
Status FailJob(const domain::Job& job, domain::Device device, Error error, const View& view,
               const Context& context, const Policy& policy, const std::optional<EventId>& cause,
               domain::Changeset& changes);

// One notification to each party that has a stake in the device.
template <class Message>
void NotifyStakeholders(const domain::Device& device, std::string_view type, const Message& message,
                        const Context& context, const std::optional<EventId>& cause,
                        domain::Changeset& changes) {
  changes.notifications.push_back(domain::Notify(domain::Sponsor(device), type, message, context, cause));
  const auto claimer = domain::Claimer(device);
  if (!claimer) return;
  changes.notifications.push_back(domain::Notify(*claimer, type, message, context, cause));
}

}  // namespace registry::lifecycle
