// bridge/ctl/registry_folder.h: the folder a registry lives in: keys, certificates, configuration, ledger.
//   registry.toml                                   every key; relative paths are relative to this file
//   pki/        root.{pem,key} issuing.{pem,key} crl.pem blocked-keys.txt
//   zone/       ksk.pem zsk.pem tsig.key anchor.dnskey anchor.ds
//   interface/  ca.{pem,key} broker.{pem,key} registryd.{pem,key} parties/NAME.{pem,key} issued.txt crl.pem
//               withdrawn/NAME-SERIAL.{pem,key} hand-over/NAME/ parties.jsonl
//   authorisation.key
//   ledger/ intake/                                 the ledger is made here, with its mark; registryd makes none
// Private keys, the TSIG secret and registry.toml (whoever knows its MQTT client id throws registryd out) are 0600;
// AddParty keeps registry.toml's owner and mode. CreateFolder is all or nothing: it builds beside the folder and
// renames. Nothing is ever overwritten. What becomes of parties: party_life.h.
// Threads: any; RenewBroker waits for whoever else changes the folder, in other processes too (folder_lock.h). Errors
// (2400): folder_locked: folder_exists, zone_invalid, party_name, party_exists, config_invalid, file_failed, and those
// of bridge/ledger/rocksdb, bridge/signing and bridge/zone/keys.h.
#pragma once

#include <string>
#include <vector>

#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry::ctl {

struct NewRegistry {
  std::string folder;
  std::string zone;
  std::vector<std::string> broker_hosts{"localhost",
                                        "127.0.0.1"};  // in the broker's certificate; first one in [mqtt]
  UtcTime now;
};
struct CreatedRegistry {
  std::string ds;  // for the zone's parent
};
Result<CreatedRegistry> CreateFolder(const NewRegistry& options);

// A new broker certificate, e.g. for another host; the key is new as well.
Status RenewBroker(const std::string& folder, const std::vector<std::string>& hosts, UtcTime now);

}  // namespace registry::ctl
