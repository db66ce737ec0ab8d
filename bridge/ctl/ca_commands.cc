#include "bridge/ctl/ca_commands.h"

#include <iostream>
#include <memory>

#include "bridge/app/command_line.h"
#include "bridge/clock.h"
#include "bridge/ctl/ca_life.h"

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
  std::cout
      << "registry.toml names it, and the one before it as [[former_issuing]]. The next start of registryd "
         "signs with "
         "it.\nIf pki.crl_url is set, give it another URL first, and publish the CRL of the new CA there.\n";
}

}  // namespace

void AddCaCommands(CLI::App& app) {
  const auto options = std::make_shared<CaOptions>();
  CLI::App* const group = app.add_subcommand("ca", "The issuing CA below a root that is kept elsewhere");
  group->require_subcommand(1);
  AddOfCa(*group, "request", "Make a key, unless it is in a token, and a certificate request for the root",
          options)
      ->callback([options] { RunRequest(*options); });
  CLI::App* const install =
      AddOfCa(*group, "install", "Take the certificate that the root has signed", options);
  install->add_option("certificate", options->certificate, "PEM file")->required();
  install->callback([options] { RunInstall(*options); });
}

}  // namespace registry::ctl
