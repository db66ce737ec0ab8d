#include "bridge/ledger/keyed/families.h"

#include <algorithm>
#include <array>

#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/record_codec.h"

namespace registry::ledger {
namespace {

// What can be said of a value before it is written. Verify says the rest.
enum class Holds : std::uint8_t { kRecord, kDeviceId, kHistory };

struct Family {
  Column column;
  Holds holds = Holds::kRecord;
};

constexpr std::array kTold = {
    Family{Column::kDevices},     Family{Column::kUnique, Holds::kDeviceId},
    Family{Column::kEndpoints},   Family{Column::kEvents},
    Family{Column::kJobs},        Family{Column::kHistory, Holds::kHistory},
    Family{Column::kOutbox},      Family{Column::kFeed},
    Family{Column::kFeedState},   Family{Column::kZone},
    Family{Column::kRevocations}, Family{Column::kDeadLetters},
    Family{Column::kSinks},       Family{Column::kMeta},
    Family{Column::kOrders},
};

Error NotOfItsFamily(const StoredRecord& record) {
  return Error::Make(Code::kFailed, kLedgerDamaged,
                     "a record of '" + std::string(record.family) + "' is not what that family holds");
}

Status StageHistory(const StoredRecord& record, OrderedWrites& writes) {
  if (record.octets.size() <= kChainSize) return NotOfItsFamily(record);
  const auto entry = Decode<domain::HistoryEntry>(record.octets.substr(kChainSize));
  if (!entry) return entry.error();
  const Seq seq = keys::SeqAtEnd(record.key);
  writes.Put(Column::kHistoryByDevice, writes.Keep(keys::OfDeviceHistory(entry->device, seq)), "");
  return Done{};
}

}  // namespace

Status ReadFamilies(const Store& store, const TakeRecord& take) {
  for (const Family& family : kTold) {
    auto read =
        store.Scan(family.column, "", "", [&](std::string_view key, std::string_view octets) -> Result<bool> {
          if (family.column == Column::kMeta && key != keys::kHead) return true;
          const auto taken = take({NameOf(family.column), key, octets});
          if (!taken) return taken.error();
          return true;
        });
    if (!read) return read;
  }
  return Done{};
}

Status StageRecord(const StoredRecord& record, OrderedWrites& writes) {
  const auto* const family = std::find_if(
      kTold.begin(), kTold.end(), [&](const Family& told) { return NameOf(told.column) == record.family; });
  if (family == kTold.end() || record.key.empty()) return NotOfItsFamily(record);
  if (family->column == Column::kMeta && record.key != keys::kHead) return NotOfItsFamily(record);
  if (family->holds == Holds::kDeviceId && record.octets.size() != DeviceId::Octets{}.size())
    return NotOfItsFamily(record);
  if (family->holds == Holds::kHistory) {
    if (auto staged = StageHistory(record, writes); !staged) return staged;
  }
  writes.Put(family->column, writes.Keep(std::string(record.key)), writes.Keep(std::string(record.octets)));
  return Done{};
}

Result<LedgerPoint> PointIn(const Store& store) {
  LedgerPoint point;
  point.format = kLedgerFormat;
  if (const auto id = store.Get(Column::kMeta, keys::kId); id && *id) point.id = **id;
  const auto stored = store.Get(Column::kMeta, keys::kHead);
  if (!stored) return stored.error();
  if (!*stored) return point;
  const auto head = Decode<Head>(**stored);
  if (!head) return head.error();
  point.history = head->history;
  point.chain = head->chain;
  return point;
}

}  // namespace registry::ledger
