#include "bridge/ctl/order_verbs.h"

#include "bridge/ctl/change.h"
#include "bridge/ctl/rehearsal.h"
#include "schemas/wire/codec.h"

namespace registry::ctl {
namespace {

struct Start {
  ChangeOptions options;
  std::string kind, party, endpoint, state, expires_before;
  int rate = 0;
  bool all = false;
};

Json SelectionOf(const Start& start) {
  Json selection = Json::object();
  const std::pair<const char*, const std::string*> members[] = {{"party", &start.party},
                                                                {"endpoint", &start.endpoint},
                                                                {"state", &start.state},
                                                                {"expiresBefore", &start.expires_before}};
  for (const auto& [name, value] : members) {
    if (!value->empty()) selection[name] = *value;
  }
  // The operator's empty selection is everybody's devices, which nobody should say by leaving something out.
  if (selection.empty() != start.all)
    FailWrong(start.all ? "--all goes with no other selection"
                        : "name the devices with --party, --endpoint, --state or --expires-before; --all for "
                          "everybody's");
  return selection;
}

// A mistyped name selects nothing, and the order would end at once as if all were done. Who is no party any more may still
// have devices.
void CheckParty(const Start& start) {
  if (start.party.empty()) return;
  const auto party = PartyId::Parse(start.party);
  if (!party) FailWrong("'" + start.party + "' is not the name of a party");
  ReadOptions source;
  source.config = start.options.send.from.config;
  if (IsRegistered(source, start.party).value_or(false)) return;
  const OpenLedger ledger(source);
  if (OrFail(ledger->DevicesIn(domain::DeviceGroup::Of(*party), std::nullopt, std::nullopt, 1)).empty())
    FailUnregistered(source, start.party);
}

void Begin(const Start& start) {
  Json data{{"kind", start.kind}, {"selection", SelectionOf(start)}};
  CheckParty(start);
  if (start.rate != 0) data["rate"] = start.rate;
  if (!start.options.dry_run) return Change(start.options, wire::OrderStart::kName, std::move(data));
  PutReason(start.options, data);
  Print(Rehearsal(start.options.send.from).DecideEach(data), start.options.send.json);
}

void AddStart(CLI::App& orders) {
  const auto start = std::make_shared<Start>();
  auto* command = orders.add_subcommand("start", "do the same with many devices, one after the other");
  command->add_option("KIND", start->kind, "deactivate, delete, suspend, resume, rekey or reprovision")
      ->required()
      ->check(CLI::IsMember({"deactivate", "delete", "suspend", "resume", "rekey", "reprovision"}));
  command->add_option("--party", start->party, "only what this party sponsors or has claimed");
  command->add_option("--endpoint", start->endpoint, "only devices bound to this endpoint of --party");
  command->add_option("--state", start->state, "only devices in this state");
  command->add_option("--expires-before", start->expires_before,
                      "only devices whose certificate ends before this time");
  command->add_flag("--all", start->all, "every device of the registry");
  command->add_option("--rate", start->rate, "devices per second, at most (50)")->check(CLI::Range(1, 500));
  AddChangeOptions(*command, start->options, Reason::kRequired);
  command->callback([start] { Begin(*start); });
}

struct Move {
  ChangeOptions options;
  std::string order;
};

void AddMove(CLI::App& orders, std::string_view sent, const char* what) {
  const auto move = std::make_shared<Move>();
  auto* command = orders.add_subcommand(std::string(sent.substr(sent.find('.') + 1)), what);
  command->add_option("ID", move->order, "order id")->required();
  AddChangeOptions(*command, move->options, Reason::kKept);
  command->callback([move, sent] {
    if (!OrderId::Parse(move->order)) FailWrong("'" + move->order + "' is not the id of an order");
    Change(move->options, sent, Json{{"order", move->order}});
  });
}

}  // namespace

void AddOrderVerbs(CLI::App& orders) {
  AddStart(orders);
  AddMove(orders, wire::OrderPause::kName, "decide no more devices until it is resumed");
  AddMove(orders, wire::OrderResume::kName, "go on with a paused order");
  AddMove(orders, wire::OrderCancel::kName, "end an order; what it has done stays done");
}

}  // namespace registry::ctl
