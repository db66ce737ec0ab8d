// bridge/ctl/config_template.h: the registry.toml that `registryctl init` writes. Pure, any thread.
#pragma once

#include <string>

namespace registry::ctl {

struct ConfigValues {
  std::string zone;
  std::string broker_host;
  std::string client_id;     // at the broker; whoever knows it can take the registry's session over
  std::string trust_anchor;  // DS of the zone: right for a private ecosystem, to be replaced by the root's
                             // for a public one
};
std::string ConfigText(const ConfigValues& values);

}  // namespace registry::ctl
