#include "bridge/ctl/registry_folder.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "bridge/ctl/config_template.h"
#include "bridge/ctl/folder_lock.h"
#include "bridge/ctl/interface_ca.h"
#include "bridge/ctl/party_certificate.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/secret.h"
#include "bridge/signing/ca.h"
#include "bridge/signing/crl.h"
#include "bridge/signing/file_write.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/signer.h"
#include "bridge/zone/keys.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;
using signing::Authority;
using signing::PrivateKey;
using signing::Validity;

constexpr mode_t kPublic = 0644, kPrivate = 0600;
constexpr std::chrono::days kCaDays{3650}, kInterfaceDays{825};
constexpr std::chrono::days kFirstCrlDays{7};
constexpr std::uint64_t kFirstCrlNumber = 0;  // registryd goes on with 1 (RFC 5280 §5.2.3: never twice)
constexpr std::size_t kZoneMax = 253 - 45;    // room for "<uuid>._device."

Error Refuse(std::string_view symbol, const std::string& message) {
  return Error::Make(Code::kFailed, symbol, message);
}

Status SaveCertificate(const std::string& file, const Bytes& der) {
  return signing::CreateFile(file, ToPem("CERTIFICATE", der), kPublic);
}

Status SaveAuthority(const std::string& stem, const Authority& authority) {
  if (auto key = authority.key.Save(stem + ".key"); !key) return key;
  return SaveCertificate(stem + ".pem", authority.certificate);
}

// First sentence of every CA's name, so that two registries' certificates can be told apart.
std::string CaName(const std::string& zone, std::string_view what) {
  const std::string name = zone + " " + std::string(what);
  return name.size() <= 64 ? name : std::string(what);
}

Status WriteFirstCrl(const std::string& file, const Authority& issuing, UtcTime now) {
  const auto signer = signing::MakeSigner(issuing.key, issuing.certificate);
  if (!signer) return signer.error();
  const auto crl = signing::BuildCrl(**signer, {}, now, now + kFirstCrlDays, kFirstCrlNumber);
  if (!crl) return crl.error();
  return signing::CreateFile(file, ToPem("X509 CRL", *crl), kPublic);
}

Status WritePki(const std::string& folder, const std::string& zone, UtcTime now) {
  const Validity validity{now, kCaDays};
  const auto root = signing::CreateRoot(CaName(zone, "Root CA"), validity);
  if (!root) return root.error();
  const auto issuing = signing::CreateIssuing(*root, CaName(zone, "Issuing CA"), validity);
  if (!issuing) return issuing.error();
  if (auto saved = SaveAuthority(folder + "/root", *root); !saved) return saved;
  if (auto saved = SaveAuthority(folder + "/issuing", *issuing); !saved) return saved;
  if (auto crl = WriteFirstCrl(folder + "/crl.pem", *issuing, now); !crl) return crl;
  return signing::CreateFile(folder + "/blocked-keys.txt",
                             "# SHA-256 of a DER SubjectPublicKeyInfo per line, in hex. Read at start.\n",
                             kPublic);
}

Result<std::string> WriteZone(const std::string& folder, const std::string& zone) {
  const std::string ksk = folder + "/ksk.pem", zsk = folder + "/zsk.pem";
  for (const std::string& key : {ksk, zsk}) {
    if (auto created = signing::CreateKeyFile(key); !created) return created.error();
  }
  if (auto saved = signing::CreateSecretFile(folder + "/tsig.key"); !saved) return saved.error();
  const auto dnskey = zone::DnskeyText(zone, ksk, zone::kKskFlags);
  if (!dnskey) return dnskey.error();
  const auto ds = zone::DsText(zone, ksk);
  if (!ds) return ds.error();
  if (auto saved = signing::CreateFile(folder + "/anchor.dnskey", *dnskey + "\n", kPublic); !saved)
    return saved.error();
  if (auto saved = signing::CreateFile(folder + "/anchor.ds", *ds + "\n", kPublic); !saved)
    return saved.error();
  return *ds;
}

struct BrokerIdentity {
  PrivateKey key;
  Bytes certificate;
};
Result<BrokerIdentity> NewBroker(const Authority& ca, const std::vector<std::string>& hosts, UtcTime now) {
  auto key = PrivateKey::Generate();
  if (!key) return key.error();
  auto certificate = signing::CreateServerCertificate(ca, *key, hosts, {now, kInterfaceDays});
  if (!certificate) return certificate.error();
  return BrokerIdentity{std::move(*key), std::move(*certificate)};
}

Status WriteInterface(const std::string& folder, const NewRegistry& options) {
  const auto ca = signing::CreateRoot(CaName(options.zone, "Interface CA"), {options.now, kCaDays});
  if (!ca) return ca.error();
  if (auto saved = SaveAuthority(folder + "/ca", *ca); !saved) return saved;
  const auto broker = NewBroker(*ca, options.broker_hosts, options.now);
  if (!broker) return broker.error();
  if (auto recorded = RecordIssued(folder, "broker", broker->certificate); !recorded) return recorded;
  if (auto saved = broker->key.Save(folder + "/broker.key"); !saved) return saved;
  if (auto saved = SaveCertificate(folder + "/broker.pem", broker->certificate); !saved) return saved;
  if (auto crl = WriteInterfaceCrl(folder, *ca, {}, options.now); !crl) return crl;
  return IssueToParty(folder, folder + "/registryd", *ca, {"registryd", "", options.now});
}

Status MakeFolders(const std::string& top) {
  const std::pair<const char*, mode_t> folders[] = {{"", 0755},
                                                    {"/pki", 0755},
                                                    {"/zone", 0755},
                                                    {"/interface", 0755},
                                                    {"/interface/parties", 0755},
                                                    {"/ledger", 0700},
                                                    {"/intake", 0700}};
  for (const auto& [name, mode] : folders) {
    const std::string path = top + name;
    if ((mkdir(path.c_str(), mode) != 0 && errno != EEXIST) || chmod(path.c_str(), mode) != 0) {
      return Refuse("file_failed", path + ": " + std::strerror(errno));
    }
  }
  return Done{};
}

// MQTT5 §3.1.4: a second client with the same identifier ends the first one's session, and Mosquitto asks nothing else
// of it than a certificate. Any party has one, so the identifier must not be one that can be guessed.
std::string NewClientId() {
  Bytes octets(16);
  REG_CHECK(RAND_bytes(octets.data(), static_cast<int>(octets.size())) == 1);
  return "registryd-" + ToHex(octets);
}

Result<CreatedRegistry> Fill(const std::string& top, const NewRegistry& options) {
  if (auto made = MakeFolders(top); !made) return made.error();
  if (auto ledger = ledger::CreateRocksDbLedger(top + "/ledger"); !ledger) return ledger.error();
  if (auto pki = WritePki(top + "/pki", options.zone, options.now); !pki) return pki.error();
  const auto ds = WriteZone(top + "/zone", options.zone);
  if (!ds) return ds.error();
  if (auto saved = signing::CreateSecretFile(top + "/authorisation.key"); !saved) return saved.error();
  if (auto written = WriteInterface(top + "/interface", options); !written) return written.error();
  const std::string config = ConfigText({options.zone, options.broker_hosts.front(), NewClientId(), *ds});
  if (auto saved = signing::CreateFile(top + "/registry.toml", config, kPrivate); !saved)
    return saved.error();
  return CreatedRegistry{*ds};
}

Status CheckOptions(const NewRegistry& options) {
  if (!ValidDomainName(options.zone) || options.zone.size() > kZoneMax) {
    return Refuse("zone_invalid", "not a lower-case domain name with room for device names: " + options.zone);
  }
  if (options.broker_hosts.empty()) return Refuse("name_invalid", "the broker needs a host");
  std::error_code ignored;
  if (fs::exists(options.folder, ignored) && !fs::is_empty(options.folder, ignored)) {
    return Refuse("folder_exists", options.folder + " exists and is not empty; nothing is overwritten");
  }
  return Done{};
}

std::string WithoutSlash(std::string folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

// What is in `from`. registry.toml comes last, since a folder with it counts as a registry.
Status MoveInto(const std::string& from, const std::string& folder) {
  constexpr const char* kConfig = "registry.toml";
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path name = entry.path().filename();
    if (name != kConfig) fs::rename(entry.path(), fs::path(folder) / name, failure);
    if (failure) break;
  }
  if (!failure) fs::rename(fs::path(from) / kConfig, fs::path(folder) / kConfig, failure);
  if (!failure) fs::remove(from, failure);
  if (failure) return Refuse("file_failed", folder + ": " + failure.message());
  return Done{};
}

// Beside the folder, which then is there whole or not at all; in it, where its owner may write nothing beside it, as in
// /var/lib.
Result<std::string> BuildingPlace(const std::string& folder) {
  std::string beside = folder + ".XXXXXX", inside = folder + "/.XXXXXX";
  if (mkdtemp(beside.data()) != nullptr) return beside;
  const int why = errno;
  if (why == EACCES && fs::is_directory(folder) && mkdtemp(inside.data()) != nullptr) return inside;
  return Refuse("file_failed", folder + ": cannot be created: " + std::strerror(why));
}

}  // namespace

Result<CreatedRegistry> CreateFolder(const NewRegistry& options) {
  if (auto checked = CheckOptions(options); !checked) return checked.error();
  const std::string folder = WithoutSlash(options.folder);
  std::error_code failure;
  if (const auto parent = fs::path(folder).parent_path(); !parent.empty())
    fs::create_directories(parent, failure);
  if (failure) return Refuse("file_failed", folder + ": cannot be created: " + failure.message());
  const auto building = BuildingPlace(folder);
  if (!building) return building.error();
  auto created = Fill(*building, options);
  if (created && fs::path(*building).parent_path() == folder) {
    if (auto moved = MoveInto(*building, folder); !moved) created = moved.error();
  } else if (created) {
    fs::rename(*building, folder, failure);  // over an empty folder too, never over a filled one
    if (failure) created = Refuse("file_failed", folder + ": " + failure.message());
  }
  if (!created) fs::remove_all(*building, failure);
  return created;
}

Status RenewBroker(const std::string& folder, const std::vector<std::string>& hosts, UtcTime now) {
  const auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  const auto ca = LoadInterfaceCa(folder + "/interface");
  if (!ca) return ca.error();
  const auto broker = NewBroker(*ca, hosts, now);
  if (!broker) return broker.error();
  // Complete under another name first: neither file is ever there by half.
  if (auto recorded = RecordIssued(folder + "/interface", "broker", broker->certificate); !recorded)
    return recorded;
  const std::string stem = folder + "/interface/broker";
  std::error_code failure;
  fs::remove(stem + ".key.new", failure);
  if (auto saved = broker->key.Save(stem + ".key.new"); !saved) return saved;
  fs::rename(stem + ".key.new", stem + ".key", failure);
  if (failure) return Refuse("file_failed", stem + ".key: " + failure.message());
  return signing::ReplaceFile(stem + ".pem", ToPem("CERTIFICATE", broker->certificate), kPublic);
}

}  // namespace registry::ctl
