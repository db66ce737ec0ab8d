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

seconds DataWait(const RollPolicy& policy) {
  return std::max(policy.ttl_max, policy.dnskey_ttl) + policy.propagation;
}
seconds DsWait(const Roll& roll, const RollPolicy& policy) {
  return std::max(policy.ds_ttl, seconds(roll.ds_ttl)) + policy.parent_propagation;
}

// Until no cache holds what may not be there in the next step.
seconds AlgorithmWaitOf(const Roll& roll, const RollPolicy& policy) {
  switch (roll.step) {
    case RollStep::kSign:  // data without a signature of the new algorithm
      return DataWait(policy);
    case RollStep::kPublish:   // DNSKEY sets without the new keys
    case RollStep::kWithdraw:  // DNSKEY sets with the old ones, which want signatures of both
      return policy.dnskey_ttl + policy.propagation;
    case RollStep::kRetire:  // DS sets that name the old KSK
      return DsWait(roll, policy);
    case RollStep::kSubmit:
    case RollStep::kUnsign:
      break;
  }
  return seconds(0);
}

// RFC 7583 §3.2.1, §3.3.1: Ipub, and Iret without the time that signing takes, which is measured (`served`).
seconds WaitOf(const Roll& roll, const RollPolicy& policy) {
  if (roll.of_algorithm()) return AlgorithmWaitOf(roll, policy);
  if (roll.step == RollStep::kPublish) return policy.dnskey_ttl + policy.propagation;
  if (roll.step == RollStep::kSubmit) return seconds(0);
  const seconds data = DataWait(policy), ds = DsWait(roll, policy);
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

void Remove(KeySet& set, std::uint16_t tag) {
  std::erase_if(set.keys, [&](const KeyEntry& key) { return key.tag == tag; });
  set.removed.push_back(tag);
  if (set.removed.size() > kRemovedMax) set.removed.erase(set.removed.begin());
}

// The keys of an algorithm roll-over go through the steps together.
void SetPairs(KeySet& set, const Roll& roll, KeyState old_state, KeyState new_state, UtcTime now) {
  const auto put = [&](std::uint16_t tag, KeyState state) {
    if (set.Find(tag)->state != state) SetState(set, tag, state, now);
  };
  put(roll.from, old_state);
  put(roll.to, new_state);
  if (roll.role == KeyRole::kCsk) return;
  put(roll.zsk_from, old_state);
  put(roll.zsk_to, new_state);
}

// True when the roll-over is at its end.
bool MakeAlgorithmStep(KeySet& set, Roll& roll, UtcTime now) {
  const auto enter = [&](RollStep step, KeyState old_state, KeyState new_state) {
    SetPairs(set, roll, old_state, new_state, now);
    Enter(roll, step, now);
    return false;
  };
  switch (roll.step) {
    case RollStep::kSign:
      return enter(RollStep::kPublish, KeyState::kActive, KeyState::kPublished);
    case RollStep::kPublish:
      return enter(RollStep::kSubmit, KeyState::kActive, KeyState::kReady);
    case RollStep::kSubmit:
      return enter(RollStep::kRetire, KeyState::kRetired, KeyState::kActive);
    case RollStep::kRetire:
      return enter(RollStep::kWithdraw, KeyState::kPostActive, KeyState::kActive);
    case RollStep::kWithdraw:
      return enter(RollStep::kUnsign, KeyState::kPostActive, KeyState::kActive);
    case RollStep::kUnsign:
      break;
  }
  Remove(set, roll.from);
  if (roll.role == KeyRole::kKsk) Remove(set, roll.zsk_from);
  return true;
}

// True when the roll-over is at its end.
bool MakeStep(KeySet& set, Roll& roll, UtcTime now) {
  if (roll.of_algorithm()) return MakeAlgorithmStep(set, roll, now);
  if (roll.step == RollStep::kRetire) {
    Remove(set, roll.from);
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

// Whether the step is over only when all data are signed as it wants. In the steps of an algorithm roll-over between these
// two a kept zone whose data lack a signature is not taken (stored_zone.h).
bool IsOfData(const Roll& roll) {
  if (roll.of_algorithm()) return roll.step == RollStep::kSign || roll.step == RollStep::kUnsign;
  return SignsZone(roll.role) && roll.step != RollStep::kPublish;
}

// A step of one roll-over changes the zone, and the others' clocks go on from when that is served: what they wait for is
// still served meanwhile, since no step takes anything away that another has added.
RollChange Note(Roll& roll, const RollFacts& facts) {
  if (roll.served && !facts.whole && IsOfData(roll)) {
    roll.served = false;
    roll.waited = milliseconds(0);
    return RollChange::kNoted;
  }
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

std::string AlgorithmWaitsFor(const Roll& roll, std::uint8_t former) {
  const std::string fresh = AlgorithmText(roll.algorithm), old = AlgorithmText(former);
  switch (roll.step) {
    case RollStep::kSign:
      return roll.served ? "caches to forget what has no signature of algorithm " + fresh +
                               " (the longest TTL, and the propagation)"
                         : "the zone to be signed with algorithm " + fresh +
                               " as well, and every secondary to serve all of it";
    case RollStep::kWithdraw:
      return roll.served ? "caches to forget the DNSKEY set with the keys of algorithm " + old +
                               " (its TTL, and the propagation)"
                         : "every secondary to serve the zone without the keys of algorithm " + old;
    case RollStep::kUnsign:
      return "every secondary to serve the zone without signatures of algorithm " + old;
    default:
      return {};
  }
}

std::string WaitsFor(const Roll& roll, const RollPolicy& policy, std::uint8_t former) {
  if (auto of_algorithm = AlgorithmWaitsFor(roll, former); !of_algorithm.empty()) return of_algorithm;
  const std::string to = std::to_string(roll.to), from = std::to_string(roll.from);
  if (!roll.served) {
    const bool data = SignsZone(roll.role) && roll.step != RollStep::kPublish && !roll.of_algorithm();
    return std::string(data ? "the zone to be signed with key " : "key ") + to +
           (data ? ", and every secondary to serve all of it"
                 : " to be served by every secondary as it is now");
  }
  if (roll.step == RollStep::kPublish)
    return "caches to forget the DNSKEY set without key " + to + " (its TTL, and the propagation)";
  if (roll.step == RollStep::kSubmit) return "the DS of key " + to + " at the parent";
  const bool ds = WaitOf(roll, policy) == DsWait(roll, policy);
  return SignsKeys(roll.role) && ds
             ? "caches to forget the DS set without key " + to + " (its TTL, and the parent's propagation)"
             : "caches to forget signatures of key " + from + " (the longest TTL, and the propagation)";
}

std::string AlgorithmBusy(const KeySet& set) {
  if (const Roll* const roll = set.AlgorithmRoll())
    return "the zone's algorithm is being rolled over to " + AlgorithmText(roll->algorithm) +
           ", which makes every key new";
  if (set.requested_algorithm != 0)
    return "the roll-over to algorithm " + AlgorithmText(set.requested_algorithm) +
           " is requested already; registryd begins it when no key is rolled over";
  return {};
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
  if (!AlgorithmBusy(set).empty()) return std::nullopt;
  if (active == nullptr || lifetime <= seconds(0) || set.RollOf(role) != nullptr) return std::nullopt;
  return active->since + lifetime;
}

std::optional<KeyRole> RollDue(const KeySet& set, const RollPolicy& policy, UtcTime now) {
  if (!AlgorithmBusy(set).empty()) return std::nullopt;
  for (const KeyRole role : {KeyRole::kKsk, KeyRole::kZsk, KeyRole::kCsk}) {
    if (ActiveOf(set, role) == nullptr || set.RollOf(role) != nullptr) continue;
    if (std::ranges::find(set.requested, role) != set.requested.end()) return role;
    // No roll-over makes keys in a token, so time does not ask for one there.
    const auto next = IsTokenKey(ActiveOf(set, role)->file) ? std::nullopt : NextRoll(set, policy, role);
    if (next && *next <= now) return role;
  }
  return std::nullopt;
}

std::optional<std::uint8_t> AlgorithmRollDue(const KeySet& set) {
  if (set.requested_algorithm == 0 || !set.rolls.empty()) return std::nullopt;
  return set.requested_algorithm;
}

KeyRole RoleIn(const KeySet& set, KeyRole role) {
  return ActiveOf(set, role) == nullptr ? set.Anchor().role : role;
}

std::string RollRefusal(const KeySet& set, KeyRole role) {
  if (auto busy = AlgorithmBusy(set); !busy.empty()) return busy;
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

std::string AlgorithmRefusal(const KeySet& set, std::uint8_t algorithm) {
  if (set.AlgorithmRoll() != nullptr) return AlgorithmBusy(set);
  // What was asked for and has not begun may be asked for otherwise, or be taken back.
  if (algorithm == set.requested_algorithm) return AlgorithmBusy(set);
  if (algorithm == set.algorithm() && set.requested_algorithm == 0)
    return "the zone is signed with algorithm " + AlgorithmText(algorithm) +
           " already: zone.algorithm says which is to come";
  return {};
}

void BeginRoll(KeySet& set, KeyRole role, std::uint16_t tag, const std::string& file, UtcTime now) {
  const KeyEntry* const active = ActiveOf(set, role);
  REG_CHECK(active != nullptr && set.RollOf(role) == nullptr && !set.Knows(tag));
  set.rolls.push_back({role, active->tag, tag, RollStep::kPublish, now, false, false, 0, milliseconds(0)});
  set.keys.push_back({role, KeyState::kPublished, tag, file, now, active->algorithm});
  std::erase(set.requested, role);
}

// The roles that were asked for get new keys with it.
void BeginAlgorithmRoll(KeySet& set, std::uint8_t algorithm, const std::vector<KeyEntry>& fresh,
                        UtcTime now) {
  REG_CHECK(set.rolls.empty() && !fresh.empty());
  Roll roll;
  roll.step = RollStep::kSign;
  roll.since = now;
  roll.algorithm = algorithm;
  for (KeyEntry key : fresh) {
    const KeyEntry* const active = ActiveOf(set, key.role);
    REG_CHECK(active != nullptr && !set.Knows(key.tag));
    const bool leads = SignsKeys(key.role);
    if (leads) roll.role = key.role;
    (leads ? roll.from : roll.zsk_from) = active->tag;
    (leads ? roll.to : roll.zsk_to) = key.tag;
    key.state = KeyState::kPreActive;
    key.algorithm = algorithm;
    key.since = now;
    set.keys.push_back(std::move(key));
  }
  set.rolls.push_back(roll);
  set.requested.clear();
  set.requested_algorithm = 0;
}

std::vector<RollStatus> StatusOf(const KeySet& set, const RollPolicy& policy) {
  std::vector<RollStatus> status;
  for (const Roll& roll : set.rolls) {
    const std::uint8_t former = set.Find(roll.from)->algorithm;
    RollStatus one{roll.role,    roll.from,    roll.to,        roll.step,     WaitsFor(roll, policy, former),
                   std::nullopt, std::nullopt, roll.algorithm, roll.zsk_from, roll.zsk_to};
    if (roll.served && roll.step != RollStep::kSubmit && roll.step != RollStep::kUnsign)
      one.rest = std::max(milliseconds(0), milliseconds(WaitOf(roll, policy)) - roll.waited);
    if (roll.step == RollStep::kSubmit && roll.served && !roll.ds_seen) one.ds_due = roll.to;
    status.push_back(std::move(one));
  }
  return status;
}

}  // namespace registry::zone
