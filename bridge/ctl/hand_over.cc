#include "bridge/ctl/hand_over.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bridge/app/config.h"
#include "bridge/ctl/folder_lock.h"
#include "bridge/ctl/hand_over_text.h"
#include "bridge/ctl/interface_ca.h"
#include "bridge/signing/file_write.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/topics.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kForAll = 0644, kForOwner = 0600;

Error HandOverFailed(const std::string& file, const std::string& why) {
  return Error::Make(Code::kFailed, "file_failed", file + ": " + why);
}

// A folder of files, made beside and renamed.
class Bundle {
 public:
  explicit Bundle(std::string folder) : folder_(std::move(folder)), building_(folder_ + ".new") {}
  Status Begin() {
    std::error_code failure;
    fs::remove_all(building_, failure);
    if (!failure) fs::create_directories(building_ + "/config", failure);
    if (!failure) fs::permissions(building_, fs::perms::owner_all, failure);
    return failure ? Status(HandOverFailed(building_, failure.message())) : Status(Done{});
  }
  void Write(const std::string& name, const std::string& text, mode_t mode = kForAll) {
    if (failed_) return;
    if (auto written = signing::CreateFile(building_ + "/" + name, text, mode); !written)
      failed_ = written.error();
  }
  // Nothing where there is no such file.
  bool Copy(const std::string& from, const std::string& name, mode_t mode = kForAll) {
    const auto text = ReadIfThere(from);
    if (text) Write(name, *text, mode);
    return text.has_value();
  }
  // Those of several that are there, in one file.
  void Gather(const std::vector<std::string>& from, const std::string& name) {
    std::string whole;
    for (const std::string& file : from) whole += ReadIfThere(file).value_or("");
    if (!whole.empty()) Write(name, whole);
  }
  Status End() {
    std::error_code failure;
    if (!failed_) {
      fs::remove_all(folder_, failure);
      if (!failure) fs::rename(building_, folder_, failure);
      if (failure) failed_ = HandOverFailed(folder_, failure.message());
    }
    if (!failed_) return Done{};
    fs::remove_all(building_, failure);
    return *failed_;
  }

 private:
  std::optional<std::string> ReadIfThere(const std::string& file) {
    std::ifstream input(file, std::ios::binary);
    if (file.empty() || (!input && !fs::exists(file))) return std::nullopt;
    if (!input) failed_ = HandOverFailed(file, "cannot be read");
    std::ostringstream text;
    text << input.rdbuf();
    return text.str();
  }

  const std::string folder_, building_;
  std::optional<Error> failed_;
};

nlohmann::ordered_json Facts(const app::Config& config, const PartyId& party) {
  return {{"party", party.text()},
          {"role", wire::RoleName(config.parties.at(party))},
          {"zone", config.zone},
          {"broker",
           {{"host", config.mqtt.host}, {"port", config.mqtt.port}, {"protocol", "MQTT 5 over TLS 1.3"}}},
          {"topics",
           {{"write", std::string(wire::kFrom) + party.text() + "/{command}"},
            {"read", wire::OwnSpaceOf(party) + "#"}}},
          {"batches", config.takes_batches.contains(party)},
          {"resolver",
           {{"address", config.resolver.address},
            {"port", config.resolver.port},
            {"name", config.resolver.name}}},
          {"trustAnchors", config.trust_anchors}};
}

// Whoever checks devices' certificates must know a CA before it signs, and as long as its certificates live.
std::vector<std::string> IssuingFiles(const app::Config& config) {
  std::vector<std::string> files{config.pki.issuing_certificate};
  for (const auto& coming : config.coming_issuing) files.push_back(coming.certificate);
  for (const auto& former : config.former_issuing) files.push_back(former.certificate);
  return files;
}

}  // namespace

Result<std::string> HandOver(const std::string& registry_folder, const std::string& name) {
  const auto lock = FolderLock::Take(registry_folder);
  if (!lock) return lock.error();
  const auto config = app::LoadConfig(registry_folder + "/registry.toml");
  if (!config) return config.error();
  const auto party = PartyId::Parse(name);
  if (!party || !config->parties.contains(*party))
    return Error::Make(Code::kFailed, "party_missing", "registry.toml names no party " + name);
  const std::string interface = registry_folder + "/interface", stem = interface + "/parties/" + name;
  const auto certificate = LoadPartyCertificate(interface, name);
  if (!certificate) return certificate.error();
  std::error_code ignored;
  fs::create_directories(interface + "/hand-over", ignored);
  const std::string folder = interface + "/hand-over/" + name;
  Bundle bundle(folder);
  if (auto begun = bundle.Begin(); !begun) return begun.error();
  bundle.Copy(config->mqtt.ca_file, "ca.pem");
  bundle.Copy(stem + ".pem", name + ".pem");
  HandOverFacts facts{name,
                      std::string(wire::RoleName(config->parties.at(*party))),
                      config->zone,
                      config->mqtt.host,
                      config->mqtt.port,
                      bundle.Copy(stem + ".key", name + ".key", kForOwner),
                      config->takes_batches.contains(*party)};
  bundle.Copy(config->pki.root_certificate, "registry-root.pem");
  bundle.Gather(IssuingFiles(*config), "registry-issuing.pem");
  bundle.Copy(config->resolver.certificate, "resolver.pem");
  std::string anchors;
  for (const std::string& anchor : config->trust_anchors) anchors += anchor + "\n";
  bundle.Write("trust-anchors.txt", anchors);
  bundle.Write("registry.json", Facts(*config, *party).dump(2) + "\n");
  bundle.Write("quota.json", FirstCommand(facts));
  for (const char* program : {"mosquitto_pub", "mosquitto_sub", "mosquitto_rr"})
    bundle.Write(std::string("config/") + program, ClientOptions(facts));
  bundle.Write("README.md", HandOverReadme(facts));
  if (auto ended = bundle.End(); !ended) return ended.error();
  return folder;
}

}  // namespace registry::ctl
