// workers/lifecycle/sending.h: when a job goes to its MNO: at once, when there is room for it, again, or later because of
// what the MNO reported. Pure.
#pragma once

#include "workers/domain/compose.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {

// A new job, whose body is the action: sent when the sponsor has room for it and nothing older waits, else kept unsent.
Status Send(domain::Job job, const domain::Device& device, const View& view, const Context& context,
            const Policy& policy, domain::Changeset& changes);
// One that was kept: sent now if there is room. That uses up no attempt before its first.
Status SendKept(domain::Job job, const domain::Device& device, const View& view, const Context& context,
                const Policy& policy, domain::Changeset& changes);
void SendAgain(domain::Job job, const domain::Device& device, const Context& context, const Policy& policy,
               domain::Changeset& changes);

// Moves the next sending to `wait` from now, but not beyond RetryPlan::reported after the first: an MNO that reports for
// ever would else keep the job for ever. From then on the plan of a silent MNO goes on. AtLeast never moves it closer.
void PutOff(domain::Job& job, std::chrono::seconds wait, const Policy& policy, UtcTime now);
void PutOffAtLeast(domain::Job& job, std::chrono::seconds wait, const Policy& policy, UtcTime now);

// How long to wait after attempt n: `first` doubled n-1 times, at most a day.
std::chrono::seconds Backoff(const domain::RetryPlan& plan, std::uint32_t attempt);
// How long DNS may take until alarm n: visible_within n times, at most two hours (or once visible_within).
std::chrono::seconds AlarmWait(const Policy& policy, std::uint32_t attempt);
// How long a device that is switched off or asleep is left alone.
inline constexpr std::chrono::hours kDeviceWait{1};

}  // namespace registry::lifecycle
