#include "workers/lifecycle/renewal.h"

#include <algorithm>

#include "workers/dns/show.h"
#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/renewal.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/renewal_told.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Command;
using domain::Credential;
using domain::CredentialPhase;
using domain::Device;
using domain::Job;
using domain::JobKind;
using jobs::Waiting;

// RFC 5280 §5.3.1.
constexpr std::uint8_t kSuperseded = 4, kCessationOfOperation = 5;

// A timer never waits longer, so that no clock that is set back makes it wait for long (LatestDue).
constexpr std::chrono::hours kTimerMax{1};
// Job::version of a timer: what it was set for.
constexpr std::uint64_t kForATime = 0, kAfterFailure = kTimerAfterFailure, kKeyOwed = 2;

// What was begun has not come, and is begun once more.
bool IsOwed(const Job* timer) { return timer != nullptr && timer->version != kForATime; }

// A step that every renewal has, and what the history says of it.
void Tell(Device& device, std::string_view step, std::string what, Case& at) {
  domain::NoteStep(device, step, at.context.now);
  at.changes.history.push_back(
      domain::History(device, at.origin.party, std::move(what), at.context.now, at.origin.id));
}

Status Revoke(const Device& device, const Credential& credential, std::uint8_t reason, Case& at) {
  const domain::IssuedCertificate& certificate = credential.certificate;
  at.changes.revocations.push_back({certificate.serial, at.context.now, reason, certificate.not_after});
  return ReleaseAgreementKey(device, credential.agreement_key, at.view, at.changes);
}

// It has ended, and nothing issued since can take its place yet.
bool HasEnded(const Device& device, UtcTime now) {
  const domain::IssuedCertificate* const live = domain::LiveCertificate(device);
  if (live == nullptr || live->not_after > now) return false;
  const Credential* const next = domain::NextCredential(device);
  return next == nullptr || next->since < live->not_after;
}

bool IsExpired(const Device& device) { return device.statuses.contains(domain::DeviceStatus::kExpired); }

// One look at a device's certificates: each part does what is due, and says when it wants to be looked at again.
class Look {
 public:
  Look(Device& device, const Waiting& waiting, Case& at)
      : device_(device), waiting_(waiting), at_(at), now_(at.context.now) {
    timer_ = waiting.Find(JobKind::kCredentialStep);
    failed_ = timer_ != nullptr && timer_->version == kAfterFailure;
    owed_ = IsOwed(timer_);
  }

  Result<bool> All() {
    if (domain::Live(device_) == nullptr) {
      SetTimer();
      return changed_;
    }
    Expire();
    if (auto dropped = DropEndedNext(); !dropped) return dropped.error();
    if (auto moved = MoveNext(); !moved) return moved.error();
    WithdrawOld();
    if (auto asked = AskWhenDue(); !asked) return asked.error();
    if (shown_) dns::Show(device_, waiting_, at_);
    SetTimer();
    return changed_;
  }

 private:
  void LookAgain(UtcTime when) { again_ = again_ ? std::min(*again_, when) : when; }
  // By a clock that was set back it cannot have failed later than now.
  UtcTime AfterWait() const { return std::min(timer_->created, now_) + at_.policy.renewal.again; }
  bool Waits() const { return failed_ && AfterWait() > now_; }

  void Expire() {
    if (IsExpired(device_) || !HasEnded(device_, now_)) return;
    device_.statuses.insert(domain::DeviceStatus::kExpired);
    Tell(device_, "expired", std::string(kExpiredEntry), at_);
    NotifyStakeholders(device_, wire::DeviceExpired{device_.id, DeviceName(device_.id, at_.policy.zone)},
                       at_);
    changed_ = shown_ = true;
  }

  Status DropEndedNext() {
    const Credential* const next = domain::NextCredential(device_);
    if (next == nullptr || next->certificate.not_after > now_) return Done{};
    changed_ = shown_ = true;
    return TakeNext(device_, waiting_, at_);
  }

  // The next certificate, once it is served, on its way to where it is used.
  Status MoveNext() {
    const Credential* const next = domain::NextCredential(device_);
    if (next == nullptr || next->served.micros == 0) return Done{};
    // Nobody knows what the device has: there is no payload to wait for.
    if (domain::LiveBinding(device_) == nullptr) return TakeOver();
    if (domain::OnHold(device_) || IsOnItsWay(*next)) return Done{};
    const UtcTime known = domain::KnownFrom(*next, at_.policy.renewal);
    if (Waits() || known > now_) {
      LookAgain(Waits() ? AfterWait() : known);
      return Done{};
    }
    return Push();
  }

  bool IsOnItsWay(const Credential& next) const {
    const Job* const push = waiting_.Find(JobKind::kPayloadPush);
    return push != nullptr && next.carried != 0 && push->version >= next.carried;
  }

  Status TakeOver() {
    changed_ = true;
    failed_ = owed_ = false;
    return SwitchTo(device_, at_);
  }

  Status Push() {
    const domain::Binding& binding = *domain::ToBeTold(device_);
    auto endpoint = at_.view.LoadEndpoint(binding.asp, binding.endpoint);
    if (!endpoint) return endpoint.error();
    if (!*endpoint) return Done{};
    changed_ = true;
    failed_ = false;
    const auto push = [&](Device& pushed) { return PushPayload(pushed, **endpoint, at_); };
    const auto pushed = PushOrReport(device_, push, at_);
    if (!pushed) return pushed.error();
    failed_now_ = !*pushed;
    return Done{};
  }

  void WithdrawOld() {
    const auto retires = [](const Credential& one) { return one.phase == CredentialPhase::kRetiring; };
    if (std::none_of(device_.credentials.begin(), device_.credentials.end(), retires)) return;
    const UtcTime from = domain::WithdrawnFrom(device_, at_.policy.renewal);
    if (from > now_) return LookAgain(from);
    domain::WithdrawRetiring(device_, now_);
    changed_ = shown_ = true;
  }

  Status AskWhenDue() {
    const Credential& live = *domain::Live(device_);
    const bool idle = domain::NextCredential(device_) == nullptr && !waiting_.Has(JobKind::kKeyGenerate);
    // What a transfer to another MNO has put in its place is none: that may fail yet.
    owed_ = owed_ && (idle || domain::InTransfer(device_));
    const bool may = idle && domain::Next(device_, Command::kRenew).ok() &&
                     device_.credentials.size() < domain::kCredentialsMax;
    // A transfer brings another key, or another ASP: one change at a time. What is on hold for it is looked at again.
    if (domain::InTransfer(device_)) {
      if (IsExpired(device_) || owed_) LookAgain(now_ + kTimerMax);
      return Done{};
    }
    if (!may) {
      if (owed_) LookAgain(now_ + kTimerMax);
      return Done{};
    }
    const UtcTime due =
        domain::RenewalDue(device_.id, live.certificate, at_.policy.certificate, at_.policy.renewal);
    if (due > now_ && !owed_ && !IsExpired(device_)) return Done{};
    if (Waits()) {
      LookAgain(AfterWait());
      return Done{};
    }
    changed_ = true;
    failed_ = owed_ = false;
    Tell(device_, "renewal", std::string(kDueEntry), at_);
    return AskForNextKey(device_, *domain::ProfileOf(device_, live.profile), at_);
  }

  void SetTimer() {
    if (failed_now_) return SetAfterFailure(device_, timer_, at_);
    if (!again_) {
      if (timer_ != nullptr) at_.changes.jobs_erase.push_back(timer_->id);
      changed_ = changed_ || timer_ != nullptr;
      return;
    }
    Job timer = timer_ != nullptr ? *timer_ : jobs::New(JobKind::kCredentialStep, device_, at_.context);
    const UtcTime due = std::min(*again_, now_ + kTimerMax);
    const std::uint64_t what = failed_ ? kAfterFailure : owed_ ? kKeyOwed : kForATime;
    // One that looks earlier does as well, and is not written again with every look.
    if (timer_ != nullptr && timer.due > now_ && timer.due <= due && timer.version == what) return;
    timer.due = due;
    timer.version = what;
    at_.changes.jobs_put.push_back(std::move(timer));
    changed_ = true;
  }

 public:
  static void SetAfterFailure(const Device& device, const Job* former, Case& at) {
    if (former != nullptr) at.changes.jobs_erase.push_back(former->id);
    Job timer = jobs::New(JobKind::kCredentialStep, device, at.context);
    timer.version = kAfterFailure;
    timer.due = at.context.now + std::min<std::chrono::seconds>(at.policy.renewal.again, kTimerMax);
    at.changes.jobs_put.push_back(std::move(timer));
  }

  // Without a word to the zone.
  static Status TakeNext(Device& device, const Waiting& waiting, Case& at) {
    for (const Credential& next : domain::TakeCredentials(device, CredentialPhase::kNext)) {
      if (auto revoked = Revoke(device, next, kCessationOfOperation, at); !revoked) return revoked;
      const Job* const push = waiting.Find(JobKind::kPayloadPush);
      if (push != nullptr && next.carried != 0 && push->version >= next.carried)
        jobs::End(device, *push, at.changes);
      Tell(device, "next dropped", std::string(kDroppedEntry) + ToHex(next.certificate.serial), at);
    }
    return Done{};
  }

  static Status SwitchTo(Device& device, Case& at) {
    const Bytes replaced = domain::LiveCertificate(device)->serial;
    const Bytes former = domain::SwitchOver(device, at.context.now);
    if (auto released = ReleaseAgreementKey(device, former, at.view, at.changes); !released) return released;
    const domain::IssuedCertificate& live = *domain::LiveCertificate(device);
    Tell(device, "renewed", std::string(kRenewedEntry) + ToHex(live.serial), at);
    const wire::DeviceRenewed message{device.id, DeviceName(device.id, at.policy.zone), live.der,
                                      live.not_after, ToHex(replaced)};
    NotifyStakeholders(device, message, at);
    return Done{};
  }

 private:
  Device& device_;
  const Waiting& waiting_;
  Case& at_;
  const UtcTime now_;
  const Job* timer_ = nullptr;
  bool failed_ = false;      // a step did, and the wait after it goes on
  bool owed_ = false;        // a key was asked for and has not come, whether the certificate ends soon or not
  bool failed_now_ = false;  // in this look
  bool shown_ = false;       // the zone is to show something else
  bool changed_ = false;
  std::optional<UtcTime> again_;
};

bool IsKeyToCome(const Device& device, const Waiting& waiting) {
  const Job* const key = waiting.Find(JobKind::kKeyGenerate);
  return key != nullptr && IsStepOfRenewal(*key, device);
}

// The timer also sees to the end of a certificate that retires: it becomes no later.
void SetOwed(const Device& device, const Waiting& waiting, Case& at) {
  const Job* const former = waiting.Find(JobKind::kCredentialStep);
  const UtcTime latest = at.context.now + kTimerMax;
  Job timer = former != nullptr ? *former : jobs::New(JobKind::kCredentialStep, device, at.context);
  timer.due = former != nullptr ? std::min(former->due, latest) : latest;
  timer.version = kKeyOwed;
  at.changes.jobs_put.push_back(std::move(timer));
}

RenewalStanding StandingOf(const Device& device, const Waiting& waiting, const Case& at) {
  const auto renews = RenewsAt(device, at.policy.certificate, at.policy.renewal);
  if (!renews || *renews > at.context.now) return {};
  const auto& put = at.changes.jobs_put;
  const bool asked =
      std::any_of(put.begin(), put.end(), [](const Job& job) { return job.kind == JobKind::kKeyGenerate; });
  return {renews, asked || waiting.Has(JobKind::kKeyGenerate) || domain::NextCredential(device) != nullptr};
}

}  // namespace

Status AskForNextKey(Device& device, const domain::Profile& profile, Case& at) {
  domain::NoteStep(device, wire::KeyGenerate::kName, at.context.now);
  return jobs::Ask(JobKind::kKeyGenerate, device, profile, at.view, at.context, at.policy.retry, at.changes);
}

Result<RenewalStanding> DecideRenewal(const DeviceId& id, Case& at) {
  auto device = at.view.LoadDevice(id);
  if (!device) return device.error();
  if (!*device) return RenewalStanding{};
  const auto waiting = Waiting::Of(id, at.view);
  if (!waiting) return waiting.error();
  const auto changed = CarryOnRenewal(**device, *waiting, at);
  if (!changed) return changed.error();
  if (*changed) Put(**device, at.changes);
  return StandingOf(**device, *waiting, at);
}

Result<bool> CarryOnRenewal(Device& device, const Waiting& waiting, Case& at) {
  return Look(device, waiting, at).All();
}

Status AfterShown(Device& device, const domain::ZoneChange& content, Case& at) {
  domain::NoteServed(device, content.tlsa, at.context.now);
  for (const Credential& gone : domain::TakeCredentials(device, CredentialPhase::kWithdrawn)) {
    if (auto revoked = Revoke(device, gone, kSuperseded, at); !revoked) return revoked;
    Tell(device, "superseded", "superseded serial=" + ToHex(gone.certificate.serial), at);
  }
  return Done{};
}

Status AfterInstalled(Device& device, std::uint64_t version, const Waiting& waiting, Case& at) {
  const Credential* const next = domain::NextCredential(device);
  if (next == nullptr || next->carried == 0 || version < next->carried) return Done{};
  const bool expired = device.statuses.erase(domain::DeviceStatus::kExpired) > 0;
  if (auto switched = Look::SwitchTo(device, at); !switched) return switched;
  // What was withheld is shown again; else the timer sees to the old one's end.
  if (expired) dns::Show(device, waiting, at);
  Job timer = jobs::New(JobKind::kCredentialStep, device, at.context);
  if (const Job* const former = waiting.Find(JobKind::kCredentialStep)) timer.id = former->id;
  timer.due = std::min(domain::WithdrawnFrom(device, at.policy.renewal), at.context.now + kTimerMax);
  at.changes.jobs_put.push_back(std::move(timer));
  return Done{};
}

bool IsStepOfRenewal(const Job& job, const Device& device) {
  const Credential* const live = domain::Live(device);
  if (live == nullptr) return false;
  if (job.kind == JobKind::kKeyGenerate) return job.profile == 0 || job.profile == live->profile;
  const Credential* const next = domain::NextCredential(device);
  return job.kind == JobKind::kPayloadPush && next != nullptr && next->carried != 0 &&
         job.version >= next->carried && next->profile == live->profile;
}

Status AfterFailedStep(Device& device, const Job& job, Case& at) {
  const auto waiting = Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  const bool refused = at.origin.id.has_value();
  if (refused && job.kind == JobKind::kPayloadPush) {
    if (auto dropped = DropNext(device, *waiting, at); !dropped) return dropped;
  }
  Look::SetAfterFailure(device, waiting->Find(JobKind::kCredentialStep), at);
  return Done{};
}

void BeginAnew(const Waiting& waiting, Case& at) {
  const Job* const timer = waiting.Find(JobKind::kCredentialStep);
  if (!IsOwed(timer)) return;
  Job anew = *timer;
  anew.version = kForATime;
  at.changes.jobs_put.push_back(std::move(anew));
}

void OweKey(const Device& device, const Waiting& waiting, Case& at) {
  if (IsKeyToCome(device, waiting)) SetOwed(device, waiting, at);
}

Status GiveWay(Device& device, const Waiting& waiting, Case& at) {
  const bool begun = IsOwed(waiting.Find(JobKind::kCredentialStep)) || IsKeyToCome(device, waiting) ||
                     domain::NextCredential(device) != nullptr;
  if (auto dropped = DropNext(device, waiting, at); !dropped) return dropped;
  if (begun) SetOwed(device, waiting, at);
  return Done{};
}

Status DropNext(Device& device, const Waiting& waiting, Case& at) {
  if (domain::NextCredential(device) == nullptr) return Done{};
  if (auto taken = Look::TakeNext(device, waiting, at); !taken) return taken;
  dns::Show(device, waiting, at);
  return Done{};
}

Status RevokeAll(Device& device, std::uint8_t reason, Case& at) {
  for (const Credential& credential : device.credentials) {
    const bool live = credential.phase == CredentialPhase::kLive;
    const bool next = credential.phase == CredentialPhase::kNext;
    const std::uint8_t why = live ? reason : next ? kCessationOfOperation : kSuperseded;
    if (auto revoked = Revoke(device, credential, why, at); !revoked) return revoked;
  }
  domain::DropCredentials(device);
  return Done{};
}

}  // namespace registry::lifecycle
