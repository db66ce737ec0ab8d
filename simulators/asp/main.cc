// asp-sim --config FILE [--fault NAME]...: see README.md. Ends with exit code 0 when its input ends or on SIGTERM.
#include <iostream>

#include "clients/verdict/client_check.h"
#include "schemas/base/standard_descriptors.h"
#include "simulators/asp/asp.h"
#include "simulators/asp/tls_server.h"
#include "simulators/console/console.h"
#include "simulators/console/printer.h"
#include "simulators/crypto/narrow_openssl.h"
#include "simulators/party/arguments.h"

namespace {

using registry::Error;
using registry::Result;
using registry::clients::ClientCheck;
using registry::clients::DaneResolver;
using registry::clients::OwnDevices;
using registry::sim::Asp;
using registry::sim::AspConfig;
using registry::sim::Printer;
using registry::sim::Report;
using registry::sim::TlsServer;
using registry::sim::TlsSession;

Result<std::unique_ptr<ClientCheck>> MakeCheck(const AspConfig& config, const OwnDevices& own) {
  const auto trust = registry::sim::ReadDeviceTrust(config);
  if (!trust) return trust.error();
  auto resolver = DaneResolver::Create(config.resolver);
  if (!resolver) return resolver.error();
  return ClientCheck::Create(*trust, &own, *resolver);
}

void ReportSession(Report& report, const TlsSession& session) {
  report.Step(session.name.substr(0, session.name.find('.')), "asp_check", session.begun, session.reason);
}

int Fail(const Error& error, int code) {
  std::cerr << "asp-sim: " << error.message << "\n";
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  registry::sim::NarrowOpenssl();
  const auto read = registry::sim::ReadPartyArguments(argc, argv, registry::wire::Role::kAsp);
  if (const int* const ended = std::get_if<int>(&read)) return *ended;
  const auto& arguments = std::get<registry::sim::PartyArguments>(read);
  const auto console = registry::sim::Console::CatchSignals();
  auto config = registry::sim::ReadAspConfig(arguments.config_file);
  if (!config) return Fail(config.error(), 2);
  config->mqtt.faults = arguments.faults;
  Printer printer;
  Report report([&printer](const nlohmann::json& event) { printer.Print(event); });
  OwnDevices own;
  const auto check = MakeCheck(*config, own);
  if (!check) return Fail(check.error(), 1);
  const auto server = TlsServer::Start(config->tls, **check,
                                       [&](const TlsSession& session) { ReportSession(report, session); });
  if (!server) return Fail(server.error(), 1);
  const auto asp = Asp::Start(*config, own, report);
  if (!asp) return Fail(asp.error(), 1);
  report.Say({{"event", "ready"}, {"program", "asp-sim"}, {"party", config->mqtt.party}});
  console.Serve([&](const nlohmann::json& command) { (*asp)->Control(command); });
  return 0;
}
