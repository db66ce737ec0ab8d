// What lab.json says, and the CPU time by process: the parts of Lab that only look.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "simulators/lab/asp_broker.h"
#include "simulators/lab/lab.h"
#include "simulators/lab/probe.h"

namespace registry::lab {
namespace {

using nlohmann::json;

json PartiesPart(const Layout& layout) {
  json parties = json::object();
  for (const auto& party : Parties()) {
    parties[party.name] = {{"role", party.role},
                           {"cert_file", layout.PartyCertificate(party.name)},
                           {"key_file", layout.PartyKey(party.name)}};
  }
  return parties;
}

json DnsPart(const Layout& layout, Authority authority) {
  return {
      {"zone", kZone},
      {"primary",
       {{"address", kAddress}, {"port", layout.primary}, {"tsig_key_file", layout.In("zones/tsig.conf")}}},
      {"secondaries",
       json::array({{{"software", NameOf(authority)}, {"address", kAddress}, {"port", layout.authority}}})},
      {"trust_anchor_file", layout.TrustAnchor()},
      {"trust_anchor_bind_file", layout.In("zones/trust-anchor.bind")}};
}

json ResolverPart(const Layout& layout) {
  return {{"address", kAddress},
          {"port", layout.resolver},
          {"dot_port", layout.dot},
          {"dot_name", kResolverName},
          {"dot_ca_file", layout.In("tls/resolver.pem")}};
}

json AspBrokersPart(const Layout& layout) {
  json brokers = json::object();
  for (int i = 0; i < 2; ++i) {
    brokers[kAsps[i]] = {{"host", Layout::AspHost(kAsps[i])},
                         {"address", kAddress},
                         {"port", layout.asp_mqtt[i]},
                         {"back_end_port", layout.asp_back_end[i]},
                         {"back_end_user", kBackEndUser},
                         {"back_end_password_file", AspBrokerOf(layout, i).password_file}};
  }
  return brokers;
}

std::string Url(const Layout& layout, const std::string& path) {
  return std::string("http://") + kAddress + ":" + std::to_string(layout.http) + path;
}

}  // namespace

nlohmann::json Lab::Description() const {
  json processes = json::array();
  const MutexLock lock(mutex_);
  for (const auto& server : servers_) {
    if (!server->process) continue;
    processes.push_back({{"name", server->spec.name},
                         {"pid", server->process->pid()},
                         {"start_time", StartTimeOf(server->process->pid())},
                         {"log_file", server->spec.log_file}});
  }
  json description = {{"mqtt", {{"host", kAddress}, {"port", layout_.mqtt}, {"ca_file", layout_.BrokerCa()}}},
                      {"parties", PartiesPart(layout_)},
                      {"dns", DnsPart(layout_, options_.authority)},
                      {"resolver", ResolverPart(layout_)},
                      {"pki",
                       {{"root_cert_file", layout_.Registry("pki/root.pem")},
                        {"issuing_cert_file", layout_.Registry("pki/issuing.pem")},
                        {"crl_file", layout_.Registry("pki/crl.pem")}}},
                      {"ledger_dir", layout_.Registry("ledger")},
                      {"config_file", layout_.ConfigFile()},
                      {"metrics_url", Url(layout_, "/metrics")},
                      {"health_url", Url(layout_, "/healthz")},
                      {"processes", processes}};
  if (options_.console)
    description["console_url"] = "http://localhost:" + std::to_string(layout_.console) + "/";
  json others = json::array();
  for (const OtherBridge& bridge : layout_.other_bridges) {
    others.push_back({{"name", bridge.name},
                      {"config_file", bridge.ConfigFile()},
                      {"primary_port", bridge.primary},
                      {"http_port", bridge.http}});
  }
  if (!others.empty()) description["other_bridges"] = std::move(others);
  if (options_.telemetry) description["asp_brokers"] = AspBrokersPart(layout_);
  return description;
}

Status Lab::WriteDescription(const nlohmann::json& supervisor) const {
  json description = Description();
  if (!supervisor.is_null()) description["processes"].insert(description["processes"].begin(), supervisor);
  const std::string file = layout_.In("lab.json"), draft = file + ".new";
  std::ofstream out(draft, std::ios::trunc);
  out << description.dump(2) << "\n";
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(draft, file, error);  // who looks for the file finds it whole
  if (out && !error) return Done{};
  return Error::Make(Code::kFailed, "lab_failed", "cannot write " + file);
}

std::map<std::string, Usage> Lab::UsageByProcess() const {
  std::map<std::string, pid_t> pids;
  {
    const MutexLock lock(mutex_);
    for (const auto& server : servers_) {
      if (server->process) pids[server->spec.name] = server->process->pid();
    }
  }
  std::vector<pid_t> groups;
  for (const auto& [name, pid] : pids) groups.push_back(pid);
  const auto usages = UsageOfGroups(groups);
  std::map<std::string, Usage> by_name;
  for (const auto& [name, pid] : pids) by_name[name] = usages.at(pid);
  if (postgres_) by_name["postgres"] = postgres_->UsageOfAll();
  return by_name;
}

std::string Lab::ActiveBridge() const {
  const auto active = [](std::uint16_t http) {
    const json said = json::parse(HttpBody(kAddress, http, "/healthz").value_or(""), nullptr, false);
    return said.is_object() && said.value("node", "") == "active";
  };
  if (active(layout_.http)) return "registryd";
  for (const OtherBridge& bridge : layout_.other_bridges) {
    if (active(bridge.http)) return bridge.name;
  }
  return "";
}

// While none is active it is the first one's.
std::uint16_t Lab::ActiveHttp() const {
  if (layout_.other_bridges.empty()) return layout_.http;
  const std::string name = ActiveBridge();
  for (const OtherBridge& bridge : layout_.other_bridges) {
    if (bridge.name == name) return bridge.http;
  }
  return layout_.http;
}

std::map<std::string, double> Lab::RegistryCounters() const {
  std::map<std::string, double> sums;
  if (!options_.shared) {
    AddCounters(ActiveHttp(), sums);
    return sums;
  }
  AddCounters(layout_.http, sums);
  for (const OtherBridge& bridge : layout_.other_bridges) AddCounters(bridge.http, sums);
  return sums;
}

// Prometheus' text: NAME VALUE or NAME{LABELS} VALUE; what begins with # is no value.
void Lab::AddCounters(std::uint16_t http, std::map<std::string, double>& sums) {
  std::istringstream text(HttpBody(kAddress, http, "/metrics").value_or(""));
  for (std::string line; std::getline(text, line);) {
    const std::size_t blank = line.rfind(' ');
    if (line.empty() || line[0] == '#' || blank == std::string::npos) continue;
    sums[line.substr(0, line.find_first_of("{ "))] += std::strtod(line.c_str() + blank, nullptr);
  }
}

}  // namespace registry::lab
