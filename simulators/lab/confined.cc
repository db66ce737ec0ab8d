#include "simulators/lab/confined.h"

#include <filesystem>
#include <fstream>

#include "simulators/lab/process.h"

namespace registry::lab {

namespace fs = std::filesystem;

bool IsConfined(const std::string& program, const std::string& sys, const std::string& etc) {
  std::ifstream enabled(sys + "/module/apparmor/parameters/enabled");
  if (enabled.get() != 'Y' || program.empty()) return false;
  // /usr/sbin/named: usr.sbin.named, as profiles are named by custom.
  std::string profile = program.substr(1);
  for (char& c : profile) c = c == '/' ? '.' : c;
  std::error_code error;
  return fs::exists(etc + "/apparmor.d/" + profile, error);
}

Result<std::string> Unconfined(const std::string& name, const std::string& folder, bool confined) {
  const std::string program = FindProgram(name);
  if (!confined || program.empty()) return name;
  const fs::path copy = fs::path(folder) / fs::path(program).filename();
  std::error_code error;
  fs::remove(copy, error);  // of an earlier lab in the folder
  fs::copy_file(program, copy, error);
  if (!error) fs::permissions(copy, fs::perms::owner_all, error);
  if (error) return Error::Make(Code::kFailed, "no_folder", copy.string() + ": " + error.message());
  return copy.string();
}

}  // namespace registry::lab
