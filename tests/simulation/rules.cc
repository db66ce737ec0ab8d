#include "tests/simulation/rules.h"

#include <algorithm>

#include "workers/domain/invariants.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/code_text.h"

namespace registry::simulation {
namespace {

using domain::Device;
using domain::Job;
using domain::JobKind;
using domain::State;

std::string Of(const Device& device, const std::string& what) {
  return device.id.text() + " (" + std::string(domain::StateName(device.state)) + ") " + what;
}

// Each device in turn, until one is at fault.
template <class Check>
std::string Each(const Snapshot& now, Check check) {
  for (const Device& device : now.devices) {
    const std::string fault = check(device);
    if (!fault.empty()) return Of(device, fault);
  }
  return "";
}

std::optional<domain::ZoneChange> ZoneOf(const Snapshot& now, const DeviceId& id) {
  const auto found = now.zone.find(id);
  if (found == now.zone.end()) return std::nullopt;
  return found->second;
}

bool Waits(const Snapshot& now, const Device& device, JobKind kind) {
  const auto& jobs = now.jobs.at(device.id);
  return std::any_of(jobs.begin(), jobs.end(), [kind](const Job& job) { return job.kind == kind; });
}

// Which of the steps the trace names last; empty when it has none of them (any more).
std::string LastOf(const Device& device, const std::set<std::string>& steps) {
  for (auto step = device.trace.rbegin(); step != device.trace.rend(); ++step) {
    if (steps.contains(step->step)) return step->step;
  }
  return "";
}

std::string RecordIsSound(const Snapshot& now) {
  for (const Device& device : now.devices) {
    for (const auto& faults : {domain::FaultsOf(device), domain::FaultsInZone(device, ZoneOf(now, device.id)),
                               domain::FaultsInJobs(device, now.jobs.at(device.id))}) {
      if (!faults.empty()) return faults.front();
    }
  }
  return "";
}

// RFC 5280 §5: what the registry issued and no device has as its live one must be on the list, and nothing that is live.
std::string CertificatesAreLiveOrRevoked(const Snapshot& now) {
  std::set<Bytes> live;
  for (const Device& device : now.devices) {
    for (const domain::Credential& one : device.credentials) {
      live.insert(one.certificate.serial);
      if (now.revoked.contains(one.certificate.serial)) return Of(device, "has a revoked certificate");
    }
  }
  for (const Bytes& serial : now.world.issued) {
    if (!live.contains(serial) && !now.revoked.contains(serial)) {
      return "certificate " + ToHex(serial) + " is neither live nor revoked";
    }
  }
  return "";
}

std::string NothingBelongsToTwo(const Snapshot& now) {
  std::set<std::string> esims;
  std::set<Bytes> keys;
  return Each(now, [&](const Device& device) -> std::string {
    if (device.state == State::kDeleted) return "";
    if (!esims.insert(device.eid.text()).second) return "has the EID of another device";
    for (const domain::Profile& profile : device.profiles) {
      if (profile.state == domain::ProfileState::kDeleted) continue;
      if (!esims.insert(profile.iccid.text()).second) return "has the ICCID of another device";
      const bool agrees = !profile.agreement_key.empty();
      if (agrees && !keys.insert(profile.agreement_key).second) return "has another's key-agreement key";
    }
    for (const domain::Credential& one : device.credentials) {
      if (!keys.insert(one.certificate.spki_sha256).second) return "has another's key";
    }
    return "";
  });
}

// As soon as every secondary has heard of the hold.
std::string HeldIsNotServed(const Snapshot& now, const Device& device) {
  if (device.zone.visible != device.zone.wanted) return "";
  const auto served = now.world.served.find(device.id.text());
  return served == now.world.served.end() || served->second.tlsa.empty() ? "" : "is on hold and served";
}

// What authenticates a device is what name servers really show.
std::string ActiveIsServed(const Snapshot& now) {
  return Each(now, [&](const Device& device) -> std::string {
    if (device.state != State::kActive && device.state != State::kPublished) return "";
    if (domain::Withheld(device)) return HeldIsNotServed(now, device);
    // Let go, and not seen since.
    if (LastOf(device, {"resumed", "published"}) == "resumed") return "";
    // It has another certificate after the end of the one before, and that was not seen yet.
    if (LastOf(device, {"expired", "published"}) == "expired") return "";
    const auto served = now.world.served.find(device.id.text());
    if (served == now.world.served.end() || served->second.tlsa.empty()) return "is not served";
    // Beside the live one only what a renewal or a transfer has under way.
    const auto& shown = served->second.tlsa;
    const bool as_wanted = served->second.revision == device.zone.wanted;
    if (as_wanted && shown.size() > device.credentials.size())
      return "is served with a certificate it does not have";
    const bool live = std::any_of(shown.begin(), shown.end(), [&](const domain::TlsaRecord& record) {
      return record.data == domain::LiveCertificate(device)->sha256;
    });
    return live ? "" : "is served with another certificate";
  });
}

std::string SeenIsServed(const Snapshot& now) {
  return Each(now, [&](const Device& device) -> std::string {
    if (device.zone.visible == 0) return "";
    const auto served = now.world.served.find(device.id.text());
    const bool shown = served != now.world.served.end() && served->second.revision >= device.zone.visible;
    return shown ? "" : "believes that a revision is served which is not";
  });
}

std::string WhoWaitsHasAJob(const Snapshot& now) {
  return Each(now, [&](const Device& device) -> std::string {
    const bool wiping = Waits(now, device, JobKind::kAppletWipe);
    if (domain::OnHold(device) && device.state != State::kDeactivated && device.state != State::kDeleted)
      return "";
    if (device.state == State::kAttached && !wiping && !Waits(now, device, JobKind::kKeyGenerate)) {
      const std::string last = LastOf(device, {"key.generate", "key.generate failed"});
      return last == "key.generate failed" ? "" : "waits for a key nobody was asked for";
    }
    // After the end of its certificate it is given the next one first, which brings the payload.
    const bool renews =
        device.statuses.contains(domain::DeviceStatus::kExpired) &&
        (Waits(now, device, JobKind::kKeyGenerate) || Waits(now, device, JobKind::kCredentialStep));
    if (device.state == State::kPublished && domain::Claimer(device) && !renews &&
        !Waits(now, device, JobKind::kPayloadPush) && !Waits(now, device, JobKind::kZoneVisible)) {
      const std::string last = LastOf(device, {"payload.push", "payload.push failed"});
      return last == "payload.push failed" ? "" : "waits for a payload nobody pushes";
    }
    const bool ended = device.state == State::kDeactivated || device.state == State::kDeleted;
    if (!ended || !domain::EverSeen(device) || wiping) return "";
    const std::string last =
        LastOf(device, {"attached", "deactivated", "deleted", "wiped", "applet.wipe failed"});
    // One that was first seen after it was deactivated made no key, so there is nothing to wipe.
    const bool clean = last == "wiped" || last == "applet.wipe failed" || last == "attached";
    return clean ? "" : "is to be wiped, and nobody was asked";
  });
}

std::string DeletedGivesItsEsimBack(const Snapshot& now) {
  return Each(now, [&](const Device& device) -> std::string {
    if (device.state != State::kDeleted) return "";
    const auto& jobs = now.jobs.at(device.id);
    const bool busy =
        std::any_of(jobs.begin(), jobs.end(), [](const Job& job) { return domain::ReachesEsim(job.kind); });
    const auto holder = now.world.ledger().FindUnique({domain::UniqueKind::kEid, AsBytes(device.eid.text())});
    const bool keeps = *holder == device.id;
    if (keeps == busy) return "";
    return keeps ? "keeps its EID, and nothing is waited for"
                 : "gave its EID away, and its eSIM is waited for";
  });
}

std::string PlanFault(const Job& job, const Snapshot& now) {
  const auto& policy = now.world.services().policy;
  if (job.due > lifecycle::LatestDue(policy, now.world.clock.latest)) return "is put off for ever";
  if (!job.to && domain::RowOf(job.kind).on_due != domain::OnDue::kSentAgain) return "";
  if (!job.to) return "is nobody's";
  if (job.attempt > policy.retry.Of(*job.to).attempts_max) return "has more attempts than there are";
  const auto same = [&](const Told& told) { return told.job == job.id.text() && told.mno == job.to->text(); };
  const bool told = std::any_of(now.world.told.begin(), now.world.told.end(), same);
  if (told == job.unsent) return told ? "was sent and is kept" : "waits for somebody who was not asked";
  return "";
}

std::string JobsKeepToThePlan(const Snapshot& now) {
  std::map<PartyId, std::size_t> open;
  for (const auto& [id, jobs] : now.jobs) {
    for (const Job& job : jobs) {
      const std::string fault = PlanFault(job, now);
      if (!fault.empty())
        return std::string(domain::JobKindName(job.kind)) + " " + job.id.text() + " " + fault;
      if (job.to && !job.unsent) ++open[*job.to];
    }
  }
  for (const auto& [mno, jobs] : open) {
    if (jobs > now.world.services().policy.retry.Of(mno).open_max)
      return mno.text() + " has more open than it can do";
  }
  return "";
}

std::string EveryAnswerIsRemembered(const Snapshot& now) {
  for (const Sent& sent : now.world.sent) {
    if (sent.outcome != "accepted") continue;
    const auto mark = now.world.ledger().FindEvent(
        *PartyId::Parse(sent.party), *EventId::Parse(sent.envelope.at("id").get<std::string>()));
    const auto time = FromRfc3339(sent.envelope.at("time").get<std::string>());
    if (!*mark && ledger::MayBeForgotten(*time, *now.world.ledger().LoadMarksKept())) continue;
    if (!*mark) return sent.party + " " + sent.command + " was accepted and is not remembered";
    domain::OutgoingMessage again = (*mark)->reply;
    lifecycle::FillInCode(now.world.services().policy.authorisation.key, again);
    if (again.payload != sent.answer) return sent.party + " " + sent.command + " would be answered otherwise";
  }
  return "";
}

std::string FeedsAreWhole(const Snapshot& now) {
  for (const auto& [party, last] : now.world.heard) {
    const auto feed = now.world.ledger().LoadFeed(*PartyId::Parse(party));
    if (feed->last != last)
      return party + " heard " + std::to_string(last) + " of " + std::to_string(feed->last);
    const auto items = now.world.ledger().FeedFrom(*PartyId::Parse(party), feed->acked + 1, ~std::size_t{0});
    if (items->size() != feed->last - feed->acked)
      return party + " cannot be told again what it has not acknowledged";
  }
  return "";
}

Snapshot Look(const World& world) {
  Snapshot now{world, {}, {}, {}, {}};
  now.devices = *world.ledger().DevicesAfter(std::nullopt, ~std::size_t{0});
  for (const Device& device : now.devices) now.jobs[device.id] = *world.ledger().JobsOf(device.id);
  for (auto& change : *world.ledger().ZoneAfter(std::nullopt, ~std::size_t{0})) {
    now.zone.emplace(change.device, std::move(change));
  }
  for (auto& revocation : *world.ledger().Revocations()) now.revoked.insert(std::move(revocation.serial));
  return now;
}

}  // namespace

const std::vector<Rule>& Rules() {
  static const std::vector<Rule> rules = {
      {"record", RecordIsSound},
      {"certificate", CertificatesAreLiveOrRevoked},
      {"unique", NothingBelongsToTwo},
      {"served", ActiveIsServed},
      {"seen", SeenIsServed},
      {"waiting", WhoWaitsHasAJob},
      {"esim", DeletedGivesItsEsimBack},
      {"plan", JobsKeepToThePlan},
      {"answer", EveryAnswerIsRemembered},
      {"feed", FeedsAreWhole},
  };
  return rules;
}

std::optional<std::string> FirstFault(const World& world) {
  if (!world.violation.empty()) return world.violation;
  const Snapshot now = Look(world);
  for (const Rule& rule : Rules()) {
    const std::string fault = rule.fault(now);
    if (!fault.empty()) return std::string(rule.name) + ": " + fault;
  }
  return std::nullopt;
}

std::optional<std::string> VerifyFault(const World& world) {
  const auto report = ledger::Verify(world.ledger());
  if (report->faults.empty()) return std::nullopt;
  return "verify: " + report->faults.front();
}

}  // namespace registry::simulation
