#include "bridge/ctl/registry_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "bridge/ctl/backup_set.h"
#include "bridge/keys/key_source.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> NamedBy(const app::Config& config) {
  const auto& [mqtt, pki, dns] = std::tie(config.mqtt, config.pki, config.dns);
  std::vector<std::string> named{mqtt.ca_file,
                                 mqtt.certificate_file,
                                 mqtt.key_file,
                                 mqtt.crl_file,
                                 pki.root_certificate,
                                 pki.issuing_certificate,
                                 pki.issuing_key,
                                 pki.crl_file,
                                 pki.blocked_keys,
                                 dns.ksk,
                                 dns.zsk,
                                 dns.tsig_secret,
                                 dns.former_key.secret_file,
                                 config.resolver.certificate,
                                 config.code_key_file};
  for (const auto& secondary : config.secondaries) {
    named.push_back(secondary.key.secret_file);
    named.push_back(secondary.former_key.secret_file);
  }
  return named;
}

// Below `top`, or empty.
std::string Below(const fs::path& top, const std::string& file) {
  const fs::path path = fs::path(file).lexically_normal().lexically_relative(top.lexically_normal());
  return path.empty() || *path.begin() == ".." ? "" : path.string();
}

// A line of SHA256SUMS holds one name.
bool FitsInALine(const std::string& path) {
  return std::none_of(path.begin(), path.end(), [](char c) { return c == '\\' || (c >= 0 && c < ' '); });
}

void Judge(const fs::path& top, const std::string& path, RegistryFiles& files) {
  struct stat is {};
  const std::string whole = top / path;
  if (::stat(whole.c_str(), &is) != 0 || ::access(whole.c_str(), R_OK) != 0) {
    files.left_out.push_back(path + ": " + std::strerror(errno));
  } else if (!FitsInALine(path)) {
    files.left_out.push_back(path + ": has such a name");
  } else if (S_ISREG(is.st_mode)) {
    ((is.st_mode & 0077) == 0 ? files.secret : files.open).push_back(path);
  }
}

}  // namespace

Result<RegistryFiles> RegistryFilesOf(const app::Config& config) {
  std::error_code failed;
  const fs::path file = fs::absolute(config.file, failed), top = file.parent_path();
  std::set<std::string> paths;
  RegistryFiles files;
  for (const char* folder : {"pki", "zone", "interface"}) {
    if (!fs::is_directory(top / folder, failed)) continue;
    auto below = FilesBelow(top / folder);
    if (!below) return below.error();
    for (const std::string& path : *below) paths.insert(std::string(folder) + "/" + path);
  }
  for (const std::string& named : NamedBy(config)) {
    if (named.empty()) continue;
    if (keys::IsKeyUri(named)) {
      files.left_out.push_back("a private key stays in its token");
      continue;
    }
    const std::string path = Below(top, named);
    if (path.empty()) {
      files.left_out.push_back(named + ": lies outside the registry's folder");
    } else {
      paths.insert(path);
    }
  }
  for (const std::string& path : paths) Judge(top, path, files);
  files.open.insert(files.open.begin(), file.filename());
  return files;
}

}  // namespace registry::ctl
