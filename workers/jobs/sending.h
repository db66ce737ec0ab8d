// workers/jobs/sending.h: when a job goes to its MNO: at once, when there is room for it, again, or later because of what
// the MNO reported. Pure, any thread. An Error means that the view failed.
#pragma once

#include <chrono>

#include "workers/domain/compose.h"
#include "workers/domain/retry_plan.h"

namespace registry::jobs {

// A new job, whose body is the action: addressed to this MNO for ever, and sent when it has room for it and nothing older
// waits, else kept unsent.
Status Send(domain::Job job, const PartyId& to, const domain::View& view, const domain::Context& context,
            const domain::RetryPlans& retry, domain::Changeset& changes);
// One that was kept: sent now if there is room. That uses up no attempt before its first.
Status SendKept(domain::Job job, const domain::View& view, const domain::Context& context,
                const domain::RetryPlans& retry, domain::Changeset& changes);
void SendAgain(domain::Job job, const domain::Context& context, const domain::RetryPlans& retry,
               domain::Changeset& changes);
// The same attempt once more: the device was away when it was sent.
void Repeat(domain::Job job, const domain::Context& context, const domain::RetryPlans& retry,
            domain::Changeset& changes);
// Whether it is to be sent again when it is due.
bool WorthSendingAgain(const domain::Job& job, const domain::RetryPlans& retry);

// Moves the next sending to `wait` from now, but not beyond RetryPlan::reported after the first: an MNO that reports for
// ever would else keep the job for ever. From then on the plan of a silent MNO goes on. AtLeast never moves it closer. A
// job that is no longer wanted is not moved.
void PutOff(domain::Job& job, std::chrono::seconds wait, const domain::RetryPlans& retry, UtcTime now);
void PutOffAtLeast(domain::Job& job, std::chrono::seconds wait, const domain::RetryPlans& retry, UtcTime now);

// How long to wait after attempt n: `first` doubled n-1 times, at most a day.
std::chrono::seconds Backoff(const domain::RetryPlan& plan, std::uint32_t attempt);
// How long DNS may take until alarm n: `within` n times, at most two hours (or once `within`).
std::chrono::seconds AlarmWait(std::chrono::seconds within, std::uint32_t attempt);
// How long a device that is switched off or asleep is left alone.
inline constexpr std::chrono::hours kDeviceWait{1};
// The latest a job can be due: none is ever put off for longer than this from `now`.
UtcTime LatestDue(const domain::RetryPlans& retry, std::chrono::seconds visible_within, UtcTime now);

}  // namespace registry::jobs
