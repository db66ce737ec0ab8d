// bridge/app/zone_keys_kept.h: the zone's key set, and the keys that roll-overs have made, where the registry that takes
// over finds them: as one text of the kept state (bridge/ledger/kept_state.h), sealed under a key that both machines have.
// On a machine they stay files, as registryctl and the zone know them (bridge/zone/key_set_file.h).
// Keys that an operator has made (zone.ksk_file, zone.zsk_file, tokens) are not in it: he puts them on both machines.
// Text: sealed (bridge/ingest/intake_seal.h) JSON {"set": the file's text, "keys": {"zsk-12345.pem": PEM}}
// Which is newer, the text or the file? What the sets say of each other decides (bridge/zone/key_set_order.h): a database
// may have been set back, and the machine may have been away. Where neither is ahead in its keys, requests and waits decide:
// beside the set lies `NAME.kept`, the SHA-256 of the set that both had last, and the one that has changed since is newer.
// Where both have, the text is: the zone was served by it, and a warning says so. Of two that have gone apart the one counts
// that can sign the zone as the ledger says that it was served; the text where both can. A file that is replaced stays as
// `NAME.before`, and so does the other one of two that have gone apart, with its keys. No key file is removed.
// Where there is no text yet, a file that cannot sign the zone so is of a machine that was away, and is refused.
// Threads: Take before the zone starts, Keep from the zone's thread. What is kept outlives it.
// Errors: zone_key_unreadable: the text was sealed under another key, or is none; file_failed; those of kept state and set;
// zone_keys_changed.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "bridge/ingest/intake_seal.h"
#include "bridge/ledger/kept_state.h"
#include "bridge/log_line.h"
#include "bridge/zone/key_set_order.h"

namespace registry::app {

// What the sealing key is derived for (bridge/signing/code_key.h).
inline constexpr const char* kZoneKeysUse = "registry zone keys 1";

class ZoneKeysKept {
 public:
  ZoneKeysKept(ledger::KeptState& kept, Bytes key, std::string set_file, LogLine log)
      : kept_(kept), seal_(std::move(key)), set_file_(std::move(set_file)), log_(std::move(log)) {}

  // Whether the zone can be signed with this set after all that was served (bridge/zone/serials.h, CanSign).
  using CanSign = std::function<Status(const zone::KeySet& set)>;
  // From here on the files are as the registry before has left them.
  Status Take(const CanSign& can_sign);
  // The set's file is so now; also the keys that it names.
  Status Keep(const std::string& set);
  // RDATA of the DNSKEYs in the text that sign the DNSKEY set, or will, or did: those of KSKs and CSKs. One of an operator's
  // that is not on this machine is left out. None where there is no text. Any thread; changes nothing.
  Result<std::vector<Bytes>> EntryKeys() const;

 private:
  struct Kept {
    std::string set;
    std::map<std::string, std::string> keys;  // by file name
  };
  Result<std::optional<Kept>> Read() const;
  Status Place(const Kept& kept, const std::optional<std::string>& file, bool gone_apart);
  Status PlaceKeys(const Kept& kept) const;
  Status PutAside(const std::string& set) const;
  // There is a file, and a text that says something else.
  Status Choose(const Kept& kept, const std::string& file, const CanSign& can_sign);
  Status KeepLater(const Kept& kept, const std::string& file);
  Status KeepOfTwoApart(const Kept& kept, const std::string& file);
  Status NoteBoth(const std::string& set) const;
  std::string LastOfBoth() const;

  ledger::KeptState& kept_;
  ingest::IntakeSeal seal_;
  const std::string set_file_;
  const LogLine log_;
};

}  // namespace registry::app
