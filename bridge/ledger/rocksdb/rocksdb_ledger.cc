// The RocksDB backend put together: Reading answers, the Committer writes.
#include "bridge/ledger/rocksdb/backup.h"
#include "bridge/ledger/rocksdb/committer.h"
#include "bridge/ledger/rocksdb/day_marks.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/ledger/rocksdb/places.h"
#include "bridge/ledger/rocksdb/reading.h"

namespace registry::ledger {
namespace {

class RocksDbLedger final : public Reading<Ledger> {
 public:
  static Result<std::unique_ptr<Ledger>> Open(const RocksDbOptions& options) {
    auto store = Store::Open(options.folder, options.log);
    if (!store) return store.error();
    if (auto indexed = Index(**store, options.log); !indexed) return indexed.error();
    std::unique_ptr<RocksDbLedger> ledger(new RocksDbLedger(std::move(*store)));
    if (auto loaded = ledger->LoadLive(); !loaded) return loaded.error();
    ledger->committer_.emplace(*ledger->store_, ledger->live_, ledger->tail_, options.waiting_commits_max,
                               options.batch_max);
    return std::unique_ptr<Ledger>(std::move(ledger));
  }

  void CommitLater(domain::Changeset changeset, WhenDone done) override {
    committer_->CommitLater(std::move(changeset), std::move(done));
  }
  std::uint64_t changesets() const override { return committer_->changesets(); }
  Status Advance(Sink sink, const SinkState& state, bool durable) override {
    return committer_->Advance(sink, state, durable);
  }
  void WakeAll() override { tail_.WakeAll(); }
  Status Checkpoint(const std::string& to) const { return store_->Checkpoint(to); }

 private:
  // A folder from before devices or event marks were indexed, or indexed by another rule.
  static Status Index(Store& store, const LogLine& log) {
    const auto devices = Index(store, HasPlaces, MakePlaces);
    if (!devices) return devices.error();
    if (*devices > 0) log.Warning("the index of " + std::to_string(*devices) + " devices was made anew");
    const auto marks = Index(store, HasDayMarks, MakeDayMarks);
    if (!marks) return marks.error();
    if (*marks > 0) log.Warning("the days of " + std::to_string(*marks) + " event marks were made anew");
    return Done{};
  }
  static Result<std::uint64_t> Index(Store& store, Result<bool> (*is_there)(const Store&),
                                     Result<std::uint64_t> (*make)(Store&)) {
    const auto there = is_there(store);
    if (!there) return there.error();
    return *there ? std::uint64_t{0} : make(store);
  }

  explicit RocksDbLedger(std::unique_ptr<Store> store) : Reading(std::move(store)) {}

  std::optional<Committer> committer_;  // last member: stops before what it writes to goes
};

class RocksDbReader final : public Reading<LedgerReader> {
 public:
  static Result<std::unique_ptr<LedgerReader>> Open(const std::string& folder, const std::string& scratch) {
    auto store = Store::OpenBeside(folder, scratch);
    if (!store) return store.error();
    std::unique_ptr<RocksDbReader> reader(new RocksDbReader(std::move(*store)));
    if (auto loaded = reader->LoadLive(); !loaded) return loaded.error();
    return std::unique_ptr<LedgerReader>(std::move(reader));
  }

 private:
  explicit RocksDbReader(std::unique_ptr<Store> store) : Reading(std::move(store)) {}
};

}  // namespace

Result<std::unique_ptr<Ledger>> OpenRocksDbLedger(const RocksDbOptions& options) {
  return RocksDbLedger::Open(options);
}

Status MakeCheckpoint(const Ledger& opened, const std::string& to) {
  const auto* const ledger = dynamic_cast<const RocksDbLedger*>(&opened);
  if (ledger != nullptr) return ledger->Checkpoint(to);
  return Error::Make(Code::kFailed, kLedgerFailed, "only a RocksDB ledger makes checkpoints");
}

Result<std::unique_ptr<LedgerReader>> OpenRocksDbReader(const std::string& folder,
                                                        const std::string& scratch) {
  return RocksDbReader::Open(folder, scratch);
}

}  // namespace registry::ledger
