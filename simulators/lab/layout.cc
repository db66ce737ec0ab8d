#include "simulators/lab/layout.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace registry::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSocketFolderMax =
    80;  // sockaddr_un holds 107 octets, the file's name needs some of them

Result<std::string> FreshFolder() {
  std::string path = (fs::temp_directory_path() / "iot-registry-lab-XXXXXX").string();
  if (::mkdtemp(path.data()) != nullptr) return path;
  return Error::Make(Code::kFailed, "no_folder", "cannot make a folder like " + path);
}

Error NoFolder(const std::string& what) { return Error::Make(Code::kFailed, "no_folder", what); }

// Its user's alone where it is made here: logs and configurations name EIDs, keys lie in it. A folder that was made by
// somebody for this keeps the mode it was given; what is secret is closed inside (MakeLayout).
Status MakeOwn(const std::string& folder) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return Done{};
  error.clear();  // that it is not there yet
  const fs::path parent = fs::path(folder).parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  if (error) return NoFolder(folder + ": " + error.message());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return NoFolder(folder + ": " + std::strerror(errno));
  return Done{};
}

// Written before anything else, so that a lab that was interrupted is known again.
Status MarkFolder(const std::string& folder) {
  std::error_code error;
  const bool marked = fs::exists(folder + "/" + kMark, error) || fs::exists(folder + "/lab.json", error);
  if (!marked && !fs::is_empty(folder, error)) {
    return Error::Make(
        Code::kExists, "not_a_lab",
        folder + (error ? ": " + error.message()
                        : " is not empty and no lab's folder: name an empty one, or one that is not there"));
  }
  std::ofstream mark(folder + "/" + kMark, std::ios::app);
  if (!mark) return NoFolder(folder + ": " + std::strerror(errno));
  return Done{};
}

}  // namespace

const std::vector<PartyName>& Parties() {
  static const std::vector<PartyName> parties{
      {"mno-a", "mno"},       {"mno-b", "mno"},         {"asp-a", "asp"},
      {"asp-b", "asp"},       {"operator", "operator"}, {"guest-mno", "mno"},
      {"guest-mno-b", "mno"}, {"guest-asp", "asp"},     {"guest-asp-b", "asp"}};
  return parties;
}

Result<std::string> MakeFolder(const std::string& folder) {
  std::string path = folder;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path.empty()) {
    auto fresh = FreshFolder();
    if (!fresh) return fresh.error();
    path = *fresh;
  }
  if (auto made = MakeOwn(path); !made) return made.error();
  std::error_code error;
  path = fs::canonical(path, error).string();
  if (error) return NoFolder(folder + ": " + error.message());
  if (auto marked = MarkFolder(path); !marked) return marked.error();
  return path;
}

Result<Layout> MakeLayout(const std::string& folder, Ports& ports) {
  Layout layout;
  layout.folder = folder;
  std::error_code error;
  for (const char* sub : {"logs", "broker", "authority", "unbound", "zones", "tls", "simulators"}) {
    const fs::path path = fs::path(layout.folder) / sub;
    fs::create_directories(path, error);
    if (!error) fs::permissions(path, fs::perms::owner_all, error);
    if (error) return NoFolder(path.string() + ": " + error.message());
  }
  layout.socket_folder = layout.folder;
  if (layout.folder.size() > kSocketFolderMax) {
    auto fresh = FreshFolder();
    if (!fresh) return fresh.error();
    layout.socket_folder = *fresh;
  }
  for (std::uint16_t* port :
       {&layout.mqtt, &layout.primary, &layout.http, &layout.console, &layout.authority, &layout.resolver,
        &layout.dot, &layout.asp_tls[0], &layout.asp_tls[1], &layout.asp_mqtt[0], &layout.asp_mqtt[1],
        &layout.asp_back_end[0], &layout.asp_back_end[1]}) {
    auto free = ports.Take();
    if (!free) return free.error();
    *port = *free;
  }
  return layout;
}

Status AddBridges(Layout& layout, int bridges, Ports& ports) {
  for (int i = 2; i <= bridges; ++i) {
    const std::string number = std::to_string(i);
    OtherBridge bridge{"registryd-" + number, layout.In("registry-" + number)};
    for (std::uint16_t* port : {&bridge.primary, &bridge.http, &bridge.console}) {
      auto free = ports.Take();
      if (!free) return free.error();
      *port = *free;
    }
    layout.other_bridges.push_back(std::move(bridge));
  }
  return Done{};
}

}  // namespace registry::lab
