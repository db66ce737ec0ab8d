// bridge/zone/key_set.h: the zone's keys with their states, the roll-overs under way, and their text in a file.
// Text: JSON, "format": 1 (bridge/zone/KEYS.md). Key files are named relative to the folder of the set, or absolutely.
// A set that is read is complete: every roll-over's keys are there, tags differ, and somebody signs zone and keys.
// Errors: "zone_key_set_invalid" with what is wrong. Threads: plain values.
// All keys are of one algorithm, but while that is rolled over.
// Spec: RFC 7583 §3.1 (states; what is dead is removed with the same step), RFC 6781 §4.1, §4.1.4 (algorithm).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/zone/algorithm.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry::zone {

// A CSK, combined signing key, does the work of both.
enum class KeyRole : std::uint8_t { kKsk, kZsk, kCsk };
// kPreActive, kPostActive: it signs the zone's data and is not in the DNSKEY set, yet or any more.
enum class KeyState : std::uint8_t { kPublished, kReady, kActive, kRetired, kPreActive, kPostActive };

// When the parent is told by CDS and CDNSKEY what its DS set is to be: while a roll-over needs it, always, never; or that
// the DS set is to go.
enum class CdsPolicy : std::uint8_t { kRollover, kAlways, kNever, kDelete };

struct KeyEntry {
  KeyRole role = KeyRole::kKsk;
  KeyState state = KeyState::kActive;
  std::uint16_t tag = 0;
  std::string file;
  UtcTime since;  // of the state
  std::uint8_t algorithm = kEcdsaP256Sha256;

  bool in_zone() const { return state != KeyState::kPreActive && state != KeyState::kPostActive; }
  bool operator==(const KeyEntry&) const = default;
};

// kPublish: until every cache that has the DNSKEY set has the new key. kSubmit (KSK, CSK): until the parent has its DS.
// kRetire: until no cache needs the old key.
// An algorithm roll-over has more: kSign, first, until every cache has signatures of the new algorithm; kWithdraw, after
// kRetire, until no cache has the old DNSKEYs; kUnsign, until no secondary serves signatures of the old algorithm.
enum class RollStep : std::uint8_t { kPublish, kSubmit, kRetire, kSign, kWithdraw, kUnsign };

struct Roll {
  KeyRole role = KeyRole::kKsk;
  std::uint16_t from = 0, to = 0;  // key tags
  RollStep step = RollStep::kPublish;
  UtcTime since;                        // of the step
  bool served = false;                  // every secondary has served the zone as this step wants it
  bool ds_seen = false;                 // the parent has the DS of `to`
  std::uint32_t ds_ttl = 0;             // the longest that the parent has said, seconds
  std::chrono::milliseconds waited{0};  // since it was served: really passed, while registryd ran
  // An algorithm roll-over: the new one, and the ZSKs that go with KSKs. It is of all keys, and the only roll-over then.
  std::uint8_t algorithm = 0;
  std::uint16_t zsk_from = 0, zsk_to = 0;  // 0: a CSK does their work

  bool of_algorithm() const { return algorithm != 0; }
  bool operator==(const Roll&) const = default;
};

struct KeySet {
  std::vector<KeyEntry> keys;
  std::vector<Roll> rolls;               // one per role at most
  std::vector<KeyRole> requested;        // to be rolled at the operator's word
  std::vector<std::uint16_t> removed;    // tags of keys that were here, the newest last, at most kRemovedMax
  std::uint8_t requested_algorithm = 0;  // to be rolled to at the operator's word; 0: none

  const KeyEntry* Find(std::uint16_t tag) const;
  KeyEntry* Find(std::uint16_t tag);
  const Roll* RollOf(KeyRole role) const;
  bool Knows(std::uint16_t tag) const;  // has it or had it
  // What a parent's DS is to name, and who signs the zone's data now.
  const KeyEntry& Anchor() const;
  const KeyEntry& Signer() const;
  // All who sign the zone's data now: that one, or one of either algorithm in the order of the roll-over.
  std::vector<const KeyEntry*> Signers() const;
  const Roll* AlgorithmRoll() const;  // null: none is under way
  std::uint8_t algorithm() const { return Anchor().algorithm; }

  bool operator==(const KeySet&) const = default;
};
inline constexpr std::size_t kRemovedMax = 64;

std::string_view NameOf(KeyRole role);    // "ksk"
std::string_view NameOf(KeyState state);  // "published"
std::string_view NameOf(RollStep step);   // "publish"
std::optional<KeyRole> KeyRoleFrom(std::string_view name);
bool SignsKeys(KeyRole role);  // KSK and CSK
bool SignsZone(KeyRole role);  // ZSK and CSK

std::string ToText(const KeySet& set);
Result<KeySet> KeySetFrom(std::string_view text);

}  // namespace registry::zone
