#include "bridge/ctl/init_commands.h"

#include <iostream>
#include <memory>

#include "bridge/app/command_line.h"
#include "bridge/clock.h"
#include "bridge/ctl/registry_folder.h"

namespace registry::ctl {
namespace {

[[noreturn]] void Fail(const Error& error) {
  std::cerr << "registryctl: " << error.message << " (" << error.symbol << ")\n";
  const bool wrong =
      error.symbol == "party_name" || error.symbol == "zone_invalid";  // what was typed, not what is there
  throw CLI::RuntimeError(wrong ? app::kExitWrong : app::kExitFailed);
}

struct InitOptions {
  std::string folder, zone;
  std::vector<std::string> hosts;
};

// The hosts asked for come first: the first one is what registryd connects to.
std::vector<std::string> WithLoopback(std::vector<std::string> hosts) {
  for (const char* host : {"localhost", "127.0.0.1"}) {
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.emplace_back(host);
  }
  return hosts;
}

void RunInit(const InitOptions& options) {
  const auto created =
      CreateFolder({options.folder, options.zone, WithLoopback(options.hosts), SystemClock().Now()});
  if (!created) Fail(created.error());
  std::cout << "The registry of " << options.zone << " is in " << options.folder << ". Next:\n"
            << "  1. give the parent zone this record (zone/anchor.ds):\n     " << created->ds << "\n"
            << "  2. add parties: registryctl party add NAME --role mno|asp|operator --dir " << options.folder
            << "\n"
            << "  3. complete " << options.folder
            << "/registry.toml: resolver, secondaries, trust anchors; put the "
            << "resolver's certificate into interface/resolver.pem\n"
            << "  4. keep pki/root.key somewhere else: only a new issuing CA needs it\n"
            << "  5. registryd --check-config --config " << options.folder << "/registry.toml\n"
            << "  6. configure the broker from broker-config/ with interface/broker.{pem,key}, ca.pem and "
               "crl.pem\n";
  if (!options.hosts.empty()) return;
  std::cout << "Without --broker-host the broker's certificate is for localhost only. For another host:\n"
            << "     registryctl broker certificate --broker-host HOST --dir " << options.folder
            << ", and mqtt.host in registry.toml\n";
}

CLI::Option* AddBrokerHost(CLI::App& command, InitOptions& options) {
  return command.add_option("--broker-host", options.hosts,
                            "Name or address in the broker's certificate (repeatable)");
}

void AddInit(CLI::App& app) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* const command =
      app.add_subcommand("init", "Create a registry's folder: keys, CAs, zone keys, configuration");
  command->add_option("--dir", options->folder, "Folder to create; must not exist, or be empty")->required();
  command->add_option("--zone", options->zone, "DNS zone of the registry, e.g. iotregistry.test")->required();
  AddBrokerHost(*command, *options);
  command->callback([options] { RunInit(*options); });
}

void AddBrokerCertificate(CLI::App& app) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* const broker = app.add_subcommand("broker", "The MQTT broker");
  broker->require_subcommand(1);
  CLI::App* const command = broker->add_subcommand("certificate", "Replace the broker's key and certificate");
  command->add_option("--dir", options->folder, "The registry's folder")->required();
  AddBrokerHost(*command, *options)->required();
  command->callback([options] {
    const auto renewed = RenewBroker(options->folder, WithLoopback(options->hosts), SystemClock().Now());
    if (!renewed) Fail(renewed.error());
    std::cout << options->folder << "/interface/broker.{pem,key}\n";
  });
}

}  // namespace

void AddInitCommands(CLI::App& app) { AddInit(app); }
void AddBrokerCommands(CLI::App& app) { AddBrokerCertificate(app); }

}  // namespace registry::ctl
