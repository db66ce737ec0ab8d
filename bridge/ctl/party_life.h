// bridge/ctl/party_life.h: a party of the registry from its entry to its end: its `[[party]]` in registry.toml, its
// certificates by the interface CA, and what history says of both (party_history.h). Withdrawing alone: withdraw.h.
// A party's key is made here, or never comes here when the party has sent a request (PKCS #10).
// Nothing is overwritten. AddParty finishes what an interrupted one, or an operator by hand, has begun: key, certificate
// and entry are made where they are missing; party_exists when none is. RenewParty and RemoveParty may be repeated.
// Threads: any; all wait for whoever else changes the folder, in other processes too (folder_lock.h).
// Errors (2400): folder_locked, party_name, party_exists, party_missing, party_request, config_invalid, file_failed, and
//   those of interface_ca.h, withdraw.h and bridge/signing.
#pragma once

#include <string>
#include <vector>

#include "bridge/ctl/party_entry.h"
#include "schemas/base/utc_time.h"
#include "schemas/wire/messages.h"

namespace registry::ctl {

struct NewParty {
  std::string folder;
  std::string name;
  wire::Role role = wire::Role::kMno;
  UtcTime now;
  std::string request{};  // file; empty: a key is made
  PartyKeys keys{};
};
Status AddParty(const NewParty& party);

struct PartyRenewal {
  std::string folder;
  std::string name;
  UtcTime now;
  std::string request{};  // as above
  bool keep_old = false;  // the older certificates go on being accepted, until they are withdrawn or end
};
// A new key and certificate for a party that is entered. The older ones are withdrawn: their serials.
Result<std::vector<std::string>> RenewParty(const PartyRenewal& renewal);

Status ChangeParty(const std::string& folder, const std::string& name, const PartyKeys& keys, UtcTime now);

// Withdraws every certificate and takes the entry away; the serials that were not withdrawn before. Whoever calls has made
// sure that the party has nothing left in the registry.
Result<std::vector<std::string>> RemoveParty(const std::string& folder, const std::string& name, UtcTime now);

}  // namespace registry::ctl
