#include "bridge/ctl/backup.h"

#include <openssl/crypto.h>

#include <filesystem>
#include <fstream>

#include "bridge/ctl/building.h"
#include "bridge/ctl/registry_files.h"
#include "bridge/ctl/take_point.h"
#include "bridge/ledger/private_folder.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/signing/file_write.h"
#include "bridge/zone/key_set_file.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

constexpr char kKeys[] = "keys.cms";

bool IsGone(const std::string& top, const std::string& path, const RegistryFiles& files) {
  std::error_code failed;
  return !files.IsNamed(path) && !fs::exists(top + "/" + path, failed) && !failed;
}

// Files that come one by one into a backup, encrypted or not.
class Filling {
 public:
  Filling(std::string folder, const Seal* escrow) : folder_(std::move(folder)), escrow_(escrow) {}

  Status Add(const std::string& from, const std::string& path) {
    if (escrow_ == nullptr) return Note(CopyIntoBackup(from, folder_, path));
    const std::string sealed = path + ".cms", to = folder_ + "/" + sealed;
    std::error_code failed;
    fs::create_directories(fs::path(to).parent_path(), failed);
    if (auto closed = escrow_->CloseFile(from, to); !closed) return closed;
    return Note(DigestOf(folder_, sealed));
  }
  Status AddBelow(const std::string& from, const std::string& path) {
    std::error_code ignored;
    if (!fs::is_directory(from, ignored)) return Done{};
    const auto files = FilesBelow(from);
    if (!files) return files.error();
    for (const std::string& file : *files) {
      if (auto added = Add(from + "/" + file, path + "/" + file); !added) return added;
    }
    return Done{};
  }
  // `{"PATH": "<base64>"}`, for the reader of the keys alone.
  Status AddKeys(const std::string& top, const RegistryFiles& files, const Seal& seal) {
    nlohmann::json keys = nlohmann::json::object();
    for (const std::string& path : files.secret) {
      std::ifstream file(top + "/" + path, std::ios::binary);
      if (!file && IsGone(top, path, files)) continue;
      std::string octets{std::istreambuf_iterator<char>(file), {}};
      if (!file) return Error::Make(Code::kFailed, "file_failed", path + ": cannot be read");
      keys[path] = ToBase64(AsBytes(octets));
      OPENSSL_cleanse(octets.data(), octets.size());
    }
    std::string text = keys.dump();
    const auto closed = seal.Close(text);
    OPENSSL_cleanse(text.data(), text.size());
    if (!closed) return closed.error();
    if (auto put = signing::CreateFile(folder_ + "/" + kKeys, *closed, 0600); !put) return put;
    return Note(DigestOf(folder_, kKeys));
  }
  std::vector<BackupFile> files() { return std::move(files_); }

 private:
  Status Note(Result<BackupFile> file) {
    if (!file) return file.error();
    files_.push_back(std::move(*file));
    return Done{};
  }

  const std::string folder_;
  const Seal* const escrow_;
  std::vector<BackupFile> files_;
};

// A backup in what it backs up would be part of the next one.
Status CheckPlace(const app::Config& config, const std::string& to) {
  std::error_code failed;
  const fs::path place = fs::weakly_canonical(to, failed);
  for (const std::string& taken : {config.ledger_folder, config.intake_folder, config.backup_folder}) {
    if (taken.empty()) continue;  // of a ledger in PostgreSQL
    const fs::path outer = fs::weakly_canonical(taken, failed);
    if (std::mismatch(outer.begin(), outer.end(), place.begin(), place.end()).first != outer.end()) continue;
    return Error::Make(Code::kFailed, "folder_exists", to + " lies in " + taken + ": choose another place");
  }
  return Done{};
}

// The key set and the keys that it names are of one moment, whatever roll-over is under way: the set is held while they are
// copied. A roll-over gives up after 5 s, so what may take longer is done before.
Result<RegistryFiles> AddKeys(const BackupOptions& options, const app::Config& config, const std::string& top,
                              BackupManifest& manifest, Filling& filling) {
  const Seal* const keys = options.escrow != nullptr ? options.escrow : options.keys;
  auto registry = RegistryFilesOf(config);
  if (!registry || keys == nullptr) return registry;
  Descriptor held;
  std::error_code failed;
  const std::string& set = config.dns.key_set;
  if (!set.empty() && fs::is_directory(zone::FolderOfKeySet(set), failed)) {
    auto hold = zone::HoldKeySet(set);
    if (!hold) return hold.error();
    held = std::move(*hold);
    FollowKeySet(config, *registry);
  }
  manifest.keys = keys->kind();
  if (auto added = filling.AddKeys(top, *registry, *keys); !added) return added.error();
  return registry;
}

Status Fill(const BackupOptions& options, const app::Config& config, BackupManifest& manifest,
            Filling& filling) {
  PointWait wait;
  wait.progress = options.progress;
  const auto point = TakenPoint::Take(config, wait);
  if (!point) return point.error();
  manifest.was_running = point->was_running();
  const auto at = ledger::PointOf(point->ledger());
  if (!at) return at.error();
  manifest.ledger = *at;
  if (auto added = filling.AddBelow(point->ledger(), "ledger"); !added) return added;
  if (auto added = filling.AddBelow(point->intake(), "intake"); !added) return added;
  std::error_code failed;
  const std::string top = fs::absolute(config.file, failed).parent_path();
  const auto registry = AddKeys(options, config, top, manifest, filling);
  if (!registry) return registry.error();
  manifest.left_out = registry->left_out;
  for (const std::string& path : registry->open) {
    auto added = filling.Add(top + "/" + path, "registry/" + path);
    if (!added && !IsGone(top, path, *registry)) return added;
  }
  return Done{};
}

}  // namespace

Result<BackupManifest> MakeBackup(const BackupOptions& options) {
  const auto config = app::LoadConfig(options.config);
  if (!config) return config.error();
  if (auto apart = CheckPlace(*config, options.to); !apart) return apart.error();
  auto building = Building::Begin(options.to);
  if (!building) return building.error();
  BackupManifest manifest;
  manifest.software = options.software;
  manifest.made = options.now;
  manifest.zone = config->zone;
  manifest.encrypted = options.escrow != nullptr;
  Filling filling(building->path(), options.escrow);
  if (auto filled = Fill(options, *config, manifest, filling); !filled) return filled.error();
  if (auto written = WriteManifest(building->path(), manifest, filling.files()); !written)
    return written.error();
  if (auto finished = building->Finish(); !finished) return finished.error();
  return manifest;
}

}  // namespace registry::ctl
