// simulators/lab/server_config.h: the configuration files of the real servers around the registry, as text.
// The broker's is the template an operator uses (broker-config/); Unbound's follows the form that was measured. The name
// server's is in authority_config.h. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "schemas/base/result.h"

namespace registry::lab {

// Every @NAME@ in `text` replaced; an Error names one that is left.
Result<std::string> FillTemplate(std::string text, const std::map<std::string, std::string>& values);

// What the guard in the broker reads, for a `crlfile` line of the broker's; empty for an empty one.
std::string GuardCrlLine(const std::string& crl_line);

struct ResolverOptions {
  std::string folder;
  std::uint16_t port = 0, dot_port = 0;
  std::string key_file, certificate_file, trust_anchor_file;
  std::vector<std::string> zones;  // asked of the authority; "" is the root
  std::uint16_t authority_port = 0;
};
std::string UnboundConfig(const ResolverOptions& options);

}  // namespace registry::lab
