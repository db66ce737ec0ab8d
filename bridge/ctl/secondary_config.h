// bridge/ctl/secondary_config.h: `registryctl secondary-config nsd|knot|bind|unbound --config FILE`: what the other side
// pastes into its configuration, so that it serves the zone, or resolves for devices. --secondary NAME says which one, where
// there are several. bridge/zone/README.md shows what it prints.
// --tls: the transfer goes over TLS (RFC 9103), where the configuration has a certificate for it. Knot 3.2 cannot.
// The text holds the transfer key, except for Unbound: it goes to the secondary's operator over a channel that keeps it.
// Errors: see ledger_source.h; a name that no [[secondary]] has; more than one [[secondary]], and none named.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace registry::ctl {

// Over TLS: what the primary shows, and what it asks for.
struct TlsSide {
  std::string address;
  std::uint16_t port = 853;
  std::string name;         // a dNSName of its certificate
  std::string certificate;  // what the secondary's own files are called; empty: it needs none
};

struct SecondarySide {
  std::string zone;  // without the last dot
  std::string primary, address;
  std::uint16_t primary_port = 53, port = 53;
  std::string key_name, secret;
  std::optional<TlsSide> tls = std::nullopt;
  std::vector<std::pair<std::string, std::uint16_t>> other_primaries =
      {};  // nodes that may be active in its place
};
std::string NsdConfig(const SecondarySide& side);
std::string KnotConfig(const SecondarySide& side);
std::string BindConfig(const SecondarySide& side);

// The resolver that devices ask over TLS (RFC 7858).
struct ResolverSide {
  std::string address, name;
  std::uint16_t port = 853;
  std::vector<std::string> trust_anchors;  // as in registry.toml: DS or DNSKEY
  bool private_zone = false;               // the anchor is the zone's own: nobody delegates to it
  std::string zone;
  std::vector<std::string> servers;  // address@port of who serves the zone
};
std::string UnboundConfig(const ResolverSide& side);

void AddSecondaryConfig(CLI::App& app);

}  // namespace registry::ctl
