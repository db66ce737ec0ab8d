#include "bridge/ledger/rocksdb/records.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "bridge/ledger/private_folder.h"
#include "bridge/ledger/record_codec.h"
#include "bridge/ledger/rocksdb/day_marks.h"
#include "bridge/ledger/rocksdb/keys.h"
#include "bridge/ledger/rocksdb/places.h"
#include "bridge/ledger/rocksdb/store.h"

namespace registry::ledger {
namespace {

// What can be said of a value before it is written. Verify says the rest.
enum class Holds : std::uint8_t { kRecord, kDeviceId, kHistory };

struct Family {
  std::string_view name;
  Column column;
  Holds holds = Holds::kRecord;
};

constexpr std::array kTold = {
    Family{"devices", Column::kDevices},
    Family{"unique", Column::kUnique, Holds::kDeviceId},
    Family{"endpoints", Column::kEndpoints},
    Family{"events", Column::kEvents},
    Family{"jobs", Column::kJobs},
    Family{"history", Column::kHistory, Holds::kHistory},
    Family{"outbox", Column::kOutbox},
    Family{"feed", Column::kFeed},
    Family{"feed_state", Column::kFeedState},
    Family{"zone", Column::kZone},
    Family{"revocations", Column::kRevocations},
    Family{"dead_letters", Column::kDeadLetters},
    Family{"sinks", Column::kSinks},
    Family{"meta", Column::kMeta},
    Family{"orders", Column::kOrders},
};

Error NotOfItsFamily(const StoredRecord& record) {
  return Error::Make(Code::kFailed, kLedgerDamaged,
                     "a record of '" + std::string(record.family) + "' is not what that family holds");
}

Result<LedgerPoint> PointIn(const Store& store) {
  LedgerPoint point;
  point.last_write = store.LastWrite();
  point.format = kFolderFormat;
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

Status CheckPresentFormat(const Store& store, const std::string& folder) {
  const auto format = store.Get(Column::kMeta, keys::kFormat);
  if (!format) return format.error();
  if (*format && **format == keys::OfSeq(kFolderFormat)) return Done{};
  return Error::Make(
      Code::kFailed, kLedgerFailed,
      "the ledger in " + folder +
          " has an earlier format, which the first start of this registryd raises: export it afterwards");
}

class Import final : public RecordImport {
 public:
  explicit Import(std::string folder, std::unique_ptr<Store> store)
      : folder_(std::move(folder)), store_(std::move(store)) {}

  Status Put(const StoredRecord& record) override {
    const auto* const family = std::find_if(kTold.begin(), kTold.end(),
                                            [&](const Family& told) { return told.name == record.family; });
    if (family == kTold.end() || record.key.empty()) return NotOfItsFamily(record);
    if (family->column == Column::kMeta && record.key != keys::kHead) return NotOfItsFamily(record);
    if (auto put = Stage(*family, record); !put) return put;
    if (static_cast<int>(writes_.Count()) < kWritesMax) return Done{};
    return Flush(false);
  }

  Result<LedgerPoint> Finish() override {
    if (auto written = Flush(true); !written) return written.error();
    if (const auto made = MakePlaces(*store_); !made) return made.error();
    if (const auto made = MakeDayMarks(*store_); !made) return made.error();
    Mark mark{NewLedgerId(), 0};
    writes_.Put(store_->handle(Column::kMeta), keys::kId, mark.id);
    if (auto written = Flush(true); !written) return written.error();
    if (auto flushed = store_->Flush(); !flushed) return flushed.error();
    mark.synced = store_->LastWrite();
    auto point = PointIn(*store_);
    store_.reset();  // closed before the mark is written: a mark is the last thing a ledger gets
    if (auto marked = WriteMark(folder_, mark); !marked) return marked.error();
    return point;
  }

 private:
  Status Stage(const Family& family, const StoredRecord& record) {
    if (family.holds == Holds::kDeviceId && record.octets.size() != DeviceId::Octets{}.size())
      return NotOfItsFamily(record);
    if (family.holds == Holds::kHistory) {
      if (record.octets.size() <= kChainSize) return NotOfItsFamily(record);
      const auto entry = Decode<domain::HistoryEntry>(record.octets.substr(kChainSize));
      if (!entry) return entry.error();
      writes_.Put(store_->handle(Column::kHistoryByDevice),
                  keys::OfDeviceHistory(entry->device, keys::SeqAtEnd(record.key)), "");
    }
    writes_.Put(store_->handle(family.column), rocksdb::Slice(record.key.data(), record.key.size()),
                rocksdb::Slice(record.octets.data(), record.octets.size()));
    return Done{};
  }
  Status Flush(bool sync) {
    auto written = store_->Write(writes_, sync);
    writes_.Clear();
    return written;
  }

  const std::string folder_;
  std::unique_ptr<Store> store_;
  rocksdb::WriteBatch writes_;
};

}  // namespace

Result<LedgerPoint> ReadRecords(const std::string& folder, const std::string& scratch,
                                const TakeRecord& take) {
  const auto store = Store::OpenBeside(folder, scratch);
  if (!store) return store.error();
  if (auto present = CheckPresentFormat(**store, folder); !present) return present.error();
  for (const Family& family : kTold) {
    auto read = (*store)->Scan(family.column, "", "",
                               [&](std::string_view key, std::string_view octets) -> Result<bool> {
                                 if (family.column == Column::kMeta && key != keys::kHead) return true;
                                 const auto taken = take({family.name, key, octets});
                                 if (!taken) return taken.error();
                                 return true;
                               });
    if (!read) return read.error();
  }
  return PointIn(**store);
}

Result<std::unique_ptr<RecordImport>> RecordImport::Begin(const std::string& folder) {
  if (auto made = MakePrivateFolder(folder); !made) return made.error();
  std::error_code failed;
  if (!std::filesystem::is_empty(folder, failed) || failed)
    return Error::Make(Code::kFailed, kLedgerFailed,
                       "a ledger is made in an empty folder only, which " + folder + " is not");
  auto store = Store::Make(folder);
  if (!store) return store.error();
  return std::unique_ptr<RecordImport>(new Import(folder, std::move(*store)));
}

}  // namespace registry::ledger
