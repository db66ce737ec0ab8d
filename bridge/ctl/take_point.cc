#include "bridge/ctl/take_point.h"

#include <openssl/rand.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "bridge/ledger/private_folder.h"
#include "bridge/ledger/rocksdb/backup.h"
#include "bridge/signing/file_write.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAnswerEvery{50};

Error Failed(const std::string& path, const std::error_code& why) {
  return Error::Make(Code::kFailed, "file_failed", path + ": " + why.message());
}

Status Remove(const std::string& folder) {
  std::error_code failed;
  for (const char* left : {"/request", "/refused", "/point", "/point.new"}) {
    fs::remove_all(folder + left, failed);
    if (failed) return Failed(folder + left, failed);
  }
  return Done{};
}

// No file of it is written to or removed: its registryd holds the ledger as long as it runs.
Status CopyIntake(const std::string& from, const std::string& to) {
  std::error_code failed;
  if (!fs::is_directory(from, failed)) return Done{};
  if (auto made = ledger::MakePrivateFolder(to); !made) return made;
  for (fs::directory_iterator file(from, failed), end; !failed && file != end; file.increment(failed)) {
    const fs::path name = file->path().filename();
    if (!name.string().starts_with("intake-")) continue;
    fs::copy_file(file->path(), fs::path(to) / name, failed);
    if (failed) return Failed(file->path(), failed);
  }
  if (failed) return Failed(from, failed);
  return Done{};
}

Status CopyStopped(const app::Config& config, const std::string& point) {
  if (auto made = ledger::MakePrivateFolder(point); !made) return made;
  return ledger::CopyStoppedLedger(config.ledger_folder, point + "/ledger",
                                   [&] { return CopyIntake(config.intake_folder, point + "/intake"); });
}

std::string NewRequest() {
  Bytes octets(16);
  REG_CHECK(RAND_bytes(octets.data(), static_cast<int>(octets.size())) == 1);
  return ToHex(octets);
}

// What a file of registryd's says to this request; nothing when it says nothing to it.
std::optional<nlohmann::json> Said(const std::string& file, const std::string& request) {
  std::ifstream input(file);
  auto said = nlohmann::json::parse(input, nullptr, false);
  if (!said.is_object() || said.value("request", nlohmann::json()) != request) return std::nullopt;
  return said;
}

// It grows while it is looked at, and files of it may be gone already.
std::uint64_t OctetsBelow(const std::string& folder) {
  std::uint64_t octets = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code gone;
    const auto size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    if (!gone) octets += size;
  }
  return octets;
}

// Whether it is worth to wait on.
class Patience {
 public:
  Patience(std::string folder, const PointWait& wait) : folder_(std::move(folder)), wait_(wait) {}

  Status Look() {
    const auto now = SteadyClock::now();
    std::error_code failed;
    if (!taken_ && !fs::exists(folder_ + "/request", failed) && !failed) taken_ = grown_ = looked_ = now;
    if (!taken_) return now - begun_ < wait_.taken ? Status(Done{}) : NoReply(false);
    if (now - looked_ >= kSizeEvery) {
      looked_ = now;
      const std::uint64_t octets = OctetsBelow(folder_ + "/point.new");
      if (octets != octets_) grown_ = now;
      octets_ = octets;
    }
    if (now - grown_ >= wait_.still || now - begun_ >= wait_.whole) return NoReply(true);
    if (wait_.progress && now - told_ >= wait_.progress_every) {
      told_ = now;
      wait_.progress(octets_);
    }
    return Done{};
  }

 private:
  static constexpr std::chrono::milliseconds kSizeEvery{500};
  Status NoReply(bool taken) const {
    const std::string what =
        taken
            ? "registryd has begun with the point for the backup and does not get on: " +
                  std::to_string(octets_) + " octets are in " + folder_ + "; look at its log and at the disk"
            : "another process has the ledger, and no registryd answers in " + folder_ +
                  ": does it run with this configuration, and is it of a release that makes backups?";
    return Error::Make(Code::kFailed, "no_reply", what);
  }

  const std::string folder_;
  const PointWait& wait_;
  const SteadyClock::time_point begun_ = SteadyClock::now();
  std::optional<SteadyClock::time_point> taken_;
  SteadyClock::time_point grown_ = begun_, looked_ = begun_, told_ = begun_;
  std::uint64_t octets_ = 0;
};

Status AskRegistryd(const std::string& folder, const PointWait& wait) {
  const std::string request = NewRequest();
  if (auto asked = signing::ReplaceFile(folder + "/request", request + "\n", 0600); !asked) return asked;
  for (Patience patience(folder, wait);;) {
    if (Said(folder + "/point/POINT", request)) return Done{};
    if (const auto refused = Said(folder + "/refused", request)) {
      return Error::Make(
          Code::kFailed, "backup_failed",
          "registryd could not make a point for the backup: " + refused->value("why", std::string("?")));
    }
    if (auto waits = patience.Look(); !waits) return waits;
    std::this_thread::sleep_for(kAnswerEvery);
  }
}

}  // namespace

Result<TakenPoint> TakenPoint::Take(const app::Config& config, const PointWait& wait) {
  if (config.ledger.in_postgres)
    return Error::Make(
        Code::kFailed, "backup_failed",
        "the ledger is in PostgreSQL, whose own tools back it up (pg_basebackup, pg_dump); what else a "
        "registry needs is the folder of its configuration and keys");
  const std::string& folder = config.backup_folder;
  if (auto made = ledger::MakePrivateFolder(folder); !made) return made.error();
  if (auto closed = ledger::CheckPrivate(folder); !closed) return closed.error();
  auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  TakenPoint point(std::move(*lock), folder);
  if (auto removed = Remove(folder); !removed) return removed.error();
  const auto copied = CopyStopped(config, folder + "/point");
  if (copied) return point;
  if (copied.error().symbol != ledger::kLedgerInUse) return copied.error();
  if (auto removed = Remove(folder); !removed) return removed.error();
  if (auto asked = AskRegistryd(folder, wait); !asked) return asked.error();
  point.was_running_ = true;
  return point;
}

TakenPoint::TakenPoint(TakenPoint&& other) noexcept
    : lock_(std::move(other.lock_)),
      folder_(std::exchange(other.folder_, "")),
      was_running_(other.was_running_) {}

TakenPoint::~TakenPoint() {
  if (!folder_.empty()) (void)Remove(folder_);
}

}  // namespace registry::ctl
