#include "bridge/ctl/ca_life.h"

#include <algorithm>
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

std::string TableOf(const char* list, const std::string& folder, const app::OtherIssuingConfig& ca) {
  const auto line = [&](const char* key, const std::string& where) {
    return std::string(key) + " = " + TomlString(Relative(folder, where)) + "\n";
  };
  return std::string("[[") + list + "]]\n" + line("certificate", ca.certificate) +
         (ca.key.empty() ? "" : line("key", ca.key)) + line("crl_file", ca.crl_file);
}

// Empty: its key signs. registryd would not start with a former CA whose key does not.
std::string LostKey(const app::Config& config) {
  const auto signer = signing::LoadSigner(config.pki.issuing_key, config.pki.issuing_certificate);
  const auto signs = signer ? signing::CheckSigner(**signer) : Status(signer.error());
  if (signs) return "";
  return "the key of the present CA cannot be used (" + signs.error().message +
         "): it stands under [[former_issuing]] without one, and its CRL is not made any more";
}

app::OtherIssuingConfig Present(const app::Config& config, bool with_key) {
  return {config.pki.issuing_certificate, with_key ? config.pki.issuing_key : "", config.pki.crl_file};
}

// registry.toml as it is to be: the nth coming CA in the place of the present one, which goes on as a former one.
Result<RegistryToml> Switched(const std::string& folder, const app::Config& config, std::size_t nth,
                              bool present_signs) {
  auto toml = RegistryToml::Read(config.file);
  if (!toml) return toml.error();
  const app::OtherIssuingConfig& coming = config.coming_issuing[nth];
  if (auto removed = toml->RemoveFrom("coming_issuing", nth); !removed) return removed.error();
  const std::pair<const char*, std::string> named[] = {{"issuing_certificate", coming.certificate},
                                                       {"issuing_key", coming.key},
                                                       {"crl_file", coming.crl_file}};
  for (const auto& [name, value] : named) {
    if (auto set = toml->Set("pki", name, TomlString(Relative(folder, value))); !set) return set.error();
  }
  toml->Append(TableOf("former_issuing", folder, Present(config, present_signs)));
  return toml;
}

std::string Whole(const std::string& file) {
  return std::filesystem::absolute(file).lexically_normal().string();
}

std::optional<std::size_t> ComingOf(const app::Config& config, const std::string& certificate) {
  for (std::size_t i = 0; i < config.coming_issuing.size(); ++i) {
    if (config.coming_issuing[i].certificate == Whole(certificate)) return i;
  }
  return std::nullopt;
}

bool IsNamed(const app::Config& config, const std::string& certificate) {
  const std::string file = Whole(certificate);
  const auto is = [&file](const app::OtherIssuingConfig& ca) { return ca.certificate == file; };
  return config.pki.issuing_certificate == file || ComingOf(config, certificate) ||
         std::ranges::any_of(config.former_issuing, is);
}

// Asked of a device that proves the registry by the zone (schemas/PAYLOAD.md).
constexpr char kRefused[] =
    "until then devices that prove the registry by the zone may refuse their new certificate";

std::string Listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
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
  if (IsNamed(*config, stem + ".pem"))
    return Error::Make(Code::kFailed, "file_exists", "registry.toml names it already: " + stem + ".pem");
  const auto signer = CheckedSigner(*config, where, certificate, now);
  if (!signer) return signer.error();
  auto toml = RegistryToml::Read(toml_file);
  if (!toml) return toml.error();
  const std::string pem = ToPem("CERTIFICATE", (*signer)->certificate());
  if (auto saved = signing::ReplaceFile(stem + ".pem", pem, kReadable); !saved) return saved;
  const std::string crl = options.folder + "/pki/crl-" + options.name + ".pem";
  const std::string key = options.key.empty() ? Whole(where) : where;
  toml->Append(TableOf("coming_issuing", options.folder, {Whole(stem + ".pem"), key, Whole(crl)}));
  return toml->Write();
}

std::string TooEarly(const app::Config& config, const app::SignFrom& from, UtcTime now) {
  if (app::ZoneServers(config).empty())
    return "no [[secondary]] is configured, so nobody can be asked whether the record is served";
  if (!from.missing.empty())
    return "its record was not yet seen at " + Listed(from.missing) +
           ": start registryd with it, and see what its log says; registryctl ca show says when it may sign";
  if (from.at && now < *from.at) return "caches may not have its record before " + ToRfc3339(*from.at);
  return "";
}

Result<std::string> SwitchIssuing(const IssuingSwitch& options, UtcTime now) {
  if (!IsPlain(options.name)) return RefuseName(options.name);
  const auto lock = FolderLock::Take(options.folder);
  if (!lock) return lock.error();
  const auto config = app::LoadConfig(options.folder + "/registry.toml");
  if (!config) return config.error();
  const std::string certificate = options.folder + "/pki/issuing-" + options.name + ".pem";
  const auto nth = ComingOf(*config, certificate);
  if (!nth)
    return Error::Make(Code::kFailed, "ca_missing",
                       "registry.toml has no [[coming_issuing]] with " + Whole(certificate) +
                           ": registryctl ca install puts one there");
  const auto signer = CheckedSigner(*config, config->coming_issuing[*nth].key, certificate, now);
  if (!signer) return signer.error();
  const auto served = app::ReadServed(app::ServedFile(*config));
  if (!served && !options.force) return served.error();
  const std::string record = app::IssuingTlsaText((*signer)->certificate());
  const bool known = served && served->contains(record);
  const auto from = app::WhenToSign(*config, known ? served->at(record) : app::ServedTimes());
  std::string early = TooEarly(*config, from, now);
  if (!early.empty()) early.append("; ").append(kRefused);
  const std::string lost = LostKey(*config);
  if (!early.empty() && !lost.empty()) early.append("; ");
  early.append(lost);
  if (!early.empty() && !options.force)
    return Error::Make(Code::kFailed, "ca_too_early", early + " (--force does it all the same)");
  const auto toml = Switched(options.folder, *config, *nth, lost.empty());
  if (!toml) return toml.error();
  if (auto written = WriteEmptyCrl(config->coming_issuing[*nth].crl_file, **signer, now); !written)
    return written.error();
  if (auto written = toml->Write(); !written) return written.error();
  return early;
}

}  // namespace registry::ctl
