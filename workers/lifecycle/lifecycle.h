// workers/lifecycle/lifecycle.h: every decision but signing: register, attach, claim, endpoints, deactivate, reactivate,
// delete, what MNOs report, what becomes visible in DNS, and what is overdue.
// Pure, any thread; see workers/domain/decision.h. Refusals name the state and the rule.
#pragma once

#include "workers/domain/decision.h"
#include "workers/domain/policy.h"
#include "workers/payload_push/payload_push.h"

namespace registry::lifecycle {

using domain::Case;
using domain::Context;
using domain::Origin;
using domain::Policy;
using domain::Reply;
using domain::View;

Result<Reply> Decide(const wire::EsimRegister&, Case&);
// Seen again on the network, a device whose key or payload is still owed is asked again.
Result<Reply> Decide(const wire::DeviceAttach&, Case&);
// What the schema cannot see is judged here: whose the host is, and what the trust certificate is good for, now.
Result<Reply> Decide(const wire::EndpointPublish&, Case&);
// Whether the sender has published one of this name that says something else.
Result<bool> Replaces(const wire::Endpoint&, const Case&);
Result<Reply> Decide(const wire::DeviceClaim&, Case&);
// Kept with the binding, and pushed at once to a device that has a payload. Refused while an approved transfer goes on.
Result<Reply> Decide(const wire::WifiSet&, Case&);
// The operator's deactivation sets serverHold: only the operator's reactivation undoes it, the claimer's is refused. Of a
// device that is deactivated already it asks for the applet.wipe again, and for nothing else.
Result<Reply> Decide(const wire::DeviceDeactivate&, Case&);
// The new key is asked for at once, or when the applet.wipe of the deactivation has ended, well or not: until then
// csr.submit is refused (2304 wipe_pending). That wipe ends at the deadline the MNO was told, at the latest.
Result<Reply> Decide(const wire::DeviceReactivate&, Case&);
// EID, ICCID and key-agreement key of a device that was ever attached stay its own until its applet.wipe, and what else was
// asked of its profiles' MNOs, has ended, well or not; registering the eSIM meanwhile is refused (2304 esim_wipe_pending).
Result<Reply> Decide(const wire::DeviceDelete&, Case&);
// The rest of a life: holds, moves, renewal, codes, transfers.
// A fact. What waits for the device waits until its attach, which sends it again under the attempt it had.
Result<Reply> Decide(const wire::DeviceDetach&, Case&);
// A payload that names no ASP goes out, and the code that was used is void.
Result<Reply> Decide(const wire::DeviceRelease&, Case&);
Result<Reply> Decide(const wire::DeviceMove&, Case&);
// clientHold of the ASP, sponsorHold of the MNO, serverHold of the operator. Keys and payloads that are asked for are
// called off; the resume that lifts the last hold asks for what is still owed, a payload once DNS shows the device again.
Result<Reply> Decide(const wire::DeviceSuspend&, Case&);
Result<Reply> Decide(const wire::DeviceResume&, Case&);
// The status says what is wanted, and goes when the MNO fails for good; the profile's state is what the MNO has reported.
Result<Reply> Decide(const wire::DeviceDisconnect&, Case&);
Result<Reply> Decide(const wire::DeviceReconnect&, Case&);
// 2304 restore_too_late after Policy::restore_within, esim_registered_anew when the eSIM has another device.
Result<Reply> Decide(const wire::DeviceRestore&, Case&);
// Another key and certificate, as at a renewal (renewal.h); with the reason keyCompromise what the device has is revoked at
// once, and it is attached again until it has another key. Refused while a renewal is under way (2304 renewal_pending).
Result<Reply> Decide(const wire::DeviceRekey&, Case&);
// codes.h says what a code is. For a claim it is the MNO's to set, until the device has an ASP (2302 device_claimed); for a
// transfer the MNO's to another MNO and the ASP's to another ASP; the operator's for either.
Result<Reply> Decide(const wire::AuthorisationSet&, Case&);
// With a code that the losing party has set. Its answer, the gaining party's second thoughts, or what the policy says
// once the time for an answer is over; how an approved one goes on is transfer.h's.
Result<Reply> Decide(const wire::TransferRequest&, Case&);
Result<Reply> Decide(const wire::TransferApprove&, Case&);
Result<Reply> Decide(const wire::TransferReject&, Case&);
Result<Reply> Decide(const wire::TransferCancel&, Case&);
// Refused as long as a device is bound to it (2305 endpoint_in_use).
Result<Reply> Decide(const wire::EndpointWithdraw&, Case&);
// The payload anew for the endpoint as it is now, of a device that the origin manages: pushed at once; on hold it is owed,
// and goes out with the next attach or when the hold is lifted. Refused while an approved transfer goes on. The item of an
// order; there is no single command for it.
Result<Reply> Reprovision(const DeviceId&, Case&);
// Every report of a job puts off when it is sent again (schemas/PARTY.md), for RetryPlan::reported at most. What is
// said of a job that its MNO has reported already, or that was called off, is noted without effect.
Result<Reply> Decide(const wire::DoProgress&, Case&);
Result<Reply> Decide(const wire::DoResult&, Case&);

// Every secondary serves this content now. No changes when the device has moved on since. A payload that cannot
// be made then does not undo the publication: `device.failed` with step payload.push.
Status DecideVisible(const domain::ZoneChange&, Case&);
// A certificate that is on the CRL published last, while the ledger does not know that it was revoked: an older one was
// restored. The revocation; and the device whose live certificate it is, deactivated, with serverHold, by the registry.
Status DecideRevoked(const domain::Revocation& published, Case&);
// The latest a job can be due: none is ever put off for longer than this from `now`.
UtcTime LatestDue(const Policy&, UtcTime now);
// The device's certificate ends soon, or has ended: what renewal.h says of it, and how its renewal stands then.
struct RenewalStanding {
  std::optional<UtcTime> due;  // since when it is due for another key (renewal_told.h); none: it is not
  bool under_way = false;      // a key is asked for, or the next certificate is on its way
};
Result<RenewalStanding> DecideRenewal(const DeviceId&, Case&);
// A job is due: sent again with backoff, or failed for good and notified. One due later than LatestDue was put off by a
// clock that has been set back since: it is due as well, but fails and alarms only after a wait that was one. One that
// was never sent is sent, when its MNO has room for it.
Status DecideDue(const domain::Job&, Case&);

}  // namespace registry::lifecycle
