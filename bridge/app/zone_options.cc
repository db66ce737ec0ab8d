#include "bridge/app/zone_options.h"

#include "bridge/zone/apex.h"
#include "bridge/zone/key_set_file.h"

namespace registry::app {
namespace {

zone::CdsPolicy CdsOf(const std::string& word) {
  if (word == "always") return zone::CdsPolicy::kAlways;
  if (word == "never") return zone::CdsPolicy::kNever;
  return word == "delete" ? zone::CdsPolicy::kDelete : zone::CdsPolicy::kRollover;
}

void SetKeyRolls(const ZoneConfig& config, zone::Options& options) {
  using std::chrono::seconds;
  options.key_set_file = config.key_set;
  options.zone_file = config.signed_zone;
  options.rolls.zsk_lifetime = std::chrono::days(config.zsk_days);
  options.rolls.ksk_lifetime = std::chrono::days(config.ksk_days);
  options.rolls.propagation = seconds(config.propagation_seconds);
  options.rolls.ds_ttl = seconds(config.ds_ttl);
  options.rolls.parent_propagation = seconds(config.parent_propagation_seconds);
  options.cds = CdsOf(config.cds);
  for (const ParentConfig& parent : config.parents) options.parents.push_back({parent.address, parent.port});
}

zone::TlsOptions TlsOf(const ZoneTlsConfig& config) {
  return {.address = config.address,
          .port = config.port,
          .files = {.certificate = config.certificate_file,
                    .key = config.key_file,
                    .client_ca = config.client_ca_file,
                    .client_crl = "",
                    .client_must = config.client_required},
          .only = config.only};
}

}  // namespace

zone::Options ZoneOptions(const Config& config, std::vector<Bytes> apex_certificates) {
  zone::Options options;
  options.zone = config.zone;
  options.name_servers = config.dns.name_servers;
  options.glue = config.dns.glue;
  options.contact = config.dns.contact;
  options.tlsa_ttl = config.dns.tlsa_ttl;
  options.negative_ttl = config.dns.negative_ttl;
  options.apex_ttl = config.dns.apex_ttl;
  options.ksk_file = config.dns.ksk;
  options.zsk_file = config.dns.zsk;
  options.new_keys = config.dns.new_keys;
  SetKeyRolls(config.dns, options);
  options.listen_address = config.dns.listen_address;
  options.listen_port = config.dns.listen_port;
  options.tsig_name = config.dns.tsig_name;
  options.tsig_secret_file = config.dns.tsig_secret;
  options.former_key = config.dns.former_key;
  options.tls = TlsOf(config.dns.tls);
  options.lag_limit = std::chrono::seconds(config.dns.lag_limit_seconds);
  for (const auto& secondary : config.secondaries) {
    options.secondaries.push_back({secondary.name, secondary.address, secondary.port, secondary.key,
                                   secondary.former_key, secondary.tls_name});
  }
  options.apex_certificates = std::move(apex_certificates);
  return options;
}

update::Options UpdateOptions(const Config& config, std::vector<Bytes> apex_certificates) {
  update::Options options;
  options.zone = ZoneOptions(config, std::move(apex_certificates));
  options.address = config.dns.update_address;
  options.port = config.dns.update_port;
  options.owner = config.dns.update_owner;
  return options;
}

Result<std::string> KskInUse(const Config& config) {
  if (config.dns.by_update())
    return Error::Make(Code::kFailed, "zone_key_unreadable",
                       "the signing server has the keys (zone.publisher)");
  const zone::Options options = ZoneOptions(config, {});
  const auto set = zone::KeySetOfUnjudged(options, {});
  if (!set) return set.error();
  return zone::KeyPath(zone::KeyFolderOf(options), set->Anchor().file);
}

}  // namespace registry::app
