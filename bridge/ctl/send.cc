#include "bridge/ctl/send.h"

namespace registry::ctl {

void AddSendOptions(CLI::App& command, SendOptions& options) {
  command.add_option("--config", options.from.config, "The registry's configuration")->required();
  command.add_option("--as", options.from.party, "The operator's party (operator)");
  command.add_flag("--json", options.json, "Print JSON");
}

void Send(const SendOptions& options, std::string_view command, const Json& data) {
  const Answer answer = OrFail(Ask(options.from, std::string(command), data));
  if (!answer.accepted) Fail(answer.data.value("symbol", "") + ": " + answer.data.value("message", ""));
  Print(Json(answer.data), options.json);
}

}  // namespace registry::ctl
