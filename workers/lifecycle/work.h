// workers/lifecycle/work.h: what the life of a device asks of its MNO, and what follows when that fails or has ended. Jobs
// themselves are workers/jobs'. Pure.
#pragma once

#include <functional>

#include "workers/domain/standing.h"
#include "workers/jobs/jobs.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {

// Asks the sponsor for a new key pair on the applet.
Status AskForKey(domain::Device& device, Case& at);
// An endpoint of the sender's, for a decision that leads a device to it: what is committed rests on the endpoint as it is
// now. 2303 "endpoint_unknown".
Result<domain::EndpointRecord> EndpointToBind(const EndpointName& name, Case& at);
// Composes the payload for this endpoint and sends it to the sponsor, in place of an older one that waits.
Status PushPayload(domain::Device& device, const domain::EndpointRecord& endpoint, Case& at);
// The same for the endpoint of its live binding, or for no ASP where there is none (payload_push.h). Nothing when the
// endpoint is gone.
Status PushPayload(domain::Device& device, Case& at);
// Does with the device and the changes what `push` does, whole or not at all: a payload that cannot be made is reported, and
// does not undo what was decided; attach, which finds nobody pushing, makes it anew. False: so it was.
Result<bool> PushOrReport(domain::Device& device, const std::function<Status(domain::Device&)>& push,
                          Case& at);
// What the device still owes or is owed, and nobody waits for: its key, or its payload once DNS shows its certificate. On
// hold nothing is asked for.
Status AskForWhatIsOwed(domain::Device& device, const jobs::Waiting& waiting, Case& at);
// The last of it: the next step of a transfer, or the payload. The device is not on hold.
Status PushWhatIsOwed(domain::Device& device, const jobs::Waiting& waiting, Case& at);
// In the trace, and with the reason in the history.
void RecordStep(domain::Device& device, std::string_view what, const std::string& reason, Case& at);
// What waited for the applet to be empty: the eSIM of a deleted device, the new key of a reactivated one, and the profile
// of a disconnected one, which is disabled only then.
Status AfterWipe(domain::Device& device, Case& at);
// Whether its MNO is asked to disable the profile that serves; what another profile's is asked is not that.
bool IsServingDisabled(const domain::Device& device, const jobs::Waiting& waiting);
// What waited for a profile's MNO: the eSIM of a deleted device. `job` has ended.
Status AfterProfileJob(domain::Device& device, const domain::Job& job, Case& at);
// The eSIM of a deleted device, once nothing that an MNO was asked can still reach it. Before that nothing is done: each end
// of such a job comes here again.
Status ReleaseIdleEsim(domain::Device& device, const jobs::Waiting& waiting, Case& at);
// A step failed: in the trace and history alone.
void RecordFailure(domain::Device& device, const std::string& step, const Error& error, Case& at);
// A step failed: in the trace and history, `device.failed` to sponsor and claimer. The caller puts the device.
void ReportFailure(domain::Device& device, std::string step, Error error, Case& at);
// The job failed for good, by the command that is decided or, where there is none, because its MNO was silent: erased and
// reported, and what its kind says of a failure follows.
Status FailJob(const domain::Job& job, domain::Device device, Error error, Case& at);

// What a command about the device comes to: its state and every status beside it.
wire::DeviceState StateOf(const domain::Device& device);
std::vector<std::string> NamesOf(const std::set<domain::DeviceStatus>& statuses);

// One notification to each party that has a stake in the device.
template <class Message>
void NotifyStakeholders(const domain::Device& device, const Message& message, Case& at) {
  const auto notify = [&](const PartyId& party) {
    at.changes.notifications.push_back(domain::Notify(party, message, at.context, at.origin.id));
  };
  notify(domain::Sponsor(device));
  if (const auto claimer = domain::Claimer(device)) notify(*claimer);
}

}  // namespace registry::lifecycle
