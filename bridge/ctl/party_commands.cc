#include "bridge/ctl/party_commands.h"

#include <filesystem>

#include "bridge/app/config.h"
#include "bridge/clock.h"
#include "bridge/ctl/interface_ca.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/ctl/party_history.h"
#include "bridge/ctl/party_holdings.h"
#include "bridge/signing/key_file.h"
#include "schemas/wire/codec.h"

namespace registry::ctl {
namespace {

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
             {"devices", HoldingsOf(*ledger, party).devices},
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
Json LimitsOf(const app::Config& config, const PartyId& party) {
  const ingest::Rates& rates = config.limits.Of(party);
  Json rows = Json::array();
  for (std::size_t which = 0; which < rates.size(); ++which) {
    rows.push_back({{"limit", ingest::LimitName(static_cast<ingest::LimitClass>(which))},
                    {"per_second", rates[which].per_second},
                    {"burst", rates[which].burst}});
  }
  return rows;
}

Json CertificatesOf(const std::string& interface, const std::string& party, UtcTime now) {
  const auto crl =
      OrFail(ReadInterfaceCrl(interface, OrFail(signing::LoadCertificate(interface + "/ca.pem"))));
  Json rows = Json::array();
  for (const IssuedToParty& one : OrFail(IssuedToParties(interface))) {
    if (one.party != party) continue;
    const auto end = FromRfc3339(one.not_after);
    const char* const state = crl.Lists(one.serial) ? "withdrawn" : end && *end <= now ? "ended" : "accepted";
    rows.push_back({{"serial", SerialText(one.serial)}, {"not_after", one.not_after}, {"state", state}});
  }
  return rows;
}

void Show(const ReadOptions& options, const std::string& name) {
  if (options.config.empty())
    FailWrong("name the configuration with --config FILE: it says which parties there are");
  const auto config = OrFail(app::LoadConfig(options.config));
  const auto party = PartyId::Parse(name);
  if (!party || !config.parties.contains(*party)) Fail("the configuration names no party " + name);
  const OpenLedger ledger(options);
  const PartyHoldings holdings = HoldingsOf(*ledger, *party);
  const wire::Role role = config.parties.at(*party);
  const auto contact = config.contacts.find(*party);
  Json out{{"party", name},
           {"role", wire::RoleName(role)},
           {"contact", contact == config.contacts.end() ? "" : contact->second},
           {"batches", config.takes_batches.contains(*party)},
           {"auto_approve", config.transfer.auto_approve.contains(*party)},
           {"devices", holdings.devices},
           {"transfers_open", holdings.transfers_pending},
           {"orders_open", holdings.orders_open},
           {"jobs_open", holdings.jobs}};
  if (role == wire::Role::kMno) out["retry"] = Plan(config.retry.Of(*party));
  out["limits"] = LimitsOf(config, *party);
  out["certificates"] = CertificatesOf(app::InterfaceFolder(config), name, SystemClock().Now());
  out["history"] = Json::array();
  for (const std::string& line : OrFail(EventsOf(app::InterfaceFolder(config), name)))
    out["history"].push_back(Json::parse(line));
  Print(out, options.json);
}

void Limits(const ReadOptions& options, const std::string& name) {
  if (options.config.empty())
    FailWrong("name the configuration with --config FILE: it says what the limits are");
  const auto config = OrFail(app::LoadConfig(options.config));
  const auto party = PartyId::Parse(name);
  if (!party || !config.parties.contains(*party)) Fail("the configuration names no party " + name);
  Print(LimitsOf(config, *party), options.json);
}

}  // namespace

void AddPartyList(CLI::App& party) {
  // CLI11 keeps references; what they refer to lives as long as the command's callback.
  const auto options = std::make_shared<ReadOptions>();
  auto* list = party.add_subcommand("list", "Each party that is configured, with its devices and open jobs");
  list->callback([options] { List(*options); });
  AddReadOptions(*list, *options);
  const auto name = std::make_shared<std::string>();
  auto* show = party.add_subcommand(
      "show", "Everything known about a party, its certificates and what was done to it");
  show->add_option("NAME", *name, "The party")->required();
  show->callback([options, name] { Show(*options, *name); });
  AddReadOptions(*show, *options);
  auto* limits = party.add_subcommand("limits", "How fast a party may send, by class of commands");
  limits->add_option("NAME", *name, "The party")->required();
  limits->callback([options, name] { Limits(*options, *name); });
  AddReadOptions(*limits, *options);
}

}  // namespace registry::ctl
