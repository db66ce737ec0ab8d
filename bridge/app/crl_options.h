// bridge/app/crl_options.h: how the CRL of devices is written, as the configuration says it: for registryd and registryctl.
#pragma once

#include "bridge/app/config.h"
#include "bridge/app/crl_writer.h"
#include "bridge/app/material.h"

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

// With the lists of the issuing CAs before the present one. `material` outlives what is made of it.
inline CrlOptions CrlOptionsOf(const Config& config, const Material& material) {
  CrlOptions crl = CrlOptionsOf(config);
  for (const Material::Former& former : material.former)
    crl.former.push_back({former.signer, former.crl_file});
  return crl;
}

}  // namespace registry::app
