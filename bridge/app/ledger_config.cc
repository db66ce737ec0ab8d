#include "bridge/app/ledger_config.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "bridge/app/config_section.h"

namespace registry::app {
namespace {

constexpr std::size_t kNameMax = 64;

}  // namespace

bool IsNodeName(const std::string& name) {
  return name.size() <= kNameMax && std::all_of(name.begin(), name.end(), [](char c) {
           return c == '.' || c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                  (c >= 'A' && c <= 'Z');
         });
}

std::string NodeName(const LedgerConfig& config) {
  std::array<char, kNameMax + 1> host{};
  if (config.node.empty() && ::gethostname(host.data(), kNameMax) == 0 && IsNodeName(host.data()))
    return host.data();
  return config.node;
}

LedgerConfig ReadLedgerConfig(Section& section, std::string& folder) {
  LedgerConfig config;
  const auto known = [](const std::string& name) { return name == "rocksdb" || name == "postgres"; };
  config.in_postgres =
      section.Checked("backend", "\"rocksdb\" or \"postgres\"", known, "rocksdb") == "postgres";
  folder = config.in_postgres ? section.Path("folder", "") : section.Path("folder");
  config.connection = section.Text("connection", "");
  config.password_file = section.Path("password_file", "");
  config.schema = section.Text("schema", "registry");
  config.mark_file = section.Path("mark_file", "ledger-mark");
  config.retry_seconds = section.As<int>("retry_seconds", 30, 1, 600);
  config.standby = section.Flag("standby", false);
  config.lease_seconds = section.As<int>("lease_seconds", 8, 3, 60);
  config.shared = section.Flag("shared", false);
  if (config.shared && !config.standby) section.Fault("shared", "needs ledger.standby");
  if (config.standby && !config.in_postgres)
    section.Fault("standby", "is for ledger.backend \"postgres\": a folder is one registryd's");
  if (config.in_postgres && !folder.empty()) section.Fault("folder", "is for ledger.backend \"rocksdb\"");
  if (config.in_postgres == config.connection.empty())
    section.Fault("connection", config.in_postgres ? "is missing" : "is for ledger.backend \"postgres\"");
  return config;
}

}  // namespace registry::app
