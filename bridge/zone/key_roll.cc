#include "bridge/zone/key_roll.h"

#include <algorithm>

#include "bridge/zone/key_set_file.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

seconds LifetimeOf(KeyRole role, const RollPolicy& policy) {
  return role == KeyRole::kZsk ? policy.zsk_lifetime : policy.ksk_lifetime;
}

const KeyEntry* ActiveOf(const KeySet& set, KeyRole role) {
  const auto found = std::ranges::find_if(
      set.keys, [role](const KeyEntry& key) { return key.role == role && key.state == KeyState::kActive; });
  return found == set.keys.end() ? nullptr : &*found;
}

// RFC 7583 §3.2.1, §3.3.1: Ipub, and Iret without the time that signing takes, which is measured (`served`).
seconds WaitOf(const Roll& roll, const RollPolicy& policy) {
  if (roll.step == RollStep::kPublish) return policy.dnskey_ttl + policy.propagation;
  if (roll.step == RollStep::kSubmit) return seconds(0);
  const seconds data = std::max(policy.ttl_max, policy.dnskey_ttl) + policy.propagation;
  const seconds ds = std::max(policy.ds_ttl, seconds(roll.ds_ttl)) + policy.parent_propagation;
  if (roll.role == KeyRole::kZsk) return data;
  return roll.role == KeyRole::kKsk ? ds : std::max(data, ds);
}

bool StepOver(const Roll& roll, const RollPolicy& policy) {
  if (!roll.served) return false;
  if (roll.step == RollStep::kSubmit) return roll.ds_seen;
  return roll.waited >= WaitOf(roll, policy);
}

void SetState(KeySet& set, std::uint16_t tag, KeyState state, UtcTime now) {
  KeyEntry* const key = set.Find(tag);
  key->state = state;
  key->since = now;
}

void Enter(Roll& roll, RollStep step, UtcTime now) {
  roll.step = step;
  roll.since = now;
  roll.served = false;
  roll.waited = milliseconds(0);
}

void Activate(KeySet& set, Roll& roll, UtcTime now) {
  SetState(set, roll.to, KeyState::kActive, now);
  SetState(set, roll.from, KeyState::kRetired, now);
  Enter(roll, RollStep::kRetire, now);
}

// True when the roll-over is at its end.
bool MakeStep(KeySet& set, Roll& roll, UtcTime now) {
  if (roll.step == RollStep::kRetire) {
    std::erase_if(set.keys, [&](const KeyEntry& key) { return key.tag == roll.from; });
    set.removed.push_back(roll.from);
    if (set.removed.size() > kRemovedMax) set.removed.erase(set.removed.begin());
    return true;
  }
  if (roll.step == RollStep::kPublish && roll.role != KeyRole::kZsk) {
    SetState(set, roll.to, KeyState::kReady, now);
    Enter(roll, RollStep::kSubmit, now);
  } else {
    Activate(set, roll, now);
  }
  return false;
}

// A step of one roll-over changes the zone, and the others' clocks go on from when that is served: what they wait for is
// still served meanwhile, since no step takes anything away that another has added.
RollChange Note(Roll& roll, const RollFacts& facts) {
  if (!roll.served) {
    if (!facts.served) return RollChange::kNothing;
    roll.served = true;
    return RollChange::kNoted;
  }
  if (roll.step == RollStep::kSubmit || facts.elapsed <= milliseconds(0)) return RollChange::kNothing;
  roll.waited += facts.elapsed;
  return RollChange::kWaited;
}

// A clock that was ahead has left times in the future, after which no lifetime would end any more.
bool ComeBack(KeySet& set, UtcTime now) {
  bool came = false;
  for (KeyEntry& key : set.keys) {
    if (key.since <= now) continue;
    key.since = now;
    came = true;
  }
  return came;
}

std::string_view LongName(KeyRole role) {
  return role == KeyRole::kKsk ? "KSK" : role == KeyRole::kZsk ? "ZSK" : "CSK";
}

std::string WaitsFor(const Roll& roll, const RollPolicy& policy) {
  const std::string to = std::to_string(roll.to), from = std::to_string(roll.from);
  if (!roll.served) {
    const bool data = SignsZone(roll.role) && roll.step != RollStep::kPublish;
    return std::string(data ? "the zone to be signed with key " : "key ") + to +
           (data ? ", and every secondary to serve all of it"
                 : " to be served by every secondary as it is now");
  }
  if (roll.step == RollStep::kPublish)
    return "caches to forget the DNSKEY set without key " + to + " (its TTL, and the propagation)";
  if (roll.step == RollStep::kSubmit) return "the DS of key " + to + " at the parent";
  const bool ds =
      WaitOf(roll, policy) == std::max(policy.ds_ttl, seconds(roll.ds_ttl)) + policy.parent_propagation;
  return SignsKeys(roll.role) && ds
             ? "caches to forget the DS set without key " + to + " (its TTL, and the parent's propagation)"
             : "caches to forget signatures of key " + from + " (the longest TTL, and the propagation)";
}

}  // namespace

RollChange Advance(KeySet& set, const RollPolicy& policy, const RollFacts& facts) {
  RollChange change = ComeBack(set, facts.now) ? RollChange::kNoted : RollChange::kNothing;
  for (Roll& roll : set.rolls) change = std::max(change, Note(roll, facts));
  const auto over = std::ranges::find_if(set.rolls, [&](const Roll& roll) { return StepOver(roll, policy); });
  if (over == set.rolls.end()) return change;
  if (MakeStep(set, *over, facts.now)) set.rolls.erase(over);
  return RollChange::kStep;
}

std::optional<UtcTime> NextRoll(const KeySet& set, const RollPolicy& policy, KeyRole role) {
  const KeyEntry* const active = ActiveOf(set, role);
  const seconds lifetime = LifetimeOf(role, policy);
  if (active == nullptr || lifetime <= seconds(0) || set.RollOf(role) != nullptr) return std::nullopt;
  return active->since + lifetime;
}

std::optional<KeyRole> RollDue(const KeySet& set, const RollPolicy& policy, UtcTime now) {
  for (const KeyRole role : {KeyRole::kKsk, KeyRole::kZsk, KeyRole::kCsk}) {
    if (ActiveOf(set, role) == nullptr || set.RollOf(role) != nullptr) continue;
    if (std::ranges::find(set.requested, role) != set.requested.end()) return role;
    // No roll-over makes keys in a token, so time does not ask for one there.
    const auto next = IsTokenKey(ActiveOf(set, role)->file) ? std::nullopt : NextRoll(set, policy, role);
    if (next && *next <= now) return role;
  }
  return std::nullopt;
}

KeyRole RoleIn(const KeySet& set, KeyRole role) {
  return ActiveOf(set, role) == nullptr ? set.Anchor().role : role;
}

std::string RollRefusal(const KeySet& set, KeyRole role) {
  const KeyRole meant = RoleIn(set, role);
  const std::string name(LongName(meant));
  if (const Roll* const roll = set.RollOf(meant)) {
    return "the " + name + " is being rolled over, from key " + std::to_string(roll->from) + " to key " +
           std::to_string(roll->to);
  }
  if (std::ranges::find(set.requested, meant) != set.requested.end())
    return "the roll-over of the " + name + " is requested already; registryd begins it while it runs";
  return {};
}

void BeginRoll(KeySet& set, KeyRole role, std::uint16_t tag, const std::string& file, UtcTime now) {
  const KeyEntry* const active = ActiveOf(set, role);
  REG_CHECK(active != nullptr && set.RollOf(role) == nullptr && !set.Knows(tag));
  set.rolls.push_back({role, active->tag, tag, RollStep::kPublish, now, false, false, 0, milliseconds(0)});
  set.keys.push_back({role, KeyState::kPublished, tag, file, now});
  std::erase(set.requested, role);
}

std::vector<RollStatus> StatusOf(const KeySet& set, const RollPolicy& policy) {
  std::vector<RollStatus> status;
  for (const Roll& roll : set.rolls) {
    RollStatus one{roll.role,    roll.from,   roll.to, roll.step, WaitsFor(roll, policy),
                   std::nullopt, std::nullopt};
    if (roll.served && roll.step != RollStep::kSubmit)
      one.rest = std::max(milliseconds(0), milliseconds(WaitOf(roll, policy)) - roll.waited);
    if (roll.step == RollStep::kSubmit && roll.served && !roll.ds_seen) one.ds_due = roll.to;
    status.push_back(std::move(one));
  }
  return status;
}

}  // namespace registry::zone
