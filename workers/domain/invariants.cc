#include "workers/domain/invariants.h"

#include <algorithm>
#include <set>

#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/part_rules.h"
#include "workers/domain/renewal.h"
#include "workers/domain/standing.h"

namespace registry::domain {
namespace {

// Collects what is wrong with one device, each sentence under its name.
class Judge {
 public:
  explicit Judge(const Device& device) : device_(device) {}
  void Must(bool holds, std::string_view else_fault) {
    if (!holds) faults_.push_back("device " + device_.id.text() + ": " + std::string(else_fault));
  }
  Faults Take() { return std::move(faults_); }

 private:
  const Device& device_;
  Faults faults_;
};

void Append(Faults more, Faults& faults) {
  faults.insert(faults.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::string InState(const Device& device) { return "though it is " + std::string(StateName(device.state)); }

bool HasLiveCertificate(State state) {
  return state == State::kCertified || state == State::kPublished || state == State::kActive;
}

// Beside the live one, the next is published before it is used, and the retiring until nobody needs it.
bool IsOfOne(const TlsaRecord& record, const std::vector<Credential>& credentials) {
  return std::any_of(credentials.begin(), credentials.end(),
                     [&](const Credential& one) { return IsOf(record, one.certificate); });
}

// What the changeset has to say of one device.
struct Step {
  const Before& before;
  const Device& after;
  const Changeset& changes;
};

bool Claims(const Changeset& changes, UniqueKind kind, const Bytes& value, const DeviceId& device) {
  return std::any_of(changes.claims.begin(), changes.claims.end(), [&](const auto& claim) {
    return claim.first.kind == kind && claim.first.value == value && claim.second == device;
  });
}

bool Releases(const Changeset& changes, UniqueKind kind, const Bytes& value) {
  return std::any_of(changes.releases.begin(), changes.releases.end(), [&](const UniqueValue& release) {
    return release.kind == kind && release.value == value;
  });
}

bool Revokes(const Changeset& changes, const Bytes& serial) {
  return std::any_of(changes.revocations.begin(), changes.revocations.end(),
                     [&](const Revocation& revocation) { return revocation.serial == serial; });
}

Bytes LiveSerial(const Device& device) {
  const IssuedCertificate* const live = LiveCertificate(device);
  return live != nullptr ? live->serial : Bytes();
}

// Whether a transfer of this kind may have taken the device from the one party to the other.
bool Transferred(const Device& device, TransferKind kind, const std::optional<PartyId>& to) {
  return device.transfer && device.transfer->kind == kind && device.transfer->to == to;
}

void JudgeBirth(const Step& step, Judge& judge) {
  const Device& born = step.after;
  judge.Must(born.state == State::kRegistered, "begins in another state than registered");
  judge.Must(Claims(step.changes, UniqueKind::kEid, AsBytes(born.eid.text()), born.id), "takes no EID");
  judge.Must(!born.profiles.empty(), "has no profile");
  for (const Profile& profile : born.profiles) {
    judge.Must(Claims(step.changes, UniqueKind::kIccid, AsBytes(profile.iccid.text()), born.id),
               "takes no ICCID");
  }
}

// A transfer only goes on: it begins pending, and one that has ended stays as it is.
bool Follows(const std::optional<Transfer>& was, const std::optional<Transfer>& is) {
  if (!was || !is) return is || !was;
  if (was->id != is->id) return !was->open();
  if (was->state == is->state) return *was == *is;
  const bool from_pending = was->state == TransferState::kPending;
  switch (is->state) {
    case TransferState::kPending:
      return false;
    case TransferState::kApproved:
    case TransferState::kRejected:
    case TransferState::kCancelled:
      return from_pending;
    case TransferState::kCompleted:
    case TransferState::kFailed:
      return was->open();
  }
  return false;
}

// life.md §4: nobody may be handed a certificate that somebody else cannot look up yet.
void JudgeTakeOver(const Device& was, const Device& is, Judge& judge) {
  const Credential* const live = Live(is);
  if (live == nullptr) return;
  for (const Credential& one : was.credentials) {
    if (one.certificate.serial != live->certificate.serial) continue;
    judge.Must(one.phase != CredentialPhase::kNext || live->served.micros != 0,
               "its next certificate became live before it was served");
    judge.Must(one.phase <= CredentialPhase::kLive, "a certificate that retired is live again");
  }
}

// Of two profiles that were there their MNOs have enabled the one, or disabled or deleted the other. Registering one gives
// nobody the device.
bool SwitchedProfiles(const Device& was, const Device& is) {
  const Profile* const serves = Serving(is);
  const Profile* const served = Serving(was);
  if (serves == nullptr || served == nullptr || ProfileOf(was, serves->number) == nullptr) return false;
  const Profile* const former = ProfileOf(is, served->number);
  const bool off = former == nullptr || former->state == ProfileState::kDisabled ||
                   former->state == ProfileState::kDeleted;
  return serves->state == ProfileState::kEnabled || off;
}

void JudgeChange(const Step& step, Judge& judge) {
  const Device& was = *step.before.device;
  const Device& is = step.after;
  judge.Must(was.eid == is.eid && SameParts(was, is), "became another one");
  judge.Must(Sponsor(was) == Sponsor(is) || Transferred(is, TransferKind::kMno, Sponsor(is)) ||
                 SwitchedProfiles(was, is),
             "became another one");
  const auto claimer = Claimer(is);
  judge.Must(
      !Claimer(was) || !claimer || Claimer(was) == claimer || Transferred(is, TransferKind::kAsp, claimer),
      "was taken over by another claimer");
  judge.Must(was.state == is.state || Leads(was.state, is.state),
             "came from " + std::string(StateName(was.state)) + " to " + std::string(StateName(is.state)));
  JudgeTakeOver(was, is, judge);
  judge.Must(was.zone.wanted <= is.zone.wanted && was.zone.visible <= is.zone.visible,
             "its zone revision went back");
  judge.Must(Follows(was.transfer, is.transfer), "its transfer changed as none does");
  judge.Must(PayloadVersion(was) <= PayloadVersion(is) && !DeliveriesWentBack(was, is),
             "its payload version went back");
}

bool Has(const Device& device, const Bytes& serial) {
  return std::any_of(device.credentials.begin(), device.credentials.end(),
                     [&](const Credential& one) { return one.certificate.serial == serial; });
}

void JudgeCertificates(const Step& step, Judge& judge) {
  const std::optional<Device>& before = step.before.device;
  for (const Credential& was : before ? before->credentials : std::vector<Credential>()) {
    const Bytes& serial = was.certificate.serial;
    judge.Must(Has(step.after, serial) || Revokes(step.changes, serial),
               "lost its " + std::string(PhaseName(was.phase)) + " certificate, which is not revoked");
  }
  for (const Credential& one : step.after.credentials) {
    const IssuedCertificate& certificate = one.certificate;
    judge.Must(!Revokes(step.changes, certificate.serial),
               "its " + std::string(PhaseName(one.phase)) + " certificate is revoked");
    if (before && Has(*before, certificate.serial)) continue;
    judge.Must(Claims(step.changes, UniqueKind::kSerial, certificate.serial, step.after.id) &&
                   Claims(step.changes, UniqueKind::kPublicKey, certificate.spki_sha256, step.after.id),
               "has a certificate whose serial number or key it does not claim");
  }
}

// The content wanted from now on, if this changeset says so: the last of its zone changes for the device.
const ZoneChange* WantedNow(const Step& step) {
  const ZoneChange* wanted = nullptr;
  for (const ZoneChange& change : step.changes.zone) {
    if (change.device == step.after.id) wanted = &change;
  }
  return wanted;
}

// A renewal shows the next certificate in the zone first; the step that makes it the live one changes nothing there.
bool WasNext(const Device& before, const Bytes& serial) {
  return std::any_of(before.credentials.begin(), before.credentials.end(), [&](const Credential& one) {
    return one.phase == CredentialPhase::kNext && one.certificate.serial == serial;
  });
}

bool IsName(const ZoneChange& content) { return !content.tlsa.empty() || !content.note.empty(); }

void JudgeZone(const Step& step, Judge& judge, Faults& faults) {
  const std::uint64_t was = step.before.device ? step.before.device->zone.wanted : 0;
  const ZoneChange* const wanted = WantedNow(step);
  judge.Must((wanted != nullptr) == (was != step.after.zone.wanted),
             "its zone content and its revision do not change together");
  if (wanted != nullptr) {
    judge.Must(wanted->revision == step.after.zone.wanted, "its zone content is of another revision");
    Append(FaultsInZone(step.after, IsName(*wanted) ? std::optional(*wanted) : std::nullopt), faults);
  } else if (step.before.device) {
    const Bytes live = LiveSerial(step.after);
    judge.Must(LiveSerial(*step.before.device) == live || WasNext(*step.before.device, live),
               "its live certificate changed and the zone did not");
  }
}

std::vector<Job> JobsAfter(const Step& step) {
  std::map<JobId, Job> jobs;
  for (const Job& job : step.before.jobs) jobs[job.id] = job;
  for (const JobId& erased : step.changes.jobs_erase) jobs.erase(erased);
  for (const Job& put : step.changes.jobs_put) {
    if (put.device() == step.after.id) jobs[put.id] = put;
  }
  std::vector<Job> after;
  after.reserve(jobs.size());
  for (auto& [id, job] : jobs) after.push_back(std::move(job));
  return after;
}

// What was wrong already is for `ledger verify` to tell: a step is refused for what it breaks. Else a device with an old
// fault could never be deactivated, and would be trusted for ever.
template <class Was>
Faults NotBefore(Faults faults, Was was) {
  if (faults.empty()) return faults;
  const Faults before = was();
  std::erase_if(faults, [&](const std::string& fault) {
    return std::find(before.begin(), before.end(), fault) != before.end();
  });
  return faults;
}

Faults FaultsOfStep(const Step& step) {
  Judge judge(step.after);
  const auto& before = step.before.device;
  Faults faults = NotBefore(FaultsOf(step.after), [&] { return before ? FaultsOf(*before) : Faults(); });
  if (step.before.device) {
    JudgeChange(step, judge);
  } else {
    JudgeBirth(step, judge);
  }
  JudgeCertificates(step, judge);
  JudgeZone(step, judge, faults);
  const bool frees = Releases(step.changes, UniqueKind::kEid, AsBytes(step.after.eid.text()));
  judge.Must(!frees || step.after.state == State::kDeleted, "gives its EID away " + InState(step.after));
  Append(NotBefore(FaultsInJobs(step.after, JobsAfter(step)),
                   [&] { return before ? FaultsInJobs(*before, step.before.jobs) : Faults(); }),
         faults);
  Append(judge.Take(), faults);
  return faults;
}

void AddParties(const Device& device, std::set<PartyId>& parties) {
  for (const Profile& profile : device.profiles) {
    if (profile.state != ProfileState::kDeleted) parties.insert(profile.mno);
  }
  for (const Binding& binding : device.bindings) {
    if (binding.phase != BindingPhase::kEnded) parties.insert(binding.asp);
  }
  if (InTransfer(device)) parties.insert({device.transfer->from, device.transfer->to});
}

// As the changeset leaves it, nullptr for a device it does not put.
const Device* Put(const Changeset& changes, const DeviceId& id) {
  const Device* last = nullptr;
  for (const DevicePut& put : changes.devices) {
    if (put.device.id == id) last = &put.device;
  }
  return last;
}

}  // namespace

Faults FaultsOf(const Device& device) {
  Judge judge(device);
  for (const std::string_view fault : FaultsOfParts(device)) judge.Must(false, fault);
  judge.Must(device.zone.visible <= device.zone.wanted, "more is visible in the zone than was wanted");
  const bool live = HasLiveCertificate(device.state);
  for (const Credential& credential : device.credentials) {
    judge.Must(live, "has a " + std::string(PhaseName(credential.phase)) + " certificate " + InState(device));
  }
  judge.Must(!live || Live(device) != nullptr, "has no certificate " + InState(device));
  judge.Must(!live || !AgreementKey(device).empty(), "has no key-agreement key " + InState(device));
  judge.Must(device.state != State::kActive || (Claimer(device) && DeliveredVersion(device) > 0),
             "is active without a claimer or a delivered payload");
  const bool seen = live || device.state == State::kAttached;
  judge.Must(!seen || EverSeen(device), "was never seen on the network " + InState(device));
  return judge.Take();
}

Faults FaultsInZone(const Device& device, const std::optional<ZoneChange>& wanted) {
  Judge judge(device);
  const bool trusted = HasLiveCertificate(device.state) && !Withheld(device);
  const bool shown = wanted && !wanted->tlsa.empty();
  judge.Must(!trusted || shown, std::string(StateName(device.state)) + " without TLSA");
  judge.Must(trusted || !shown, "has TLSA " + InState(device));
  judge.Must(!wanted || device.state != State::kDeleted, "is deleted but still in the zone");
  if (!wanted) return judge.Take();
  judge.Must(wanted->revision == device.zone.wanted, "its zone content is of another revision");
  if (Live(device) == nullptr) return judge.Take();
  const auto& shows = wanted->tlsa;
  const bool own = std::all_of(shows.begin(), shows.end(),
                               [&](const TlsaRecord& record) { return IsOfOne(record, device.credentials); });
  judge.Must(own, "has TLSA of another certificate than its live one");
  const auto is_live = [&](const TlsaRecord& record) { return IsOf(record, *LiveCertificate(device)); };
  judge.Must(!own || shows.empty() || std::any_of(shows.begin(), shows.end(), is_live),
             "has no TLSA of its live certificate");
  return judge.Take();
}

Faults FaultsInJobs(const Device& device, const std::vector<Job>& jobs) {
  Judge judge(device);
  std::set<JobKind> waits;
  std::set<std::pair<JobKind, std::uint32_t>> of_profiles;
  for (const Job& job : jobs) {
    const std::string name(JobKindName(job.kind));
    waits.insert(job.kind);
    // Each profile has an MNO of its own to do it.
    judge.Must(of_profiles.emplace(job.kind, IsOfProfile(job.kind) ? job.profile : 0).second,
               "two jobs of " + name + " wait");
    judge.Must(HasUse(device.state, job.kind), name + " waits " + InState(device));
    const bool gives = job.kind == JobKind::kKeyGenerate || job.kind == JobKind::kPayloadPush;
    judge.Must(!gives || !OnHold(device), name + " waits though it is on hold");
    judge.Must(job.attempt > 0, name + " waits and was never tried");
    judge.Must(job.kind != JobKind::kZoneVisible || job.version == device.zone.wanted,
               "the alarm of another zone revision waits");
    judge.Must(job.kind != JobKind::kPayloadPush || job.version <= PayloadVersion(device),
               "a payload is pushed that was never made");
  }
  const bool pending = device.statuses.contains(DeviceStatus::kPendingTransfer);
  judge.Must(pending == waits.contains(JobKind::kTransferDecide),
             pending ? "a transfer is pending and nothing ever decides it"
                     : "a decision of a transfer waits that is not pending");
  judge.Must(!waits.contains(JobKind::kKeyGenerate) || !waits.contains(JobKind::kAppletWipe),
             "key.generate waits beside a wipe that would take the key");
  const bool owed = device.zone.visible < device.zone.wanted;
  judge.Must(
      owed == waits.contains(JobKind::kZoneVisible),
      owed ? "a zone change is awaited without an alarm" : "an alarm waits for a zone change that was seen");
  return judge.Take();
}

std::vector<DeviceId> Touched(const Changeset& changes) {
  std::set<DeviceId> touched;
  for (const DevicePut& put : changes.devices) touched.insert(put.device.id);
  for (const Job& job : changes.jobs_put) {
    if (std::holds_alternative<DeviceId>(job.subject)) touched.insert(job.device());
  }
  for (const ZoneChange& change : changes.zone) touched.insert(change.device);
  return {touched.begin(), touched.end()};
}

namespace {

bool OwnsAnOrder(const PartyId& party, const Changeset& changes) {
  return std::any_of(changes.orders.begin(), changes.orders.end(),
                     [&](const OrderPut& put) { return put.order.owner == party; });
}

}  // namespace

Faults FaultsOf(const Changeset& changes, const BeforeOf& before) {
  Faults faults;
  std::set<PartyId> parties;
  for (const auto& [id, was] : before) {
    const Device* after = Put(changes, id);
    if (after == nullptr && was.device) after = &*was.device;
    if (after == nullptr) {
      faults.push_back("device " + id.text() + ": has work or zone content, and no record");
      continue;
    }
    Append(FaultsOfStep({was, *after, changes}), faults);
    AddParties(*after, parties);
    if (was.device) AddParties(*was.device, parties);
  }
  for (const Notification& notification : changes.notifications) {
    // Of the zone's secondaries operators hear, and of no device with it.
    if (notification.type.starts_with("secondary.") && before.empty()) continue;
    // Of an order hears its owner, whose devices need not be touched by what is told.
    const bool of_order = notification.type.starts_with("order.");
    if (of_order ? OwnsAnOrder(notification.to, changes) : parties.contains(notification.to)) continue;
    faults.push_back(notification.type + " goes to " + notification.to.text() + ", " +
                     (of_order ? "whose order it is not" : "who has no part in the device"));
  }
  return faults;
}

}  // namespace registry::domain
