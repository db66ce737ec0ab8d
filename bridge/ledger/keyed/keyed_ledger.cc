#include "bridge/ledger/keyed/keyed_ledger.h"

#include "bridge/ledger/keyed/day_marks.h"
#include "bridge/ledger/keyed/places.h"

namespace registry::ledger {
namespace {

class KeyedReader final : public Reading<LedgerReader> {
 public:
  static Result<std::unique_ptr<LedgerReader>> Open(std::unique_ptr<Store> store) {
    std::unique_ptr<KeyedReader> reader(new KeyedReader(std::move(store)));
    if (auto loaded = reader->LoadLive(); !loaded) return loaded.error();
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
  std::unique_ptr<KeyedLedger> ledger(new KeyedLedger(std::move(store)));
  if (auto loaded = ledger->LoadLive(); !loaded) return loaded.error();
  ledger->committer_.emplace(*ledger->store_, ledger->live_, ledger->tail_, bounds.waiting_max,
                             bounds.batch_max);
  return std::unique_ptr<Ledger>(std::move(ledger));
}

Result<std::unique_ptr<LedgerReader>> KeyedLedger::OpenReader(std::unique_ptr<Store> store) {
  return KeyedReader::Open(std::move(store));
}

}  // namespace registry::ledger
