// bridge/ctl/backup.h: makes a backup of a registry, restores it, and judges one (bridge/app/BACKUP.md).
// All or nothing: both build beside what they make, under a name that ends in six random letters, and rename at the end.
// Threads: one. Errors (2400): folder_exists; backup_invalid; keys_sealed (it has keys and was not told how to open them);
// those of take_point.h, backup_set.h, seal.h, registry_files.h and bridge/ledger.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bridge/ctl/backup_set.h"
#include "bridge/ctl/seal.h"

namespace registry::ctl {

struct BackupOptions {
  std::string config;            // registry.toml
  std::string to;                // must not exist, or be empty
  const Seal* keys = nullptr;    // null: without the keys
  const Seal* escrow = nullptr;  // every file is for this reader alone, the keys too
  std::string software;
  UtcTime now;
  std::function<void(std::uint64_t octets)> progress{};  // while registryd makes the point (take_point.h)
};
Result<BackupManifest> MakeBackup(const BackupOptions& options);

// CheckBackup; then what it holds: the ledger opens, it is at the point that the manifest says, and every invariant of it
// holds. An encrypted backup needs its opener for the second part. Writes among the temporary files only.
struct Judgement {
  BackupManifest manifest;
  std::uint64_t files = 0, octets = 0;
  bool looked_inside = false;
  std::vector<std::string> faults;  // of the ledger
  std::uint64_t devices = 0;
};
Result<Judgement> JudgeBackup(const std::string& folder, const Opener* opener);

struct RestoreOptions {
  std::string from, to;            // `to` must not exist, or be empty
  const Opener* opener = nullptr;  // of the keys, or of everything
  std::string newest_crl;          // takes the place of the CRL that was backed up; empty: none
  // Leaves the ledger octet for octet, in its own format, for a release that knows no newer one. Then nothing keeps feeds
  // and the zone's serial from going back.
  bool as_it_was = false;
};
struct Restored {
  BackupManifest manifest;
  bool keys = false;
  ledger::Stepped stepped;         // feeds and payloads that go on further
  std::uint32_t serial_above = 0;  // the zone's next serial is above; 0: it was never served
};
Result<Restored> Restore(const RestoreOptions& options);

}  // namespace registry::ctl
