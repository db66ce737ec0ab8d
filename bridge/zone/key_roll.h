// bridge/zone/key_roll.h: decides when a key is published, signs and leaves, from nothing but its arguments: no files, no
// clock, no network.
// ZSK: pre-publication (RFC 7583 §3.2.1). KSK: double signature (RFC 7583 §3.3.1). CSK: both at once, so its data is
//   signed anew while the DS is awaited, and its old key leaves when both are over.
// Algorithm: the conservative way of RFC 6781 §4.1.4 (RFC 6840 §5.11: who validates may want a signature of every
//   algorithm that the DNSKEY set names): first signatures, then DNSKEYs, then the DS; and back in that order.
// Waits: in time that has really passed while registryd ran and every secondary served the zone as the step wants it.
//   Neither a clock that jumps nor the time while nothing ran shortens one; a restart can only lengthen it. Another
//   registry that goes on with the set, and with a kept zone from before the step, begins the step's wait anew.
// Safety: a step is made only when whatever a resolver may still have cached (DS, DNSKEY set, data and signatures, each up
//   to its TTL, from any server that lags by at most `propagation`) validates together with what is served next.
// Threads: pure functions.     Spec: RFC 7583, RFC 6781 §4.1, RFC 7344 §4, §5.
#pragma once

#include "bridge/zone/key_set.h"

namespace registry::zone {

struct RollPolicy {
  std::chrono::seconds zsk_lifetime{90 * 86400}, ksk_lifetime{0};  // 0: rolled at the operator's word only
  std::chrono::seconds dnskey_ttl{3600};
  std::chrono::seconds ttl_max{3600};      // of anything in the zone
  std::chrono::seconds propagation{3600};  // from the configured secondaries to every server that is asked
  std::chrono::seconds ds_ttl{86400};      // the parent's, at least; what it says counts where that is longer
  std::chrono::seconds parent_propagation{3600};
};

struct RollFacts {
  UtcTime now;                           // for what is shown and for lifetimes, never for a wait
  std::chrono::milliseconds elapsed{0};  // really passed since the last look; 0 at the first
  bool served = false;  // every secondary serves the zone as the set wants it, all of it signed so
  bool whole = true;  // nothing has a signature of before the step: not so where an older kept zone was taken
};

enum class RollChange : std::uint8_t {
  kNothing,
  kWaited,  // times only: worth being stored now and then
  kNoted,   // something that must be stored, and changes nothing in the zone
  kStep,    // the zone must be signed otherwise from here on
};

// Makes at most one step.
RollChange Advance(KeySet& set, const RollPolicy& policy, const RollFacts& facts);

// Whose roll-over is to begin now, by request or by lifetime; nullopt: none.
std::optional<KeyRole> RollDue(const KeySet& set, const RollPolicy& policy, UtcTime now);
// Which algorithm is to be rolled to now; nullopt: none. It waits until no key is rolled over.
std::optional<std::uint8_t> AlgorithmRollDue(const KeySet& set);
// Why `zone roll` for this role is refused; empty: it is not.
std::string RollRefusal(const KeySet& set, KeyRole role);
// The present algorithm takes a request back that has not begun.
std::string AlgorithmRefusal(const KeySet& set, std::uint8_t algorithm);
// The role of the set's keys that this word means: "ksk" and "zsk" are both the CSK where there is one.
KeyRole RoleIn(const KeySet& set, KeyRole role);
// With a key of this role that is new and in no set yet.
void BeginRoll(KeySet& set, KeyRole role, std::uint16_t tag, const std::string& file, UtcTime now);
// With new keys of this algorithm, one in the place of each that there is: a CSK, or a KSK and a ZSK.
void BeginAlgorithmRoll(KeySet& set, std::uint8_t algorithm, const std::vector<KeyEntry>& fresh, UtcTime now);

struct RollStatus {
  KeyRole role;
  std::uint16_t from = 0, to = 0;
  RollStep step;
  std::string waits_for;  // one sentence for people
  std::optional<std::chrono::milliseconds>
      rest;                             // of a wait in time; nullopt: somebody else has to do something
  std::optional<std::uint16_t> ds_due;  // tag of the key whose DS the parent must publish
  std::uint8_t algorithm = 0;           // the new one; 0: the keys change, and not their algorithm
  std::uint16_t zsk_from = 0, zsk_to = 0;
};
std::vector<RollStatus> StatusOf(const KeySet& set, const RollPolicy& policy);
// When a roll-over of this role begins by itself; nullopt: never.
std::optional<UtcTime> NextRoll(const KeySet& set, const RollPolicy& policy, KeyRole role);

}  // namespace registry::zone
