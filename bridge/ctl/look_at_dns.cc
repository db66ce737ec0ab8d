// `registryctl doctor`: the secondaries, and the resolver that devices are told.
#include <algorithm>
#include <cstdlib>

#include "bridge/app/certificates.h"
#include "bridge/app/trust_anchors.h"
#include "bridge/app/zone_options.h"
#include "bridge/ctl/finding.h"
#include "bridge/signing/key_file.h"
#include "bridge/zone/ask_once.h"
#include "bridge/zone/keys.h"
#include "bridge/zone/tsig_keys.h"

namespace registry::ctl {
namespace {

using std::chrono::milliseconds;
using zone::TsigError;

constexpr milliseconds kForAnswer{2000};
constexpr std::int64_t kClockDiffers = 5;  // seconds; 300 are refused (RFC 8945 §5.2.3)
constexpr std::size_t kDsHead = 4;         // octets before the digest (RFC 4034 §5.1)

std::string TodoOf(const zone::AskedSerial& asked, const std::string& name) {
  switch (asked.tsig) {
    case TsigError::kBadKey:
      return "give " + name + " the key that registryctl secondary-config prints: it has none of this name";
    case TsigError::kBadSig:
      return "give " + name +
             " the secret that registryctl secondary-config prints, and load its configuration";
    case TsigError::kBadTime:
      return "set both clocks by NTP, ours first";
    case TsigError::kAbsent:
      return "let the registry's address and key ask: the access list of " + name + " does not know them";
    default:
      break;
  }
  return "see whether it runs, has the zone (registryctl secondary-config) and lets us ask at that address "
         "and port";
}

Finding LookAt(const std::string& secondary, const zone::AskedSerial& asked) {
  Finding finding{"secondary " + secondary};
  if (!asked.serial) {
    finding.verdict = Verdict::kFault;
    finding.says = asked.why;
    finding.todo = TodoOf(asked, secondary);
    return finding;
  }
  finding.says = "serves serial " + std::to_string(*asked.serial) + ", signed with the transfer key";
  if (!asked.clock_behind || std::abs(*asked.clock_behind) <= kClockDiffers) return finding;
  finding.verdict = Verdict::kWarning;
  finding.says += "; its clock is " + std::to_string(std::abs(*asked.clock_behind)) + " s " +
                  (*asked.clock_behind > 0 ? "behind" : "ahead of") + " ours";
  finding.todo = "set both clocks by NTP: at 300 s they refuse each other";
  return finding;
}

// Devices that have the zone's own key as their anchor need nothing of a parent.
bool IsOwnAnchor(const app::Config& config) {
  return std::any_of(config.trust_anchors.begin(), config.trust_anchors.end(), [&](const std::string& text) {
    const auto anchor = app::ParseTrustAnchor(text);
    return anchor && anchor->owner == config.zone;
  });
}

// RDATA of a DS, and the record as DsText says it.
bool IsDs(const zone::ResolverAnswer& answer, const zone::Record& record, const app::TrustAnchor& ds) {
  if (record.type != zone::kTypeDs || record.rdata_size != kDsHead + ds.octets.size()) return false;
  const auto* const at = answer.octets.data() + record.rdata_at;
  return (at[0] << 8 | at[1]) == ds.first && at[2] == ds.second && at[3] == ds.third &&
         std::equal(ds.octets.begin(), ds.octets.end(), at + kDsHead);
}

Finding LookAtParent(const app::Config& config, const zone::TlsResolver& resolver, const zone::Name& name) {
  const char* const check = "DS in the parent";
  if (IsOwnAnchor(config))
    return {check, Verdict::kGood, "not needed: devices have the zone's own key (registry.trust_anchors)"};
  if (config.dns.by_update())
    return {check, Verdict::kSkipped, "the signing server has the keys, and tells the parent"};
  const auto ksk = app::KskInUse(config);
  const auto text = ksk ? zone::DsText(config.zone, *ksk) : Result<std::string>(ksk.error());
  const auto ours = text ? app::ParseTrustAnchor(*text) : std::nullopt;
  if (!ours) return {check, Verdict::kSkipped, "the KSK cannot be read: " + text.error().message};
  const auto answer = zone::AskOverTls(resolver, name, zone::kTypeDs, kForAnswer);
  if (!answer) return {check, Verdict::kSkipped, answer.error().message};
  const auto& records = answer->message.answer;
  const bool there = std::any_of(records.begin(), records.end(),
                                 [&](const zone::Record& record) { return IsDs(*answer, record, *ours); });
  if (there) return {check, Verdict::kGood, "the parent has the DS of key " + std::to_string(ours->first)};
  const bool other = std::any_of(records.begin(), records.end(),
                                 [](const zone::Record& record) { return record.type == zone::kTypeDs; });
  return {check, Verdict::kFault,
          other ? "the parent has another DS, not that of our key" : "the parent has no DS of the zone",
          "have the parent publish: " + *text};
}

// Longer than the SOA's TTL: then it keeps the record of a revoked device for longer than that, too. The TTL is not ours
// where a signing server holds the zone.
std::optional<std::uint32_t> KeptTooLong(const app::Config& config, const zone::Message& message) {
  if (config.dns.by_update()) return std::nullopt;
  for (const zone::Record& record : message.answer) {
    if (record.type == zone::kTypeSoa && record.ttl > config.dns.negative_ttl) return record.ttl;
  }
  return std::nullopt;
}

Finding LookAtZone(const app::Config& config, const zone::ResolverAnswer& answer) {
  const char* const check = "zone at the resolver";
  if (answer.message.rcode() != 0)
    return {check, Verdict::kFault,
            zone::RcodeName(answer.message.rcode()) + " for the SOA of " + config.zone,
            "SERVFAIL: its log says what it could not validate or reach; look at the DS and the secondaries "
            "above"};
  if (!answer.authentic())
    return {
        check, Verdict::kFault, "it does not say that the zone is authentic (AD)",
        "let it validate, with a trust anchor that leads to the zone: registryctl secondary-config unbound"};
  if (const auto kept = KeptTooLong(config, answer.message))
    return {check, Verdict::kWarning,
            "it keeps the SOA for " + std::to_string(*kept) + " s, and its TTL is " +
                std::to_string(config.dns.negative_ttl) + " s: it believes revoked devices for too long",
            "take its least time to live away (Unbound: cache-min-ttl), see bridge/zone/REVOCATION.md"};
  return {check, Verdict::kGood, "it validates the SOA of " + config.zone};
}

}  // namespace

Findings LookAtSecondaries(const app::Config& config) {
  if (config.secondaries.empty() && !config.dns.by_update())
    return {{"secondaries", Verdict::kWarning, "none is configured",
             "add a [[secondary]]: nobody is known to serve devices' records"}};
  zone::Options options = app::ZoneOptions(config, {});
  if (config.dns.by_update())
    options.secondaries.insert(options.secondaries.begin(),
                               {update::kServerName, config.dns.update_address, config.dns.update_port});
  const auto keys = zone::LoadTsigKeys(options);
  const auto name = zone::NameFromText(config.zone);
  if (!keys || !name)
    return {{"secondaries", Verdict::kSkipped, keys ? "the zone's name is wrong" : keys.error().message}};
  const SystemClock clock;
  Findings findings;
  for (const zone::SecondaryAddress& secondary : options.secondaries) {
    const zone::SecondaryKeys its = zone::KeysOf(secondary, options, *keys);
    const std::string source = secondary.name == update::kServerName ? "" : config.dns.listen_address;
    const auto ask = [&](const zone::TsigKey& key) {
      return zone::AskSerial(secondary, *name, key, clock, source, kForAnswer);
    };
    auto asked = ask(*its.now);
    const bool former = !asked.serial && asked.tsig != TsigError::kNone && its.former != nullptr;
    if (former) asked = ask(*its.former);
    findings.push_back(LookAt(secondary.name, asked));
    if (!former || !asked.serial) continue;
    findings.back().verdict = Verdict::kWarning;
    findings.back().says += ", its former one";
    findings.back().todo = "give it what registryctl secondary-config prints";
  }
  return findings;
}

Findings LookAtTransferTls(const app::Config& config) {
  const app::ZoneTlsConfig& tls = config.dns.tls;
  if (!tls.on() || config.dns.by_update()) return {};
  const char* const check = "transfers over TLS";
  const auto ours = signing::LoadCertificate(tls.certificate_file);
  if (!ours) return {{check, Verdict::kSkipped, ours.error().message}};
  if (app::DnsNamesOf(*ours).empty())
    return {{check, Verdict::kFault, "the certificate has no dNSName, by which a secondary would know it",
             "issue another one: bridge/zone/TLS.md"}};
  if (NodeStandsBy(config)) return {{check, Verdict::kSkipped, "this node stands by and serves none"}};
  std::string address = tls.address;
  if (address == "0.0.0.0") address = "127.0.0.1";
  if (address == "::") address = "::1";
  const auto shown = zone::CertificateServed(address, tls.port, kForAnswer);
  if (!shown)
    return {{check, Verdict::kFault, shown.error().message,
             "start registryd; its log says on which port it serves transfers over TLS"}};
  if (*shown != *ours)
    return {{check, Verdict::kWarning, "registryd shows another certificate than " + tls.certificate_file,
             "send registryd SIGHUP; its log says why when it does not take it"}};
  return {
      {check, Verdict::kGood, "registryd shows zone.tls_certificate, for " + app::DnsNamesOf(*ours).front()}};
}

Findings LookAtResolver(const app::Config& config) {
  auto certificate = signing::LoadCertificate(config.resolver.certificate);
  const auto name = zone::NameFromText(config.zone);
  if (!certificate || !name)
    return {{"resolver", Verdict::kSkipped,
             certificate ? "the zone's name is wrong" : certificate.error().message}};
  const zone::TlsResolver resolver{config.resolver.address, config.resolver.name, config.resolver.port,
                                   std::move(*certificate)};
  const auto answer = zone::AskOverTls(resolver, *name, zone::kTypeSoa, kForAnswer);
  if (!answer) {
    const bool untrusted = answer.error().symbol == "resolver_untrusted";
    return {{"resolver", Verdict::kFault, answer.error().message,
             untrusted ? "devices refuse it: give resolver.certificate the one it uses, for resolver.name"
                       : "see whether it runs and listens with TLS at resolver.address and resolver.port"},
            {"DS in the parent", Verdict::kSkipped, "it is asked for at the resolver"},
            {"trust anchors", Verdict::kSkipped, "their keys are asked for at the resolver"}};
  }
  return {{"resolver", Verdict::kGood,
           "it answers over TLS, with the certificate and name that devices are told"},
          LookAtZone(config, *answer),
          LookAtParent(config, resolver, *name),
          LookAtAnchors(config, resolver)};
}

}  // namespace registry::ctl
