#include "bridge/zone/key_set.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

namespace registry::zone {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr std::array<std::string_view, 3> kRoles{"ksk", "zsk", "csk"};
constexpr std::array<std::string_view, 6> kStates{"published", "ready",      "active",
                                                  "retired",   "pre-active", "post-active"};
constexpr std::array<std::string_view, 6> kSteps{"publish", "submit", "retire", "sign", "withdraw", "unsign"};
constexpr std::size_t kKeysMax = 16;

Error BadSet(const std::string& why) {
  return Error::Make(Code::kFailed, "zone_key_set_invalid", "the zone's key set: " + why);
}

// What is missing or of another type is thrown by the library, and said by KeySetFrom.
template <typename Enum, std::size_t kSize>
Enum Word(const Json& from, const char* name, const std::array<std::string_view, kSize>& words) {
  const auto text = from.at(name).get<std::string>();
  const auto found = std::find(words.begin(), words.end(), text);
  if (found == words.end()) throw std::out_of_range(std::string(name) + " is \"" + text + '"');
  return static_cast<Enum>(found - words.begin());
}

UtcTime Time(const Json& from, const char* name) {
  const auto text = from.at(name).get<std::string>();
  const auto time = FromRfc3339(text);
  if (!time) throw std::out_of_range(std::string(name) + " is \"" + text + '"');
  return *time;
}

std::uint16_t Tag(const Json& value) {
  const auto tag = value.get<std::uint64_t>();
  if (tag > 65535) throw std::out_of_range("a key tag is " + std::to_string(tag));
  return static_cast<std::uint16_t>(tag);
}

std::chrono::milliseconds Waited(const Json& value) {
  const auto waited = value.get<std::int64_t>();
  if (waited < 0) throw std::out_of_range("waited_ms is negative");
  return std::chrono::milliseconds(waited);
}

// Said only where it is not what it has always been.
std::uint8_t AlgorithmIn(const Json& from, const char* name, std::uint8_t usual) {
  if (!from.contains(name)) return usual;
  const auto number = from.at(name).get<std::uint64_t>();
  if (number > 255 || AlgorithmOf(static_cast<std::uint8_t>(number)) == nullptr)
    throw std::out_of_range(std::string(name) + " is " + std::to_string(number));
  return static_cast<std::uint8_t>(number);
}

KeyEntry KeyFrom(const Json& from) {
  return {Word<KeyRole>(from, "role", kRoles),
          Word<KeyState>(from, "state", kStates),
          Tag(from.at("tag")),
          from.at("file").get<std::string>(),
          Time(from, "since"),
          AlgorithmIn(from, "algorithm", kEcdsaP256Sha256)};
}

Roll RollFrom(const Json& from) {
  return {Word<KeyRole>(from, "role", kRoles),
          Tag(from.at("from")),
          Tag(from.at("to")),
          Word<RollStep>(from, "step", kSteps),
          Time(from, "since"),
          from.at("served").get<bool>(),
          from.at("ds_seen").get<bool>(),
          from.at("ds_ttl").get<std::uint32_t>(),
          Waited(from.at("waited_ms")),
          AlgorithmIn(from, "algorithm", 0),
          from.contains("zsk_from") ? Tag(from.at("zsk_from")) : std::uint16_t{0},
          from.contains("zsk_to") ? Tag(from.at("zsk_to")) : std::uint16_t{0}};
}

KeySet Parse(std::string_view text) {
  const Json json = Json::parse(text);
  if (const int format = json.at("format").get<int>(); format != kFormat)
    throw std::out_of_range("its format is " + std::to_string(format) + ", this program reads 1");
  KeySet set;
  for (const Json& key : json.at("keys")) set.keys.push_back(KeyFrom(key));
  for (const Json& roll : json.at("rolls")) set.rolls.push_back(RollFrom(roll));
  for (const Json& role : json.at("requested")) {
    const auto known = KeyRoleFrom(role.get<std::string>());
    if (!known) throw std::out_of_range("requested is " + role.dump());
    set.requested.push_back(*known);
  }
  for (const Json& tag : json.at("removed")) set.removed.push_back(Tag(tag));
  set.requested_algorithm = AlgorithmIn(json, "requested_algorithm", 0);
  return set;
}

// The states of the old and the new key in each step; nullopt: the roll-over has no such step.
std::optional<std::pair<KeyState, KeyState>> StatesIn(RollStep step, bool of_algorithm) {
  switch (step) {
    case RollStep::kPublish:
      return {{KeyState::kActive, KeyState::kPublished}};
    case RollStep::kSubmit:
      return {{KeyState::kActive, KeyState::kReady}};
    case RollStep::kRetire:
      return {{KeyState::kRetired, KeyState::kActive}};
    case RollStep::kSign:
      if (of_algorithm) return {{KeyState::kActive, KeyState::kPreActive}};
      break;
    case RollStep::kWithdraw:
    case RollStep::kUnsign:
      if (of_algorithm) return {{KeyState::kPostActive, KeyState::kActive}};
  }
  return std::nullopt;
}

// Empty when the set can be worked with.
std::string PairFault(const Roll& roll, KeyRole role, const KeyEntry* from, const KeyEntry* to) {
  if (from == nullptr || to == nullptr || from == to) return "a roll-over names keys that are not there";
  if (from->role != role || to->role != role) return "a roll-over is between keys of other roles";
  const auto states = StatesIn(roll.step, roll.of_algorithm());
  if (!states || from->state != states->first || to->state != states->second)
    return "a key is in another state than its roll-over";
  const bool other = from->algorithm != to->algorithm;
  if (roll.of_algorithm() ? !other || to->algorithm != roll.algorithm : other)
    return "a roll-over is between keys of other algorithms than it says";
  return {};
}

std::string RollFault(const KeySet& set, const Roll& roll) {
  if (auto fault = PairFault(roll, roll.role, set.Find(roll.from), set.Find(roll.to)); !fault.empty())
    return fault;
  if (roll.step == RollStep::kSubmit && !SignsKeys(roll.role)) return "a ZSK has no DS to submit";
  if (!roll.of_algorithm()) return {};
  if (roll.role == KeyRole::kZsk || set.rolls.size() != 1)
    return "an algorithm roll-over is of all keys at once";
  if (roll.role == KeyRole::kCsk) return {};
  return PairFault(roll, KeyRole::kZsk, set.Find(roll.zsk_from), set.Find(roll.zsk_to));
}

std::string AlgorithmFault(const KeySet& set) {
  const bool one = std::ranges::all_of(
      set.keys, [&](const KeyEntry& key) { return key.algorithm == set.keys.front().algorithm; });
  return one || set.AlgorithmRoll() != nullptr ? "" : "keys of several algorithms and no roll-over of them";
}

std::string Fault(const KeySet& set) {
  if (set.keys.size() > kKeysMax) return "too many keys";
  std::set<std::uint16_t> tags;
  int anchors = 0, signers = 0, in_rolls = 0;
  for (const KeyEntry& key : set.keys) {
    if (key.file.empty()) return "a key has no file";
    if (!tags.insert(key.tag).second) return "two keys have the tag " + std::to_string(key.tag);
    const bool active = key.state == KeyState::kActive;
    anchors += active && SignsKeys(key.role) ? 1 : 0;
    signers += active && SignsZone(key.role) ? 1 : 0;
    in_rolls += active ? 0 : 1;
  }
  if (anchors != 1 || signers != 1) return "one key for the DNSKEY set and one for the zone must be active";
  int pairs = 0;
  for (const Roll& roll : set.rolls) pairs += roll.of_algorithm() && roll.role == KeyRole::kKsk ? 2 : 1;
  if (in_rolls != pairs) return "a key is in no roll-over";
  std::set<KeyRole> roles;
  for (const Roll& roll : set.rolls) {
    if (!roles.insert(roll.role).second) return "two roll-overs of one role";
    if (auto fault = RollFault(set, roll); !fault.empty()) return fault;
  }
  return AlgorithmFault(set);
}

}  // namespace

const KeyEntry* KeySet::Find(std::uint16_t tag) const {
  const auto found = std::ranges::find(keys, tag, &KeyEntry::tag);
  return found == keys.end() ? nullptr : &*found;
}

KeyEntry* KeySet::Find(std::uint16_t tag) {
  const auto found = std::ranges::find(keys, tag, &KeyEntry::tag);
  return found == keys.end() ? nullptr : &*found;
}

const Roll* KeySet::RollOf(KeyRole role) const {
  const auto found = std::ranges::find(rolls, role, &Roll::role);
  return found == rolls.end() ? nullptr : &*found;
}

bool KeySet::Knows(std::uint16_t tag) const {
  return Find(tag) != nullptr || std::ranges::find(removed, tag) != removed.end();
}

const KeyEntry& KeySet::Anchor() const {
  const auto found = std::ranges::find_if(
      keys, [](const KeyEntry& key) { return SignsKeys(key.role) && key.state == KeyState::kActive; });
  REG_CHECK(found != keys.end());
  return *found;
}

// A CSK that is ready signs the zone already: every cache has it. Nothing else signs before it is active.
const KeyEntry& KeySet::Signer() const {
  const auto ready = std::ranges::find_if(
      keys, [](const KeyEntry& key) { return key.role == KeyRole::kCsk && key.state == KeyState::kReady; });
  if (ready != keys.end()) return *ready;
  const auto found = std::ranges::find_if(
      keys, [](const KeyEntry& key) { return SignsZone(key.role) && key.state == KeyState::kActive; });
  REG_CHECK(found != keys.end());
  return *found;
}

const Roll* KeySet::AlgorithmRoll() const {
  const auto found = std::ranges::find_if(rolls, &Roll::of_algorithm);
  return found == rolls.end() ? nullptr : &*found;
}

// RFC 6781 §4.1.4: both from the first step to the last but one, in which the old signatures go.
std::vector<const KeyEntry*> KeySet::Signers() const {
  const Roll* const roll = AlgorithmRoll();
  if (roll == nullptr) return {&Signer()};
  const bool split = roll->role == KeyRole::kKsk;
  const KeyEntry* const to = Find(split ? roll->zsk_to : roll->to);
  if (roll->step == RollStep::kUnsign) return {to};
  return {Find(split ? roll->zsk_from : roll->from), to};
}

std::string_view NameOf(KeyRole role) { return kRoles[static_cast<std::size_t>(role)]; }
std::string_view NameOf(KeyState state) { return kStates[static_cast<std::size_t>(state)]; }
std::string_view NameOf(RollStep step) { return kSteps[static_cast<std::size_t>(step)]; }

std::optional<KeyRole> KeyRoleFrom(std::string_view name) {
  const auto found = std::find(kRoles.begin(), kRoles.end(), name);
  if (found == kRoles.end()) return std::nullopt;
  return static_cast<KeyRole>(found - kRoles.begin());
}

bool SignsKeys(KeyRole role) { return role != KeyRole::kZsk; }
bool SignsZone(KeyRole role) { return role != KeyRole::kKsk; }

std::string ToText(const KeySet& set) {
  Json json{{"format", kFormat},
            {"keys", Json::array()},
            {"rolls", Json::array()},
            {"requested", Json::array()},
            {"removed", set.removed}};
  for (const KeyEntry& key : set.keys) {
    json["keys"].push_back({{"role", NameOf(key.role)},
                            {"state", NameOf(key.state)},
                            {"tag", key.tag},
                            {"file", key.file},
                            {"since", ToRfc3339(key.since)}});
    if (key.algorithm != kEcdsaP256Sha256) json["keys"].back()["algorithm"] = key.algorithm;
  }
  for (const Roll& roll : set.rolls) {
    json["rolls"].push_back({{"role", NameOf(roll.role)},
                             {"from", roll.from},
                             {"to", roll.to},
                             {"step", NameOf(roll.step)},
                             {"since", ToRfc3339(roll.since)},
                             {"served", roll.served},
                             {"ds_seen", roll.ds_seen},
                             {"ds_ttl", roll.ds_ttl},
                             {"waited_ms", roll.waited.count()}});
    if (!roll.of_algorithm()) continue;
    json["rolls"].back()["algorithm"] = roll.algorithm;
    if (roll.role == KeyRole::kCsk) continue;
    json["rolls"].back()["zsk_from"] = roll.zsk_from;
    json["rolls"].back()["zsk_to"] = roll.zsk_to;
  }
  if (set.requested_algorithm != 0) json["requested_algorithm"] = set.requested_algorithm;
  for (const KeyRole role : set.requested) json["requested"].push_back(NameOf(role));
  return json.dump(1) + "\n";
}

Result<KeySet> KeySetFrom(std::string_view text) {
  try {
    KeySet set = Parse(text);
    if (auto fault = Fault(set); !fault.empty()) return BadSet(fault);
    return set;
  } catch (const std::exception& failure) {  // nlohmann's, and those of Parse
    return BadSet(failure.what());
  }
}

}  // namespace registry::zone
