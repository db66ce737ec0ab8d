#include "bridge/app/check.h"

#include <arpa/inet.h>
#include <ifaddrs.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include "bridge/app/check_folders.h"
#include "bridge/app/material.h"
#include "bridge/app/zone_options.h"
#include "bridge/mqtt/tls_files.h"
#include "bridge/signing/key_file.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/tsig.h"

namespace registry::app {
namespace {

using Faults = std::vector<std::string>;

template <class T>
bool Note(Faults& faults, const std::string& key, const Result<T>& result) {
  if (!result) faults.push_back(key + (key.empty() ? "" : ": ") + result.error().message);
  return result.ok();
}

// One by one first, so that each missing file is said; what holds between them is Material's.
void CheckMaterial(const Config& config, Faults& faults) {
  bool all = Note(faults, "", CheckCrlUrl(config.pki.crl_url));
  all &= Note(faults, "pki.root_certificate", signing::LoadCertificate(config.pki.root_certificate));
  all &= Note(faults, "pki.issuing_key",
              signing::LoadSigner(config.pki.issuing_key, config.pki.issuing_certificate));
  all &= Note(faults, "resolver.certificate", signing::LoadCertificate(config.resolver.certificate));
  if (!config.pki.blocked_keys.empty()) {
    all &= Note(faults, "pki.blocked_keys", signing::BlockedKeys::Load(config.pki.blocked_keys));
  }
  if (all) Note(faults, "", Material::Load(config));
}

void CheckZone(const Config& config, Faults& faults) {
  Note(faults, "zone", zone::ProfileOf(ZoneOptions(config, {})));
  Note(faults, "zone.tsig_secret", zone::LoadTsigKey(config.dns.tsig_name, config.dns.tsig_secret));
}

void CheckMqtt(const MqttConfig& config, Faults& faults) {
  for (const auto& fault : mqtt::TlsFileFaults(config.ca_file, config.certificate_file, config.key_file)) {
    faults.push_back("mqtt." + fault);
  }
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

void CheckAddresses(const Config& config, Faults& faults) {
  for (const auto& [key, address] :
       {std::pair<const char*, const std::string&>("zone.listen_address", config.dns.listen_address),
        {"http.address", config.http_address}}) {
    if (!IsOurs(address)) faults.push_back(std::string(key) + ": no interface of this host has " + address);
  }
  const bool same = config.dns.listen_address == config.http_address &&
                    config.dns.listen_port == config.http_port && config.http_port != 0;
  if (same) faults.push_back("http.port: is zone.listen_port, at the same address");
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

bool IsNumber(const std::string& text, unsigned max) {
  unsigned number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() && number <= max;
}

// RFC 4034 appendix A.2, RFC 6605: as long as its digest type says, where that is known.
bool IsDigest(const std::string& type, const std::string& hex) {
  const auto digest = FromHex(hex);
  const std::size_t size = type == "1" ? 20 : type == "2" ? 32 : type == "4" ? 48 : 0;
  return digest && !digest->empty() && (size == 0 || digest->size() == size);
}

}  // namespace

bool IsTrustAnchor(const std::string& text) {
  std::istringstream words(text);
  const std::vector<std::string> word{std::istream_iterator<std::string>(words), {}};
  std::size_t at = 1;
  while (at < word.size() && (word[at] == "IN" || IsNumber(word[at], 0x7fffffff))) ++at;
  if (at + 5 > word.size()) return false;
  std::string owner = word[0];
  if (owner.back() == '.') owner.pop_back();
  if (!owner.empty() && !ValidDomainName(owner)) return false;
  std::string octets;  // white space inside is allowed
  for (std::size_t i = at + 4; i < word.size(); ++i) octets += word[i];
  if (!IsNumber(word[at + 1], 0xffff) || !IsNumber(word[at + 2], 0xff) || !IsNumber(word[at + 3], 0xff)) {
    return false;
  }
  if (word[at] == "DS") return IsDigest(word[at + 3], octets);
  const auto key = FromBase64(octets);
  return word[at] == "DNSKEY" && word[at + 2] == "3" && key && !key->empty();
}

std::vector<std::string> FaultsOf(const Config& config) {
  Faults faults;
  for (const std::string& anchor : config.trust_anchors) {
    if (!IsTrustAnchor(anchor)) faults.push_back("registry.trust_anchors: no DS or DNSKEY record: " + anchor);
  }
  CheckMqtt(config.mqtt, faults);
  CheckMaterial(config, faults);
  CheckZone(config, faults);
  CheckAddresses(config, faults);
  CheckSecondaries(config, faults);
  const auto folders = FolderFaults(config);
  faults.insert(faults.end(), folders.begin(), folders.end());
  return faults;
}

}  // namespace registry::app
