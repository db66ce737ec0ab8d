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

// The intake comes first: registryd may start between the two, and what it does then is in the ledger's copy.
Status CopyStopped(const app::Config& config, const std::string& point) {
  std::error_code failed;
  if (auto made = ledger::MakePrivateFolder(point); !made) return made;
  if (fs::is_directory(config.intake_folder, failed)) {
    if (auto made = ledger::MakePrivateFolder(point + "/intake"); !made) return made;
    for (const auto& file : fs::directory_iterator(config.intake_folder, failed)) {
      const fs::path name = file.path().filename();
      if (!name.string().starts_with("intake-")) continue;
      fs::copy_file(file.path(), fs::path(point) / "intake" / name, failed);
      // One that is gone was done, by a registryd that has just started; then the ledger is not ours to copy either.
      if (failed == std::errc::no_such_file_or_directory) failed.clear();
      if (failed) break;
    }
  }
  if (failed) return Failed(config.intake_folder, failed);
  return ledger::CopyStoppedLedger(config.ledger_folder, point + "/ledger");
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

Status AskRegistryd(const std::string& folder, std::chrono::milliseconds within) {
  const std::string request = NewRequest();
  if (auto asked = signing::ReplaceFile(folder + "/request", request + "\n", 0600); !asked) return asked;
  for (const auto until = SteadyClock::now() + within; SteadyClock::now() < until;) {
    if (Said(folder + "/point/POINT", request)) return Done{};
    if (const auto refused = Said(folder + "/refused", request)) {
      return Error::Make(
          Code::kFailed, "backup_failed",
          "registryd could not make a point for the backup: " + refused->value("why", std::string("?")));
    }
    std::this_thread::sleep_for(kAnswerEvery);
  }
  return Error::Make(Code::kFailed, "no_reply",
                     "another process has the ledger, and no registryd answers in " + folder +
                         ": does it run with this configuration, and is it of a release that makes backups?");
}

}  // namespace

Result<TakenPoint> TakenPoint::Take(const app::Config& config, std::chrono::milliseconds within) {
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
  if (auto asked = AskRegistryd(folder, within); !asked) return asked.error();
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
