#include "bridge/app/zone_options.h"

namespace registry::app {

zone::Options ZoneOptions(const Config& config, std::vector<Bytes> apex_certificates) {
  zone::Options options;
  options.zone = config.zone;
  options.name_servers = config.dns.name_servers;
  options.glue = config.dns.glue;
  options.contact = config.dns.contact;
  options.tlsa_ttl = config.dns.tlsa_ttl;
  options.negative_ttl = config.dns.negative_ttl;
  options.ksk_file = config.dns.ksk;
  options.zsk_file = config.dns.zsk;
  options.new_keys = config.dns.new_keys;
  options.listen_address = config.dns.listen_address;
  options.listen_port = config.dns.listen_port;
  options.tsig_name = config.dns.tsig_name;
  options.tsig_secret_file = config.dns.tsig_secret;
  options.former_key = config.dns.former_key;
  for (const auto& secondary : config.secondaries) {
    options.secondaries.push_back(
        {secondary.name, secondary.address, secondary.port, secondary.key, secondary.former_key});
  }
  options.apex_certificates = std::move(apex_certificates);
  return options;
}

}  // namespace registry::app
