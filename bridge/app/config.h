// bridge/app/config.h: registryd's configuration file (TOML 1.0), every key typed; CONFIG.md lists them.
// Strict: unknown keys, wrong types and values out of range are refused, all faults at once, each with file
// and line.
// Relative paths are relative to the file. Plain value, any thread.
// Errors: config_unreadable (no file, or not TOML), config_invalid (message: one fault per line).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bridge/app/ledger_config.h"
#include "bridge/ingest/limits.h"
#include "bridge/zone/tsig_key_file.h"
#include "schemas/base/result.h"
#include "schemas/ids/ids.h"
#include "schemas/wire/messages.h"
#include "workers/dns/desired.h"
#include "workers/domain/policy.h"
#include "workers/domain/retry_plan.h"

namespace registry::app {

struct MqttConfig {
  std::string host;
  std::uint16_t port = 8883;
  std::string ca_file, certificate_file, key_file, client_id, crl_file;
  std::vector<std::string> broker_reload;  // registryctl's: a command and its arguments
  bool session_per_party = true;
  int keep_alive_seconds = 30, session_expiry_seconds = 86400;
  int in_flight = 1000, receive_maximum = 10000;

  bool operator==(const MqttConfig&) const = default;
};

struct PkiConfig {
  std::string root_certificate, issuing_certificate, issuing_key;
  std::string crl_file, crl_url, blocked_keys;
  int validity_days = 365, crl_days = 7;
  std::uint32_t crl_shards = 0;
  std::size_t crl_shard_above = 10'000;  // entries
  int validity_seconds = 0;              // in place of validity_days; 0: not said
  std::chrono::seconds validity() const;
  dns::TlsaProfile tlsa = dns::TlsaProfile::kCertificate;

  bool operator==(const PkiConfig&) const = default;
};

// An issuing CA beside the present one: before it, with certificates that still live, or to come.
struct OtherIssuingConfig {
  std::string certificate, key, crl_file;

  bool operator==(const OtherIssuingConfig&) const = default;
};

struct ResolverConfig {
  std::string address, name, certificate;
  std::uint16_t port = 853;

  bool operator==(const ResolverConfig&) const = default;
};

struct SecondaryConfig {
  std::string name, address;
  std::uint16_t port = 53;
  zone::TsigKeyFile key = {}, former_key = {};  // not given: the zone's
  std::string tls_name = {};                    // a dNSName of its certificate, where it shows one

  bool operator==(const SecondaryConfig&) const = default;
};

struct ParentConfig {
  std::string address;
  std::uint16_t port = 53;

  bool operator==(const ParentConfig&) const = default;
};

// Transfers over TLS; no certificate: there is none.
struct ZoneTlsConfig {
  std::string address;
  std::uint16_t port = 853;
  std::string certificate_file, key_file, client_ca_file;
  bool client_required = true;  // where there is a client_ca_file
  bool only = false;            // no transfers without

  bool on() const { return !certificate_file.empty(); }
  bool operator==(const ZoneTlsConfig&) const = default;
};

struct ZoneConfig {
  std::string publisher = "own";  // or "update": another server holds and signs the zone (bridge/update)
  std::string update_address, update_owner = "registry";
  std::uint16_t update_port = 53;
  std::string listen_address;
  std::uint16_t listen_port = 0;
  ZoneTlsConfig tls;
  std::string ksk, zsk, new_keys, tsig_name, tsig_secret, contact;
  zone::TsigKeyFile former_key = {};
  std::vector<std::string> name_servers;
  std::vector<std::pair<std::string, std::string>> glue;
  std::uint32_t tlsa_ttl = 60, negative_ttl = 60, apex_ttl = 3600;
  int lag_limit_seconds = 60;  // 0: a secondary that lags is waited for
  std::string key_set, cds, signed_zone;
  std::string algorithm = "ECDSAP256SHA256";  // that `zone roll algorithm` rolls over to
  int zsk_days = 90, ksk_days = 0;            // 0: rolled over at the operator's word only
  std::uint32_t propagation_seconds = 3600, ds_ttl = 86400, parent_propagation_seconds = 3600;
  std::vector<ParentConfig> parents;
  std::vector<std::pair<std::string, std::uint16_t>>
      other_primaries;  // addresses of other nodes, for secondaries

  bool by_update() const { return publisher == "update"; }
  bool operator==(const ZoneConfig&) const = default;
};

struct ConsoleConfig {
  bool enabled = false;
  std::string address;  // loopback, unless there is a certificate
  std::uint16_t port = 0;
  std::string certificate_file, key_file;  // both or neither: plain HTTP
  bool private_identifiers = false;

  bool operator==(const ConsoleConfig&) const = default;
};

struct Config {
  std::string file;  // it was read from
  std::string zone, profile;
  std::vector<std::string> trust_anchors;
  MqttConfig mqtt;
  std::string ledger_folder, intake_folder, backup_folder;  // no ledger_folder: it is in PostgreSQL
  LedgerConfig ledger;
  int event_days = 7;
  std::uint64_t free_bytes_min = 0;  // 0: not watched
  std::uint64_t intake_bytes_max = 0;
  PkiConfig pki;
  std::vector<OtherIssuingConfig> former_issuing, coming_issuing;
  int payload_validity_days = 30;
  std::string code_key_file;  // of authorisation codes
  int code_validity_days = 14;
  ResolverConfig resolver;
  ZoneConfig dns;
  std::vector<SecondaryConfig> secondaries;
  std::map<PartyId, wire::Role> parties;
  std::set<PartyId> takes_batches;          // of the parties
  std::map<PartyId, std::string> contacts;  // of those that have one; for people
  std::string http_address;
  std::uint16_t http_port = 0;
  ConsoleConfig console;
  int log_level = 1;     // 0 debug, 1 info, 2 warning, 3 error
  std::string log_file;  // empty: standard error
  int lanes = 32, queue_max = 8192;
  ingest::LimitRules limits;
  std::uint64_t kept_per_hour = 0;  // octets one party may make the ledger keep
  domain::RetryPlans retry;
  domain::RenewalPolicy renewal;  // but for the TTL, which is the zone's
  int renewal_look_seconds = 60;
  domain::TransferPolicy transfer;
  int visible_within_seconds = 120;
  int restore_days = 5;
  std::string run_file;  // empty: none
  bool core_dumps = false;

  bool operator==(const Config&) const = default;
};

// Any of 127.0.0.0/8, or ::1.
bool IsLoopback(const std::string& address);
// The broker knows these names as its own or the registry's: no party can have one.
bool IsReserved(const std::string& party);

Result<Config> LoadConfig(const std::string& file);

// Where registryctl keeps what it has done to parties and trust anchors: below the folder of the configuration.
std::string InterfaceFolder(const Config& config);
// config_unreadable: why, and what to do: it is a folder, it is another user's.
Status ConfigCanBeRead(const std::string& file);
// Of a text that is not, or not yet, in that file.
Result<Config> ParseConfig(const std::string& text, const std::string& file);

}  // namespace registry::app
