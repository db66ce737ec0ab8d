#include "bridge/ctl/anchor_life.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "bridge/app/zone_options.h"
#include "bridge/ctl/folder_lock.h"
#include "bridge/ctl/party_entry.h"
#include "bridge/ctl/party_history.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

std::string Number(std::uint64_t count, const char* one, const char* more) {
  return std::to_string(count) + " " + (count == 1 ? one : more);
}

// RFC 5011 §2.4.1: thirty days, or the TTL of the set that has it, whichever is longer.
seconds AddHoldDown(const AnchorStep& step) {
  std::istringstream words(step.anchor);
  std::string owner, ttl;
  words >> owner >> ttl;
  const bool number = !ttl.empty() && ttl.size() < 10 && ttl.find_first_not_of("0123456789") == ttl.npos;
  if (step.hold_down.count() == 0 || !number) return step.hold_down;
  return std::max<seconds>(step.hold_down, seconds(std::stol(ttl)));
}

void Move(KnownAnchor& anchor, AnchorState state, UtcTime now, seconds hold_down) {
  anchor.state = state;
  anchor.since = now;
  anchor.until = hold_down.count() == 0 ? UtcTime{} : now + hold_down;
}

Result<AnchorsChanged> Add(const AnchorStep& step, AnchorSet set) {
  const auto parsed = app::ParseTrustAnchor(step.anchor);
  if (!parsed) return AnchorRefused("no DS or DNSKEY record: " + step.anchor);
  const std::string label = app::LabelOf(*parsed);
  for (const KnownAnchor& one : set.anchors) {
    if (one.label() != label) continue;
    const bool was = one.state == AnchorState::kLeaving || one.state == AnchorState::kRemoved;
    return AnchorRefused(label + " is " + std::string(NameOf(one.state)) +
                         (was ? ": what was revoked is not believed again" : " already"));
  }
  KnownAnchor anchor{step.anchor, AnchorState::kComing, {}, {}};
  const seconds hold_down = AddHoldDown(step);
  Move(anchor, hold_down.count() == 0 ? AnchorState::kValid : AnchorState::kComing, step.now, hold_down);
  std::string said = label + " is " + std::string(NameOf(anchor.state));
  if (anchor.state == AnchorState::kComing)
    said += "; its hold-down ends " + ToRfc3339(anchor.until) + ", then: registryctl anchor trust";
  set.anchors.push_back(std::move(anchor));
  return AnchorsChanged{std::move(set), "anchor-added", std::move(said)};
}

Result<AnchorsChanged> Believe(const AnchorStep& step, AnchorSet set) {
  const auto at = set.Find(step.anchor);
  if (!at) return at.error();
  KnownAnchor& anchor = set.anchors[*at];
  if (anchor.state != AnchorState::kComing)
    return AnchorRefused(anchor.label() + " is " + std::string(NameOf(anchor.state)) + ", not coming");
  if (step.now < anchor.until)
    return AnchorRefused("the hold-down of " + anchor.label() + " ends " + ToRfc3339(anchor.until) +
                         " (RFC 5011 §2.4.1)");
  Move(anchor, AnchorState::kValid, step.now, seconds(0));
  std::string said = anchor.label() + " is valid";
  return AnchorsChanged{std::move(set), "anchor-trusted", std::move(said)};
}

// Of those that remain every device must have confirmed one.
Status CheckNobodyIsLost(const AnchorStep& step, const std::set<std::string>& remaining,
                         const BelievedAnchors& believed, std::string& said) {
  const std::uint64_t all = believed.devices(), losing = believed.LostWith(remaining);
  if (losing == 0) {
    said += "; " + Number(all, "device", "devices") + ", and each has another one";
    return Done{};
  }
  const std::string lost = Number(losing, "device", "devices") + " of " + std::to_string(all) +
                           (losing == 1 ? " has" : " have") + " not confirmed another anchor (" +
                           std::to_string(believed.With(remaining).under_way) +
                           " with a payload under way) and could prove nothing once this key is gone";
  said += "; " + lost;
  if (step.force) return Done{};
  return AnchorRefused(
      lost + ". Give them a payload (registryctl order start reprovision --all) and wait, or --force");
}

Result<AnchorsChanged> Revoke(const AnchorStep& step, AnchorSet set, const AskDevices& ask) {
  const auto at = set.Find(step.anchor);
  if (!at) return at.error();
  KnownAnchor& anchor = set.anchors[*at];
  if (anchor.state != AnchorState::kValid)
    return AnchorRefused(anchor.label() + " is " + std::string(NameOf(anchor.state)) + ", not valid");
  Move(anchor, AnchorState::kLeaving, step.now, step.hold_down);
  const auto remaining = app::LabelsOf(set.Given());
  if (remaining.empty())
    return AnchorRefused(anchor.label() + " is the only one that devices are given: add another first");
  std::string said = anchor.label() + " is leaving";
  const auto believed = ask();
  if (!believed) return believed.error();
  if (auto safe = CheckNobodyIsLost(step, remaining, *believed, said); !safe) return safe.error();
  return AnchorsChanged{std::move(set), "anchor-revoked", std::move(said)};
}

Result<AnchorsChanged> Remove(const AnchorStep& step, AnchorSet set, const AskDevices& ask) {
  const auto at = set.Find(step.anchor);
  if (!at) return at.error();
  KnownAnchor& anchor = set.anchors[*at];
  std::string said = anchor.label() + " is removed";
  if (anchor.state == AnchorState::kComing) {
    set.anchors.erase(set.anchors.begin() + static_cast<std::ptrdiff_t>(*at));
    return AnchorsChanged{std::move(set), "anchor-removed", std::move(said)};
  }
  if (anchor.state != AnchorState::kLeaving)
    return AnchorRefused(anchor.label() + " is " + std::string(NameOf(anchor.state)) +
                         (anchor.state == AnchorState::kValid ? ": revoke it first" : ""));
  if (!step.force && step.now < anchor.until)
    return AnchorRefused("the hold-down of " + anchor.label() + " ends " + ToRfc3339(anchor.until) +
                         " (RFC 5011 §2.4.2)");
  const auto believed = ask();
  if (!believed) return believed.error();
  if (const std::uint64_t may = believed->MayBelieve(anchor.label()); may > 0) {
    const std::string still = Number(may, "device", "devices") + " may still believe " + anchor.label();
    if (!step.force)
      return AnchorRefused(still +
                           ": give them a payload without it (registryctl order start reprovision "
                           "--all) and wait, or --force");
    said += "; " + still;
  }
  Move(anchor, AnchorState::kRemoved, step.now, seconds(0));
  return AnchorsChanged{std::move(set), "anchor-removed", std::move(said)};
}

// What registryd would refuse to start with.
Status CheckGiven(const app::Config& config, const std::vector<std::string>& given) {
  const auto ksk = app::KskInUse(config);
  const std::string key = config.dns.by_update() ? "" : ksk ? *ksk : config.dns.ksk;
  const auto faults = app::TrustAnchorFaults(given, config.zone, key);
  return faults.empty() ? Status(Done{}) : Status(AnchorRefused(faults.front()));
}

Status CheckComing(const app::Config& config, const AnchorSet& set) {
  std::vector<std::string> all = set.Given();
  for (const KnownAnchor& one : set.anchors) {
    if (one.state == AnchorState::kComing) all.push_back(one.record);
  }
  return CheckGiven(config, all);
}

Status WriteList(const app::Config& config, const AnchorSet& set) {
  if (app::LabelsOf(set.Given()) == app::LabelsOf(config.trust_anchors)) return Done{};
  auto toml = RegistryToml::Read(config.file);
  if (!toml) return toml.error();
  if (auto changed = toml->SetList("registry", "trust_anchors", set.Given()); !changed) return changed;
  return toml->Write();
}

// The list decides. What comes is in it before the states say so, and what goes has its state before it leaves the list: so
// an anchor is known after an interruption, and the step is done or can be repeated.
Status Write(const app::Config& config, const AnchorSet& set) {
  const bool comes = set.Given().size() > config.trust_anchors.size();
  if (auto written = comes ? WriteList(config, set) : Status(Done{}); !written) return written;
  if (auto written = WriteAnchorSet(AnchorStatesOf(config), set); !written) return written;
  return comes ? Status(Done{}) : WriteList(config, set);
}

}  // namespace

std::string AnchorStatesOf(const app::Config& config) {
  return app::InterfaceFolder(config) + "/trust-anchors.json";
}

Result<AnchorsChanged> Decide(const AnchorStep& step, AnchorSet set, const AskDevices& believed) {
  switch (step.verb) {
    case AnchorStep::Verb::kAdd:
      return Add(step, std::move(set));
    case AnchorStep::Verb::kTrust:
      return Believe(step, std::move(set));
    case AnchorStep::Verb::kRevoke:
      return Revoke(step, std::move(set), believed);
    case AnchorStep::Verb::kRemove:
      break;
  }
  return Remove(step, std::move(set), believed);
}

Result<AnchorsChanged> TakeStep(const std::string& config_file, const AnchorStep& step,
                                const std::string& reason, bool dry_run, const AskDevices& believed) {
  const fs::path above = fs::path(config_file).parent_path();
  const auto lock = FolderLock::Take(above.empty() ? "." : above.string());
  if (!lock) return lock.error();
  const auto config = app::LoadConfig(config_file);
  if (!config) return config.error();
  auto set = ReadAnchorSet(AnchorStatesOf(*config), config->trust_anchors);
  if (!set) return set.error();
  auto changed = Decide(step, std::move(*set), believed);
  if (!changed) return changed;
  if (auto good = CheckComing(*config, changed->set); !good) return good.error();
  if (dry_run) return changed;
  if (auto written = Write(*config, changed->set); !written) return written.error();
  const std::string why = reason.empty() ? "" : ": " + reason;
  const PartyEvent event{step.now, changed->event, "registry", {}, changed->said + why};
  if (auto kept = RecordEvent(app::InterfaceFolder(*config), event); !kept) return kept.error();
  return changed;
}

}  // namespace registry::ctl
