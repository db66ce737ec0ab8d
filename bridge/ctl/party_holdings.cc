#include "bridge/ctl/party_holdings.h"

#include <algorithm>

#include "bridge/ctl/ledger_source.h"
#include "workers/domain/device_places.h"

namespace registry::ctl {
namespace {

constexpr std::size_t kHoldingsPage = 1000;

template <class Each>
void ForEachIn(const ledger::LedgerReader& ledger, const domain::DeviceGroup& group, Each each) {
  std::optional<domain::DevicePosition> after;
  for (;;) {
    const auto page = OrFail(ledger.DevicesIn(group, after, std::nullopt, kHoldingsPage));
    if (page.empty()) return;
    for (const auto& brief : page) each(brief);
    after = domain::PositionIn(group.kind, page.back());
  }
}

void Count(std::string& words, std::size_t count, const std::string& what) {
  if (count == 0) return;
  words += (words.empty() ? "" : ", ") + std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

PartyHoldings HoldingsOf(const ledger::LedgerReader& ledger, const PartyId& party) {
  PartyHoldings holdings;
  ForEachIn(ledger, domain::DeviceGroup::Of(party), [&](const domain::DeviceBrief&) { ++holdings.devices; });
  ForEachIn(ledger, domain::DeviceGroup::Transferred(party), [&](const domain::DeviceBrief& brief) {
    const auto device = OrFail(ledger.LoadDevice(brief.id));
    if (!device || !device->transfer) return;
    const auto state = device->transfer->state;
    const bool open = state == domain::TransferState::kPending || state == domain::TransferState::kApproved;
    if (open) ++holdings.transfers_pending;
  });
  const auto orders = OrFail(ledger.OrdersOf(party));
  holdings.orders_open =
      static_cast<std::size_t>(std::count_if(orders.begin(), orders.end(), [](const auto& order) {
        return order.state == domain::OrderState::kRunning || order.state == domain::OrderState::kPaused;
      }));
  const auto load = OrFail(ledger.LoadOf(party));
  holdings.jobs = load.open + load.unsent;
  return holdings;
}

std::string InWords(const PartyHoldings& holdings) {
  std::string words;
  Count(words, holdings.devices, "device");
  Count(words, holdings.transfers_pending, "open transfer");
  Count(words, holdings.orders_open, "open order");
  Count(words, holdings.jobs, "open job");
  return words;
}

}  // namespace registry::ctl
