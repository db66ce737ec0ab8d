#include "simulators/lab/layout.h"

#include <cstdlib>
#include <filesystem>

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

}  // namespace

const std::vector<PartyName>& Parties() {
  static const std::vector<PartyName> parties{
      {"mno-a", "mno"},         {"mno-b", "mno"},     {"asp-a", "asp"},    {"asp-b", "asp"},
      {"operator", "operator"}, {"guest-mno", "mno"}, {"guest-asp", "asp"}};
  return parties;
}

Result<std::string> MakeFolder(const std::string& folder) {
  if (folder.empty()) return FreshFolder();
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string path = error ? std::string() : fs::canonical(folder, error).string();
  if (error) return Error::Make(Code::kFailed, "no_folder", folder + ": " + error.message());
  return path;
}

Result<Layout> MakeLayout(const std::string& folder, Ports& ports) {
  Layout layout;
  layout.folder = folder;
  std::error_code error;
  for (const char* sub : {"logs", "broker", "nsd", "unbound", "zones", "tls", "simulators"}) {
    fs::create_directories(fs::path(layout.folder) / sub, error);
    if (error)
      return Error::Make(Code::kFailed, "no_folder", layout.folder + "/" + sub + ": " + error.message());
  }
  layout.socket_folder = layout.folder;
  if (layout.folder.size() > kSocketFolderMax) {
    auto fresh = FreshFolder();
    if (!fresh) return fresh.error();
    layout.socket_folder = *fresh;
  }
  for (std::uint16_t* port : {&layout.mqtt, &layout.primary, &layout.http, &layout.authority,
                              &layout.resolver, &layout.dot, &layout.asp_tls[0], &layout.asp_tls[1]}) {
    auto free = ports.Take();
    if (!free) return free.error();
    *port = *free;
  }
  return layout;
}

}  // namespace registry::lab
