#include "bridge/ctl/node_commands.h"

#include <memory>

#include "bridge/ctl/ledger_source.h"
#include "bridge/ledger/postgres/node_list.h"

namespace registry::ctl {
namespace {

Json InSeconds(const std::optional<std::chrono::milliseconds>& time) {
  return time ? Json(std::chrono::duration<double>(*time).count()) : Json("");
}

Json RowOf(const ledger::ListedNode& node) {
  return {{"node", node.name},
          {"state", ledger::NodeStateName(node.state)},
          {"since", Text(node.since)},
          {"said_seconds_ago", InSeconds(node.said_ago)},
          {"version", node.version},
          {"lease_seconds", InSeconds(node.lease)},
          {"epoch", node.epoch ? Json(*node.epoch) : Json("")},
          {"reaches_broker", node.reaches_broker ? Json(*node.reaches_broker) : Json("")}};
}

void ListNodes(const ReadOptions& options) {
  const auto place = LedgerPlaceOf(options);
  if (!place.postgres) Fail("the ledger is in a folder, which one registryd alone uses");
  Json rows = Json::array();
  for (const ledger::ListedNode& node : ledger::ListOf(OrFail(ledger::NodesOfPostgres(*place.postgres))))
    rows.push_back(RowOf(node));
  PrintList(rows, "no registryd has had this ledger yet", options.json);
}

}  // namespace

void AddNodeCommands(CLI::App& app) {
  const auto options = std::make_shared<ReadOptions>();
  auto* nodes = app.add_subcommand("node", "registryd on one ledger in PostgreSQL")->require_subcommand(1);
  auto* list = nodes->add_subcommand(
      "list", "which one is active, which ones decide beside it, and which ones stand by");
  list->callback([options] { ListNodes(*options); });
  AddReadOptions(*list, *options);
}

}  // namespace registry::ctl
