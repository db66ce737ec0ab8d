// bridge/app/crl_options.h: how the CRL of devices is written, as the configuration says it: for registryd and registryctl.
#pragma once

#include "bridge/app/config.h"
#include "bridge/app/crl_writer.h"

namespace registry::app {

inline CrlOptions CrlOptionsOf(const Config& config) {
  CrlOptions crl;
  crl.file = config.pki.crl_file;
  crl.validity = std::chrono::hours(24) * config.pki.crl_days;
  crl.url = config.pki.crl_url;
  crl.shards = crl.url.empty() ? 0 : config.pki.crl_shards;
  crl.shard_above = config.pki.crl_shard_above;
  return crl;
}

}  // namespace registry::app
