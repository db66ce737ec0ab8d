#include "bridge/ctl/party_history.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bridge/ctl/user_name.h"
#include "schemas/base/descriptor.h"

namespace registry::ctl {
namespace {

constexpr const char* kHistoryName = "parties.jsonl";

std::string HistoryFile(const std::string& interface) { return interface + "/" + kHistoryName; }

Error NoHistory(const std::string& file, const std::string& why) {
  return Error::Make(Code::kFailed, "file_failed", file + ": " + why);
}

Error HistoryFailed(const std::string& file) { return NoHistory(file, std::strerror(errno)); }

// Whose folder it is may have put anything there, and it is root that writes: no link of either kind is followed, a pipe
// is not waited for, and only what was made here is given away.
Result<Descriptor> OpenToAdd(const std::string& interface) {
  const std::string file = HistoryFile(interface);
  const Descriptor folder(open(interface.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd() < 0) return HistoryFailed(interface);
  constexpr int kFlags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  Descriptor out(openat(folder.fd(), kHistoryName, kFlags));
  if (out.fd() < 0 && errno == ENOENT) {
    out = Descriptor(openat(folder.fd(), kHistoryName, kFlags | O_CREAT | O_EXCL, 0644));
    struct stat owner {};
    // Root's is given to whoever the folder belongs to, who must be able to add to it.
    if (out.fd() >= 0 && geteuid() == 0 &&
        (fstat(folder.fd(), &owner) != 0 || fchown(out.fd(), owner.st_uid, owner.st_gid) != 0)) {
      const Error failed = HistoryFailed(file);
      unlinkat(folder.fd(), kHistoryName, 0);
      return failed;
    }
  }
  if (out.fd() < 0 && errno == ELOOP) return NoHistory(file, "is a symbolic link; nothing is written");
  if (out.fd() < 0) return HistoryFailed(file);
  struct stat is {};
  if (fstat(out.fd(), &is) != 0) return HistoryFailed(file);
  if (!S_ISREG(is.st_mode) || is.st_nlink != 1)
    return NoHistory(file, "is no regular file with one name; nothing is written");
  return out;
}

// One write. What is there by half is taken back, or the next line would be added to it and both be lost.
Status AddLine(int fd, const std::string& file, std::string line) {
  const off_t end = lseek(fd, 0, SEEK_END);
  if (end < 0) return HistoryFailed(file);
  char last = '\n';
  if (end > 0 && pread(fd, &last, 1, end - 1) != 1) return HistoryFailed(file);
  // Half a line of a write that nothing could take back becomes a line of its own.
  const bool ended = last == '\n';
  if (!ended) line.insert(0, 1, '\n');
  const ssize_t put = write(fd, line.data(), line.size());
  if (put == static_cast<ssize_t>(line.size())) return fsync(fd) == 0 ? Status(Done{}) : HistoryFailed(file);
  const Error failed = put < 0 ? HistoryFailed(file) : NoHistory(file, std::strerror(ENOSPC));
  // The end of that half line stays: registryd may have taken it as a line.
  if (put > 0 && ftruncate(fd, ended ? end : end + 1) != 0) return HistoryFailed(file);
  return failed;
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
  const auto out = OpenToAdd(interface);
  if (!out) return out.error();
  return AddLine(out->fd(), HistoryFile(interface),
                 line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
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
