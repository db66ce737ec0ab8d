#include "bridge/ctl/secondary_config.h"

#include <algorithm>
#include <iostream>
#include <memory>

#include "bridge/app/certificates.h"
#include "bridge/app/config.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/signing/key_file.h"
#include "bridge/zone/tsig.h"
#include "schemas/base/bytes.h"

namespace registry::ctl {
namespace {

std::string At(const std::string& address, std::uint16_t port) {
  return address + "@" + std::to_string(port);
}

std::string Bare(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

// "owner [TTL] [class] DS|DNSKEY …": whether the owner is the zone (RFC 4034 §5, no delegation leads to it then).
bool IsAnchorOf(const std::string& anchor, const std::string& zone) {
  const std::string owner = Bare(anchor.substr(0, anchor.find_first_of(" \t")));
  return std::equal(owner.begin(), owner.end(), zone.begin(), zone.end(),
                    [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

const app::SecondaryConfig& Named(const app::Config& config, const std::string& name) {
  const auto& all = config.secondaries;
  if (all.empty()) Fail(config.file + " has no [[secondary]]; its name, address and port stand there");
  if (name.empty() && all.size() == 1) return all.front();
  std::string names;
  for (const auto& secondary : all) {
    if (secondary.name == name) return secondary;
    names += (names.empty() ? "" : ", ") + secondary.name;
  }
  Fail(name.empty() ? "--secondary says which one: " + names
                    : "no [[secondary]] has the name '" + name + "'; there are: " + names);
}

bool IsLoopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

// Without a name in the certificate a secondary cannot know whom it has reached (RFC 8310 §8.1).
TlsSide TlsOf(const app::ZoneTlsConfig& tls, const app::SecondaryConfig& secondary) {
  if (!tls.on()) Fail("zone.tls_certificate is not set: there are no transfers over TLS");
  const auto names = app::DnsNamesOf(OrFail(signing::LoadCertificate(tls.certificate_file)));
  if (names.empty())
    Fail(tls.certificate_file + " has no dNSName, by which " + secondary.name + " would know it");
  std::string own = secondary.tls_name.empty() ? secondary.name : secondary.tls_name;
  if (tls.client_ca_file.empty()) own.clear();
  return {.address = tls.address, .port = tls.port, .name = names.front(), .certificate = std::move(own)};
}

SecondarySide SideOf(const app::Config& config, const std::string& name, bool over_tls) {
  const app::SecondaryConfig& secondary = Named(config, name);
  if (config.dns.by_update())
    Fail("zone.publisher is \"update\": the secondaries transfer the zone from the signing server");
  const std::string& primary = config.dns.listen_address;
  if (primary == "0.0.0.0" || primary == "::" || (IsLoopback(primary) && !IsLoopback(secondary.address))) {
    Fail("zone.listen_address is " + primary + ": set the address at which " + secondary.name +
         " reaches this host");
  }
  const bool own = secondary.key.given();
  const std::string key_name = own ? secondary.key.name : config.dns.tsig_name;
  const auto key =
      OrFail(zone::LoadTsigKey(key_name, own ? secondary.key.secret_file : config.dns.tsig_secret));
  std::optional<TlsSide> tls;
  if (over_tls) tls = TlsOf(config.dns.tls, secondary);
  return {.zone = Bare(config.zone),
          .primary = config.dns.listen_address,
          .address = secondary.address,
          .primary_port = config.dns.listen_port,
          .port = secondary.port,
          .key_name = Bare(key_name),
          .secret = ToBase64(Bytes(key.secret.data(), key.secret.data() + key.secret.size())),
          .tls = std::move(tls),
          .other_primaries = config.dns.other_primaries};
}

ResolverSide ResolverOf(const app::Config& config) {
  ResolverSide side{.address = config.resolver.address,
                    .name = config.resolver.name,
                    .port = config.resolver.port,
                    .trust_anchors = config.trust_anchors,
                    .zone = Bare(config.zone),
                    .servers = {}};
  side.private_zone = std::any_of(config.trust_anchors.begin(), config.trust_anchors.end(),
                                  [&](const std::string& anchor) { return IsAnchorOf(anchor, side.zone); });
  for (const auto& secondary : config.secondaries)
    side.servers.push_back(At(secondary.address, secondary.port));
  return side;
}

// Every primary: this one, then the other nodes. Over TLS all have the port of this one.
std::vector<std::pair<std::string, std::uint16_t>> PrimariesOf(const SecondarySide& side) {
  std::vector<std::pair<std::string, std::uint16_t>> all{{side.primary, side.primary_port}};
  if (side.tls) all = {{side.tls->address, side.tls->port}};
  for (const auto& [address, port] : side.other_primaries)
    all.emplace_back(address, side.tls ? side.tls->port : port);
  return all;
}

// "BEFORE address AFTER" for each address from which the registry may come.
std::string ForEachAddress(const SecondarySide& side, const std::string& before, const std::string& after) {
  std::string text = before + side.primary + after;
  for (const auto& [address, port] : side.other_primaries) text += before + address + after;
  return text;
}

}  // namespace

std::string NsdConfig(const SecondarySide& side) {
  std::string server, tls_auth, sources;
  const std::string with = " " + side.key_name + (side.tls ? " registry-tls" : "");
  for (const auto& [address, port] : PrimariesOf(side))
    sources += "\n    request-xfr: " + At(address, port) + with;
  if (side.tls) {
    const std::string own = "/etc/nsd/" + side.tls->certificate;
    server = "    tls-cert-bundle: \"/etc/nsd/transfer-ca.pem\"\n";
    tls_auth = "tls-auth:\n    name: \"registry-tls\"\n    auth-domain-name: \"" + side.tls->name + "\"\n";
    if (!side.tls->certificate.empty())
      tls_auth += "    client-cert: \"" + own + ".pem\"\n    client-key: \"" + own + ".key\"\n";
  }
  return "server:\n    ip-address: " + (side.port == 53 ? side.address : At(side.address, side.port)) +
         "\n    xfrd-reload-timeout: 0\n" + server + "key:\n    name: \"" + side.key_name +
         "\"\n    algorithm: hmac-sha256\n    secret: \"" + side.secret + "\"\n" + tls_auth +
         "zone:\n    name: \"" + side.zone + "\"\n    zonefile: \"" + side.zone + ".zone\"" +
         ForEachAddress(side, "\n    allow-notify: ", " " + side.key_name) + sources +
         ForEachAddress(side, "\n    provide-xfr: ", " " + side.key_name) + "\n    rrl-whitelist: positive\n";
}

std::string KnotConfig(const SecondarySide& side) {
  std::string remotes, names, addresses;
  int number = 1;
  for (const auto& [address, port] : PrimariesOf(side)) {
    const std::string name = names.empty() ? "registry" : "registry-" + std::to_string(++number);
    remotes += "\n  - id: " + name + "\n    address: " + At(address, port) + "\n    key: " + side.key_name;
    names += (names.empty() ? "" : ", ") + name;
    addresses += (addresses.empty() ? "" : ", ") + address;
  }
  const bool one = side.other_primaries.empty();
  return "server:\n    listen: " + At(side.address, side.port) + "\nkey:\n  - id: " + side.key_name +
         "\n    algorithm: hmac-sha256\n    secret: " + side.secret + "\nremote:" + remotes +
         "\nacl:\n  - id: registry-notify\n    address: " + (one ? addresses : "[" + addresses + "]") +
         "\n    key: " + side.key_name + "\n    action: [notify, transfer]\nzone:\n  - domain: " + side.zone +
         "\n    master: " + (one ? names : "[" + names + "]") +
         "\n    acl: registry-notify\n    zonefile-load: none\n"
         "    journal-content: all\n    journal-max-usage: 2G\n";
}

std::string BindConfig(const SecondarySide& side) {
  const std::string key = "\"" + side.key_name + "\"";
  std::string tls, sources;
  for (const auto& [address, port] : PrimariesOf(side))
    sources += " " + address + " port " + std::to_string(port) + " key " + key +
               (side.tls ? " tls registry-tls;" : ";");
  if (side.tls) {
    const std::string own = "/etc/bind/" + side.tls->certificate;
    tls = "tls registry-tls {\n  ca-file \"/etc/bind/transfer-ca.pem\";\n  remote-hostname \"" +
          side.tls->name + "\";\n";
    if (!side.tls->certificate.empty())
      tls += "  cert-file \"" + own + ".pem\";\n  key-file \"" + own + ".key\";\n";
    tls += "  protocols { TLSv1.3; };\n};\n";
  }
  return "key " + key + " { algorithm hmac-sha256; secret \"" + side.secret + "\"; };\n" + tls +
         "primaries registry {" + sources + " };\nzone \"" + side.zone +
         "\" {\n  type secondary;\n  file \"/var/cache/bind/" + side.zone +
         ".db\";\n  primaries { registry; };\n  allow-notify { key " + key + "; };\n  allow-transfer { key " +
         key + "; };\n};\n";
}

std::string UnboundConfig(const ResolverSide& side) {
  std::string text = "server:\n    interface: " + At(side.address, side.port) +
                     "\n    tls-port: " + std::to_string(side.port) +
                     "\n    tls-service-key: \"/etc/unbound/" + side.name +
                     ".key\"\n    tls-service-pem: \"/etc/unbound/" + side.name +
                     ".pem\"\n    module-config: \"validator iterator\"\n"
                     // What devices may ask, and from where, is the operator's to narrow.
                     "    access-control: 0.0.0.0/0 allow\n    access-control: ::0/0 allow\n"
                     // A device asks right after its name appears: an NXDOMAIN from before must not linger
                     // (RFC 2308 §5), nor be made from a neighbour's (RFC 8198).
                     "    cache-max-negative-ttl: 1\n    aggressive-nsec: no\n";
  for (const std::string& anchor : side.trust_anchors) text += "    trust-anchor: \"" + anchor + "\"\n";
  if (!side.private_zone) return text;
  text += "stub-zone:\n    name: \"" + side.zone + "\"\n";
  for (const std::string& server : side.servers) text += "    stub-addr: " + server + "\n";
  return text;
}

void AddSecondaryConfig(CLI::App& app) {
  struct Arguments {
    std::string software, config, secondary;
    bool tls = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  auto* command =
      app.add_subcommand("secondary-config", "What the other side pastes: a secondary, or the resolver");
  command->add_option("software", arguments->software, "Whose configuration")
      ->required()
      ->type_name("WORD")
      ->check(CLI::IsMember({"nsd", "knot", "bind", "unbound"}));
  command->add_option("--config", arguments->config, "configuration of registryd")->required();
  command->add_option("--secondary", arguments->secondary,
                      "name of a [[secondary]], where there are several");
  command->add_flag("--tls", arguments->tls, "the transfer goes over TLS");
  command->callback([arguments] {
    const app::Config config = OrFail(app::LoadConfig(arguments->config));
    if (arguments->software == "unbound") {
      std::cout << UnboundConfig(ResolverOf(config));
      return;
    }
    if (arguments->tls && arguments->software == "knot")
      Fail("Knot transfers over TLS from version 3.3 on: use NSD or BIND, or a tunnel");
    const SecondarySide side = SideOf(config, arguments->secondary, arguments->tls);
    std::cout << (arguments->software == "nsd"    ? NsdConfig(side)
                  : arguments->software == "knot" ? KnotConfig(side)
                                                  : BindConfig(side));
  });
}

}  // namespace registry::ctl
