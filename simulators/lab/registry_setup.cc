#include "simulators/lab/registry_setup.h"

#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "simulators/lab/process.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;

Error SetupError(const std::string& what) { return Error::Make(Code::kFailed, "setup_failed", what); }

// toml++ throws; nothing of it leaves this file.
Result<toml::table> ReadConfigFile(const std::string& file) {
  try {
    return toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    return SetupError(file + ": " + std::string(error.description()));
  }
}
Result<toml::table> ReadConfig(const Layout& layout) { return ReadConfigFile(layout.ConfigFile()); }

Status WriteConfigFile(const std::string& file, const toml::table& config) {
  std::ofstream out(file);
  out << config << "\n";
  if (!out.flush()) return SetupError("cannot write " + file);
  return Done{};
}
Status WriteConfig(const Layout& layout, const toml::table& config) {
  return WriteConfigFile(layout.ConfigFile(), config);
}

toml::table& Section(toml::table& config, const char* name) {
  if (!config[name].is_table()) config.insert_or_assign(name, toml::table{});
  return *config[name].as_table();
}

Status Put(const Keys& keys, toml::table& table) {
  std::string text;
  for (const auto& [key, value] : keys) text += key + " = " + value + "\n";
  try {
    for (const auto& [key, value] : toml::parse(text)) table.insert_or_assign(key, value);
  } catch (const toml::parse_error& error) {
    return SetupError(text + ": " + std::string(error.description()));
  }
  return Done{};
}

Result<std::string> FirstRecord(const std::string& file) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != ';' && line[0] != '#') return line;
  }
  return SetupError(file + " holds no record");
}

// Appended: for a text moved through operator+ GCC 12 warns of octets out of bounds under ThreadSanitizer.
std::string InZone(std::string label) {
  label.append(".").append(kZone);
  return label;
}

void SetZone(toml::table& zone, const Layout& layout, const RegistrySetup& setup) {
  const std::string name_server = InZone("ns1");
  zone.insert_or_assign("listen_address", kAddress);
  zone.insert_or_assign("listen_port", static_cast<int>(layout.primary));
  zone.insert_or_assign("name_servers", toml::array{name_server});
  toml::array pairs;  // not toml::array{toml::array{…}}: that is a copy of the inner one
  pairs.push_back(toml::array{name_server, kAddress});
  zone.insert_or_assign("glue", pairs);
  zone.insert_or_assign("contact", InZone("hostmaster"));
  zone.insert_or_assign("tlsa_ttl", setup.tlsa_ttl);
  zone.insert_or_assign("negative_ttl", 1);
  zone.insert_or_assign("publisher", setup.by_update ? "update" : "own");
  if (!setup.by_update) return;
  zone.insert_or_assign("update_address", kAddress);
  zone.insert_or_assign("update_port", static_cast<int>(layout.primary));
}

void SetResolver(toml::table& resolver, const Layout& layout, const RegistrySetup& setup) {
  resolver.insert_or_assign("address", kAddress);
  resolver.insert_or_assign("port", static_cast<int>(layout.dot));
  resolver.insert_or_assign("name", kResolverName);
  resolver.insert_or_assign("certificate", setup.resolver_certificate_file);
}

// Everything that a certificate's time decides goes as fast as its time.
void SetRenewal(toml::table& config, const RegistrySetup& setup) {
  Section(config, "pki").insert_or_assign("validity_seconds", setup.validity_seconds);
  toml::table& renewal = Section(config, "renewal");
  renewal.insert_or_assign("look_seconds", 1);
  renewal.insert_or_assign("again_seconds", std::max(setup.validity_seconds / 10, 5));
}

void SetLedger(toml::table& ledger, const RegistrySetup& setup) {
  ledger.erase("folder");
  ledger.insert_or_assign("backend", "postgres");
  ledger.insert_or_assign("connection", setup.postgres);
  ledger.insert_or_assign("password_file", setup.postgres_password_file);
  if (setup.lease_seconds == 0) return;
  ledger.insert_or_assign("standby", true);
  ledger.insert_or_assign("lease_seconds", setup.lease_seconds);
  ledger.insert_or_assign("shared", setup.shared);
}

// Where each node finds the zone while another one is active.
void SetOtherPrimaries(toml::table& zone, const Layout& layout, std::uint16_t own) {
  std::vector<std::uint16_t> ports{layout.primary};
  for (const OtherBridge& bridge : layout.other_bridges) ports.push_back(bridge.primary);
  toml::array others;
  for (const std::uint16_t port : ports) {
    if (port != own) others.push_back(std::string(kAddress) + "@" + std::to_string(port));
  }
  zone.insert_or_assign("other_primaries", std::move(others));
}

// A person who plays a party reads one envelope a message.
void SetBatches(toml::array& parties) {
  std::set<std::string> simulated(std::begin(kMnos), std::end(kMnos));
  simulated.insert(std::begin(kAsps), std::end(kAsps));
  for (toml::node& node : parties) {
    toml::table* const party = node.as_table();
    if (party != nullptr && simulated.contains((*party)["name"].value_or(std::string()))) {
      party->insert_or_assign("batches", true);
    }
  }
}

}  // namespace

Status InitRegistry(const Layout& layout, const std::string& registryctl) {
  const std::string folder = layout.In("registry");
  if (fs::exists(layout.ConfigFile())) return Done{};
  auto made = RunToEnd({registryctl, "init", "--dir", folder, "--zone", kZone, "--broker-host", kAddress});
  if (!made) return made.error();
  for (const auto& party : Parties()) {
    made = RunToEnd({registryctl, "party", "add", party.name, "--role", party.role, "--dir", folder});
    if (!made) return made.error();
  }
  return Done{};
}

Status CompleteConfig(const Layout& layout, const RegistrySetup& setup) {
  auto config = ReadConfig(layout);
  if (!config) return config.error();
  Section(*config, "registry").insert_or_assign("trust_anchors", toml::array{setup.trust_anchor});
  toml::table& mqtt = Section(*config, "mqtt");
  mqtt.insert_or_assign("host", kAddress);
  mqtt.insert_or_assign("port", static_cast<int>(layout.mqtt));
  SetResolver(Section(*config, "resolver"), layout, setup);
  SetZone(Section(*config, "zone"), layout, setup);
  if (!layout.other_bridges.empty()) SetOtherPrimaries(Section(*config, "zone"), layout, layout.primary);
  if (auto* const parties = (*config)["party"].as_array(); setup.batches && parties != nullptr)
    SetBatches(*parties);
  toml::table secondary;
  secondary.insert("name", NameOf(setup.authority));
  secondary.insert("address", kAddress);
  secondary.insert("port", static_cast<int>(layout.authority));
  config->insert_or_assign("secondary", toml::array{secondary});
  toml::table& http = Section(*config, "http");
  http.insert_or_assign("address", kAddress);
  http.insert_or_assign("port", static_cast<int>(layout.http));
  toml::table& console = Section(*config, "console");
  console.insert_or_assign("enabled", setup.console);
  console.insert_or_assign("port", static_cast<int>(layout.console));
  if (setup.validity_seconds > 0) SetRenewal(*config, setup);
  if (!setup.postgres.empty()) SetLedger(Section(*config, "ledger"), setup);
  Section(*config, "node").insert_or_assign("name", "registryd");
  Section(*config, "retry").insert_or_assign("first_seconds", setup.retry_first_seconds);
  return WriteConfig(layout, *config);
}

Status CopyRegistry(const Layout& layout, const OtherBridge& bridge) {
  constexpr auto kCopy = fs::copy_options::recursive | fs::copy_options::overwrite_existing;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(layout.In("registry"), error)) {
    const std::string name = entry.path().filename();
    if (name == "intake" || name == "ledger" || name == "run.json") continue;
    fs::create_directories(bridge.folder, error);
    if (!error) fs::copy(entry.path(), fs::path(bridge.folder) / name, kCopy, error);
    if (error) return SetupError(bridge.folder + ": " + error.message());
  }
  auto config = ReadConfigFile(bridge.ConfigFile());
  if (!config) return config.error();
  Section(*config, "node").insert_or_assign("name", bridge.name);
  toml::table& zone = Section(*config, "zone");
  zone.insert_or_assign("listen_port", static_cast<int>(bridge.primary));
  SetOtherPrimaries(zone, layout, bridge.primary);
  Section(*config, "http").insert_or_assign("port", static_cast<int>(bridge.http));
  Section(*config, "console").insert_or_assign("port", static_cast<int>(bridge.console));
  return WriteConfigFile(bridge.ConfigFile(), *config);
}

Status SetKeys(const Layout& layout, const std::string& section, const Keys& keys) {
  auto config = ReadConfig(layout);
  if (!config) return config.error();
  if (auto put = Put(keys, Section(*config, section.c_str())); !put) return put;
  return WriteConfig(layout, *config);
}

Status SetOwnKeys(const Layout& layout, const std::string& party, const Keys& keys) {
  auto config = ReadConfig(layout);
  if (!config) return config.error();
  auto* const parties = (*config)["party"].as_array();
  for (std::size_t i = 0; parties != nullptr && i < parties->size(); ++i) {
    toml::table* const table = (*parties)[i].as_table();
    if (table == nullptr || (*table)["name"].value_or(std::string()) != party) continue;
    if (auto put = Put(keys, *table); !put) return put;
    return WriteConfig(layout, *config);
  }
  return SetupError(party + " is no party in " + layout.ConfigFile());
}

std::string IssuingTrust(const Layout& layout) { return layout.In("tls/issuing.pem"); }

Status GatherIssuing(const Layout& layout) {
  std::set<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(layout.Registry("pki"), error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("issuing") && name.ends_with(".pem")) files.insert(entry.path());
  }
  std::ofstream out(IssuingTrust(layout), std::ios::trunc);
  for (const std::string& file : files) out << std::ifstream(file).rdbuf();
  if (!files.empty() && out.flush()) return Done{};
  return SetupError("cannot write " + IssuingTrust(layout));
}

Result<TsigKey> ReadTsigKey(const Layout& layout) {
  auto config = ReadConfig(layout);
  if (!config) return config.error();
  TsigKey key;
  key.name = (*config)["zone"]["tsig_name"].value_or(std::string());
  const auto file = (*config)["zone"]["tsig_secret"].value_or(std::string("zone/tsig.key"));
  std::ifstream(fs::path(layout.In("registry")) / file) >> key.secret;
  if (key.name.empty() || key.secret.empty()) return SetupError("no TSIG key in " + layout.ConfigFile());
  return key;
}

Result<std::string> ReadZoneDs(const Layout& layout) {
  return FirstRecord(layout.Registry("zone/anchor.ds"));
}

}  // namespace registry::lab
