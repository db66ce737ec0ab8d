#include "bridge/ctl/zone_commands.h"

#include <iostream>
#include <regex>

#include "bridge/app/config.h"
#include "bridge/clock.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/ctl/running.h"
#include "bridge/ctl/zone_check_command.h"
#include "bridge/ctl/zone_key_commands.h"
#include "bridge/ctl/zone_names.h"
#include "bridge/ctl/zone_rebuild_command.h"

namespace registry::ctl {
namespace {

std::uint64_t Whole(double value) { return value < 0 ? 0 : static_cast<std::uint64_t>(value); }

Json Running(const std::string& metrics) {
  const auto one = [&](const char* name) { return Whole(Values(metrics, name)[""]); };
  Json out{{"serial", one("registry_zone_serial")},
           {"names", one("registry_zone_names")},
           {"pending", one("registry_zone_pending")},
           {"secondaries", Json::array()}};
  auto serials = Values(metrics, "registry_zone_secondary_serial");
  auto reachable = Values(metrics, "registry_zone_secondary_reachable");
  auto revocations = Values(metrics, "registry_zone_revocation_waiting_seconds");
  auto left = Values(metrics, "registry_zone_secondary_left_behind");
  auto left_for = Values(metrics, "registry_zone_secondary_left_behind_seconds");
  const UtcTime now = SystemClock().Now();
  for (const auto& [name, lag] : Values(metrics, "registry_zone_lag_seconds")) {
    out["secondaries"].push_back({{"name", name},
                                  {"serial", Whole(serials[name])},
                                  {"lag_seconds", lag},
                                  {"revocation_waits_seconds", revocations[name]},
                                  {"reachable", reachable[name] == 1},
                                  {"left_behind", left[name] == 1}});
    if (left[name] == 1)
      out["secondaries"].back()["left_behind_since"] =
          ToRfc3339(now - std::chrono::seconds(Whole(left_for[name])));
  }
  return out;
}

// What zone/serials.h keeps in the ledger: "serial", or "serial ksk/zsk" with the tags of the keys it was signed with.
Json Served(const std::string& state) {
  static const std::regex kState(R"((\d{1,10})(?: (\d{1,5})/(\d{1,5}))?)");
  if (state.empty()) return {{"served_before", false}};
  std::smatch match;
  if (!std::regex_match(state, match, kState)) Fail("the ledger's zone state is no serial");
  Json out{{"served_before", true}, {"serial_reserved", std::stoull(match[1])}};
  if (!match[2].matched) return out;
  out["ksk_tag"] = std::stoul(match[2]);
  out["zsk_tag"] = std::stoul(match[3]);
  return out;
}

// What the ledger knows: up to which serial one may have been served (they are reserved ahead), and the names.
Json Stored(const app::Config& config) {
  const OpenLedger ledger(config);
  Json out = Served(OrFail(ledger->LoadSink(ledger::Sink::kZone)).state);
  out["names"] = NamesIn(*ledger);
  return out;
}

void Show(const std::string& file, bool json) {
  const app::Config config = OrFail(app::LoadConfig(file));
  Json out = config.dns.by_update() ? Json{{"zone", config.zone},
                                           {"signing_server", config.dns.update_address + " port " +
                                                                  std::to_string(config.dns.update_port)},
                                           {"owner", config.dns.update_owner}}
                                    : KeysShown(config);
  out["ledger"] = Stored(config);
  const std::string metrics = MetricsOf(config);
  out["running"] = !metrics.empty();
  if (!metrics.empty()) out["served"] = Running(metrics);
  if (!json && !config.dns.by_update() && !out["ledger"]["served_before"].get<bool>()) {
    std::cout << "this registry has not served its zone yet: registryd has never been ready on its ledger\n";
  }
  Print(out, json);
}

}  // namespace

void AddZoneCommands(CLI::App& app) {
  const auto file = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  auto* zone = app.add_subcommand("zone", "the DNS zone of the registry")->require_subcommand(1);
  auto* show = zone->add_subcommand(
      "show", "DS, keys and their roll-overs, serial, names, and what the secondaries serve");
  show->add_option("--config", *file, "configuration of registryd")->required();
  show->add_flag("--json", *json, "print JSON");
  show->callback([file, json] { Show(*file, *json); });
  AddZoneKeyCommands(*zone);
  AddZoneCheck(*zone);
  AddZoneRebuild(*zone);
}

}  // namespace registry::ctl
