#include "bridge/ctl/zone_rebuild_command.h"

#include <chrono>
#include <filesystem>
#include <iostream>
#include <thread>

#include "bridge/app/zone_options.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/ctl/names_an_esim.h"
#include "bridge/ctl/running.h"
#include "bridge/ctl/user_name.h"
#include "bridge/ctl/zone_names.h"
#include "bridge/zone/rebuild_request.h"

namespace registry::ctl {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};

struct RebuildArguments {
  std::string config, reason;
  int patience = 300;
  bool dry_run = false;
};

std::uint64_t NamesNow(const app::Config& config) {
  const OpenLedger ledger(config);
  return NamesIn(*ledger);
}

std::string SerialOf(const app::Config& config) {
  const auto values = Values(MetricsOf(config), "registry_zone_serial");
  const auto serial = values.find("");
  return serial == values.end() ? "" : std::to_string(static_cast<std::uint64_t>(serial->second));
}

bool GoneWithin(const std::string& file, std::chrono::seconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::filesystem::exists(file)) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(kLookEvery);
  }
  return true;
}

void Rebuild(const RebuildArguments& arguments) {
  const app::Config config = OrFail(app::LoadConfig(arguments.config));
  if (config.dns.by_update())
    Fail(
        "zone.publisher is \"update\": the signing server makes the zone, and registryd mends its names by "
        "itself");
  const std::string file = zone::RebuildFileOf(app::ZoneOptions(config, {}));
  if (arguments.dry_run) {
    const std::string serial = SerialOf(config);
    std::cout << "the zone would be made anew from the ledger, with " << NamesNow(config) << " names"
              << (serial.empty() ? std::string(", at the next start: registryd does not run")
                                 : ", under a serial behind " + serial)
              << "; every secondary would take the whole of it. Nothing was asked\n";
    return;
  }
  if (NamesAnEsim(arguments.reason)) FailWrong("--reason holds an EID or ICCID, and the history keeps it");
  const std::string user = UserName();
  OrFail(zone::RequestRebuild(file, arguments.reason + (user.empty() ? "" : ", by " + user)));
  if (!ProcessOf(config)) {
    std::cout << "registryd does not run; its next start makes the zone anew\n";
    return;
  }
  if (!GoneWithin(file, std::chrono::seconds(arguments.patience)))
    Fail(
        "registryd has not done it yet; it stays requested, and the log of the room zone says what it waits "
        "for");
  const std::string serial = SerialOf(config);
  std::cout << "the zone was made anew from the ledger" << (serial.empty() ? "" : ", serial " + serial)
            << "; registryctl zone check says who serves it\n";
}

}  // namespace

void AddZoneRebuild(CLI::App& zone) {
  const auto arguments = std::make_shared<RebuildArguments>();
  auto* rebuild = zone.add_subcommand("rebuild", "have registryd make the zone anew from the ledger");
  rebuild->add_option("--config", arguments->config, "configuration of registryd")->required();
  rebuild->add_option("--reason", arguments->reason, "why; the log and the history keep it")
      ->required()
      ->check([](const std::string& text) {
        return text.empty() || text.size() > zone::kReasonMax ? std::string("1 to 500 octets")
                                                              : std::string();
      });
  rebuild->add_option("--patience", arguments->patience, "seconds to wait until it is done")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  rebuild->add_flag("--dry-run", arguments->dry_run, "say what would be done, and ask nothing");
  rebuild->callback([arguments] { Rebuild(*arguments); });
}

}  // namespace registry::ctl
