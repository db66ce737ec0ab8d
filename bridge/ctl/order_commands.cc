#include "bridge/ctl/order_commands.h"

#include <algorithm>
#include <tuple>

#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {
namespace {

constexpr std::size_t kPage = 1000;

OrderId ParseOrder(const std::string& text) {
  const auto id = OrderId::Parse(text);
  if (!id) FailWrong("'" + text + "' is not the id of an order");
  return *id;
}

Json Summary(const domain::Order& order) {
  return {{"order", order.id.text()},
          {"owner", order.owner.text()},
          {"kind", domain::OrderKindName(order.kind)},
          {"state", domain::OrderStateName(order.state)},
          {"dry_run", order.dry_run},
          {"done", order.counts.done},
          {"refused", order.counts.refused},
          {"failed", order.counts.failed},
          {"skipped", order.counts.skipped},
          {"created", Text(order.created)},
          {"updated", Text(order.updated)}};
}

Json Selection(const domain::Order& order) {
  const auto& group = order.selection;
  Json out = Json::object();
  if (group.party) out["party"] = group.party->text();
  if (group.endpoint) out["endpoint"] = group.endpoint->text();
  if (group.state) out["state"] = domain::StateName(*group.state);
  if (order.before) out["expires_before"] = Text(*order.before);
  return out;
}

domain::Order Load(const ledger::LedgerReader& ledger, const OrderId& id) {
  auto order = OrFail(ledger.LoadOrder(id));
  if (!order) Fail("there is no order " + id.text());
  return std::move(*order);
}

void List(const ReadOptions& options) {
  const OpenLedger ledger(options);
  Json rows = Json::array();
  auto orders = OrFail(ledger->OrdersOf(std::nullopt));
  std::sort(orders.begin(), orders.end(), [](const auto& one, const auto& other) {
    return std::tie(one.created, one.id) < std::tie(other.created, other.id);
  });
  for (const auto& order : orders) rows.push_back(Summary(order));
  PrintList(rows, "no order was started", options.json);
}

void Show(const ReadOptions& options, const std::string& text) {
  const OrderId id = ParseOrder(text);
  const OpenLedger ledger(options);
  const auto order = Load(*ledger, id);
  Json out = Summary(order);
  out["rate"] = order.rate;
  out["reason"] = order.reason;
  out["selection"] = Selection(order);
  out["last_device"] = order.cursor ? order.cursor->device.text() : "";
  out["cause"] = order.cause.text();
  Print(out, options.json);
}

void Report(const ReadOptions& options, const std::string& text, const std::string& outcome) {
  const OrderId id = ParseOrder(text);
  const auto wanted = domain::ItemOutcomeOf(outcome);
  if (!outcome.empty() && !wanted) FailWrong("'" + outcome + "' is not an outcome");
  const OpenLedger ledger(options);
  Load(*ledger, id);
  Rows rows(options.json);
  std::uint64_t after = 0;
  for (;;) {
    const auto page = OrFail(ledger->OrderItemsAfter(id, after, kPage));
    if (page.empty()) break;
    Json printed = Json::array();
    for (const auto& item : page) {
      if (wanted && item.outcome != *wanted) continue;
      printed.push_back({{"number", item.number},
                         {"device", item.device.text()},
                         {"outcome", domain::ItemOutcomeName(item.outcome)},
                         {"symbol", item.symbol},
                         {"at", Text(item.at)}});
    }
    rows.Add(printed);
    after = page.back().number;
  }
  rows.End(outcome.empty() ? "no device yet" : "no device with this outcome");
}

}  // namespace

void AddOrderCommands(CLI::App& app) {
  const auto options = std::make_shared<ReadOptions>();
  const auto order = std::make_shared<std::string>();
  const auto outcome = std::make_shared<std::string>();
  auto* orders = app.add_subcommand("order", "work on many devices")->require_subcommand(1);
  auto* list = orders->add_subcommand("list", "one line per order");
  list->callback([options] { List(*options); });
  auto* show = orders->add_subcommand("show", "everything known about one order");
  show->add_option("ID", *order, "order id")->required();
  show->callback([options, order] { Show(*options, *order); });
  auto* report = orders->add_subcommand("report", "what became of each device of an order");
  report->add_option("ID", *order, "order id")->required();
  report->add_option("--outcome", *outcome, "only devices that are done, refused, failed or skipped");
  report->callback([options, order, outcome] { Report(*options, *order, *outcome); });
  for (auto* command : {list, show, report}) AddReadOptions(*command, *options);
}

}  // namespace registry::ctl
