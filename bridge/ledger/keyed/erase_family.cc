#include "bridge/ledger/keyed/erase_family.h"

#include "bridge/ledger/keyed/keys.h"

namespace registry::ledger {
namespace {

constexpr std::size_t kPiece = 5000;  // keys

}  // namespace

Status EraseFamily(Store& store, Column column, OrderedWrites& writes) {
  if (!store.IsFar()) {
    const auto last = store.Last(column);
    if (!last) return last.error();
    if (*last) writes.DeleteRange(column, "", keys::kBehindAll);
    return Done{};
  }
  for (;;) {
    std::size_t found = 0;
    const auto stage = [&](std::string_view key, std::string_view) -> Result<bool> {
      writes.Delete(column, writes.Keep(std::string(key)));
      ++found;
      return true;
    };
    if (auto scanned = store.Scan(column, "", "", stage, kPiece); !scanned) return scanned;
    if (found == 0) return Done{};
    if (auto written = store.Write(writes, false); !written) return written;
  }
}

}  // namespace registry::ledger
