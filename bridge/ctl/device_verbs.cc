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

// The command would deactivate a device that is not: whoever says wipe has not asked for that.
void MustBeDeactivated(const std::string& config, const DeviceId& id) {
  ReadOptions source;
  source.config = config;
  const auto device = OrFail(OpenLedger(source)->LoadDevice(id));
  if (!device) Fail("there is no device " + id.text());
  if (device->state == domain::State::kDeactivated) return;
  Fail("the device is " + std::string(domain::StateName(device->state)) +
       "; device deactivate stops trusting it and has its applet wiped");
}

void AddWipe(CLI::App& devices) {
  const auto verb = std::make_shared<Verb>();
  auto* command = devices.add_subcommand("wipe", "ask again for the wipe of a deactivated device's applet");
  command->add_option("ID", verb->device, "device id or name")->required();
  AddChangeOptions(*command, verb->options, Reason::kRequired);
  command->callback([verb] {
    const DeviceId id = DeviceArgument(verb->device);
    MustBeDeactivated(verb->options.send.from.config, id);
    Change(verb->options, wire::DeviceDeactivate::kName, Json{{"device", id.text()}});
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
  AddWipe(devices);
}

}  // namespace registry::ctl
