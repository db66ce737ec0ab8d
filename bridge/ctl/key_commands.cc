#include "bridge/ctl/key_commands.h"

#include <iostream>
#include <memory>

#include "bridge/app/command_line.h"
#include "bridge/keys/key_source.h"
#include "workers/crypto/p256.h"

namespace registry::ctl {
namespace {

[[noreturn]] void FailWithKey(const Error& error) {
  std::cerr << "registryctl: " << error.message << " (" << error.symbol << ")\n";
  throw CLI::RuntimeError(error.symbol == "key_uri_invalid" ? app::kExitWrong : app::kExitFailed);
}

CLI::App* AddOfUri(CLI::App& group, const char* name, const char* what,
                   const std::shared_ptr<std::string>& uri) {
  CLI::App* const command = group.add_subcommand(name, what);
  command->add_option("uri", *uri, "pkcs11:token=NAME;object=LABEL?module-path=/…&pin-source=file:/…")
      ->required();
  return command;
}

}  // namespace

void AddKeyCommands(CLI::App& app) {
  CLI::App* const group = app.add_subcommand("key", "Private keys in a token (PKCS#11)");
  group->require_subcommand(1);
  const auto uri = std::make_shared<std::string>();
  AddOfUri(*group, "generate", "Make a P-256 key pair in the token, which it never leaves", uri)
      ->callback([uri] {
        if (const auto made = keys::GenerateTokenKey(*uri); !made) FailWithKey(made.error());
        std::cout << "made; in registry.toml a key is named by the same URI\n";
      });
  AddOfUri(*group, "show", "Sign once with a key in the token, and print its public key", uri)
      ->callback([uri] {
        const auto key = keys::OpenTokenKey(*uri);
        if (!key) FailWithKey(key.error());
        std::cout << ToPem("PUBLIC KEY", crypto::P256PublicKeyInfo((*key)->point()));
      });
}

}  // namespace registry::ctl
