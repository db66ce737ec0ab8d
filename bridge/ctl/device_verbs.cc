#include "bridge/ctl/device_verbs.h"

#include "bridge/ctl/change.h"
#include "bridge/ctl/device_argument.h"
#include "schemas/wire/codec.h"

namespace registry::ctl {
namespace {

struct Verb {
  ChangeOptions options;
  std::string device;
  bool flag = false;
};

void AddVerb(CLI::App& devices, std::string_view sent, const char* what) {
  const auto verb = std::make_shared<Verb>();
  const std::string word(sent.substr(sent.find('.') + 1));
  auto* command = devices.add_subcommand(word, what);
  command->add_option("ID", verb->device, "device id or name")->required();
  AddChangeOptions(*command, verb->options, Reason::kRequired);
  const bool deactivates = sent == wire::DeviceDeactivate::kName;
  if (deactivates)
    command->add_flag("--disconnect", verb->flag, "Disable the profile too, once the applet is empty");
  command->callback([verb, sent] {
    Json data{{"device", DeviceArgument(verb->device).text()}};
    if (verb->flag) data["disconnect"] = true;
    Change(verb->options, sent, std::move(data));
  });
}

}  // namespace

void AddDeviceVerbs(CLI::App& devices) {
  AddVerb(devices, wire::DeviceDeactivate::kName, "stop trusting a device for good; it stays listed");
  AddVerb(devices, wire::DeviceReactivate::kName, "provision a deactivated device again, with a new key");
  AddVerb(devices, wire::DeviceSuspend::kName, "stop trusting a device for a while; its certificate stays");
  AddVerb(devices, wire::DeviceResume::kName, "lift every hold of a device");
  AddVerb(devices, wire::DeviceDisconnect::kName, "have its MNO disable the profile");
  AddVerb(devices, wire::DeviceReconnect::kName, "have its MNO enable the profile again");
  AddVerb(devices, wire::DeviceRekey::kName,
          "have it make another key; the reason keyCompromise revokes the old one at once");
  AddVerb(devices, wire::DeviceDelete::kName, "take a device's name out of DNS; a tombstone stays");
  AddVerb(devices, wire::DeviceRestore::kName, "bring a deleted device back, deactivated");
}

}  // namespace registry::ctl
