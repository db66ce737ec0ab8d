#include "bridge/ledger/postgres/records.h"

#include "bridge/ledger/keyed/families.h"
#include "bridge/ledger/keyed/keyed_ledger.h"
#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/postgres/loading.h"
#include "bridge/ledger/postgres/schema.h"

namespace registry::ledger {
namespace {

constexpr std::size_t kImportedTogether = 5000;  // records of up to 10 KB: a bound on memory
constexpr std::size_t kNumberSize = 8;

class TableImport final : public RecordImport {
 public:
  TableImport(PostgresOptions options, std::unique_ptr<PostgresStore> store, ImportedSoFar begun)
      : options_(std::move(options)),
        store_(std::move(store)),
        begun_(std::move(begun)),
        records_(begun_.records) {}

  ImportedSoFar begun() const override { return begun_; }

  Status Put(const StoredRecord& record, const AskDigest& digest) override {
    if (auto staged = StageRecord(record, writes_); !staged) return staged;
    ++records_;
    return writes_.size() < kImportedTogether ? Status(Done{}) : WriteSome(digest);
  }

  Result<LedgerPoint> Finish(const AskDigest& digest) override {
    if (writes_.size() > 0) {
      if (auto written = WriteSome(digest); !written) return written.error();
    }
    if (auto named = NameLedger(*store_); !named) return named.error();
    if (auto ended = EndLoading(options_); !ended) return ended.error();
    auto point = PointIn(*store_);
    if (point) point->last_write = store_->LastWrite();
    return point;
  }
  Result<std::unique_ptr<LedgerReader>> Reader(const std::string&) const override {
    auto store = PostgresStore::OpenUnjudged(options_, ReadPool::Sees::kOneMoment);
    if (!store) return store.error();
    return KeyedLedger::OpenReader(std::move(*store));
  }
  Status Accept() override {
    writes_.Delete(Column::kMeta, kImportKey);
    if (auto written = store_->Write(writes_, true); !written) return written;
    return store_->MakeMark(options_);
  }

 private:
  // What is in and how far it came, at once: what is put a second time is refused.
  Status WriteSome(const AskDigest& digest) {
    writes_.Put(Column::kMeta, kImportKey, writes_.Keep(keys::OfSeq(records_) + digest()));
    return store_->Write(writes_, true);
  }

  const PostgresOptions options_;
  const std::unique_ptr<PostgresStore> store_;
  const ImportedSoFar begun_;
  std::uint64_t records_;
  OrderedWrites writes_;
};

Result<ImportedSoFar> BegunIn(PostgresStore& store, const PostgresOptions& options) {
  const auto stored = store.Get(Column::kMeta, kImportKey);
  if (!stored) return stored.error();
  if (*stored && (*stored)->size() >= kNumberSize)
    return ImportedSoFar{Fixed64((*stored)->substr(0, kNumberSize)), (*stored)->substr(kNumberSize)};
  const auto head = store.Get(Column::kMeta, keys::kHead);
  if (!head) return head.error();
  if (*head)
    return Error::Make(Code::kFailed, kLedgerFailed,
                       "an import makes a new ledger, and there is one in " + NameOfPlace(options));
  // An empty ledger, or none yet. From here to the end it is neither.
  OrderedWrites writes;
  writes.Put(Column::kMeta, kImportKey, writes.Keep(keys::OfSeq(0)));
  if (auto written = store.Write(writes, true); !written) return written.error();
  return ImportedSoFar{};
}

}  // namespace

Result<LedgerPoint> ReadRecords(const PostgresOptions& options, const TakeRecord& take) {
  if (auto sound = CheckPostgresOptions(options); !sound) return sound.error();
  const auto store = PostgresStore::Open(options, ReadPool::Sees::kOneMoment);
  if (!store) return store.error();
  if (auto read = ReadFamilies(**store, take); !read) return read.error();
  return PointIn(**store);
}

Result<std::unique_ptr<RecordImport>> BeginPostgresImport(const PostgresOptions& options) {
  if (auto sound = CheckPostgresOptions(options); !sound) return sound.error();
  if (const auto made = MakeTables(options); !made) return made.error();
  if (auto may = MayLoad(options); !may) return may.error();
  auto store = PostgresStore::OpenUnjudged(options, ReadPool::Sees::kNow);
  if (!store) return store.error();
  auto begun = BegunIn(**store, options);
  if (!begun) return begun.error();
  if (auto loading = BeginLoading(options); !loading) return loading.error();
  (*store)->Load();
  return std::unique_ptr<RecordImport>(new TableImport(options, std::move(*store), std::move(*begun)));
}

}  // namespace registry::ledger
