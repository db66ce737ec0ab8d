#include "simulators/lab/authority_config.h"

#include <functional>

namespace registry::lab {
namespace {

std::string At(std::uint16_t port) { return "127.0.0.1@" + std::to_string(port); }

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }

// What `line` makes of the port of every primary.
std::string Each(const AuthorityOptions& options, const std::function<std::string(std::uint16_t)>& line) {
  std::string text = line(options.primary_port);
  for (const std::uint16_t port : options.other_primaries) text += line(port);
  return text;
}

std::string NsdConfig(const AuthorityOptions& options) {
  std::string text = "server:\n    ip-address: " + At(options.port) +
                     "\n    username: \"\"\n    chroot: \"\"\n    database: \"\"\n    server-count: 1\n"
                     "    verbosity: 1\n    rrl-ratelimit: 0\n    refuse-any: yes\n    zonefiles-write: 0\n"
                     "    hide-version: yes\n"
                     // The table of limits is of no use without limits, and is copied at every fork.
                     "    rrl-size: 1000\n"
                     // 1 (the default) makes every change wait up to a second.
                     "    xfrd-reload-timeout: 0\n";
  for (const char* key : {"zonesdir", "xfrdir"}) {
    text += "    " + std::string(key) + ": " + Quoted(options.folder) + "\n";
  }
  text +=
      "    pidfile: \"" + options.folder + "/nsd.pid\"\n    xfrdfile: \"" + options.folder +
      "/xfrd.state\"\n    zonelistfile: \"" + options.folder + "/zone.list\"\nremote-control:\n" +
      "    control-enable: no\nkey:\n    name: \"" + options.tsig_name +
      "\"\n    algorithm: hmac-sha256\n    secret: \"" + options.tsig_secret + "\"\nzone:\n    name: \"" +
      options.zone + "\"\n    zonefile: \"transferred.zone\"\n    allow-notify: 127.0.0.1 " +
      options.tsig_name +
      Each(options,
           [&](std::uint16_t port) { return "\n    request-xfr: " + At(port) + " " + options.tsig_name; }) +
      // Anybody on this machine may look at the whole zone: it is a lab. `registryctl zone check` does so with the key.
      "\n    provide-xfr: 127.0.0.1 NOKEY\n    provide-xfr: 127.0.0.1 " + options.tsig_name + "\n";
  for (const SignedZone& zone : options.static_zones) {
    text += "zone:\n    name: \"" + zone.name + ".\"\n    zonefile: " + Quoted(zone.file) + "\n";
  }
  return text;
}

std::string KnotConfig(const AuthorityOptions& options) {
  std::string masters = Each(options, [](std::uint16_t port) { return ", primary-" + std::to_string(port); });
  masters.erase(0, 2);
  std::string text =
      "server:\n    listen: " + At(options.port) + "\n    rundir: " + Quoted(options.folder) +
      "\n    udp-workers: 1\n    tcp-workers: 1\n    background-workers: 1\n"
      "log:\n  - target: stderr\n    any: info\ndatabase:\n    storage: " +
      Quoted(options.folder) + "\n    journal-db-max-size: 4G\nkey:\n  - id: " + options.tsig_name +
      "\n    algorithm: hmac-sha256\n    secret: " + options.tsig_secret + "\nremote:" +
      Each(options,
           [&](std::uint16_t port) {
             return "\n  - id: primary-" + std::to_string(port) + "\n    address: " + At(port) +
                    "\n    key: " + options.tsig_name;
           }) +
      "\nacl:\n  - id: notify\n    address: 127.0.0.1\n    key: " + options.tsig_name +
      "\n    action: notify\n"
      // Anybody on this machine may look at the whole zone: it is a lab.
      "  - id: look\n    address: 127.0.0.1\n    action: transfer\n"
      "template:\n  - id: default\n    storage: " +
      Quoted(options.folder) + "\n    zonefile-sync: -1\nzone:\n  - domain: " + options.zone +
      "\n    master: [" + masters +
      "]\n    acl: [notify, look]\n    zonefile-load: none\n"
      "    journal-content: all\n"
      // 100 MB, the default, hold about 200,000 names; a zone above is fetched again and again.
      "    journal-max-usage: 2G\n";
  for (const SignedZone& zone : options.static_zones) {
    text += "  - domain: " + zone.name + ".\n    file: " + Quoted(zone.file) +
            "\n    zonefile-load: whole\n    journal-content: none\n";
  }
  return text;
}

std::string BindConfig(const AuthorityOptions& options) {
  std::string text =
      "key " + Quoted(options.tsig_name) + " { algorithm hmac-sha256; secret " + Quoted(options.tsig_secret) +
      "; };\noptions {\n  directory " + Quoted(options.folder) + ";\n  pid-file \"" + options.folder +
      "/named.pid\";\n  session-keyfile \"" + options.folder + "/session.key\";\n  listen-on port " +
      std::to_string(options.port) +
      " { 127.0.0.1; };\n  listen-on-v6 { none; };\n  recursion no;\n  dnssec-validation no;\n"
      "  notify no;\n  version none;\n"
      // Unbound has the zone's name servers already: half of each answer's octets.
      "  minimal-responses yes;\n"
      // Anybody on this machine may look at the whole zone: it is a lab.
      "  allow-transfer { 127.0.0.1; };\n"
      // 20 (the default) questions a second would hold back what NOTIFY tells.
      "  serial-query-rate 1000;\n};\ncontrols { };\nprimaries registry {" +
      Each(options,
           [&](std::uint16_t port) {
             return " 127.0.0.1 port " + std::to_string(port) + " key " + Quoted(options.tsig_name) + ";";
           }) +
      " };\nzone " + Quoted(options.zone) +
      " {\n  type secondary;\n  file \"transferred.raw\";\n  masterfile-format raw;\n"
      "  primaries { registry; };\n  allow-notify { 127.0.0.1; key " +
      Quoted(options.tsig_name) + "; };\n};\n";
  for (const SignedZone& zone : options.static_zones) {
    text +=
        "zone " + Quoted(zone.name + ".") + " {\n  type primary;\n  file " + Quoted(zone.file) + ";\n};\n";
  }
  return text;
}

}  // namespace

const char* NameOf(Authority software) {
  switch (software) {
    case Authority::kNsd:
      return "nsd";
    case Authority::kKnot:
      return "knot";
    case Authority::kBind:
      break;
  }
  return "bind";
}

std::optional<Authority> AuthorityOf(const std::string& name) {
  for (const Authority software : kAuthorities) {
    if (name == NameOf(software)) return software;
  }
  return std::nullopt;
}

std::string ConfigOf(Authority software, const AuthorityOptions& options) {
  if (software == Authority::kNsd) return NsdConfig(options);
  return software == Authority::kKnot ? KnotConfig(options) : BindConfig(options);
}

std::vector<std::string> CommandOf(Authority software, const std::string& file) {
  if (software == Authority::kNsd) return {"nsd", "-d", "-c", file};
  if (software == Authority::kKnot) return {"knotd", "-c", file};
  return {"named", "-g", "-n", "1", "-c", file};
}

}  // namespace registry::lab
