#include "bridge/ctl/init_commands.h"

#include <iostream>
#include <map>
#include <memory>

#include "bridge/app/command_line.h"
#include "bridge/clock.h"
#include "bridge/ctl/choice.h"
#include "bridge/ctl/registry_folder.h"
#include "bridge/ctl/withdraw.h"

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

struct PartyOptions {
  std::string folder, name;
  wire::Role role = wire::Role::kMno;
};

void SayAccepted(const std::vector<IssuedToParty>& certificates) {
  for (const IssuedToParty& one : certificates) {
    std::cout << "still accepted of " << one.party << ": " << SerialText(one.serial) << " until "
              << one.not_after << "\n";
  }
}

void RunPartyAdd(const PartyOptions& options) {
  if (const auto added = AddParty({options.folder, options.name, options.role, SystemClock().Now()});
      !added) {
    Fail(added.error());
  }
  std::cout << options.folder << "/interface/parties/" << options.name << ".{pem,key}\n"
            << "next: restart registryd, which knows its parties from its start; until then the party's "
               "commands are "
               "refused (party_unknown)\n";
  auto accepted = AcceptedOf(options.folder, options.name);
  if (!accepted) Fail(accepted.error());
  if (!accepted->empty()) accepted->pop_back();  // the one that was just made
  SayAccepted(*accepted);
}

void AddPartyAdd(CLI::App& party) {
  static const std::map<std::string, wire::Role> kRoles = {
      {"mno", wire::Role::kMno}, {"asp", wire::Role::kAsp}, {"operator", wire::Role::kOperator}};
  auto options = std::make_shared<PartyOptions>();
  CLI::App* const command = party.add_subcommand("add", "Make a party's key and certificate and enter it");
  command->add_option("name", options->name, "a-z, 0-9 and '-', at most 32")->required();
  AddChoice(*command, "--role", options->role, kRoles, "What the party is")->required();
  command->add_option("--dir", options->folder, "The registry's folder")->required();
  command->callback([options] { RunPartyAdd(*options); });
}

struct WithdrawOptions {
  std::string folder, name, serial;
};

// Done all the same: a list may name what is no longer known here.
void Warn(const std::string& folder, const Withdrawal& done) {
  std::string what;
  if (!done.party) {
    what = "no certificate with the serial " + done.serial + " is recorded in " + folder +
           "/interface/issued.txt: was it mistyped?";
  } else if (*done.party == "registryd") {
    what =
        "this is registryd's own certificate: from its next start or SIGHUP on the broker does not let "
        "registryd in. "
        "Give it another one of CN registryd, issued by interface/ca.pem (mqtt.certificate_file)";
  } else if (*done.party == "broker") {
    what =
        "this is the broker's own certificate, and no client looks at this list: replace it with "
        "`registryctl broker "
        "certificate`";
  }
  if (!what.empty()) std::cerr << "registryctl: warning: " << what << "\n";
}

void Say(const std::string& folder, const Withdrawal& done) {
  const std::string whose = done.party.value_or("nobody that is recorded here");
  std::cout << folder << "/interface/crl.pem: the certificate " << done.serial << " of " << whose
            << (done.before ? " was withdrawn before\n" : " is withdrawn\n");
  SayAccepted(done.accepted);
  std::cout << "next: the broker reads the list again on SIGHUP; what is connected stays so until the broker "
               "ends it\n";
}

void RunPartyWithdraw(const WithdrawOptions& options) {
  const UtcTime now = SystemClock().Now();
  const auto done = options.serial.empty()
                        ? WithdrawByName(options.folder, options.name, now)
                        : WithdrawBySerial(options.folder, *ParseSerial(options.serial), now);
  if (!done) Fail(done.error());
  Say(options.folder, *done);
  Warn(options.folder, *done);
}

void AddPartyWithdraw(CLI::App& party) {
  auto options = std::make_shared<WithdrawOptions>();
  CLI::App* const command =
      party.add_subcommand("withdraw", "Put a party's certificate on the list the broker refuses");
  CLI::App* const which = command->add_option_group("which");
  which->add_option("name", options->name, "The party; the certificate that is here for it");
  which->add_option("--serial", options->serial, "Any certificate of the interface CA, in hexadecimal")
      ->check(CLI::Validator(
          [](const std::string& text) { return ParseSerial(text) ? "" : text + " is no serial number"; },
          "HEX"));
  which->require_option(1);
  command->add_option("--dir", options->folder, "The registry's folder")->required();
  command->callback([options] { RunPartyWithdraw(*options); });
}

void AddParties(CLI::App& app) {
  CLI::App* const party = app.add_subcommand("party", "Parties on the MQTT interface");
  party->require_subcommand(1);
  AddPartyAdd(*party);
  AddPartyWithdraw(*party);
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

void AddInitCommands(CLI::App& app) {
  AddInit(app);
  AddParties(app);
  AddBrokerCertificate(app);
}

}  // namespace registry::ctl
