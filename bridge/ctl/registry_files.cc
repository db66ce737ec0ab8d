#include "bridge/ctl/registry_files.h"

#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "bridge/app/zone_options.h"
#include "bridge/ctl/backup_set.h"
#include "bridge/keys/key_source.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/key_set_file.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

// What signs the zone: the files that the key set names, and it.
std::vector<std::string> ZoneKeysOf(const app::Config& config) {
  const zone::Options options = app::ZoneOptions(config, {});
  std::vector<std::string> files{config.dns.key_set};
  if (const auto set = zone::KeySetOfUnjudged(options, {})) {
    for (const zone::KeyEntry& key : set->keys)
      files.push_back(zone::KeyPath(zone::KeyFolderOf(options), key.file));
  }
  // It is made at the first start.
  std::error_code failed;
  if (!fs::exists(files.front(), failed)) files.erase(files.begin());
  return files;
}

// Whatever its mode is, it is never saved in clear; nor is what the key set names.
std::vector<std::string> SecretsOf(const app::Config& config) {
  const auto& [mqtt, pki, dns] = std::tie(config.mqtt, config.pki, config.dns);
  std::vector<std::string> secrets{mqtt.key_file,    pki.issuing_key,      dns.ksk,
                                   dns.zsk,          dns.tsig_secret,      dns.former_key.secret_file,
                                   dns.tls.key_file, config.code_key_file, config.console.key_file};
  for (const auto& secondary : config.secondaries) {
    secrets.push_back(secondary.key.secret_file);
    secrets.push_back(secondary.former_key.secret_file);
  }
  for (const auto& former : config.former_issuing) secrets.push_back(former.key);
  for (const auto& coming : config.coming_issuing) secrets.push_back(coming.key);
  return secrets;
}

std::vector<std::string> NamedBy(const app::Config& config) {
  const auto& [mqtt, pki, dns] = std::tie(config.mqtt, config.pki, config.dns);
  std::vector<std::string> named = SecretsOf(config);
  for (const auto& former : config.former_issuing) {
    named.push_back(former.certificate);
    named.push_back(former.crl_file);
  }
  for (const auto& coming : config.coming_issuing) named.push_back(coming.certificate);
  named.insert(named.end(),
               {mqtt.ca_file, mqtt.certificate_file, mqtt.crl_file, pki.root_certificate,
                pki.issuing_certificate, pki.crl_file, pki.blocked_keys, config.resolver.certificate,
                config.console.certificate_file, dns.tls.certificate_file, dns.tls.client_ca_file});
  return named;
}

// A key of somebody's own that the configuration does not name.
bool HoldsAPrivateKey(const std::string& file) {
  constexpr std::size_t kLooked = 64 * 1024;
  std::string head(kLooked, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  const bool holds = head.find("PRIVATE KEY-----") != std::string::npos;
  OPENSSL_cleanse(head.data(), head.size());
  return holds;
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

void Judge(const fs::path& top, const std::string& path, const std::set<std::string>& secrets,
           RegistryFiles& files) {
  struct stat is {};
  const std::string whole = top / path;
  if (::stat(whole.c_str(), &is) != 0 || ::access(whole.c_str(), R_OK) != 0) {
    files.left_out.push_back(path + ": " + std::strerror(errno));
  } else if (!FitsInALine(path)) {
    files.left_out.push_back(path + ": has such a name");
  } else if (S_ISREG(is.st_mode)) {
    const bool secret = (is.st_mode & 0077) == 0 || secrets.contains(path) || HoldsAPrivateKey(whole);
    (secret ? files.secret : files.open).push_back(path);
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
  const std::vector<std::string> zone_keys = ZoneKeysOf(config);
  const auto name = [&](const std::string& named, std::set<std::string>& into) {
    if (named.empty()) return;
    if (keys::IsKeyUri(named)) return files.left_out.push_back("a private key stays in its token");
    const std::string path = Below(top, named);
    if (path.empty()) return files.left_out.push_back(named + ": lies outside the registry's folder");
    paths.insert(path);
    if (!files.named.contains(path)) into.insert(path);
  };
  for (const std::string& named : NamedBy(config)) name(named, files.named);
  for (const std::string& key : zone_keys) name(key, files.of_key_set);
  // As large as the zone, and made again from the ledger; also when it is just being written.
  for (const char* end : {"", ".new"}) paths.erase(Below(top, config.dns.signed_zone + end));
  std::set<std::string> secrets;
  for (const std::string& secret : SecretsOf(config)) secrets.insert(Below(top, secret));
  for (const std::string& key : zone_keys) secrets.insert(Below(top, key));
  for (const std::string& path : paths) Judge(top, path, secrets, files);
  files.open.insert(files.open.begin(), file.filename());
  files.named.insert(file.filename());
  return files;
}

void FollowKeySet(const app::Config& config, RegistryFiles& files) {
  std::error_code failed;
  const fs::path top = fs::absolute(config.file, failed).parent_path();
  files.of_key_set.clear();
  for (const std::string& key : ZoneKeysOf(config)) {
    const std::string path = keys::IsKeyUri(key) ? "" : Below(top, key);
    if (path.empty() || files.named.contains(path)) continue;
    files.of_key_set.insert(path);
    std::erase(files.open, path);
    if (std::ranges::find(files.secret, path) == files.secret.end()) files.secret.push_back(path);
  }
}

}  // namespace registry::ctl
