#include "bridge/ctl/party_commands.h"

#include "bridge/app/config.h"
#include "bridge/ctl/ledger_source.h"
#include "schemas/wire/codec.h"
#include "workers/domain/device_places.h"

namespace registry::ctl {
namespace {

constexpr std::size_t kPage = 1000;

// From the index, so that no device is read.
std::size_t DevicesOf(const ledger::LedgerReader& ledger, const PartyId& party) {
  const auto group = domain::DeviceGroup::Of(party);
  std::size_t count = 0;
  std::optional<domain::DevicePosition> after;
  for (;;) {
    const auto page = OrFail(ledger.DevicesIn(group, after, std::nullopt, kPage));
    if (page.empty()) return count;
    count += page.size();
    after = domain::PositionIn(group.kind, page.back());
  }
}

// Under the names that `[[party]]` has for it.
Json Plan(const domain::RetryPlan& plan) {
  return {{"retry_first_seconds", plan.first.count()},
          {"retry_attempts", plan.attempts_max},
          {"retry_progress_seconds", plan.progress.count()},
          {"retry_reported_seconds", plan.reported.count()},
          {"retry_open", plan.open_max}};
}

std::string InWords(const domain::RetryPlan& plan) {
  return std::to_string(plan.attempts_max) + " times, first after " + std::to_string(plan.first.count()) +
         " s, " + std::to_string(plan.open_max) + " open";
}

void List(const ReadOptions& options) {
  if (options.config.empty())
    FailWrong("name the configuration with --config FILE: it says which parties there are");
  const auto config = OrFail(app::LoadConfig(options.config));
  const OpenLedger ledger(options);
  std::map<PartyId, domain::JobLoad> loads;
  for (const auto& [mno, load] : OrFail(ledger->JobLoads())) loads[mno] = load;
  Json rows = Json::array();
  for (const auto& [party, role] : config.parties) {
    Json row{{"party", party.text()},
             {"role", wire::RoleName(role)},
             {"batches", config.takes_batches.contains(party)},
             {"devices", DevicesOf(*ledger, party)},
             {"jobs_open", loads[party].open},
             {"jobs_unsent", loads[party].unsent}};
    // Nobody but an MNO is asked for anything.
    const bool asked = role == wire::Role::kMno;
    const auto& plan = config.retry.Of(party);
    if (options.json) {
      row["retry"] = asked ? Plan(plan) : Json();
    } else {
      row["retry"] = asked ? InWords(plan) : "";
    }
    rows.push_back(std::move(row));
  }
  PrintList(rows, "the configuration names no party", options.json);
}

// What quota.get tells the party, but for what is left.
void Limits(const ReadOptions& options, const std::string& name) {
  if (options.config.empty())
    FailWrong("name the configuration with --config FILE: it says what the limits are");
  const auto config = OrFail(app::LoadConfig(options.config));
  const auto party = PartyId::Parse(name);
  if (!party || !config.parties.contains(*party)) Fail("the configuration names no party " + name);
  const ingest::Rates& rates = config.limits.Of(*party);
  Json rows = Json::array();
  for (std::size_t which = 0; which < rates.size(); ++which) {
    rows.push_back({{"limit", ingest::LimitName(static_cast<ingest::LimitClass>(which))},
                    {"per_second", rates[which].per_second},
                    {"burst", rates[which].burst}});
  }
  Print(rows, options.json);
}

}  // namespace

void AddPartyList(CLI::App& party) {
  // CLI11 keeps references; what they refer to lives as long as the command's callback.
  const auto options = std::make_shared<ReadOptions>();
  auto* list = party.add_subcommand("list", "Each party that is configured, with its devices and open jobs");
  list->callback([options] { List(*options); });
  AddReadOptions(*list, *options);
  const auto name = std::make_shared<std::string>();
  auto* limits = party.add_subcommand("limits", "How fast a party may send, by class of commands");
  limits->add_option("NAME", *name, "The party")->required();
  limits->callback([options, name] { Limits(*options, *name); });
  AddReadOptions(*limits, *options);
}

}  // namespace registry::ctl
