#include "bridge/ledger/keyed/keyed_ledger.h"

#include "bridge/ledger/keyed/day_marks.h"
#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/keyed/places.h"

namespace registry::ledger {
namespace {

class KeyedReader final : public Reading<LedgerReader> {
 public:
  static Result<std::unique_ptr<LedgerReader>> Open(std::unique_ptr<Store> store) {
    std::unique_ptr<KeyedReader> reader(new KeyedReader(std::move(store)));
    if (auto loaded = reader->LoadLive(*reader->store_); !loaded) return loaded.error();
    return std::unique_ptr<LedgerReader>(std::move(reader));
  }

 private:
  explicit KeyedReader(std::unique_ptr<Store> store) : Reading(std::move(store)) {}
};

Result<std::uint64_t> IndexOnce(Store& store, Result<bool> (*is_there)(const Store&),
                                Result<std::uint64_t> (*make)(Store&)) {
  const auto there = is_there(store);
  if (!there) return there.error();
  return *there ? std::uint64_t{0} : make(store);
}

// One from before devices or event marks were indexed, or indexed by another rule.
Status Index(Store& store, const LogLine& log) {
  const auto devices = IndexOnce(store, HasPlaces, MakePlaces);
  if (!devices) return devices.error();
  if (*devices > 0) log.Warning("the index of " + std::to_string(*devices) + " devices was made anew");
  const auto marks = IndexOnce(store, HasDayMarks, MakeDayMarks);
  if (!marks) return marks.error();
  if (*marks > 0) log.Warning("the days of " + std::to_string(*marks) + " event marks were made anew");
  return Done{};
}

}  // namespace

Result<std::unique_ptr<Ledger>> KeyedLedger::Open(std::unique_ptr<Store> store, const CommitBounds& bounds,
                                                  const LogLine& log) {
  if (auto indexed = Index(*store, log); !indexed) return indexed.error();
  const Store& from = *store;
  auto ledger = Load(std::move(store), from, bounds);
  if (!ledger) return ledger.error();
  return std::unique_ptr<Ledger>(std::move(*ledger));
}

Result<std::unique_ptr<KeyedLedger>> KeyedLedger::Load(std::unique_ptr<Store> store, const Store& from,
                                                       const CommitBounds& bounds) {
  std::unique_ptr<KeyedLedger> ledger(new KeyedLedger(std::move(store)));
  if (auto loaded = ledger->LoadLive(from); !loaded) return loaded.error();
  ledger->live_.shared = ledger->store_->shared() != nullptr;
  ledger->committer_.emplace(*ledger->store_, ledger->live_, ledger->tail_, bounds.waiting_max,
                             bounds.batch_max);
  return ledger;
}

Result<std::unique_ptr<Ledger>> KeyedLedger::Join(std::unique_ptr<Store> store, const Store& moment,
                                                  const CommitBounds& bounds) {
  auto ledger = Load(std::move(store), moment, bounds);
  if (!ledger) return ledger.error();
  (*ledger)->joined_ = true;
  if (auto seen = (*ledger)->CatchUp(); !seen) return seen.error();
  return std::unique_ptr<Ledger>(std::move(*ledger));
}

std::optional<std::uint64_t> KeyedLedger::HeardOf(const DeviceId& id) const {
  const ReadLock lock(live_.mutex);
  return live_.heard.VersionOf(id);
}

// The server may be ahead of the memory, which has the device's jobs: who has read a device there must not find older jobs
// here. The other way round is no fault: the device is stale then, and so is what was decided about it.
Result<std::optional<domain::Device>> KeyedLedger::LoadDevice(const DeviceId& id) const {
  constexpr int kReadsMost = 8;  // one that moves so fast makes the decision stale anyhow
  auto device = Reading::LoadDevice(id);
  if (!live_.shared) return device;
  for (int reads = 1; device && *device; ++reads) {
    const std::uint64_t version = (**device).version;
    auto heard = HeardOf(id);
    if (heard == version) break;
    if (!heard || *heard < version || reads == kReadsMost) {
      if (auto seen = committer_->CatchUp(); !seen) return seen.error();
      heard = HeardOf(id);
      if (!heard || *heard <= version || reads == kReadsMost) break;
    }
    device = Reading::LoadDevice(id);
  }
  return device;
}

Result<MarksKept> KeyedLedger::LoadMarksKept() const {
  if (!joined_) return Reading::LoadMarksKept();
  const auto stored = store_->Get(Column::kMeta, keys::kHead);
  if (!stored) return stored.error();
  if (!*stored) return MarksKept{};
  const auto head = Decode<Head>(**stored);
  return head ? Result<MarksKept>(head->marks) : Result<MarksKept>(head.error());
}

Result<std::unique_ptr<LedgerReader>> KeyedLedger::OpenReader(std::unique_ptr<Store> store) {
  return KeyedReader::Open(std::move(store));
}

}  // namespace registry::ledger
