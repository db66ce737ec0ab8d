#include "bridge/ledger/rocksdb/records.h"

#include <filesystem>

#include "bridge/ledger/keyed/day_marks.h"
#include "bridge/ledger/keyed/families.h"
#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/keyed/places.h"
#include "bridge/ledger/private_folder.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/ledger/rocksdb/store.h"

namespace registry::ledger {
namespace {

Status CheckPresentFormat(const Store& store, const std::string& folder) {
  const auto format = store.Get(Column::kMeta, keys::kFormat);
  if (!format) return format.error();
  if (*format && **format == keys::OfSeq(kLedgerFormat)) return Done{};
  return Error::Make(
      Code::kFailed, kLedgerFailed,
      "the ledger in " + folder +
          " has an earlier format, which the first start of this registryd raises: export it afterwards");
}

class FolderImport final : public RecordImport {
 public:
  FolderImport(std::string folder, std::unique_ptr<RocksDbStore> store)
      : folder_(std::move(folder)), store_(std::move(store)) {}

  Status Put(const StoredRecord& record, const AskDigest&) override {
    if (auto staged = StageRecord(record, writes_); !staged) return staged;
    return writes_.size() < kWritesMax ? Status(Done{}) : store_->Write(writes_, false);
  }

  Result<LedgerPoint> Finish(const AskDigest&) override {
    if (auto written = store_->Write(writes_, true); !written) return written.error();
    if (const auto made = MakePlaces(*store_); !made) return made.error();
    if (const auto made = MakeDayMarks(*store_); !made) return made.error();
    Mark mark{NewLedgerId(), 0};
    writes_.Put(Column::kMeta, keys::kId, mark.id);
    if (auto written = store_->Write(writes_, true); !written) return written.error();
    if (auto flushed = store_->Flush(); !flushed) return flushed.error();
    mark.synced = store_->LastWrite();
    auto point = PointIn(*store_);
    if (point) point->last_write = mark.synced;
    store_.reset();  // closed before the mark is written: a mark is the last thing a ledger gets
    if (auto marked = WriteMark(MarkIn(folder_), mark); !marked) return marked.error();
    return point;
  }
  Result<std::unique_ptr<LedgerReader>> Reader(const std::string& scratch) const override {
    return OpenRocksDbReader(folder_, scratch);
  }
  Status Accept() override { return Done{}; }  // the folder is another one until its maker renames it

 private:
  const std::string folder_;
  std::unique_ptr<RocksDbStore> store_;
  OrderedWrites writes_;
};

}  // namespace

Result<LedgerPoint> ReadRecords(const std::string& folder, const std::string& scratch,
                                const TakeRecord& take) {
  const auto store = RocksDbStore::OpenBeside(folder, scratch);
  if (!store) return store.error();
  if (auto present = CheckPresentFormat(**store, folder); !present) return present.error();
  if (auto read = ReadFamilies(**store, take); !read) return read.error();
  auto point = PointIn(**store);
  if (point) point->last_write = (*store)->LastWrite();
  return point;
}

Result<std::unique_ptr<RecordImport>> BeginRocksDbImport(const std::string& folder) {
  if (auto made = MakePrivateFolder(folder); !made) return made.error();
  std::error_code failed;
  if (!std::filesystem::is_empty(folder, failed) || failed)
    return Error::Make(Code::kFailed, kLedgerFailed,
                       "a ledger is made in an empty folder only, which " + folder + " is not");
  auto store = RocksDbStore::Make(folder);
  if (!store) return store.error();
  return std::unique_ptr<RecordImport>(new FolderImport(folder, std::move(*store)));
}

}  // namespace registry::ledger
