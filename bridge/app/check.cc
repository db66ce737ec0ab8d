#include "bridge/app/check.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "bridge/app/broker_crl.h"
#include "bridge/app/check_folders.h"
#include "bridge/app/console.h"
#include "bridge/app/disk_space.h"
#include "bridge/app/http_tls.h"
#include "bridge/app/ledger_place.h"
#include "bridge/app/material.h"
#include "bridge/app/trust_anchors.h"
#include "bridge/app/zone_options.h"
#include "bridge/clock.h"
#include "bridge/keys/key_source.h"
#include "bridge/ledger/postgres/rights.h"
#include "bridge/mqtt/tls_files.h"
#include "bridge/secret_file.h"
#include "bridge/signing/code_key.h"
#include "bridge/signing/key_file.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/transfers.h"
#include "bridge/zone/tsig_keys.h"
#include "workers/domain/key_unavailable.h"

namespace registry::app {
namespace {

using Faults = std::vector<std::string>;

constexpr std::chrono::seconds kServerAnswersWithin{5};

template <class T>
bool Note(Faults& faults, const std::string& key, const Result<T>& result) {
  if (!result) faults.push_back(key + (key.empty() ? "" : ": ") + result.error().message);
  return result.ok();
}

// One by one first, so that each missing file is said; what holds between them is Material's.
void CheckMaterial(const Config& config, Faults& faults) {
  bool all = Note(faults, "", CheckCrlUrl(config.pki.crl_url));
  all &= Note(faults, "pki.root_certificate", signing::LoadCertificate(config.pki.root_certificate));
  const bool certified =
      Note(faults, "pki.issuing_certificate", signing::LoadCertificate(config.pki.issuing_certificate));
  const bool keyed = Note(faults, "pki.issuing_key", signing::LoadKey(config.pki.issuing_key));
  all &= certified && keyed &&
         Note(faults, "pki.issuing_key, pki.issuing_certificate",
              signing::LoadSigner(config.pki.issuing_key, config.pki.issuing_certificate));
  all &= Note(faults, "resolver.certificate", signing::LoadCertificate(config.resolver.certificate));
  if (!config.pki.blocked_keys.empty()) {
    all &= Note(faults, "pki.blocked_keys", signing::BlockedKeys::Load(config.pki.blocked_keys));
  }
  all &= Note(faults, "authorisation.key_file", signing::LoadCodeKey(config.code_key_file));
  if (all) Note(faults, "", Material::Load(config));
}

void CheckZone(const Config& config, Faults& faults) {
  if (!config.dns.by_update()) Note(faults, "zone", zone::ProfileOf(ZoneOptions(config, {})));
  // Where another server signs and is asked for the zone, there is nothing to transfer from here.
  if (!config.dns.by_update()) Note(faults, "zone.tls", zone::LoadTransferTls(ZoneOptions(config, {})));
  if (Note(faults, "zone.tsig_secret", zone::LoadTsigKey(config.dns.tsig_name, config.dns.tsig_secret)))
    Note(faults, "secondary.tsig_secret", zone::LoadTsigKeys(ZoneOptions(config, {})));
}

// Of another CA than a wrong one is nothing said.
void CheckMqtt(const MqttConfig& config, Faults& faults) {
  const auto in_tls = mqtt::TlsFileFaults(config.ca_file, config.certificate_file, config.key_file);
  for (const auto& fault : in_tls) faults.push_back("mqtt." + fault);
  if (!in_tls.empty()) return;
  auto verdict = JudgeBrokerCrl(config.crl_file, config.ca_file, SystemClock().Now());
  if (verdict.useless) faults.push_back(std::move(verdict.line));
}

bool SameAddress(const sockaddr& here, const in6_addr& v6, const in_addr& v4, int family) {
  if (here.sa_family != family) return false;
  if (family == AF_INET) return reinterpret_cast<const sockaddr_in&>(here).sin_addr.s_addr == v4.s_addr;
  return IN6_ARE_ADDR_EQUAL(&reinterpret_cast<const sockaddr_in6&>(here).sin6_addr, &v6);
}

// Whether this host may listen on it: one of its own addresses, any of 127.0.0.0/8, or "all of them".
bool IsOurs(const std::string& address) {
  in_addr v4{};
  in6_addr v6{};
  const int family = inet_pton(AF_INET, address.c_str(), &v4) == 1 ? AF_INET : AF_INET6;
  if (family == AF_INET && (v4.s_addr == INADDR_ANY || ntohl(v4.s_addr) >> 24 == 127)) return true;
  if (family == AF_INET6 && inet_pton(AF_INET6, address.c_str(), &v6) != 1) return false;
  if (family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6)) return true;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return true;  // cannot be told
  bool ours = false;
  for (const ifaddrs* each = list; each != nullptr && !ours; each = each->ifa_next) {
    ours = each->ifa_addr != nullptr && SameAddress(*each->ifa_addr, v6, v4, family);
  }
  freeifaddrs(list);
  return ours;
}

// What this process listens on over TCP.
struct Listening {
  const char* address_key;
  const char* port_key;
  std::string address;
  std::uint16_t port;
};

std::vector<Listening> ListeningOf(const Config& config) {
  const ZoneConfig& zone = config.dns;
  std::vector<Listening> all{
      {"zone.listen_address", "zone.listen_port", zone.listen_address, zone.listen_port},
      {"http.address", "http.port", config.http_address, config.http_port}};
  if (zone.tls.on())
    all.push_back({"zone.tls_listen_address", "zone.tls_listen_port", zone.tls.address, zone.tls.port});
  if (config.console.enabled)
    all.push_back({"console.address", "console.port", config.console.address, config.console.port});
  return all;
}

void CheckAddresses(const Config& config, Faults& faults) {
  const auto all = ListeningOf(config);
  for (const Listening& one : all) {
    if (!IsOurs(one.address))
      faults.push_back(std::string(one.address_key) + ": no interface of this host has " + one.address);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t before = 0; before < i; ++before) {
      const bool same = all[i].address == all[before].address && all[i].port == all[before].port;
      if (same && all[i].port != 0)
        faults.push_back(std::string(all[i].port_key) + ": is " + all[before].port_key +
                         ", at the same address");
    }
  }
}

void CheckConsole(const Config& config, Faults& faults) {
  if (config.console.enabled && !config.console.certificate_file.empty())
    Note(faults, "console", HttpTls::Load(ConsoleTlsFiles(config)));
}

// One address has many spellings in IPv6.
std::string Octets(const std::string& address) {
  std::string octets(sizeof(in6_addr), '\0');
  if (inet_pton(AF_INET6, address.c_str(), octets.data()) == 1) return octets;
  return address;
}

// The same server under two names would count as two that serve a change.
void CheckSecondaries(const Config& config, Faults& faults) {
  std::set<std::string> names;
  std::set<std::pair<std::string, std::uint16_t>> servers;
  for (const auto& secondary : config.secondaries) {
    if (!names.insert(secondary.name).second) {
      faults.push_back("secondary.name: " + secondary.name + " is used twice");
    }
    if (!servers.insert({Octets(secondary.address), secondary.port}).second) {
      faults.push_back("secondary.address: " + secondary.address + " port " + std::to_string(secondary.port) +
                       " is used twice");
    }
  }
}

// Whoever reads it knows mqtt.client_id, and throws registryd out (MQTT 5 §3.1.4); whoever writes it is registryd. Its
// group may read it: a file of root's is given to a service that way.
void CheckOwnFile(const std::string& file, Faults& faults) {
  struct stat info {};
  if (file.empty() || ::stat(file.c_str(), &info) != 0) return;
  if ((info.st_mode & 0027) != 0) {
    faults.push_back(file + ": can be read or written by others than its owner: chmod 600 it");
  }
  if (info.st_uid != ::geteuid() && info.st_uid != 0) faults.push_back(WrongOwner(file, info.st_uid));
}

}  // namespace

std::vector<std::string> FaultsOf(const Config& config) {
  const auto ksk = KskInUse(config);  // what is wrong with it is said by CheckZone
  Faults faults = TrustAnchorFaults(config.trust_anchors, config.zone,
                                    config.dns.by_update() ? ""
                                    : ksk                  ? *ksk
                                                           : config.dns.ksk);
  CheckOwnFile(config.file, faults);
  CheckMqtt(config.mqtt, faults);
  CheckMaterial(config, faults);
  CheckZone(config, faults);
  CheckAddresses(config, faults);
  CheckConsole(config, faults);
  CheckSecondaries(config, faults);
  // A node that lost its lease while it slept would send the signing server what it had decided before.
  if (config.ledger.standby && config.dns.by_update())
    faults.emplace_back("ledger.standby: does not go with zone.publisher \"update\"");
  const auto folders = FolderFaults(config);
  faults.insert(faults.end(), folders.begin(), folders.end());
  return faults;
}

bool TokenIsAway(const Config& config) {
  std::vector<std::string> named{config.pki.issuing_key, config.dns.ksk, config.dns.zsk};
  for (const auto& former : config.former_issuing) named.push_back(former.key);
  return std::ranges::any_of(named, [](const std::string& key) {
    if (!keys::IsKeyUri(key)) return false;
    const auto opened = keys::OpenTokenKey(key);
    return !opened &&
           (opened.error().symbol == "token_missing" || opened.error().symbol == domain::kKeyUnavailable);
  });
}

// Once: a server that is away is said, and not waited for.
ServerSays AskLedgerServer(const Config& config) {
  const auto place = LedgerPlaceOf(config.ledger, config.ledger_folder);
  if (!place || !place->postgres) return {};  // what is wrong with the place is said by FolderFaults
  auto options = *place->postgres;
  options.retry_for = std::chrono::milliseconds(0);
  options.answer_within = kServerAnswersWithin;
  auto missing = ledger::MissingRights(options);
  const std::string key = "ledger.connection: ";
  if (!missing) return {{}, {key + "the server was not asked: " + missing.error().message}};
  if (missing->empty()) return {};
  return {{key + *missing}, {}};
}

std::vector<std::string> WarningsOf(const Config& config) {
  std::vector<std::string> warnings = SpaceWarnings(WatchedFolders(config), config.free_bytes_min);
  if (config.secondaries.empty() && !config.dns.by_update()) {
    warnings.emplace_back(
        "no [[secondary]] is configured: devices become active although no name server is known to serve "
        "their records");
  }
  return warnings;
}

}  // namespace registry::app
