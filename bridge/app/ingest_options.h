// bridge/app/ingest_options.h: how commands are kept and decided, as the configuration says it: for the active node and for
// one that decides beside it. What only one of them has, it adds.
#pragma once

#include "bridge/app/config.h"
#include "bridge/app/material.h"
#include "bridge/ingest/pipeline.h"

namespace registry::app {

inline ingest::IntakeOptions IntakeOptionsOf(const Config& config, const Material& material, LogLine log) {
  ingest::IntakeOptions intake;
  intake.folder = config.intake_folder;
  intake.bytes_max = config.intake_bytes_max;
  intake.key = material.intake_key;
  intake.log = std::move(log);
  return intake;
}

inline ingest::PipelineOptions PipelineOptionsOf(const Config& config) {
  ingest::PipelineOptions options;
  options.lanes = static_cast<std::size_t>(config.lanes);
  options.queue_max = static_cast<std::size_t>(config.queue_max);
  options.renewals_every = std::chrono::seconds(config.renewal_look_seconds);
  return options;
}

// `material` outlives what is made of it. The configuration may have been read again since it was loaded.
inline ingest::Services ServicesOf(const Config& config, const Material& material) {
  ingest::Services services;
  services.parties = config.parties;
  services.issuer = material.issuer.get();
  services.signer = material.signer.get();
  services.policy = material.policy;
  services.policy.retry = config.retry;
  services.policy.transfer = config.transfer;
  services.kept_per_hour = config.kept_per_hour;
  services.limits = config.limits;
  return services;
}

// What is taken of a configuration that is read again.
inline ingest::PartyTerms PartyTermsOf(const Config& config) {
  return {config.parties, config.limits, config.retry, config.transfer};
}

}  // namespace registry::app
