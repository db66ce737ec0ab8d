// bridge/ctl/send.h: what registryctl's sending commands have in common: they are the operator's party (ask.h), print what
// was accepted, and fail with the symbol of a refusal. Threads: the main one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "bridge/ctl/ask.h"
#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {

struct SendOptions {
  AskOptions from;
  bool json = false;
};
void AddSendOptions(CLI::App& command, SendOptions& options);  // --config, --as and --json
void Send(const SendOptions& options, std::string_view command, const Json& data);

}  // namespace registry::ctl
