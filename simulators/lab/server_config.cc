#include "simulators/lab/server_config.h"

#include <cctype>

namespace registry::lab {
namespace {

std::string Loopback(std::uint16_t port) { return "127.0.0.1@" + std::to_string(port); }

bool IsPlaceholder(std::string_view name) {
  if (name.empty()) return false;
  for (const char c : name) {
    if (c != '_' && std::isupper(static_cast<unsigned char>(c)) == 0) return false;
  }
  return true;
}

}  // namespace

Result<std::string> FillTemplate(std::string text, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    const std::string place = "@" + name + "@";
    for (std::size_t at = 0; (at = text.find(place, at)) != std::string::npos; at += value.size()) {
      text.replace(at, place.size(), value);
    }
  }
  for (std::size_t at = 0; (at = text.find('@', at)) != std::string::npos; ++at) {
    const std::size_t end = text.find('@', at + 1);
    if (end == std::string::npos) break;
    const std::string name = text.substr(at + 1, end - at - 1);
    if (IsPlaceholder(name)) {
      return Error::Make(Code::kFailed, "placeholder_left", "the template asks for @" + name + "@");
    }
  }
  return text;
}

std::string GuardCrlLine(const std::string& crl_line) {
  constexpr std::string_view kBroker = "crlfile";
  return crl_line.starts_with(kBroker) ? "plugin_opt_crl_file" + crl_line.substr(kBroker.size()) : "";
}

std::string UnboundConfig(const ResolverOptions& options) {
  std::string text =
      "server:\n    interface: " + Loopback(options.port) + "\n    interface: " + Loopback(options.dot_port) +
      "\n    tls-port: " + std::to_string(options.dot_port) + "\n    tls-service-key: \"" + options.key_file +
      "\"\n    tls-service-pem: \"" + options.certificate_file + "\"\n    directory: \"" + options.folder +
      "\"\n    pidfile: \"" + options.folder + "/unbound.pid\"\n    trust-anchor-file: \"" +
      options.trust_anchor_file +
      "\"\n"
      "    username: \"\"\n    chroot: \"\"\n    use-syslog: no\n    log-time-ascii: yes\n"
      "    num-threads: 1\n    incoming-num-tcp: 200\n"
      "    do-not-query-localhost: no\n    access-control: 127.0.0.0/8 allow\n"
      "    module-config: \"validator iterator\"\n    val-log-level: 2\n"
      // RFC 6761: "test." is built in as an empty zone; without this line every answer is NXDOMAIN.
      "    local-zone: \"test.\" nodefault\n"
      // A device asks right after its name appears: an NXDOMAIN from before must not linger
      // (RFC 2308 §5, RFC 8198).
      "    cache-max-negative-ttl: 1\n    cache-max-ttl: 60\n    aggressive-nsec: no\n"
      "    qname-minimisation: no\n    minimal-responses: yes\n    infra-host-ttl: 60\n"
      "remote-control:\n    control-enable: no\n";
  for (const auto& zone : options.zones) {
    text += "stub-zone:\n    name: \"" + zone + ".\"\n    stub-addr: " + Loopback(options.authority_port) +
            "\n    stub-no-cache: no\n";
  }
  return text;
}

}  // namespace registry::lab
