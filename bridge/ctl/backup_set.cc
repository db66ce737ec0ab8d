#include "bridge/ctl/backup_set.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "bridge/ctl/sha256.h"
#include "bridge/signing/file_write.h"
#include "schemas/base/descriptor.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kManifest[] = "MANIFEST.json", kSums[] = "SHA256SUMS";
constexpr std::size_t kAtOnce = std::size_t{1} << 20, kDigestSize = Sha256::kSize,
                      kManifestMax = std::size_t{1} << 20;

Error FileFailed(const std::string& path) {
  return Error::Make(Code::kFailed, "file_failed", path + ": " + std::strerror(errno));
}
Error Invalid(const std::string& faults) { return Error::Make(Code::kFailed, "backup_invalid", faults); }

// Reads the file to its end; `to` below 0: into nothing.
Result<BackupFile> ReadThrough(const std::string& from, int to, const std::string& written,
                               const std::string& path) {
  const Descriptor file(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.fd() < 0) return FileFailed(from);
  BackupFile read{path, 0, {}};
  Sha256 digest;
  std::string octets(kAtOnce, '\0');
  for (ssize_t got = 0; (got = ::read(file.fd(), octets.data(), octets.size())) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileFailed(from);
    const auto size = static_cast<std::size_t>(got);
    digest.Add(std::string_view(octets.data(), size));
    read.octets += size;
    if (to >= 0 && !signing::WriteAll(to, std::string_view(octets.data(), size))) return FileFailed(written);
  }
  read.sha256 = digest.End();
  return read;
}

Status Synced(const std::string& folder) {
  return signing::SyncFolder(folder) ? Status(Done{}) : Status(FileFailed(folder));
}

json LedgerJson(const ledger::LedgerPoint& point) {
  return {{"id", point.id},
          {"format", point.format},
          {"last_write", point.last_write},
          {"history", point.history},
          {"history_hash", ToHex(point.chain)}};
}

std::string SumsText(const std::vector<BackupFile>& files) {
  std::string text;
  for (const BackupFile& file : files) text += ToHex(file.sha256) + "  " + file.path + "\n";
  return text;
}

// Throws json::exception for what is missing or of another type.
BackupManifest ManifestOf(const json& read) {
  BackupManifest manifest;
  manifest.software = read.at("software");
  const auto made = FromRfc3339(read.at("made").get<std::string>());
  if (made) manifest.made = *made;
  manifest.zone = read.at("zone");
  manifest.was_running = read.at("registryd") == "running";
  manifest.keys = read.at("keys");
  manifest.encrypted = read.at("encrypted");
  manifest.left_out = read.at("left_out").get<std::vector<std::string>>();
  const json& point = read.at("ledger");
  const auto chain = FromHex(point.at("history_hash").get<std::string>());
  manifest.ledger = {point.at("id"), point.at("format"), point.at("last_write"), point.at("history"),
                     chain ? *chain : Bytes()};
  return manifest;
}

struct Listed {
  json manifest;
  std::map<std::string, std::string> sums;  // path -> hex
};

Result<std::string> ReadSmall(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Invalid(path + ": cannot be read: this is no backup, or its making was cut short");
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

Result<Listed> ReadLists(const std::string& folder) {
  const auto text = ReadSmall(folder + "/" + kManifest), sums = ReadSmall(folder + "/" + kSums);
  if (!text) return text.error();
  if (!sums) return sums.error();
  Listed listed;
  listed.manifest = text->size() > kManifestMax ? json() : json::parse(*text, nullptr, false);
  if (!listed.manifest.is_object()) return Invalid(std::string(kManifest) + " is no JSON object");
  const json format = listed.manifest.value("format", json());
  if (format != kBackupFormat)
    return Invalid("the backup has format " + format.dump() + ", and this registryctl knows " +
                   std::to_string(kBackupFormat) + ": restore it with the release that made it");
  std::istringstream lines(*sums);
  for (std::string line; std::getline(lines, line);) {
    const bool whole = line.size() > 2 * kDigestSize + 2 && line.substr(2 * kDigestSize, 2) == "  ";
    if (!whole ||
        !listed.sums.emplace(line.substr(2 * kDigestSize + 2), line.substr(0, 2 * kDigestSize)).second)
      return Invalid(std::string(kSums) + ": not a line of it: " + line);
  }
  return listed;
}

}  // namespace

Result<BackupFile> CopyIntoBackup(const std::string& from, const std::string& folder,
                                  const std::string& path) {
  const std::string to = folder + "/" + path;
  std::error_code failed;
  fs::create_directories(fs::path(to).parent_path(), failed);
  const Descriptor copy(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (copy.fd() < 0) return FileFailed(to);
  auto read = ReadThrough(from, copy.fd(), to, path);
  if (read && ::fsync(copy.fd()) != 0) return FileFailed(to);
  return read;
}

Result<BackupFile> DigestOf(const std::string& folder, const std::string& path) {
  return ReadThrough(folder + "/" + path, -1, "", path);
}

Status WriteManifest(const std::string& folder, const BackupManifest& manifest,
                     std::vector<BackupFile> files) {
  std::uint64_t octets = 0;
  for (const BackupFile& file : files) octets += file.octets;
  const json written = {{"format", kBackupFormat},
                        {"software", manifest.software},
                        {"made", ToRfc3339(manifest.made)},
                        {"zone", manifest.zone},
                        {"registryd", manifest.was_running ? "running" : "stopped"},
                        {"ledger", LedgerJson(manifest.ledger)},
                        {"files", files.size()},
                        {"octets", octets},
                        {"keys", manifest.keys},
                        {"encrypted", manifest.encrypted},
                        {"left_out", manifest.left_out}};
  if (auto put = signing::CreateFile(folder + "/" + kManifest, written.dump(2) + "\n", 0600); !put)
    return put;
  auto own = DigestOf(folder, kManifest);
  if (!own) return own.error();
  files.push_back(std::move(*own));
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  if (auto put = signing::CreateFile(folder + "/" + kSums, SumsText(files), 0600); !put) return put;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    if (auto synced = Synced(entry.path()); !synced) return synced;
  }
  return Synced(folder);
}

Result<BackupSet> CheckBackup(const std::string& folder) {
  auto listed = ReadLists(folder);
  if (!listed) return listed.error();
  const auto there = FilesBelow(folder);
  if (!there) return there.error();
  BackupSet set;
  std::string faults;
  const auto fault = [&](const std::string& sentence) { faults += (faults.empty() ? "" : "\n") + sentence; };
  std::uint64_t octets = 0;
  for (const std::string& path : *there) {
    if (path == kSums) continue;
    const auto sum = listed->sums.extract(path);
    if (sum.empty()) {
      fault(path + ": is not of this backup");
      continue;
    }
    auto file = DigestOf(folder, path);
    if (!file) {
      fault(file.error().message);
    } else if (ToHex(file->sha256) != sum.mapped()) {
      fault(path + ": is not what was written (SHA-256)");
    } else if (path != kManifest) {
      octets += file->octets;
      set.files.push_back(std::move(*file));
    }
  }
  for (const auto& [path, sum] : listed->sums) fault(path + ": is missing");
  try {
    set.manifest = ManifestOf(listed->manifest);
    const bool all =
        listed->manifest.at("files") == set.files.size() && listed->manifest.at("octets") == octets;
    if (faults.empty() && !all) fault("MANIFEST.json counts other files than are listed");
  } catch (const json::exception&) {
    fault("MANIFEST.json is not what a backup says of itself");
  }
  if (!faults.empty()) return Invalid(faults);
  return set;
}

Result<std::vector<std::string>> FilesBelow(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code failed;
  for (fs::recursive_directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->is_symlink() || !entry->is_regular_file()) continue;
    files.push_back(entry->path().lexically_relative(folder));
  }
  if (failed) return Error::Make(Code::kFailed, "file_failed", folder + ": " + failed.message());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace registry::ctl
