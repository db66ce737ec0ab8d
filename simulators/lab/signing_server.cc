#include "simulators/lab/signing_server.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include "simulators/lab/process.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours kKeysOlderBy{2};  // than now, for a clock that is a little behind

std::string ConfigFile(const Layout& layout) { return layout.In("signing/server.conf"); }
std::string At(std::uint16_t port) { return std::string(kAddress) + "@" + std::to_string(port); }

Status Write(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::trunc);
  out << text;
  if (out.flush()) return Done{};
  return Error::Make(Code::kFailed, "setup_failed", "cannot write " + file);
}

// As bridge/update/README.md has it, without limits that no lab needs.
std::string ConfigText(const Layout& layout, const TsigKey& key) {
  const std::string folder = "\"" + layout.In("signing") + "\"";
  return "server:\n    listen: " + At(layout.primary) + "\n    rundir: " + folder +
         "\n    udp-workers: 1\n    tcp-workers: 1\n    background-workers: 1\n"
         "log:\n  - target: stderr\n    any: info\ndatabase:\n    storage: " +
         folder + "\nkey:\n  - id: " + key.name + "\n    algorithm: hmac-sha256\n    secret: " + key.secret +
         "\nremote:\n  - id: secondary\n    address: " + At(layout.authority) + "\n    key: " + key.name +
         "\nacl:\n  - id: registry\n    key: " + key.name +
         "\n    action: update\n    update-type: [TLSA, TXT]\n  - id: secondary\n    key: " + key.name +
         "\n    action: transfer\npolicy:\n  - id: registry\n    algorithm: ecdsap256sha256\n    nsec3: on\n"
         "    nsec3-iterations: 0\n    nsec3-salt-length: 0\nzone:\n  - domain: " +
         kZone + "\n    storage: " + folder +
         "\n    file: zone\n    dnssec-signing: on\n    dnssec-policy: registry\n"
         "    acl: [registry, secondary]\n    notify: secondary\n";
}

// The SOA's TTL and minimum are those of a lab's negative answers.
std::string ZoneText() {
  return "$TTL 60\n@ 1 SOA ns1 hostmaster 1 60 10 86400 1\n@ NS ns1\nns1 A " + std::string(kAddress) + "\n";
}

Status ImportKey(const Layout& layout, const std::string& file, const std::string& role) {
  const auto since = std::chrono::system_clock::now() - kKeysOlderBy;
  const std::string at =
      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(since.time_since_epoch()).count());
  std::vector<std::string> command{
      "keymgr",       "-c", ConfigFile(layout), kZone,           "import-pem",  file,
      "algorithm=13", role, "created=" + at,    "publish=" + at, "active=" + at};
  if (role == "ksk=yes") command.push_back("ready=" + at);
  const auto imported = RunToEnd(command);
  return imported ? Status(Done{}) : Status(imported.error());
}

}  // namespace

Status PrepareSigningServer(const Layout& layout, const TsigKey& key) {
  std::error_code ignored;
  fs::create_directories(layout.In("signing"), ignored);
  if (Status written = Write(ConfigFile(layout), ConfigText(layout, key)); !written) return written;
  const std::string zone = layout.In("signing/zone");
  if (fs::exists(zone)) return Done{};
  for (const auto& [file, role] :
       {std::pair("zone/ksk.pem", "ksk=yes"), std::pair("zone/zsk.pem", "zsk=yes")}) {
    if (Status imported = ImportKey(layout, layout.Registry(file), role); !imported) return imported;
  }
  return Write(zone, ZoneText());
}

std::vector<std::string> SigningServerCommand(const Layout& layout) {
  return {"knotd", "-c", ConfigFile(layout)};
}

}  // namespace registry::lab
