#include "bridge/ctl/node_commands.h"

#include <memory>

#include "bridge/ctl/ledger_source.h"
#include "bridge/ledger/postgres/nodes.h"

namespace registry::ctl {
namespace {

// One that stands by says so once a second.
constexpr std::int64_t kSilentAfterMicros = 30'000'000;

double Seconds(std::int64_t micros) { return static_cast<double>(micros / 1000) / 1000; }

Json RowOf(const std::string& node, const char* state, const ledger::LeaseSeen& lease, UtcTime since,
           UtcTime said, const std::string& version) {
  return {{"node", node},
          {"state", state},
          {"since", Text(since)},
          {"said_seconds_ago", Seconds(lease.now.micros - said.micros)},
          {"version", version}};
}

void ListNodes(const ReadOptions& options) {
  const auto place = LedgerPlaceOf(options);
  if (!place.postgres) Fail("the ledger is in a folder, which one registryd alone uses");
  const auto nodes = OrFail(ledger::NodesOfPostgres(*place.postgres));
  const ledger::LeaseSeen& lease = nodes.lease;
  Json rows = Json::array();
  // Whoever had it last, too: nobody has it now.
  if (!lease.node.empty() || lease.process != 0) {
    Json row = RowOf(lease.node, lease.process != 0 ? "active" : "ended", lease, lease.since, lease.said,
                     lease.version);
    row["lease_seconds"] = Seconds(lease.lasts.count() * 1000);
    row["reaches_broker"] = "";
    rows.push_back(std::move(row));
  }
  for (const ledger::StandbySeen& one : nodes.standing_by) {
    const bool silent = lease.now.micros - one.said.micros > kSilentAfterMicros;
    Json row = RowOf(one.name, silent ? "silent" : "standby", lease, one.since, one.said, one.version);
    row["lease_seconds"] = "";
    row["reaches_broker"] = one.reaches_broker;
    rows.push_back(std::move(row));
  }
  PrintList(rows, "no registryd has had this ledger yet", options.json);
}

}  // namespace

void AddNodeCommands(CLI::App& app) {
  const auto options = std::make_shared<ReadOptions>();
  auto* nodes = app.add_subcommand("node", "registryd on one ledger in PostgreSQL")->require_subcommand(1);
  auto* list = nodes->add_subcommand("list", "which one is active, and which ones stand by");
  list->callback([options] { ListNodes(*options); });
  AddReadOptions(*list, *options);
}

}  // namespace registry::ctl
