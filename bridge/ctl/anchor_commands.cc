#include "bridge/ctl/anchor_commands.h"

#include <iostream>
#include <memory>

#include "bridge/app/config.h"
#include "bridge/clock.h"
#include "bridge/ctl/anchor_life.h"
#include "bridge/ctl/change.h"
#include "bridge/ctl/ledger_source.h"
#include "workers/domain/standing.h"

namespace registry::ctl {
namespace {

using Verb = AnchorStep::Verb;

struct AnchorOptions {
  AnchorStep step;
  std::string config, reason;
  int hold_down_days = static_cast<int>(kHoldDown.count());
  bool dry_run = false, json = false;
};
using SharedOptions = std::shared_ptr<AnchorOptions>;

BelievedAnchors Devices(const app::Config& config) {
  const OpenLedger ledger(config);
  return OrFailNamed(LookAtDevices(*ledger));
}

Json ShownAnchor(const KnownAnchor& anchor, const BelievedAnchors& believed) {
  const std::string label = anchor.label();
  const auto with = believed.With({label});
  Json out{{"anchor", label},
           {"state", NameOf(anchor.state)},
           {"since", Text(anchor.since)},
           {"hold_down_ends", Text(anchor.until)}};
  out["confirmed"] = with.confirmed;
  out["under_way"] = with.under_way;
  out["may_believe"] = believed.MayBelieve(label);
  out["record"] = anchor.record;
  return out;
}

void Show(const AnchorOptions& options) {
  const app::Config config = OrFailNamed(app::LoadConfig(options.config));
  const auto set = OrFailNamed(ReadAnchorSet(AnchorStatesOf(config), config.trust_anchors));
  const auto believed = Devices(config);
  const auto wanted = app::LabelsOf(config.trust_anchors);
  const bool is_given = !believed.given.empty() && believed.given.back().labels == wanted;
  Json out{{"zone", config.zone},
           {"devices", believed.devices()},
           {"given_since", is_given ? Text(believed.given.back().since) : ""},
           {"all_confirmed", believed.Everywhere(wanted)},
           {"anchors", Json::array()}};
  if (!is_given) out["waits_for"] = "the next start of registryd, which gives these anchors to devices";
  for (const KnownAnchor& anchor : set.anchors) out["anchors"].push_back(ShownAnchor(anchor, believed));
  Print(out, options.json);
}

// Which devices have not confirmed a payload with all that the configuration gives.
void Lacking(const AnchorOptions& options) {
  const app::Config config = OrFailNamed(app::LoadConfig(options.config));
  const auto wanted = app::LabelsOf(config.trust_anchors);
  const OpenLedger ledger(config);
  const BelievedAnchors believed(OrFailNamed(app::ReadAnchorsGiven(*ledger)));
  Rows rows(options.json);
  OrFailNamed(ForEachDevice(*ledger, [&](const std::vector<domain::Device>& page) {
    Json printed = Json::array();
    for (const auto& device : page) {
      const auto lack = believed.LackOf(device, wanted);
      if (lack == BelievedAnchors::Lack::kNothing) continue;
      printed.push_back({{"device", device.id.text()},
                         {"mno", domain::Sponsor(device).text()},
                         {"network", domain::IsAway(device) ? "away" : "attached"},
                         {"payload", lack == BelievedAnchors::Lack::kPayload ? "not made" : "under way"}});
    }
    rows.Add(printed);
  }));
  rows.End("every device has confirmed what it is given");
}

void Run(const AnchorOptions& options) {
  AnchorStep step = options.step;
  step.hold_down = std::chrono::days(options.hold_down_days);
  step.now = SystemClock().Now();
  ChangeOptions checked;
  checked.reason = options.reason;
  Json ignored;
  PutReason(checked, ignored);
  const auto before = OrFailNamed(app::LoadConfig(options.config)).trust_anchors;
  const auto ask = [&]() -> Result<BelievedAnchors> {
    return Devices(OrFailNamed(app::LoadConfig(options.config)));
  };
  const auto changed = OrFailNamed(TakeStep(options.config, step, options.reason, options.dry_run, ask));
  if (options.dry_run) std::cout << "it would come to: ";
  std::cout << changed.said << '\n';
  if (options.dry_run || app::LabelsOf(changed.set.Given()) == app::LabelsOf(before)) return;
  std::cout
      << "registry.toml names what devices are given, and the next start of registryd gives it with every "
         "payload.\nFor payloads now, after that start: registryctl order start reprovision --all\n";
}

CLI::App* AnchorCommand(CLI::App& group, const char* name, const char* what, const SharedOptions& options) {
  CLI::App* const command = group.add_subcommand(name, what);
  command->add_option("--config", options->config, "configuration of registryd")->required();
  return command;
}

CLI::App* StepCommand(CLI::App& group, const char* name, const char* what, Verb verb,
                      const SharedOptions& options) {
  CLI::App* const command = AnchorCommand(group, name, what, options);
  command
      ->add_option("ANCHOR", options->step.anchor,
                   verb == Verb::kAdd ? "DS or DNSKEY record, one argument" : "its key tag, or its record")
      ->required();
  command->add_option("--reason", options->reason, "Why, for people: kept in the history that `audit` shows")
      ->required();
  command->add_flag("--dry-run", options->dry_run, "Say what it would come to, and change nothing");
  options->step.verb = verb;
  command->callback([options] { Run(*options); });
  return command;
}

void AddHoldDownOption(CLI::App& command, const SharedOptions& options, const char* what) {
  command.add_option("--hold-down", options->hold_down_days, what)
      ->type_name("DAYS")
      ->check(CLI::Range(0, 3650));
}

}  // namespace

void AddAnchorCommands(CLI::App& app) {
  CLI::App* const group =
      app.add_subcommand("anchor", "what devices trust in the DNS, and its roll-over (RFC 5011)");
  group->require_subcommand(1);
  const auto shown = std::make_shared<AnchorOptions>(), added = std::make_shared<AnchorOptions>(),
             trusted = std::make_shared<AnchorOptions>(), revoked = std::make_shared<AnchorOptions>(),
             removed = std::make_shared<AnchorOptions>();
  CLI::App* const show =
      AnchorCommand(*group, "show", "each trust anchor, its state, and how many devices believe it", shown);
  show->add_flag("--json", shown->json, "print JSON");
  show->callback([shown] { Show(*shown); });
  const auto lacking = std::make_shared<AnchorOptions>();
  CLI::App* const list = AnchorCommand(
      *group, "lacking", "the devices that have not confirmed every anchor they are given", lacking);
  list->add_flag("--json", lacking->json, "print JSON");
  list->callback([lacking] { Lacking(*lacking); });
  AddHoldDownOption(
      *StepCommand(*group, "add", "know a new anchor; devices are not given it yet", Verb::kAdd, added),
      added, "before devices are given it (30); 0: at once, when somebody has verified it");
  StepCommand(*group, "trust", "give devices an anchor whose hold-down is over", Verb::kTrust, trusted);
  CLI::App* const revoke = StepCommand(
      *group, "revoke", "give devices an anchor no more; each must have another one", Verb::kRevoke, revoked);
  AddHoldDownOption(*revoke, revoked, "before it can be removed (30)");
  revoke->add_flag("--force", revoked->step.force, "though devices have no other one; how many is said");
  CLI::App* const remove = StepCommand(*group, "remove", "forget an anchor that no device believes any more",
                                       Verb::kRemove, removed);
  remove->add_flag("--force", removed->step.force, "though devices may believe it; how many is said");
}

}  // namespace registry::ctl
