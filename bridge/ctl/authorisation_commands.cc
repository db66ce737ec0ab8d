#include "bridge/ctl/authorisation_commands.h"

#include "bridge/ctl/change.h"
#include "bridge/ctl/device_argument.h"
#include "bridge/signing/file_write.h"
#include "schemas/wire/life_messages.h"

namespace registry::ctl {
namespace {

struct Any {
  ChangeOptions options;
  std::string command, data = "{}";
};

void AddAsk(CLI::App& app) {
  const auto any = std::make_shared<Any>();
  auto* ask = app.add_subcommand("ask", "Send any command as the operator's party and print its reply");
  ask->add_option("COMMAND", any->command, "As in schemas/README.md, e.g. quota.get")->required();
  ask->add_option("DATA", any->data, "Its data, a JSON object ({})");
  AddChangeOptions(*ask, any->options, Reason::kNone);
  ask->callback([any] {
    const Json data = Json::parse(any->data, nullptr, false);
    if (!data.is_object()) FailWrong("DATA is not a JSON object");
    Change(any->options, any->command, data);
  });
}

struct CodeWanted {
  ChangeOptions options;
  std::string device, purpose;
  int valid_days = 0;
};

void AddSet(CLI::App& authorisation) {
  const auto wanted = std::make_shared<CodeWanted>();
  auto* set = authorisation.add_subcommand("set", "Set an authorisation code of a device and print it");
  set->add_option("DEVICE", wanted->device, "Device id or name")->required();
  set->add_option("--purpose", wanted->purpose, "claim or transfer")
      ->required()
      ->check(CLI::IsMember({"claim", "transfer"}));
  set->add_option("--valid-days", wanted->valid_days, "How long it is valid (authorisation.validity_days)")
      ->check(CLI::Range(1, 365));
  AddChangeOptions(*set, wanted->options, Reason::kKept);
  set->callback([wanted] {
    Json data{{"device", DeviceArgument(wanted->device).text()}, {"purpose", wanted->purpose}};
    if (wanted->valid_days > 0) data["validDays"] = wanted->valid_days;
    Change(wanted->options, wire::AuthorisationSet::kName, std::move(data));
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
