#include "simulators/lab/described.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "simulators/lab/usage.h"

namespace registry::lab {
namespace {

using nlohmann::json;

Error Runs(const std::string& folder, const std::string& why) {
  return Error::Make(
      Code::kExists, "lab_runs",
      "a lab still runs in " + folder + " (" + why + "); end it with: ./dev down --dir " + folder);
}

template <class Number>
Number NumberIn(const json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_number_integer() ? found->get<Number>() : Number{0};
}

}  // namespace

bool DescribedProcess::Lives() const { return pid > 0 && start_time != 0 && StartTimeOf(pid) == start_time; }

Result<std::vector<DescribedProcess>> ReadDescribed(const std::string& folder) {
  std::ifstream in(folder + "/lab.json");
  const json lab = json::parse(in, nullptr, false);
  if (!lab.is_object() || !lab.contains("processes") || !lab["processes"].is_array()) {
    return Error::Make(Code::kNotFound, "no_lab", "no lab is described in " + folder + "/lab.json");
  }
  std::vector<DescribedProcess> processes;
  for (const json& process : lab["processes"]) {
    if (!process.is_object()) continue;
    const auto name = process.find("name");
    processes.push_back({name != process.end() && name->is_string() ? name->get<std::string>() : "",
                         NumberIn<pid_t>(process, "pid"), NumberIn<std::uint64_t>(process, "start_time")});
  }
  return processes;
}

Result<FolderClaim> FolderClaim::Take(const std::string& folder) {
  const std::string file = folder + "/.lock";
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return Error::Make(Code::kFailed, "no_folder", file + ": " + std::strerror(errno));
  FolderClaim claim(lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) return Runs(folder, "it holds " + file);
  // A supervisor that was killed holds no lock, but its servers may be on their way out yet.
  if (const auto described = ReadDescribed(folder)) {
    for (const DescribedProcess& process : *described) {
      if (process.Lives()) return Runs(folder, process.name + ", process " + std::to_string(process.pid));
    }
  }
  return claim;
}

FolderClaim::~FolderClaim() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace registry::lab
