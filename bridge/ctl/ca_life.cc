#include "bridge/ctl/ca_life.h"

#include <filesystem>

#include "bridge/app/certificates.h"
#include "bridge/app/config.h"
#include "bridge/ctl/folder_lock.h"
#include "bridge/ctl/party_entry.h"
#include "bridge/signing/ca_request.h"
#include "bridge/signing/crl.h"
#include "bridge/signing/file_write.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/signer.h"

namespace registry::ctl {
namespace {

constexpr mode_t kReadable = 0644;
constexpr std::size_t kNameMax = 32;
constexpr std::chrono::days kFirstCrlDays{7};

Error RefuseName(const std::string& name) {
  return Error::Make(Code::kFailed, "name_invalid", "letters a to z, digits and '-', at most 32: " + name);
}

bool IsPlain(const std::string& name) {
  return !name.empty() && name.size() <= kNameMax &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

std::string StemOf(const IssuingRequest& options) { return options.folder + "/pki/issuing-" + options.name; }

std::string WhereOf(const IssuingRequest& options) {
  return options.key.empty() ? StemOf(options) + ".key" : options.key;
}

std::string CommonNameOf(const std::string& zone, const std::string& name) {
  const std::string whole = zone + " Issuing CA " + name;
  return whole.size() <= 64 ? whole : "Issuing CA " + name;
}

using OwnedSigner = std::unique_ptr<domain::Signer>;

// The signer tells whether key and certificate belong together.
Result<OwnedSigner> CheckedSigner(const app::Config& config, const std::string& key,
                                  const std::string& certificate, UtcTime now) {
  auto signer = signing::LoadSigner(key, certificate);
  if (!signer) return signer.error();
  if (auto signs = signing::CheckSigner(**signer); !signs) return signs.error();
  const auto root = signing::LoadCertificate(config.pki.root_certificate);
  if (!root) return root.error();
  if (auto chain = app::CheckChain(*root, (*signer)->certificate(), now, certificate); !chain)
    return chain.error();
  return signer;
}

// As init does: registryd goes on with the next number.
Status WriteEmptyCrl(const std::string& file, const domain::Signer& signer, UtcTime now) {
  if (std::filesystem::exists(file)) return Done{};
  const auto crl = signing::BuildCrl(signer, {}, now, now + kFirstCrlDays, 0);
  if (!crl) return crl.error();
  return signing::CreateFile(file, ToPem("X509 CRL", *crl), kReadable);
}

// As the operator would write it: relative where it is in the folder.
std::string Relative(const std::string& folder, const std::string& where) {
  if (keys::IsKeyUri(where)) return where;
  const auto top = std::filesystem::absolute(folder).lexically_normal();
  const auto relative = std::filesystem::path(where).lexically_relative(top);
  return relative.empty() || relative.string().starts_with("..") ? where : relative.string();
}

std::string FormerTable(const std::string& folder, const app::PkiConfig& pki) {
  const auto line = [&](const char* key, const std::string& where) {
    return std::string(key) + " = " + TomlString(Relative(folder, where)) + "\n";
  };
  return "[[former_issuing]]\n" + line("certificate", pki.issuing_certificate) +
         line("key", pki.issuing_key) + line("crl_file", pki.crl_file);
}

// registry.toml as it is to be: the new CA in the place of the old one, which goes on as a former one.
Result<RegistryToml> Renamed(const IssuingRequest& options, const app::Config& config) {
  auto toml = RegistryToml::Read(config.file);
  if (!toml) return toml.error();
  const std::string stem = "pki/issuing-" + options.name;
  const std::string key = options.key.empty() ? stem + ".key" : options.key;
  const std::pair<const char*, std::string> named[] = {{"issuing_certificate", stem + ".pem"},
                                                       {"issuing_key", key},
                                                       {"crl_file", "pki/crl-" + options.name + ".pem"}};
  for (const auto& [name, value] : named) {
    if (auto set = toml->Set("pki", name, TomlString(value)); !set) return set.error();
  }
  toml->Append(FormerTable(options.folder, config.pki));
  return toml;
}

}  // namespace

Result<IssuingRequested> RequestIssuing(const IssuingRequest& options) {
  if (!IsPlain(options.name)) return RefuseName(options.name);
  const auto lock = FolderLock::Take(options.folder);
  if (!lock) return lock.error();
  const auto config = app::LoadConfig(options.folder + "/registry.toml");
  if (!config) return config.error();
  const std::string stem = StemOf(options), where = WhereOf(options);
  // A request that was lost is asked for again with the same key.
  if (options.key.empty() && !std::filesystem::exists(where)) {
    if (auto created = signing::CreateKeyFile(where); !created) return created.error();
  }
  const auto key = signing::LoadKey(where);
  if (!key) return key.error();
  const auto request = signing::MakeCaRequest(**key, CommonNameOf(config->zone, options.name));
  if (!request) return request.error();
  const std::string pem = ToPem("CERTIFICATE REQUEST", *request);
  if (auto saved = signing::ReplaceFile(stem + ".csr", pem, kReadable); !saved) return saved.error();
  return IssuingRequested{stem + ".csr", where};
}

Status InstallIssuing(const IssuingRequest& options, const std::string& certificate, UtcTime now) {
  if (!IsPlain(options.name)) return RefuseName(options.name);
  const auto lock = FolderLock::Take(options.folder);
  if (!lock) return lock.error();
  const std::string toml_file = options.folder + "/registry.toml", stem = StemOf(options),
                    where = WhereOf(options);
  const auto config = app::LoadConfig(toml_file);
  if (!config) return config.error();
  if (config->pki.issuing_certificate == std::filesystem::absolute(stem + ".pem").lexically_normal().string())
    return Error::Make(Code::kFailed, "file_exists", "registry.toml names it already: " + stem + ".pem");
  const auto signer = CheckedSigner(*config, where, certificate, now);
  if (!signer) return signer.error();
  const auto toml = Renamed(options, *config);
  if (!toml) return toml.error();
  const std::string pem = ToPem("CERTIFICATE", (*signer)->certificate());
  if (auto saved = signing::ReplaceFile(stem + ".pem", pem, kReadable); !saved) return saved;
  const std::string crl = options.folder + "/pki/crl-" + options.name + ".pem";
  if (auto written = WriteEmptyCrl(crl, **signer, now); !written) return written;
  return toml->Write();
}

}  // namespace registry::ctl
