#include "bridge/zone/apex.h"

#include <arpa/inet.h>

#include <algorithm>
#include <thread>

#include "bridge/zone/device_content.h"
#include "bridge/zone/key_set_file.h"

namespace registry::zone {
namespace {

constexpr std::uint32_t kSoaRefresh = 60, kSoaRetry = 10;
constexpr std::size_t kSigningThreadsMax = 4;

Error Invalid(const std::string& what) { return Error::Make(Code::kFailed, "zone_options_invalid", what); }

Result<Name> ParseName(const std::string& text, const std::string& what) {
  auto name = NameFromText(text);
  if (!name || name->size() == 1) return Invalid(what + " is not a domain name: " + text);
  return *name;
}

// An address in text to the type and RDATA of its record.
std::optional<std::pair<std::uint16_t, Bytes>> Address(const std::string& text) {
  Bytes v4(4), v6(16);
  if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return {{kTypeA, v4}};
  if (inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return {{kTypeAaaa, v6}};
  return std::nullopt;
}

StaticSet& SetOf(std::vector<StaticSet>& sets, const Bytes& prefix, std::uint16_t type, std::uint32_t ttl) {
  for (StaticSet& set : sets) {
    if (set.prefix == prefix && set.type == type) return set;
  }
  return sets.emplace_back(StaticSet{prefix, type, ttl, {}});
}

Status CheckTimes(const Options& options) {
  const auto validity = options.signature_validity;
  // The spread of expirations is a fourteenth of the validity; what is signed now must not be due at once.
  if (validity < std::chrono::seconds(14) || options.signature_refresh.count() <= 0 ||
      options.signature_refresh >= validity - validity / 7) {
    return Invalid("signature_refresh must be positive and less than six sevenths of signature_validity");
  }
  if (options.inception_offset.count() < 0) return Invalid("inception_offset must not be negative");
  return Done{};
}

Status AddNameServers(const Options& options, const Name& zone, std::vector<StaticSet>& sets) {
  if (options.name_servers.empty()) return Invalid("at least one name server is needed");
  for (const std::string& text : options.name_servers) {
    auto target = ParseName(text, "name server");
    if (!target) return target.error();
    SetOf(sets, {}, kTypeNs, options.apex_ttl).rdatas.push_back(*target);
    const bool has_glue =
        std::ranges::any_of(options.glue, [&](const auto& g) { return NameFromText(g.first) == *target; });
    if (PrefixIn(*target, zone) && !has_glue) return Invalid("no address is given for " + text);
  }
  for (const auto& [text, address_text] : options.glue) {
    auto owner = ParseName(text, "glue name");
    if (!owner) return owner.error();
    const auto prefix = PrefixIn(*owner, zone);
    const auto address = Address(address_text);
    if (!prefix || !address) return Invalid("glue must be an address of a name in the zone: " + text);
    SetOf(sets, *prefix, address->first, options.apex_ttl).rdatas.push_back(address->second);
  }
  return Done{};
}

Status SetSoa(const Options& options, ZoneProfile& profile) {
  auto primary = ParseName(options.name_servers.front(), "name server");
  auto contact = ParseName(options.contact, "contact");
  if (!contact) return contact.error();
  profile.soa_head = *primary;
  Put(profile.soa_head, *contact);
  PutU32(profile.soa_tail, kSoaRefresh);
  PutU32(profile.soa_tail, kSoaRetry);
  // RFC 6781 §4.4.2: a secondary that lost us must stop before signatures run out. The shortest that it may have got
  // lasts `signature_refresh`, and it may have got it from another secondary that had lost us already.
  const auto expire = options.signature_refresh.count() / 2;
  PutU32(profile.soa_tail,
         static_cast<std::uint32_t>(std::clamp<std::int64_t>(expire, kSoaRefresh + kSoaRetry, 14 * 86400)));
  PutU32(profile.soa_tail, options.negative_ttl);
  return Done{};
}

}  // namespace

Result<std::vector<StaticSet>> FixedSetsOf(const Options& options) {
  auto zone = ParseName(options.zone, "zone");
  if (!zone) return zone.error();
  std::vector<StaticSet> sets;
  if (auto servers = AddNameServers(options, *zone, sets); !servers) return servers.error();
  if (!options.apex_certificates.empty())
    sets.push_back({{}, kTypeTlsa, options.apex_ttl, AuthorityTlsa(options.apex_certificates)});
  sets.push_back({{}, kTypeTxt, options.apex_ttl, {TxtRdata(kApexText)}});
  sets.push_back({{}, kTypeNsec3Param, 0, {Nsec3ParamRdata()}});
  return sets;
}

Result<ZoneProfile> ProfileOf(const Options& options) {
  const auto set = KeySetOf(options, {});
  if (!set) return set.error();
  const auto material = MaterialOf(*set, options);
  return material ? ProfileOf(options, *material) : material.error();
}

Result<ZoneProfile> ProfileOf(const Options& options, const KeyMaterial& material) {
  auto zone = ParseName(options.zone, "zone");
  if (!zone) return zone.error();
  if (auto times = CheckTimes(options); !times) return times.error();
  ZoneProfile profile;
  profile.signing = SigningOf(material, options);
  profile.key_sets = KeySetsAtApex(material, options);
  auto sets = FixedSetsOf(options);
  if (!sets) return sets.error();
  profile.sets = std::move(*sets);
  if (auto soa = SetSoa(options, profile); !soa) return soa.error();
  // RFC 2308 §5: a denial is cached for the lesser of the SOA's TTL and its minimum; one option sets both.
  profile.soa_ttl = options.negative_ttl;
  profile.tlsa_ttl = options.tlsa_ttl;
  profile.denial_ttl = options.negative_ttl;  // RFC 9077 §3
  profile.refresh = options.signature_refresh;
  profile.threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kSigningThreadsMax);
  return profile;
}

std::string KeyFolderOf(const Options& options) {
  return FolderOfKeySet(options.key_set_file.empty() ? options.ksk_file : options.key_set_file);
}

namespace {

Result<KeySet> StoredOrOfFiles(const Options& options, UtcTime now,
                               Result<std::optional<std::string>> (*read)(const std::string&)) {
  if (!options.key_set_file.empty()) {
    const auto text = read(options.key_set_file);
    if (!text) return text.error();
    if (*text) return KeySetFrom(**text);
  }
  return KeySetOfFiles(KeyFolderOf(options), options.ksk_file, options.zsk_file, now);
}

}  // namespace

Result<KeySet> KeySetOf(const Options& options, UtcTime now) {
  return StoredOrOfFiles(options, now, &ReadKeySet);
}

Result<KeySet> KeySetOfUnjudged(const Options& options, UtcTime now) {
  return StoredOrOfFiles(options, now, &ReadKeySetUnjudged);
}

Result<KeyMaterial> MaterialOf(const KeySet& set, const Options& options) {
  auto zone = ParseName(options.zone, "zone");
  if (!zone) return zone.error();
  return LoadKeyMaterial(set, KeyFolderOf(options), *zone, options.cds);
}

SigningProfile SigningOf(const KeyMaterial& material, const Options& options) {
  SigningProfile signing{*NameFromText(options.zone), material.ksks, material.zsks,
                         options.signature_validity, options.inception_offset};
  signing.unnamed_ksks = material.unnamed_ksks;
  return signing;
}

std::vector<StaticSet> KeySetsAtApex(const KeyMaterial& material, const Options& options) {
  std::vector<StaticSet> sets{{{}, kTypeDnskey, options.apex_ttl, material.dnskeys}};
  if (material.cds.empty()) return sets;
  sets.push_back({{}, kTypeCds, options.apex_ttl, material.cds});
  sets.push_back({{}, kTypeCdnskey, options.apex_ttl, material.cdnskeys});
  return sets;
}

RollPolicy RollPolicyOf(const Options& options) {
  RollPolicy policy = options.rolls;
  policy.dnskey_ttl = std::chrono::seconds(options.apex_ttl);
  policy.ttl_max = std::chrono::seconds(std::max({options.apex_ttl, options.tlsa_ttl, options.negative_ttl}));
  return policy;
}

}  // namespace registry::zone
