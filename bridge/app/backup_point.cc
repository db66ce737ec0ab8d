#include "bridge/app/backup_point.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bridge/ledger/private_folder.h"
#include "bridge/signing/file_write.h"

namespace registry::app {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::seconds kLookEvery{1};
constexpr std::size_t kRequestSize = 32;

// Empty: nobody asks. Anything else than a request asks for nothing that could be answered.
std::string TakeRequest(const std::string& path) {
  std::ifstream file(path);
  if (!file) return "";
  std::string line(kRequestSize + 1, '\0');
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  std::error_code ignored;
  fs::remove(path, ignored);
  const bool whole = file.gcount() == static_cast<std::streamsize>(line.size()) && line.back() == '\n' &&
                     line.find_first_not_of("0123456789abcdef") == kRequestSize;
  return whole ? line.substr(0, kRequestSize) : "";
}

Error Failed(const std::string& path, const std::error_code& why) {
  return Error::Make(Code::kFailed, "file_failed", path + ": " + why.message());
}

}  // namespace

void BackupPoint::Start() {
  thread_.Start("backup", [this] { Run(); });
}

void BackupPoint::Run() {
  do {
    Look();
    MutexLock lock(mutex_);
    if (!thread_.Rest(lock, kLookEvery)) return;
  } while (true);
}

void BackupPoint::Look() {
  const std::string request = TakeRequest(folder_ + "/request");
  if (request.empty()) return;
  const auto answered = Answer(request);
  if (answered) return log_.Info("a point for a backup is in " + folder_);
  log_.Error("no point for a backup could be made: " + answered.error().message);
  const nlohmann::json refused = {{"request", request}, {"why", answered.error().message}};
  const auto said = signing::ReplaceFile(folder_ + "/refused", refused.dump() + "\n", 0600);
  if (!said) log_.Error(said.error().message);
}

Status BackupPoint::Answer(const std::string& request) {
  if (auto kept = ledger::CheckPrivate(folder_); !kept) return kept;
  const std::string point = folder_ + "/point", making = point + ".new";
  std::error_code failed;
  for (const std::string& left : {point, making}) {
    fs::remove_all(left, failed);
    if (failed) return Failed(left, failed);
  }
  auto made = ledger::MakePrivateFolder(making);
  if (made) made = make_(making);
  if (made)
    made = signing::ReplaceFile(making + "/POINT", nlohmann::json{{"request", request}}.dump() + "\n", 0600);
  if (made) {
    fs::rename(making, point, failed);
    if (failed) made = Failed(point, failed);
  }
  if (!made) fs::remove_all(making, failed);
  return made;
}

}  // namespace registry::app
