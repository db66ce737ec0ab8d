#include "bridge/ctl/transfer_commands.h"

#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {
namespace {

constexpr std::size_t kPage = 1000;

using domain::Transfer;
using domain::TransferState;

constexpr TransferState kStates[] = {TransferState::kPending,   TransferState::kApproved,
                                     TransferState::kRejected,  TransferState::kCancelled,
                                     TransferState::kCompleted, TransferState::kFailed};

void CheckState(const std::string& state) {
  if (state.empty()) return;
  for (const TransferState one : kStates) {
    if (domain::TransferStateName(one) == state) return;
  }
  FailWrong("'" + state + "' is not the state of a transfer");
}

std::optional<PartyId> ParseParty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto party = PartyId::Parse(text);
  if (!party) FailWrong("'" + text + "' is not the name of a party");
  return party;
}

Json Summary(const Transfer& transfer) {
  return {{"transfer", transfer.id.text()},
          {"kind", domain::TransferKindName(transfer.kind)},
          {"state", domain::TransferStateName(transfer.state)},
          {"from", transfer.from.text()},
          {"to", transfer.to.text()},
          {"device", transfer.device.text()},
          {"requested", Text(transfer.requested)},
          {"decides_at", Text(transfer.decides_at)}};
}

void List(const ReadOptions& options, const std::string& party, const std::string& state) {
  CheckState(state);
  const auto group = domain::DeviceGroup::Transferred(ParseParty(party));
  const OpenLedger ledger(options);
  Rows rows(options.json);
  std::optional<domain::DevicePosition> after;
  for (;;) {
    const auto page = OrFail(ledger->DevicesIn(group, after, std::nullopt, kPage));
    if (page.empty()) break;
    Json printed = Json::array();
    for (const auto& brief : page) {
      const auto device = OrFail(ledger->LoadDevice(brief.id));
      if (!device || !device->transfer) continue;
      const bool wanted = state.empty() || domain::TransferStateName(device->transfer->state) == state;
      if (wanted) printed.push_back(Summary(*device->transfer));
    }
    rows.Add(printed);
    after = domain::PositionIn(group.kind, page.back());
  }
  rows.EndOf(party, options, "there is no such transfer");
}

void Show(const ReadOptions& options, const std::string& text) {
  const auto id = TransferId::Parse(text);
  if (!id) FailWrong("'" + text + "' is not the id of a transfer");
  const OpenLedger ledger(options);
  const auto holder = OrFail(ledger->FindUnique({domain::UniqueKind::kTransfer, AsBytes(id->text())}));
  if (!holder) Fail("there is no transfer " + text + ", or its device has had another since");
  const auto device = OrFail(ledger->LoadDevice(*holder));
  if (!device || !device->transfer) Fail("there is no transfer " + text);
  Json out = Summary(*device->transfer);
  if (device->transfer->endpoint) out["endpoint"] = device->transfer->endpoint->text();
  out["steps"] = Json::array();
  for (const auto& record : OrFail(ledger->HistoryOf(*holder))) {
    if (record.entry.at < device->transfer->requested) continue;
    out["steps"].push_back(
        {{"at", Text(record.entry.at)}, {"actor", record.entry.actor.text()}, {"what", record.entry.what}});
  }
  Print(out, options.json);
}

}  // namespace

void AddTransferCommands(CLI::App& app) {
  const auto options = std::make_shared<ReadOptions>();
  const auto transfer = std::make_shared<std::string>();
  const auto party = std::make_shared<std::string>();
  const auto state = std::make_shared<std::string>();
  auto* transfers = app.add_subcommand("transfer", "devices that go to another party")->require_subcommand(1);
  auto* list = transfers->add_subcommand("list", "the last transfer of every device that has had one");
  list->add_option("--party", *party, "only those by which it loses or gains");
  list->add_option("--state", *state,
                   "only pending, approved, rejected, cancelled, completed or failed ones");
  list->callback([options, party, state] { List(*options, *party, *state); });
  auto* show = transfers->add_subcommand("show", "one transfer, and what became of its device since");
  show->add_option("ID", *transfer, "transfer id")->required();
  show->callback([options, transfer] { Show(*options, *transfer); });
  for (auto* command : {list, show}) AddReadOptions(*command, *options);
}

}  // namespace registry::ctl
