// workers/jobs/jobs.h: how a job begins, is no longer wanted, and ends. What differs between kinds is in their table
// (workers/domain/job_kinds.h); when a job goes to its MNO is sending.h's business.
// Pure, any thread. An Error means that the view failed.
#pragma once

#include <chrono>
#include <vector>

#include "workers/domain/compose.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/retry_plan.h"

namespace registry::jobs {

// A job about the device that begins now, addressed to nobody yet, with nothing to send.
domain::Job New(domain::JobKind kind, const domain::Device& device, const domain::Context& context);

// Begins one whose row says how its action reads, and sends it to the sponsor.
Status Ask(domain::JobKind kind, const domain::Device& device, const domain::View& view,
           const domain::Context& context, const domain::RetryPlans& retry, domain::Changeset& changes);

// The same, sent to this profile's MNO.
Status Ask(domain::JobKind kind, const domain::Device& device, const domain::Profile& profile,
           const domain::View& view, const domain::Context& context, const domain::RetryPlans& retry,
           domain::Changeset& changes);

// What waits for one device, as the view has it: read once for a decision, since its records are large.
class Waiting {
 public:
  static Result<Waiting> Of(const DeviceId& device, const domain::View& view);
  bool Has(domain::JobKind kind) const { return Find(kind) != nullptr; }
  const domain::Job* Find(domain::JobKind kind) const;
  const domain::Job* Find(domain::JobKind kind, std::uint32_t profile) const;
  const std::vector<domain::Job>& all() const { return jobs_; }

 private:
  std::vector<domain::Job> jobs_;
};

// Erases a job that was reported, or that is called off. What its addressee was sent is remembered, so that it may report
// it late or once more. The caller puts the device.
void End(domain::Device& device, const domain::Job& job, domain::Changeset& changes);
// Ends, of what waits for the device, all that the cause makes pointless.
void EndSuperseded(domain::Device& device, domain::Superseding cause, const Waiting& waiting,
                   domain::Changeset& changes);
// The alarm for the zone content wanted last, in place of that for what was wanted before.
void ExpectVisible(domain::Device& device, const Waiting& waiting, const domain::Context& context,
                   std::chrono::seconds within, domain::Changeset& changes);

// One that was sent ends at the deadline its addressee was told, at the latest; one that nobody was sent is called off.
// Whether it still waits.
bool StopWanting(domain::Job job, domain::Changeset& changes);
void WantAgain(domain::Job job, domain::Changeset& changes);

}  // namespace registry::jobs
