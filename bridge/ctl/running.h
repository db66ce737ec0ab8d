// bridge/ctl/running.h: what a running registryd says of itself, and how it and the broker are told that a registry's
// files have changed. registryd is found by the file that it writes when it is ready (run.file), its pages by http.port.
// Threads: one. Errors: none; whoever does not answer is not running, and what could not be told is said in words.
// Limits: kTakenWithin for registryd to take its parties, kReloadWithin for the broker's command.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "bridge/app/config.h"

namespace registry::ctl {

inline constexpr std::chrono::seconds kTakenWithin{10}, kReloadWithin{30};

// One of its pages, "/readyz" for example; empty when nobody answers.
std::string PageOf(const app::Config& config, const std::string& path);
std::string MetricsOf(const app::Config& config);
// Of the registryd that runs, as run.file says it; nullopt when none does, or it says nothing.
std::optional<int> ProcessOf(const app::Config& config);
// Values by label, "" without one: name{label="key"} value (Prometheus text format 0.0.4).
std::map<std::string, double> Values(const std::string& metrics, const std::string& name);

struct Told {
  bool failed = false;   // it was tried, and did not come about
  std::string sentence;  // what was done, or what is left to do
};
// SIGHUP, after which it reads its parties again (bridge/app/party_reload.h); waits until it says that it has.
Told TellRegistryd(const app::Config& config);
// Runs mqtt.broker_reload.
Told TellBroker(const app::Config& config);

}  // namespace registry::ctl
