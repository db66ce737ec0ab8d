#include "tests/simulation/mutations.h"

#include "workers/domain/job_kinds.h"

namespace registry::simulation {
namespace {

using domain::Changeset;
using domain::JobKind;
using domain::State;

// Of the devices a changeset puts, those in that state.
template <class Do>
void ForEachIn(State state, Changeset& changes, Do change) {
  for (auto& put : changes.devices) {
    if (put.device.state == state) change(put.device);
  }
}

bool Puts(const Changeset& changes, State state) {
  return std::any_of(changes.devices.begin(), changes.devices.end(),
                     [state](const auto& put) { return put.device.state == state; });
}

void ForgetRevocation(Changeset& changes) { changes.revocations.clear(); }
void ForgetWithdrawal(Changeset& changes) {
  if (!Puts(changes, State::kDeactivated)) return;
  changes.zone.clear();
}
void ForgetAlarm(Changeset& changes) {
  std::erase_if(changes.jobs_put, [](const auto& job) { return job.kind == JobKind::kZoneVisible; });
}
void KeepDoneJobs(Changeset& changes) { changes.jobs_erase.clear(); }
void ForgetTheKey(Changeset& changes) {
  std::erase_if(changes.jobs_put, [](const auto& job) { return job.kind == JobKind::kKeyGenerate; });
}
void ForgetTheWipe(Changeset& changes) {
  std::erase_if(changes.jobs_put, [](const auto& job) { return job.kind == JobKind::kAppletWipe; });
}
void ForgetTheMark(Changeset& changes) { changes.mark.reset(); }
void TellSomebodyElse(Changeset& changes) {
  for (auto& notification : changes.notifications) {
    if (notification.to.text() == "asp-a") notification.to = *PartyId::Parse("asp-b");
  }
}
void KeepTheEsim(Changeset& changes) { changes.releases.clear(); }
void ActivateTooEarly(Changeset& changes) {
  ForEachIn(State::kCertified, changes, [](domain::Device& device) { device.state = State::kPublished; });
}
void TryForEver(Changeset& changes) {
  for (auto& job : changes.jobs_put) job.attempt *= 10;
}

}  // namespace

const std::vector<MutationKind>& Mutations() {
  static const std::vector<MutationKind> mutations = {
      {"a certificate's end without its revocation", ForgetRevocation},
      {"a deactivation that leaves the name in the zone", ForgetWithdrawal},
      {"a zone change nobody watches", ForgetAlarm},
      {"jobs that are done and go on", KeepDoneJobs},
      {"a key that nobody is waited for", ForgetTheKey},
      {"a wipe that nobody is waited for", ForgetTheWipe},
      {"a command that is not remembered", ForgetTheMark},
      {"a notification to another ASP", TellSomebodyElse},
      {"an eSIM that never comes free", KeepTheEsim},
      {"published before DNS shows it", ActivateTooEarly},
      {"attempts beyond the plan", TryForEver},
  };
  return mutations;
}

}  // namespace registry::simulation
