// workers/lifecycle/renewal.h: a device's certificate is replaced while the device goes on working (life.md §4): a new key
// is asked for, its certificate is *next* beside the *live* one until everybody can know it, is brought to the device, and
// becomes *live*; the old one *retires*, its TLSA is withdrawn, and it is revoked when nobody is shown it any more.
// Every step is in the device and its jobs, so it survives a restart. A step that fails for good before the next
// certificate is on the device is told (device.failed) and tried again RenewalPolicy::again later; the device goes on with
// what it has, until that ends: then it is *expired* and not shown any more, and still asked.
// An MNO that says nothing counts no device out: it is asked anew after the same wait, as long as the device lives.
// Pure, any thread. Each changes the device, which the caller puts; an Error means that the view failed.
#pragma once

#include "workers/jobs/jobs.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {

// Asks the MNO of this profile for a new key pair on its applet: the answer becomes the next certificate.
Status AskForNextKey(domain::Device& device, const domain::Profile& profile, Case& at);
// What the device's certificates wait for and can have now: a key that is due, a payload with the next one, the end of the
// TLSA of what retires; and the timer for what comes later. Whether anything was changed.
Result<bool> CarryOnRenewal(domain::Device& device, const jobs::Waiting& waiting, Case& at);
// What was shown first, or no more, by the content that every secondary serves now.
Status AfterShown(domain::Device& device, const domain::ZoneChange& content, Case& at);
// A payload of this version was delivered: the next certificate takes over when the payload has brought it.
Status AfterInstalled(domain::Device& device, std::uint64_t version, const jobs::Waiting& waiting, Case& at);

// Whether the job is a step of a renewal: of the profile that the live certificate is of.
bool IsStepOfRenewal(const domain::Job& job, const domain::Device& device);
// It failed for good, or nobody answered it. What the MNO said no to is given up; what it was silent about is kept.
Status AfterFailedStep(domain::Device& device, const domain::Job& job, Case& at);
// A renewal is begun that waits for none before it: the wait after a step that failed is over.
void BeginAnew(const jobs::Waiting& waiting, Case& at);
// The device is put on hold, which ends what was asked of it: a key that was to take the place of the one it has is asked
// for again when the hold has ended, however far the end of its certificate is.
void OweKey(const domain::Device& device, const jobs::Waiting& waiting, Case& at);
// A transfer to another MNO brings another key: what was begun of a renewal is given up, whose key the caller calls off, and
// begun once more when that transfer has failed.
Status GiveWay(domain::Device& device, const jobs::Waiting& waiting, Case& at);
// The next certificate is not waited for any more: revoked, its payload called off, its TLSA withdrawn.
Status DropNext(domain::Device& device, const jobs::Waiting& waiting, Case& at);

// All that the device has is revoked at once, the live one for this reason (RFC 5280 §5.3.1).
Status RevokeAll(domain::Device& device, std::uint8_t reason, Case& at);

}  // namespace registry::lifecycle
