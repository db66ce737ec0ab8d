#include "bridge/ctl/device_verbs.h"

#include <iostream>

#include "bridge/ctl/change.h"
#include "bridge/ctl/device_argument.h"
#include "schemas/wire/codec.h"
#include "workers/domain/job_kinds.h"

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

// Whether the wipe is still wanted, was done, or was not, since the device was deactivated last. Empty: its trace is too
// short to tell.
std::string WipeSoFar(const domain::Device& device, const std::vector<domain::Job>& jobs) {
  for (const domain::Job& job : jobs) {
    if (job.kind == domain::JobKind::kAppletWipe && job.wanted && job.to)
      return ", and " + job.to->text() + " has been asked to wipe its applet";
  }
  for (auto step = device.trace.rbegin(); step != device.trace.rend(); ++step) {
    if (step->step == "wiped") return ", and its applet was wiped at " + Text(step->at);
    if (step->step == "deactivated") return ", and no wipe of its applet is known";
  }
  return {};
}

// Looks, says what it found, and only then is anything asked. The command would deactivate a device that is not: whoever
// says wipe has not asked for that. The version of the record that was looked at: what happens to the device until the
// command is decided is not overlooked.
std::uint64_t LookBeforeWipe(const std::string& config, const DeviceId& id, bool dry_run) {
  ReadOptions source;
  source.config = config;
  const OpenLedger ledger(source);
  const auto device = OrFail(ledger->LoadDevice(id));
  if (!device) Fail("there is no device " + id.text());
  const std::string found = "device " + id.text() + " is " + std::string(domain::StateName(device->state));
  if (device->state != domain::State::kDeactivated)
    Fail(found +
         ", and a wipe is asked again for a deactivated one only; device deactivate stops trusting a " +
         "device and has its applet wiped");
  std::cerr << "registryctl: " << found << WipeSoFar(*device, OrFail(ledger->JobsOf(id)))
            << (dry_run ? "\n" : "; the wipe is asked for again\n");
  return device->version;
}

void AddWipe(CLI::App& devices) {
  const auto verb = std::make_shared<Verb>();
  auto* command = devices.add_subcommand("wipe", "ask again for the wipe of a deactivated device's applet");
  command->add_option("ID", verb->device, "device id or name")->required();
  AddChangeOptions(*command, verb->options, Reason::kRequired);
  command->callback([verb] {
    const DeviceId id = DeviceArgument(verb->device);
    Json data{{"device", id.text()}};
    PutReason(verb->options, data);  // a wrong argument is said before anything is looked for
    data["recordVersion"] = LookBeforeWipe(verb->options.send.from.config, id, verb->options.dry_run);
    Change(verb->options, wire::DeviceDeactivate::kName, std::move(data));
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
