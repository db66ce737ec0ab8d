#include "bridge/ctl/party_life.h"

#include <filesystem>

#include "bridge/app/config.h"
#include "bridge/ctl/folder_lock.h"
#include "bridge/ctl/interface_ca.h"
#include "bridge/ctl/party_certificate.h"
#include "bridge/ctl/party_history.h"
#include "bridge/ctl/withdraw.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/party_request.h"
#include "bridge/signing/read_x509.h"
#include "schemas/wire/codec.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

Error PartyError(std::string_view symbol, const std::string& message) {
  return Error::Make(Code::kFailed, symbol, message);
}

Status CheckName(const std::string& name) {
  if (app::IsReserved(name)) return PartyError("party_name", name + " is the registry's own name");
  if (PartyId::Parse(name)) return Done{};
  return PartyError("party_name", "not a party name (a-z, 0-9, '-'; at most 32): " + name);
}

std::string TomlFile(const std::string& folder) { return folder + "/registry.toml"; }

// A certificate that is here must go with the key that is here, or with the request.
Status CheckPair(const NewParty& party, const std::string& interface, const std::string& stem) {
  const auto certificate = LoadPartyCertificate(interface, party.name);
  if (!certificate) return certificate.error();
  if (!party.request.empty()) {
    const auto request = signing::PartyRequest::Load(party.request, *PartyId::Parse(party.name));
    if (!request) return request.error();
    if (request->IsKeyOf(*certificate)) return Done{};
    return PartyError("party_exists",
                      party.name + " has a certificate for another key; `party renew` replaces it");
  }
  if (!fs::exists(stem + ".key"))
    return PartyError("party_exists", party.name + " has a certificate whose key is not here");
  const auto pair = signing::LoadSigner(stem + ".key", stem + ".pem");  // else it is somebody else's
  return pair ? Status(Done{}) : Status(pair.error());
}

std::string SerialIn(const std::string& certificate_file) {
  const auto certificate = signing::LoadCertificate(certificate_file);
  const auto facts = certificate ? signing::ReadCertificate(*certificate) : certificate.error();
  return facts ? SerialText(facts->serial) : "";
}

std::string InWords(const PartyKeys& keys) {
  std::string words;
  for (const auto& [key, value] : keys) words += (words.empty() ? "" : ", ") + key + " = " + value;
  return words;
}

}  // namespace

Status AddParty(const NewParty& party) {
  if (auto named = CheckName(party.name); !named) return named;
  const auto lock = FolderLock::Take(party.folder);
  if (!lock) return lock.error();
  const std::string interface = party.folder + "/interface", stem = interface + "/parties/" + party.name;
  auto config = RegistryToml::Read(TomlFile(party.folder));
  if (!config) return config.error();
  const auto entered = config->RoleOf(party.name);
  const std::string role(wire::RoleName(party.role));
  if (entered && *entered != role)
    return PartyError("party_exists", party.name + " is entered in registry.toml as \"" + *entered + "\"");
  if (fs::exists(stem + ".pem")) {
    if (auto pair = CheckPair(party, interface, stem); !pair) return pair;
    if (entered) return PartyError("party_exists", party.name + " exists");
  } else {
    const auto ca = LoadInterfaceCa(interface);
    if (!ca) return ca.error();
    if (auto issued = IssueToParty(interface, stem, *ca, {party.name, party.request, party.now}); !issued)
      return issued;
  }
  if (!entered) {
    config->Add(party.name, role, party.keys);
    if (auto written = config->Write(); !written) return written;
  }
  return RecordEvent(interface, {party.now, "added", party.name, {SerialIn(stem + ".pem")}, "role " + role});
}

Result<std::vector<std::string>> RenewParty(const PartyRenewal& renewal) {
  if (auto named = CheckName(renewal.name); !named) return named.error();
  const auto lock = FolderLock::Take(renewal.folder);
  if (!lock) return lock.error();
  const auto config = RegistryToml::Read(TomlFile(renewal.folder));
  if (!config) return config.error();
  if (!config->RoleOf(renewal.name))
    return PartyError("party_missing",
                      "registry.toml names no party " + renewal.name + "; `party add` makes one");
  const std::string interface = renewal.folder + "/interface", stem = interface + "/parties/" + renewal.name;
  const auto ca = LoadInterfaceCa(interface);
  if (!ca) return ca.error();
  // What can be refused is refused before anything is withdrawn.
  if (!renewal.request.empty()) {
    const auto request = signing::PartyRequest::Load(renewal.request, *PartyId::Parse(renewal.name));
    if (!request) return request.error();
  }
  if (fs::exists(stem + ".pem")) {
    if (const auto here = LoadPartyCertificate(interface, renewal.name); !here) return here.error();
  }
  std::vector<std::string> withdrawn;
  if (!renewal.keep_old) {
    auto entered = WithdrawAllOf(interface, renewal.name, renewal.now);
    if (!entered) return entered;
    withdrawn = std::move(*entered);
  }
  if (auto aside = PutAside(interface, renewal.name); !aside) return aside.error();
  if (auto issued = IssueToParty(interface, stem, *ca, {renewal.name, renewal.request, renewal.now}); !issued)
    return issued.error();
  std::string detail = renewal.keep_old ? "older certificates kept" : "withdrawn:";
  for (const std::string& serial : withdrawn) detail += " " + serial;
  const PartyEvent event{renewal.now, "renewed", renewal.name, {SerialIn(stem + ".pem")}, detail};
  if (auto said = RecordEvent(interface, event); !said) return said.error();
  return withdrawn;
}

Status ChangeParty(const std::string& folder, const std::string& name, const PartyKeys& keys, UtcTime now) {
  if (auto named = CheckName(name); !named) return named;
  const auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  auto config = RegistryToml::Read(TomlFile(folder));
  if (!config) return config.error();
  if (auto changed = config->Change(name, keys); !changed) return changed;
  if (auto written = config->Write(); !written) return written;
  return RecordEvent(folder + "/interface", {now, "changed", name, {}, InWords(keys)});
}

Result<std::vector<std::string>> RemoveParty(const std::string& folder, const std::string& name,
                                             UtcTime now) {
  if (auto named = CheckName(name); !named) return named.error();
  const auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  auto config = RegistryToml::Read(TomlFile(folder));
  if (!config) return config.error();
  if (auto removed = config->Remove(name); !removed) return removed.error();
  const std::string interface = folder + "/interface";
  // The certificates first: a party that is entered and may not connect is harmless, the other way round it is a stranger.
  auto withdrawn = WithdrawAllOf(interface, name, now);
  if (!withdrawn) return withdrawn;
  if (auto aside = PutAside(interface, name); !aside) return aside.error();
  if (auto written = config->Write(); !written) return written.error();
  std::error_code ignored;
  fs::remove_all(interface + "/hand-over/" + name, ignored);
  if (auto said = RecordEvent(interface, {now, "removed", name, *withdrawn, ""}); !said) return said.error();
  return withdrawn;
}

}  // namespace registry::ctl
