#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "bridge/app/config.h"
#include "bridge/ctl/backup.h"
#include "bridge/ctl/building.h"
#include "bridge/ctl/ledger_step.h"
#include "bridge/ctl/scratch_folder.h"
#include "bridge/ledger/private_folder.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/signing/file_write.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/read_x509.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSealed = ".cms", kRegistry = "registry/", kKeysFile = "keys.cms";

Error Refused(std::string_view symbol, const std::string& sentence) {
  return Error::Make(Code::kFailed, symbol, sentence);
}
Error FileFailedAt(const std::string& path, const std::error_code& why) {
  return Refused("file_failed", path + ": " + why.message());
}

std::string PlainName(const std::string& path, bool encrypted) {
  return encrypted && path.ends_with(kSealed) ? path.substr(0, path.size() - kSealed.size()) : path;
}

// Files of a backup, as they were.
class Unpacking {
 public:
  Unpacking(std::string folder, const BackupSet& set, const Opener* opener)
      : folder_(std::move(folder)), set_(set), opener_(opener) {}

  // Every file below `from` in the backup, to below `to`.
  Status Take(std::string_view from, const std::string& to) const {
    for (const BackupFile& file : set_.files) {
      if (!file.path.starts_with(from)) continue;
      const std::string name = PlainName(file.path.substr(from.size()), set_.manifest.encrypted);
      if (auto taken = TakeOne(file.path, to, name); !taken) return taken;
    }
    return Done{};
  }
  Result<nlohmann::json> Keys() const {
    auto text = opener_->Open(folder_ + "/" + std::string(kKeysFile));
    if (!text) return text.error();
    auto keys = nlohmann::json::parse(*text, nullptr, false);
    OPENSSL_cleanse(text->data(), text->size());
    if (keys.is_object()) return keys;
    return Refused("backup_invalid", std::string(kKeysFile) + ": holds something else than keys");
  }

 private:
  Status TakeOne(const std::string& path, const std::string& to, const std::string& name) const {
    if (!set_.manifest.encrypted) {
      const auto copied = CopyIntoBackup(folder_ + "/" + path, to, name);
      return copied ? Status(Done{}) : Status(copied.error());
    }
    std::error_code failed;
    fs::create_directories(fs::path(to + "/" + name).parent_path(), failed);
    return opener_->OpenFile(folder_ + "/" + path, to + "/" + name);
  }

  const std::string folder_;
  const BackupSet& set_;
  const Opener* const opener_;
};

Status SamePoint(const ledger::LedgerPoint& said, const ledger::LedgerPoint& is) {
  if (said.id == is.id && said.format == is.format && said.history == is.history && said.chain == is.chain &&
      is.last_write == said.last_write)
    return Done{};
  return Refused("backup_invalid", "the ledger is not at the point that MANIFEST.json says");
}

// A path of the backup stays below the folder.
bool StaysBelow(const std::string& path) {
  const fs::path normal = fs::path(path).lexically_normal();
  return normal.is_relative() && !normal.empty() && *normal.begin() != "..";
}

Status PutKeys(const std::string& top, const nlohmann::json& keys) {
  for (const auto& [path, text] : keys.items()) {
    const auto octets = text.is_string() ? FromBase64(text.get<std::string>()) : std::nullopt;
    if (!octets || !StaysBelow(path))
      return Refused("backup_invalid", "a key of the backup cannot be read: " + path);
    std::error_code failed;
    fs::create_directories(fs::path(top + "/" + path).parent_path(), failed);
    if (auto put = signing::CreateFile(top + "/" + path, AsText(*octets), 0600); !put) return put;
  }
  return Done{};
}

// What `init` gives: others look into the folders that hold what is public, and nobody into ledger and intake.
Status GiveModes(const std::string& top, const std::vector<std::string>& open_files,
                 const std::string& config) {
  std::error_code failed;
  for (const auto& entry : fs::recursive_directory_iterator(top, failed)) {
    const std::string first = entry.path().lexically_relative(top).begin()->string();
    const bool shown = first == "pki" || first == "zone" || first == "interface";
    if (entry.is_directory() && shown && ::chmod(entry.path().c_str(), 0755) != 0)
      return Refused("file_failed", entry.path().string() + ": " + std::strerror(errno));
  }
  if (failed) return FileFailedAt(top, failed);
  if (::chmod(top.c_str(), 0755) != 0) return Refused("file_failed", top + ": " + std::strerror(errno));
  for (const std::string& path : open_files) {
    if (path == config) continue;
    if (::chmod((top + "/" + path).c_str(), 0644) != 0)
      return Refused("file_failed", path + ": " + std::strerror(errno));
  }
  return Done{};
}

// The configuration lies on top of registry/, alone.
std::string ConfigIn(const std::vector<std::string>& files) {
  for (const std::string& path : files) {
    if (path.ends_with(".toml") && path.find('/') == std::string::npos) return path;
  }
  return "";
}

// Another file in its place would make valid again what is revoked.
Result<signing::PublishedCrl> CrlIn(const std::string& file, const Bytes& issuer) {
  std::ifstream in(file, std::ios::binary);
  return signing::ReadPemCrl(std::string{std::istreambuf_iterator<char>(in), {}}, issuer);
}

Status PutCrl(const std::string& top, const app::Config& config, const std::string& newest) {
  if (!StaysBelow(fs::path(config.pki.crl_file).lexically_relative(top)))
    return Refused("config_invalid",
                   "pki.crl_file lies outside the registry's folder: put the newest CRL there by hand");
  const auto issuer = signing::LoadCertificate(config.pki.issuing_certificate);
  if (!issuer) return issuer.error();
  const auto given = CrlIn(newest, *issuer), backed_up = CrlIn(config.pki.crl_file, *issuer);
  if (!given) return Refused("config_invalid", "--crl " + newest + ": " + given.error().message);
  if (backed_up && given->number.value_or(0) < backed_up->number.value_or(0))
    return Refused("config_invalid", "--crl " + newest + " is older than the CRL of the backup");
  std::error_code failed;
  fs::copy_file(newest, config.pki.crl_file, fs::copy_options::overwrite_existing, failed);
  if (!failed) fs::permissions(config.pki.crl_file, static_cast<fs::perms>(0644), failed);
  return failed ? Status(FileFailedAt(newest, failed)) : Status(Done{});
}

Status IsInside(const std::string& top, const app::Config& config) {
  for (const std::string& folder : {config.ledger_folder, config.intake_folder}) {
    if (StaysBelow(fs::path(folder).lexically_relative(top))) continue;
    return Refused("config_invalid",
                   "the configuration names " + folder +
                       ", outside the registry's folder: restore there what the backup holds "
                       "by hand");
  }
  return Done{};
}

Status RestoreFiles(const RestoreOptions& options, const BackupSet& set, const std::string& top,
                    Restored& restored) {
  const Unpacking unpacking(options.from, set, options.opener);
  if (auto taken = unpacking.Take(kRegistry, top); !taken) return taken;
  const auto files = FilesBelow(top);
  if (!files) return files.error();
  const std::string name = ConfigIn(*files);
  const auto config = app::LoadConfig(top + "/" + name);
  if (!config) return config.error();
  if (auto inside = IsInside(top, *config); !inside) return inside;
  if (auto moded = GiveModes(top, *files, name); !moded) return moded;
  if (!options.newest_crl.empty()) {
    if (auto put = PutCrl(top, *config, options.newest_crl); !put) return put;
  }
  for (const std::string& folder : {config->ledger_folder, config->intake_folder}) {
    if (auto made = ledger::MakePrivateFolder(folder); !made) return made;
  }
  if (auto taken = unpacking.Take("ledger/", config->ledger_folder); !taken) return taken;
  if (auto taken = unpacking.Take("intake/", config->intake_folder); !taken) return taken;
  if (restored.keys) {
    const auto keys = unpacking.Keys();
    if (!keys) return keys.error();
    if (auto put = PutKeys(top, *keys); !put) return put;
  }
  const auto point = ledger::PointOf(config->ledger_folder);
  if (!point) return point.error();
  if (auto same = SamePoint(set.manifest.ledger, *point); !same) return same;
  if (options.as_it_was) return Done{};
  const auto stepped = StepOn({config->ledger_folder, std::nullopt});
  if (!stepped) return stepped.error();
  restored.stepped = stepped->numbers;
  restored.serial_above = stepped->serial_above;
  return Done{};
}

Error Sealed(const BackupManifest& manifest) {
  return Refused("keys_sealed", manifest.encrypted
                                    ? "the backup is encrypted: name the private key that opens it"
                                    : "the backup holds keys under a " + manifest.keys +
                                          ": say how they are opened, or that they are not wanted");
}

}  // namespace

Result<Judgement> JudgeBackup(const std::string& folder, const Opener* opener) {
  const auto set = CheckBackup(folder);
  if (!set) return set.error();
  Judgement judgement{set->manifest, set->files.size(), 0, false, {}, 0};
  for (const BackupFile& file : set->files) judgement.octets += file.octets;
  const Unpacking unpacking(folder, *set, opener);
  if (opener != nullptr && set->manifest.keys != "none") {
    if (const auto keys = unpacking.Keys(); !keys) return keys.error();
  }
  if (set->manifest.encrypted && opener == nullptr) return judgement;
  const auto scratch = ScratchFolder::Make();
  if (!scratch) return scratch.error();
  std::string stored = folder + "/ledger";
  if (set->manifest.encrypted) {
    stored = scratch->In("ledger");
    if (auto taken = unpacking.Take("ledger/", stored); !taken) return taken.error();
  }
  const auto point = ledger::PointOf(stored);
  if (!point) return point.error();
  if (auto same = SamePoint(set->manifest.ledger, *point); !same) return same.error();
  const auto reader = ledger::OpenRocksDbReader(stored, scratch->In("beside"));
  if (!reader) return reader.error();
  const auto report = ledger::Verify(**reader);
  if (!report) return report.error();
  judgement.looked_inside = true;
  judgement.faults = report->faults;
  judgement.devices = report->devices;
  return judgement;
}

Result<Restored> Restore(const RestoreOptions& options) {
  auto building = Building::Begin(options.to);
  if (!building) return building.error();
  const auto set = CheckBackup(options.from);
  if (!set) return set.error();
  Restored restored{set->manifest, options.opener != nullptr && set->manifest.keys != "none", {}, 0};
  if (set->manifest.encrypted && options.opener == nullptr) return Sealed(set->manifest);
  if (auto filled = RestoreFiles(options, *set, building->path(), restored); !filled) return filled.error();
  if (auto finished = building->Finish(); !finished) return finished.error();
  return restored;
}

}  // namespace registry::ctl
