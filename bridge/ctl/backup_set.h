// bridge/ctl/backup_set.h: what a backup is on disk (bridge/app/BACKUP.md): files, their digests, and what they are of.
//   MANIFEST.json  format, who made it when, the registry's zone, the point of its ledger, how many files and octets
//   SHA256SUMS     a line for each other file, MANIFEST.json too, as sha256sum(1) writes and checks them
//   ledger/ intake/ registry/ keys.cms             or, encrypted as a whole, each of their files as NAME.cms
// Threads: one. Errors (2400): file_failed; backup_invalid, with every fault in the message, a line each.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bridge/ledger/rocksdb/backup.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry::ctl {

inline constexpr int kBackupFormat = 1;  // another one is refused

struct BackupFile {
  std::string path;  // below the backup's folder
  std::uint64_t octets = 0;
  Bytes sha256;
};

struct BackupManifest {
  std::string software;  // "registryctl 1.2.3"
  UtcTime made;
  std::string zone;
  bool was_running = false;
  ledger::LedgerPoint ledger;
  std::string keys = "none";          // or how keys.cms opens: "passphrase", "certificate"
  bool encrypted = false;             // every file, to a certificate
  std::vector<std::string> left_out;  // sentences
};

// Copies one file and syncs it; nobody but its owner may read the copy.
Result<BackupFile> CopyIntoBackup(const std::string& from, const std::string& folder,
                                  const std::string& path);
// The digest of a file that is there.
Result<BackupFile> DigestOf(const std::string& folder, const std::string& path);

// MANIFEST.json, then SHA256SUMS; both synced, with their folder.
Status WriteManifest(const std::string& folder, const BackupManifest& manifest,
                     std::vector<BackupFile> files);

struct BackupSet {
  BackupManifest manifest;
  std::vector<BackupFile> files;  // but for MANIFEST.json
};
// Reads both, and holds every file against its digest: none is missing, none is other than it was, none is there that is
// not listed.
Result<BackupSet> CheckBackup(const std::string& folder);

// Regular files below a folder, in order, as paths below it; links and the rest are passed over.
Result<std::vector<std::string>> FilesBelow(const std::string& folder);

}  // namespace registry::ctl
