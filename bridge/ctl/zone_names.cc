#include "bridge/ctl/zone_names.h"

#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {
namespace {

constexpr std::size_t kPage = 1000;

}  // namespace

void EachZonePage(const ledger::LedgerReader& ledger,
                  const std::function<void(std::vector<domain::ZoneChange>&& page)>& take) {
  std::optional<DeviceId> after;
  for (;;) {
    auto page = OrFail(ledger.ZoneAfter(after, kPage));
    if (page.empty()) return;
    after = page.back().device;
    take(std::move(page));
  }
}

std::uint64_t NamesIn(const ledger::LedgerReader& ledger) {
  std::uint64_t names = 0;
  EachZonePage(ledger, [&names](const auto& page) { names += page.size(); });
  return names;
}

}  // namespace registry::ctl
