#include "bridge/ctl/ca_commands.h"

#include <iostream>
#include <memory>

#include "bridge/app/command_line.h"
#include "bridge/clock.h"
#include "bridge/ctl/ca_life.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/read_x509.h"

namespace registry::ctl {
namespace {

struct CaOptions {
  IssuingRequest request;
  std::string certificate;
};

[[noreturn]] void FailWithCa(const Error& error) {
  std::cerr << "registryctl: " << error.message << " (" << error.symbol << ")\n";
  const bool typed = error.symbol == "name_invalid" || error.symbol == "key_uri_invalid";
  throw CLI::RuntimeError(typed ? app::kExitWrong : app::kExitFailed);
}

CLI::App* AddOfCa(CLI::App& group, const char* name, const char* what,
                  const std::shared_ptr<CaOptions>& options) {
  CLI::App* const command = group.add_subcommand(name, what);
  command->add_option("--dir", options->request.folder, "The registry's folder")->required();
  command->add_option("--name", options->request.name, "What the new CA's files are called, e.g. 2027")
      ->required();
  command->add_option("--key", options->request.key,
                      "The URI of its key, when that is in a token (pkcs11:…)");
  return command;
}

void RunRequest(const CaOptions& options) {
  const auto asked = RequestIssuing(options.request);
  if (!asked) FailWithCa(asked.error());
  std::cout << asked->request << "\nHave the root sign it, then: registryctl ca install FILE --dir "
            << options.request.folder << " --name " << options.request.name << "\n";
}

void RunInstall(const CaOptions& options) {
  if (auto done = InstallIssuing(options.request, options.certificate, SystemClock().Now()); !done)
    FailWithCa(done.error());
  const std::string& folder = options.request.folder;
  std::cout << "registry.toml names it under [[coming_issuing]]. It signs nothing yet. Next:\n"
               "1. Start registryd again: the zone has the CA's TLSA record from then on.\n"
               "2. Give the certificate to the ASPs (issuing_file).\n"
               "3. registryctl ca show --dir "
            << folder << " says from when it may sign. Then: registryctl ca switch --dir " << folder
            << " --name " << options.request.name << "\n";
}

void RunSwitch(const IssuingSwitch& options) {
  const auto early = SwitchIssuing(options, SystemClock().Now());
  if (!early) FailWithCa(early.error());
  if (!early->empty()) std::cerr << "registryctl: too early: " << *early << "\n";
  std::cout << "registry.toml names it, and the one before it as [[former_issuing]]. The next start of "
               "registryd signs with it.\nIf pki.crl_url is set, give it another URL first, and publish the "
               "CRL of the new CA there.\n";
}

Json RowOf(const char* state, const std::string& file, const std::string& signs) {
  const Bytes certificate = OrFail(signing::LoadCertificate(file));
  return {{"state", state},
          {"certificate", file},
          {"ends", Text(OrFail(signing::ReadCertificate(certificate)).not_after)},
          {"signs", signs},
          {"record", app::IssuingTlsaText(certificate)}};
}

std::string ComingSigns(const app::Config& config, const std::string& file,
                        const app::ServedByRecord& served) {
  const auto its = served.find(app::IssuingTlsaText(OrFail(signing::LoadCertificate(file))));
  const auto from = app::WhenToSign(config, its == served.end() ? app::ServedTimes() : its->second);
  const UtcTime now = SystemClock().Now();
  if (const std::string early = TooEarly(config, from, now); !early.empty()) return "not yet: " + early;
  return "when told: registryctl ca switch";
}

void RunShow(const std::string& folder, bool json) {
  const auto config = OrFail(app::LoadConfig(folder + "/registry.toml"));
  const auto served = OrFail(app::ReadServed(app::ServedFile(config)));
  Json rows{RowOf("present", config.pki.issuing_certificate, "new certificates")};
  for (const auto& coming : config.coming_issuing)
    rows.push_back(RowOf("coming", coming.certificate, ComingSigns(config, coming.certificate, served)));
  for (const auto& former : config.former_issuing)
    rows.push_back(RowOf("former", former.certificate, "payloads and the CRL of what it has certified"));
  if (json) return Print(rows, true);
  for (const Json& row : rows) {
    Print(row, false);
    std::cout << (&row == &rows.back() ? "" : "\n");
  }
}

void AddSwitch(CLI::App& group) {
  const auto options = std::make_shared<IssuingSwitch>();
  CLI::App* const command = group.add_subcommand(
      "switch",
      "Let a coming CA sign from the next start of registryd on, once its record is in every cache");
  command->add_option("--dir", options->folder, "The registry's folder")->required();
  command->add_option("--name", options->name, "What the CA's files are called")->required();
  command->add_flag("--force", options->force,
                    "Also too early: devices that prove the registry by the zone may refuse it for a while");
  command->callback([options] { RunSwitch(*options); });
}

void AddShow(CLI::App& group) {
  const auto folder = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  CLI::App* const command =
      group.add_subcommand("show", "The issuing CAs, and from when a coming one may sign");
  command->add_option("--dir", *folder, "The registry's folder")->required();
  command->add_flag("--json", *json, "print JSON");
  command->callback([folder, json] { RunShow(*folder, *json); });
}

}  // namespace

void AddCaCommands(CLI::App& app) {
  const auto options = std::make_shared<CaOptions>();
  CLI::App* const group = app.add_subcommand("ca", "The issuing CA below a root that is kept elsewhere");
  group->require_subcommand(1);
  AddOfCa(*group, "request", "Make a key, unless it is in a token, and a certificate request for the root",
          options)
      ->callback([options] { RunRequest(*options); });
  CLI::App* const install = AddOfCa(
      *group, "install",
      "Take the certificate that the root has signed: its record is published, and it signs nothing yet",
      options);
  install->add_option("certificate", options->certificate, "PEM file")->required();
  install->callback([options] { RunInstall(*options); });
  AddShow(*group);
  AddSwitch(*group);
}

}  // namespace registry::ctl
