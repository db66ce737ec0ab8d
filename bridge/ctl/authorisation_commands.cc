#include "bridge/ctl/authorisation_commands.h"

#include "bridge/ctl/ask.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/signing/file_write.h"
#include "schemas/wire/life_messages.h"

namespace registry::ctl {
namespace {

struct Asked {
  AskOptions from;
  std::string command, data = "{}";
  bool json = false;
};

void AddAskOptions(CLI::App& command, Asked& asked) {
  command.add_option("--config", asked.from.config, "The registry's configuration")->required();
  command.add_option("--as", asked.from.party, "The operator's party (operator)");
  command.add_flag("--json", asked.json, "Print JSON");
}

void Send(const Asked& asked, const std::string& command, const Json& data) {
  const Answer answer = OrFail(Ask(asked.from, command, data));
  if (!answer.accepted) Fail(answer.data.value("symbol", "") + ": " + answer.data.value("message", ""));
  Print(Json(answer.data), asked.json);
}

void AddAsk(CLI::App& app) {
  const auto asked = std::make_shared<Asked>();
  auto* ask = app.add_subcommand("ask", "Send any command as the operator's party and print its reply");
  ask->add_option("COMMAND", asked->command, "As in schemas/README.md, e.g. quota.get")->required();
  ask->add_option("DATA", asked->data, "Its data, a JSON object ({})");
  AddAskOptions(*ask, *asked);
  ask->callback([asked] {
    const Json data = Json::parse(asked->data, nullptr, false);
    if (!data.is_object()) FailWrong("DATA is not a JSON object");
    Send(*asked, asked->command, data);
  });
}

struct CodeWanted {
  Asked asked;
  std::string device, purpose;
  int valid_days = 0;
};

void AddSet(CLI::App& authorisation) {
  const auto wanted = std::make_shared<CodeWanted>();
  auto* set = authorisation.add_subcommand("set", "Set an authorisation code of a device and print it");
  set->add_option("DEVICE", wanted->device, "Device id")->required();
  set->add_option("--purpose", wanted->purpose, "claim or transfer")
      ->required()
      ->check(CLI::IsMember({"claim", "transfer"}));
  set->add_option("--valid-days", wanted->valid_days, "How long it is valid (authorisation.validity_days)")
      ->check(CLI::Range(1, 365));
  AddAskOptions(*set, wanted->asked);
  set->callback([wanted] {
    Json data{{"device", wanted->device}, {"purpose", wanted->purpose}};
    if (wanted->valid_days > 0) data["validDays"] = wanted->valid_days;
    Send(wanted->asked, std::string(wire::AuthorisationSet::kName), data);
  });
}

// For a folder that an older version has made.
void AddKey(CLI::App& authorisation) {
  const auto folder = std::make_shared<std::string>();
  auto* key =
      authorisation.add_subcommand("key", "Make the key of the authorisation codes, where it is missing");
  key->add_option("--dir", *folder, "The registry's folder")->required();
  key->callback([folder] {
    const std::string file = *folder + "/authorisation.key";
    if (auto made = signing::CreateSecretFile(file); !made) Fail(made.error().message);
    Print(Json{{"file", file}}, false);
  });
}

}  // namespace

void AddAuthorisationCommands(CLI::App& app) {
  AddAsk(app);
  auto* authorisation = app.add_subcommand("authorisation", "authorisation codes")->require_subcommand(1);
  AddSet(*authorisation);
  AddKey(*authorisation);
}

}  // namespace registry::ctl
