#include "bridge/app/check_folders.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "bridge/app/ledger_place.h"
#include "bridge/ledger/private_folder.h"

namespace registry::app {
namespace {

namespace fs = std::filesystem;

// As the file system sees it: links followed, as far as it exists, and no slash at the end.
fs::path Resolved(const std::string& folder) {
  std::error_code failed;
  fs::path path = fs::weakly_canonical(folder, failed);
  if (failed) path = fs::path(folder).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

bool Holds(const fs::path& outer, const fs::path& inner) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

// The ledger's folder is RocksDB's alone, and what deletes or restores one of the two must not meet the other.
void CheckApart(const fs::path& ledger, const fs::path& intake, std::vector<std::string>& faults) {
  if (ledger == intake) {
    faults.emplace_back("intake.folder: is ledger.folder, each needs its own");
  } else if (Holds(ledger, intake)) {
    faults.emplace_back("intake.folder: lies inside ledger.folder");
  } else if (Holds(intake, ledger)) {
    faults.emplace_back("ledger.folder: lies inside intake.folder");
  }
}

void CheckApart(const Config& config, std::vector<std::string>& faults) {
  const fs::path intake = Resolved(config.intake_folder), backup = Resolved(config.backup_folder);
  std::vector<std::pair<std::string, fs::path>> kept;  // a ledger in PostgreSQL has no folder
  if (!config.ledger.in_postgres) {
    kept.emplace_back("ledger", Resolved(config.ledger_folder));
    CheckApart(kept.front().second, intake, faults);
  }
  kept.emplace_back("intake", intake);
  for (const auto& [name, other] : kept) {
    const std::string named = name + ".folder";
    if (Holds(other, backup)) faults.push_back("backup.folder: is " + named + ", or lies inside it");
    if (other != backup && Holds(backup, other)) faults.push_back(named + ": lies inside backup.folder");
  }
}

// 0, or why nobody with our rights makes a file there. The slash refuses what is no folder.
int WhyNot(const fs::path& folder) {
  const std::string path = folder.string() + "/";
  return ::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

// `made`: registryd makes what is missing, so the first folder above that exists decides.
void CheckWritable(const std::string& key, fs::path folder, bool made, std::vector<std::string>& faults) {
  const std::string wanted = folder.string();
  int why = WhyNot(folder);
  while (made && why == ENOENT && folder != folder.root_path()) {
    folder = folder.parent_path();
    why = WhyNot(folder);
  }
  if (why == 0) return;
  faults.push_back(key + ": cannot write in " + wanted + ": " + std::generic_category().message(why));
}

bool IsFolder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// registryd makes no ledger, so one is there, with its mark, and is its own.
void CheckLedger(const Config& config, std::vector<std::string>& faults) {
  const std::size_t before = faults.size();
  const std::string key = config.ledger.in_postgres ? "ledger.connection" : "ledger.folder";
  if (!config.ledger.in_postgres) CheckWritable(key, config.ledger_folder, true, faults);
  if (config.ledger.in_postgres && !config.ledger.mark_file.empty())
    CheckWritable("ledger.mark_file", fs::path(config.ledger.mark_file).parent_path(), false, faults);
  if (faults.size() != before) return;
  const auto place = LedgerPlaceOf(config.ledger, config.ledger_folder);
  const auto there = place ? CheckLedgerPlace(*place) : Status(place.error());
  if (!there) faults.push_back(key + ": " + there.error().message);
}

// The intake makes its folder. One that is there is this user's alone.
void CheckIntake(const std::string& folder, std::vector<std::string>& faults) {
  const std::size_t before = faults.size();
  CheckWritable("intake.folder", folder, true, faults);
  if (faults.size() != before || !IsFolder(folder)) return;
  if (const auto closed = ledger::CheckPrivate(folder); !closed) {
    faults.push_back("intake.folder: " + closed.error().message);
  }
}

// The log makes its folder, as the intake does. A file that is there is opened as the log opens it, but never made.
void CheckLog(const std::string& file, std::vector<std::string>& faults) {
  if (file.empty()) return;
  if (::faccessat(AT_FDCWD, file.c_str(), F_OK, AT_EACCESS) != 0 && errno == ENOENT) {
    return CheckWritable("log.file", fs::path(file).parent_path(), true, faults);
  }
  int why = IsFolder(file) ? EISDIR : 0;
  if (why == 0 && ::faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) != 0) why = errno;
  if (why == 0) return;
  faults.push_back("log.file: cannot append to " + file + ": " + std::generic_category().message(why));
}

}  // namespace

std::vector<std::string> FolderFaults(const Config& config) {
  std::vector<std::string> faults;
  CheckApart(config, faults);
  CheckLedger(config, faults);
  CheckIntake(config.intake_folder, faults);
  CheckLog(config.log_file, faults);
  CheckWritable("pki.crl_file", fs::path(config.pki.crl_file).parent_path(), false, faults);
  return faults;
}

}  // namespace registry::app
