// workers/lifecycle/transfer.h: a device on its way from one ASP to another, or from one MNO to another (life.md §3): what
// the commands, the reports, DNS and the timer ask about it. What the gaining party gets is *next* until it has been
// delivered, and what the device had works until then: a transfer that fails leaves the device as it was.
// The state of a transfer changes here and nowhere else. Every step is in the device and its jobs, so it survives a restart.
// Pure, any thread. Each changes the device, which the caller puts; an Error means that the view failed.
#pragma once

#include "workers/jobs/jobs.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {

// A transfer's id begins like its device's, so that what names only the transfer goes through the device's lane.
TransferId NewTransferId(const DeviceId& device, const Context& context);

// What nobody has decided in time is decided as the policy says; until then the job looks again from time to time.
Status DecideUnanswered(domain::Job job, domain::Device device, Case& at);
// Asks for the next step of an approved transfer, if nobody has been asked for it: a device on hold is asked for nothing
// new, and what failed to be sent is not forgotten.
Status CarryOnTransfer(domain::Device& device, const jobs::Waiting& waiting, Case& at);
// A payload was delivered that was the gaining ASP's: the device is its own. What else the payload has brought is told
// afterwards, to whom it then is.
void PassOnDelivered(domain::Device& device, Case& at);
// And what it has brought took over: the gaining MNO's profile is on the network, whether its MNO has said so or not.
void SeeGaining(domain::Device& device);
// Every secondary serves what it shall: the former profile goes once no certificate of it is left.
Status AfterOldIsGone(domain::Device& device, Case& at);
// The MNO has enabled, disabled or deleted the job's profile, or has failed to for good, which ends the job all the same.
Status AfterTransferredProfile(domain::Device& device, const domain::Job& job, Case& at);
// Whether the job takes a profile away that the transfer has left behind: nobody is told of its failure.
bool IsEndOfTransfer(const domain::Job& job, const domain::Device& device);
// The device ends, or a step of the transfer has failed for good: an open transfer fails.
Status FailTransfer(domain::Device& device, const Error& why, Case& at);
// Whether the job is a step of the open transfer, whose failure is the transfer's.
bool IsStepOfTransfer(const domain::Job& job, const domain::Device& device);

}  // namespace registry::lifecycle
