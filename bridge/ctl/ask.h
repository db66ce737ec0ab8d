// bridge/ctl/ask.h: one command of the operator's party to a registryd that runs, as any party sends it: over the broker,
// with the certificate of interface/parties/NAME beside the configuration. registryctl changes nothing of a ledger itself.
// Errors: no_reply (2400) after kPatience, the command may have been decided then; connect_failed and the others of
//   bridge/mqtt/connection.h; config errors. Threads: the main one.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "schemas/base/result.h"

namespace registry::ctl {

struct AskOptions {
  std::string config;              // registry.toml
  std::string party = "operator";  // who asks
};
inline constexpr std::chrono::seconds kPatience{30};

struct Answer {
  bool accepted = false;
  nlohmann::json data;
};
Result<Answer> Ask(const AskOptions& options, const std::string& command, const nlohmann::json& data);

}  // namespace registry::ctl
