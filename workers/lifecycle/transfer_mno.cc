// From one MNO to another: the gaining one's profile is enabled, its applet makes a key, and its certificate becomes the
// *next* one and takes over as in a renewal (renewal.h). Until then the former profile's serves; then it is disabled and
// deleted.
#include <algorithm>

#include "schemas/base/check.h"
#include "workers/domain/device_steps.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/renewal.h"
#include "workers/lifecycle/transfer_told.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Credential;
using domain::Device;
using domain::Job;
using domain::JobKind;
using domain::Profile;
using domain::ProfileState;
using domain::TransferKind;
using jobs::Waiting;

const Profile& GainingOf(const Device& device) {
  const Profile* const profile = domain::ProfileOf(device, device.transfer->gaining);
  REG_CHECK(profile != nullptr);
  return *profile;
}

Status Ask(JobKind kind, Device& device, std::uint32_t number, Case& at) {
  const Profile* const profile = domain::ProfileOf(device, number);
  if (profile == nullptr) return Done{};
  domain::NoteStep(device, domain::JobKindName(kind), at.context.now);
  return jobs::Ask(kind, device, *profile, at.view, at.context, at.policy.retry, at.changes);
}

// Nobody is to do it any more; what was sent may still be reported.
void CallOff(Device& device, const Job* job, Case& at) {
  if (job != nullptr) jobs::End(device, *job, at.changes);
}

bool IsFormers(const Job& job, const Device& device) {
  return device.transfer && device.transfer->kind == TransferKind::kMno && device.transfer->former != 0 &&
         job.profile == device.transfer->former;
}

// The eSIM can be anybody's again, with the key that payloads for it were sealed to.
Status Forget(Device& device, std::uint32_t number, Case& at) {
  const Profile* const profile = domain::ProfileOf(device, number);
  if (profile == nullptr || profile->state == ProfileState::kDeleted) return Done{};
  if (auto released = ReleaseIccid(device, profile->iccid, at); !released) return released;
  if (auto released = ReleaseAgreementKey(device, profile->agreement_key, at.view, at.changes); !released)
    return released;
  domain::DeleteProfile(device, number);
  return Done{};
}

// What was asked of the gaining profile's MNO; whether it may have done any of it.
bool CallOffGaining(Device& device, const Waiting& waiting, Case& at) {
  bool begun = GainingOf(device).state != ProfileState::kInstalled;
  for (const JobKind kind : {JobKind::kProfileEnable, JobKind::kKeyGenerate}) {
    const Job* const job = waiting.Find(kind, device.transfer->gaining);
    begun = begun || (job != nullptr && !job->unsent);
    CallOff(device, job, at);
  }
  return begun;
}

}  // namespace

bool HasSwitched(const Device& device) {
  const Credential* const live = domain::Live(device);
  return device.transfer->gaining != 0 && live != nullptr && live->profile == device.transfer->gaining;
}

Status BeginNewProfile(Device& device, const Waiting& waiting, Case& at) {
  // There is one next certificate.
  if (auto given = GiveWay(device, waiting, at); !given) return given;
  CallOff(device, waiting.Find(JobKind::kKeyGenerate), at);
  domain::Transfer& transfer = *device.transfer;
  transfer.former = domain::Live(device)->profile;
  domain::AddProfile(device, transfer.to, *transfer.iccid);
  transfer.gaining = device.profiles.back().number;
  return domain::OnHold(device) ? Status(Done{}) : Ask(JobKind::kProfileEnable, device, transfer.gaining, at);
}

Status CarryOnNewProfile(Device& device, const Waiting& waiting, Case& at) {
  const std::uint32_t number = device.transfer->gaining;
  if (HasSwitched(device) || domain::NextCredential(device) != nullptr) return Done{};
  const Job* const enable = waiting.Find(JobKind::kProfileEnable, number);
  if (GainingOf(device).state != ProfileState::kEnabled)
    return enable != nullptr ? Status(Done{}) : Ask(JobKind::kProfileEnable, device, number, at);
  CallOff(device, enable, at);  // it was seen on the network: it is enabled, whoever says so first
  if (waiting.Has(JobKind::kKeyGenerate)) return Done{};
  return AskForNextKey(device, GainingOf(device), at);
}

// The former one is taken for enabled from now on, for it is what serves: whoever is asked for anything is its MNO.
Status DropNewProfile(Device& device, const Waiting& waiting, Case& at) {
  // Of a device that ends, whoever ends it revokes all and shows that.
  const bool ends = device.state == domain::State::kDeactivated || device.state == domain::State::kDeleted;
  if (!ends) {
    if (auto dropped = DropNext(device, waiting, at); !dropped) return dropped;
  }
  const std::uint32_t former = device.transfer->former, gaining = device.transfer->gaining;
  if (!CallOffGaining(device, waiting, at)) return Forget(device, gaining, at);
  domain::SetProfileState(device, former, ProfileState::kEnabled);
  if (auto asked = Ask(JobKind::kProfileEnable, device, former, at); !asked) return asked;
  return Ask(JobKind::kProfileDelete, device, gaining, at);
}

Status AfterOldIsGone(Device& device, Case& at) {
  if (!IsApproved(device, TransferKind::kMno) || !HasSwitched(device)) return Done{};
  const auto of_former = [&](const Credential& one) { return one.profile == device.transfer->former; };
  const auto& all = device.credentials;
  return std::any_of(all.begin(), all.end(), of_former) ? Status(Done{}) : LeaveFormerProfile(device, at);
}

Status LeaveFormerProfile(Device& device, Case& at) {
  const std::uint32_t former = device.transfer->former;
  const auto waiting = Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  for (const JobKind kind : {JobKind::kProfileDisable, JobKind::kProfileDelete}) {
    if (waiting->Find(kind, former) != nullptr) return Done{};  // it is on its way
  }
  return Ask(JobKind::kProfileDisable, device, former, at);
}

bool IsEndOfTransfer(const Job& job, const Device& device) {
  // Nothing else deletes a profile, and the next transfer may have begun by then.
  if (job.kind == JobKind::kProfileDelete) return true;
  if (!device.transfer || device.transfer->kind != TransferKind::kMno) return false;
  const bool behind = device.transfer->state == domain::TransferState::kCompleted || HasSwitched(device);
  return job.kind == JobKind::kProfileDisable && IsFormers(job, device) && behind;
}

Status AfterTransferredProfile(Device& device, const Job& job, Case& at) {
  if (job.kind == JobKind::kProfileDelete) {
    const auto waiting = Waiting::Of(device.id, at.view);
    if (!waiting) return waiting.error();
    // Its MNO has nothing more to do with the device.
    for (const JobKind kind : {JobKind::kProfileEnable, JobKind::kProfileDisable})
      CallOff(device, waiting->Find(kind, job.profile), at);
    if (auto forgotten = Forget(device, job.profile, at); !forgotten) return forgotten;
    if (IsApproved(device, TransferKind::kMno) && IsFormers(job, device)) CompleteTransfer(device, at);
    return Done{};
  }
  if (job.kind == JobKind::kProfileDisable) {
    const bool left_behind = IsEndOfTransfer(job, device);
    return left_behind ? Ask(JobKind::kProfileDelete, device, job.profile, at) : Status(Done{});
  }
  if (domain::OnHold(device) || !IsApproved(device, TransferKind::kMno)) return Done{};
  if (job.profile != device.transfer->gaining) return Done{};
  const auto waiting = Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  // Enabled for the second time, since the former profile was seen on the network meanwhile: it was asked already.
  const bool asked = waiting->Has(JobKind::kKeyGenerate) || domain::NextCredential(device) != nullptr;
  return asked ? Status(Done{}) : AskForNextKey(device, GainingOf(device), at);
}

}  // namespace registry::lifecycle
