// What a party reads of its transfers: the last one of each device that it loses or gains by.
#include <algorithm>

#include "workers/lifecycle/reads.h"
#include "workers/lifecycle/transfer_told.h"

namespace registry::lifecycle {
namespace {

constexpr std::size_t kLimitUnsaid = 100;
constexpr std::size_t kReadAtOnce = 100;

}  // namespace

Result<wire::TransferListed> Read(const wire::TransferList& command, const Case& at) {
  const bool all = at.origin.role == wire::Role::kOperator;
  const auto group =
      domain::DeviceGroup::Transferred(all ? std::nullopt : std::optional<PartyId>(at.origin.party));
  const std::size_t limit = command.limit == 0 ? kLimitUnsaid : command.limit;
  std::optional<domain::DevicePosition> behind;
  if (const auto last = DeviceId::Parse(command.after)) behind = domain::DevicePosition{{}, *last};
  wire::TransferListed told;
  for (std::size_t looked_at = 0; looked_at < kLookedAtMax;) {
    const auto page = at.view.DevicesIn(group, behind, std::nullopt, kReadAtOnce);
    if (!page) return page.error();
    for (const domain::DeviceBrief& brief : *page) {
      if (told.transfers.size() == limit) return told;
      const auto device = at.view.LoadDevice(brief.id);
      if (!device) return device.error();
      ++looked_at;
      behind = domain::DevicePosition{{}, brief.id};
      told.next = brief.id.text();
      if (!*device || !(*device)->transfer) continue;
      wire::TransferState transfer = ToldOf(**device);
      const bool wanted = command.state.empty() || transfer.state == command.state;
      if (wanted) told.transfers.push_back(std::move(transfer));
    }
    if (page->size() < kReadAtOnce) {
      told.next.clear();
      break;
    }
  }
  return told;
}

}  // namespace registry::lifecycle
