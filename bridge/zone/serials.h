// bridge/zone/serials.h: SOA serials that never go back, over restarts and power cuts.
// A run of kReserve serials is made durable in the ledger before the first of them is used, so that a version
// costs no write of its own; a start begins behind what was reserved. The gap is harmless (RFC 1982 allows
// steps up to 2^31 - 1). Threads: all calls from any; Next and Pass wait while the cursor is stored, and the other way
// round.
#pragma once

#include <functional>
#include <string>

#include "bridge/ledger/ledger.h"
#include "bridge/zone/key_set.h"
#include "schemas/base/mutex.h"

namespace registry::zone {

inline constexpr std::uint32_t kReserve = 256;

class Serials {
 public:
  explicit Serials(ledger::Ledger& ledger) : ledger_(ledger) {}

  // Reads cursor and reservation. `keys` names the keys the zone will be signed with and is stored with every
  // reservation, so before anything signed with them is served; "" leaves what is stored. Error: the ledger's,
  // "zone_state_invalid", "zone_keys_changed" when the zone was served with others before and `accepted` does not
  // name these and `known` is not true of both tags of the others (a roll-over has replaced them).
  using KnownKey = std::function<bool(std::uint16_t tag)>;
  Status Open(const std::string& keys = {}, const std::string& accepted = {}, const KnownKey& known = {});
  // Other keys from here on; durable, so before anything signed with them is served.
  Status SignWith(const std::string& keys);
  // Whether nobody can have served a version behind this one: it is of the run that was reserved last, or behind all runs.
  // A run is one start's, so whoever has a version of it has served the last. Before the first Next.
  bool MayBeLast(std::uint32_t serial) const;
  // The next serial; nothing is served under it yet when this fails.
  Result<std::uint32_t> Next();
  // Next is behind `serial` from here on, also after a restart. Nothing has changed when this fails.
  Status Pass(std::uint32_t serial);
  // Gives back the serial of the last Next, when it was not served.
  void Return();
  // Every entry up to `cursor` has arrived.
  Status Arrived(ledger::Seq cursor);
  ledger::Seq cursor() const;

 private:
  Status Store(bool durable) REQUIRES(mutex_);

  ledger::Ledger& ledger_;
  mutable Mutex mutex_;
  ledger::Seq cursor_ GUARDED_BY(mutex_) = 0;
  std::uint32_t last_ GUARDED_BY(mutex_) = 0, reserved_ GUARDED_BY(mutex_) = 0;
  std::string keys_ GUARDED_BY(mutex_);
};

// Whether the zone can be signed with this set after all that was served, with the errors of Serials::Open. Reads only.
Status CanSign(ledger::Ledger& ledger, const KeySet& set, const std::string& accepted);

}  // namespace registry::zone
