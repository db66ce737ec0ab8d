#include "bridge/ctl/party_history.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "schemas/base/descriptor.h"

namespace registry::ctl {
namespace {

std::string HistoryFile(const std::string& interface) { return interface + "/parties.jsonl"; }

Error HistoryFailed(const std::string& file) {
  return Error::Make(Code::kFailed, "file_failed", file + ": " + std::strerror(errno));
}

std::string UserName() {
  const passwd* const user = getpwuid(getuid());  // NOLINT(concurrency-mt-unsafe): registryctl has one thread
  return user == nullptr ? "" : user->pw_name;
}

}  // namespace

Status RecordEvent(const std::string& interface, const PartyEvent& event) {
  const nlohmann::ordered_json line = {{"time", ToRfc3339(event.time)},
                                       {"event", event.event},
                                       {"party", event.party},
                                       {"serials", event.serials},
                                       {"detail", event.detail},
                                       {"uid", getuid()},
                                       {"user", UserName()}};
  const std::string text = line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  const std::string file = HistoryFile(interface);
  const Descriptor out(open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (out.fd() < 0) return HistoryFailed(file);
  // Root's is given to whoever the folder belongs to, who must be able to add to it.
  struct stat folder {};
  if (geteuid() == 0 && stat(interface.c_str(), &folder) == 0 &&
      fchown(out.fd(), folder.st_uid, folder.st_gid) != 0)
    return HistoryFailed(file);
  // One write: a line is there whole, or the disk is full and it is said.
  if (write(out.fd(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return HistoryFailed(file);
  if (fsync(out.fd()) != 0) return HistoryFailed(file);
  return Done{};
}

Result<std::vector<std::string>> EventsOf(const std::string& interface, const std::string& party) {
  const std::string file = HistoryFile(interface);
  std::vector<std::string> events;
  if (!std::filesystem::exists(file)) return events;
  std::ifstream input(file);
  if (!input) return HistoryFailed(file);
  for (std::string line; std::getline(input, line);) {
    const auto event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_object() && event.value("party", "") == party) events.push_back(line);
  }
  return events;
}

}  // namespace registry::ctl
