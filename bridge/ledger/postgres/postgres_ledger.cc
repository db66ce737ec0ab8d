// The PostgreSQL backend put together: a ledger over a PostgresStore.
#include "bridge/ledger/keyed/day_marks.h"
#include "bridge/ledger/keyed/keyed_ledger.h"
#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/keyed/places.h"
#include "bridge/ledger/mark.h"
#include "bridge/ledger/postgres/kept.h"
#include "bridge/ledger/postgres/rights.h"
#include "bridge/ledger/postgres/schema.h"
#include "bridge/ledger/postgres/step.h"
#include "schemas/base/check.h"

namespace registry::ledger {
namespace {

using Sees = ReadPool::Sees;

Error LostOf(const PostgresOptions& options, const std::string& missing) {
  return Error::Make(Code::kFailed, kLedgerDamaged,
                     "the ledger in " + NameOfPlace(options) + " " + missing + " (" + options.mark_file +
                         "). Bring it back. OPERATIONS.md (the ledger's server) says how to go on without");
}

Status MayWrite(const PostgresOptions& options) {
  const auto missing = MissingRights(options);
  if (!missing) return missing.error();
  return missing->empty() ? Status(Done{}) : Error::Make(Code::kFailed, kLedgerFailed, *missing);
}

}  // namespace

Status NameLedger(PostgresStore& store) {
  if (const auto made = MakePlaces(store); !made) return made.error();
  if (const auto made = MakeDayMarks(store); !made) return made.error();
  OrderedWrites writes;
  writes.Put(Column::kMeta, keys::kId, writes.Keep(NewLedgerId()));
  writes.Put(Column::kMeta, keys::kFormat, writes.Keep(keys::OfSeq(kLedgerFormat)));
  writes.Put(Column::kMeta, kSchemaKey, writes.Keep(keys::OfSeq(SchemaVersion())));
  return store.Write(writes, true);
}

Result<Mark> PostgresStore::MarkOfNow() const {
  auto id = Get(Column::kMeta, keys::kId);
  if (!id) return id.error();
  if (!*id) return Error::Make(Code::kFailed, kLedgerDamaged, "the ledger has no id");
  return Mark{**std::move(id), LastWrite()};
}

// More than there is: the writer that found the loss has said so.
Result<std::uint64_t> PostgresStore::Acked() const {
  const auto rows = Read(statements_.look_at_writer, {}, Column::kMeta);
  if (!rows) return rows.error();
  return rows->size() == 1 ? static_cast<std::uint64_t>(OfInt8(rows->At(0, 3))) : 0;
}

Status PostgresStore::MakeMark(const PostgresOptions& options) {
  if (options.mark_file.empty()) return Done{};
  const auto now = MarkOfNow();
  return now ? WriteMark(options.mark_file, *now) : Status(now.error());
}

Status PostgresStore::KeepMark(const PostgresOptions& options) {
  if (options.mark_file.empty()) return Done{};
  const auto now = MarkOfNow();
  if (!now) return now.error();
  const auto mark = ReadMark(options.mark_file);
  if (!mark) return mark.error();
  const auto acked = Acked();
  if (!acked) return acked.error();
  const std::string missing = MissingOf(*mark, *now, *acked);
  if (!missing.empty()) return LostOf(options, missing);
  if (auto written = WriteMark(options.mark_file, *now); !written) return written;
  auto file = MarkFile::Open(options.mark_file, *now);
  if (!file) return file.error();
  writer_->Keep(std::move(*file));
  return Done{};
}

Result<std::string> MigratePostgresLedger(const PostgresOptions& options) {
  if (auto sound = CheckPostgresOptions(options); !sound) return sound.error();
  const auto made = MakeTables(options);
  if (!made) return made.error();
  const auto before = PostgresStore::OpenUnjudged(options, Sees::kOneMoment);
  if (!before) return before.error();
  const auto prepared = IsPreparedOnly(**before, options);
  if (!prepared) return prepared.error();
  if (*prepared) return RaiseBesideNodes(options);
  auto store = PostgresStore::OpenUnjudged(options, Sees::kNow);
  if (!store) return store.error();
  const auto raised = RaiseTables(**store);
  if (!raised) return raised.error();
  const auto fits = CheckSchema(**store, options);
  if (fits && *raised)
    return "the tables of the ledger in " + NameOfPlace(options) + " were brought from version " +
           std::to_string(**raised) + " to " + std::to_string(SchemaVersion());
  if (fits) return "the ledger in " + NameOfPlace(options) + " is of this release; nothing was done";
  // Made just now, or by a migration that was cut off: nothing has been written there.
  for (const char* const key : {keys::kId, keys::kHead, kImportKey}) {
    const auto there = (*store)->Get(Column::kMeta, key);
    if (!there) return there.error();
    if (*there) return fits.error();
  }
  if (auto named = NameLedger(**store); !named) return named.error();
  return "a new, empty ledger was made in " + NameOfPlace(options);
}

Result<std::unique_ptr<Ledger>> OpenPostgresLedger(const PostgresOptions& options) {
  if (auto sound = CheckPostgresOptions(options); !sound) return sound.error();
  // Judged before the lock is taken: what is not there has none.
  if (auto there = CheckPostgresLedger(options); !there) return there.error();
  if (auto may = MayWrite(options); !may) return may.error();
  auto store = PostgresStore::Open(options, Sees::kNow);
  if (!store) return store.error();
  if (auto kept = (*store)->KeepMark(options); !kept) return kept.error();
  return KeyedLedger::Open(std::move(*store), {options.waiting_commits_max, options.batch_max}, options.log);
}

Result<std::unique_ptr<LedgerReader>> OpenPostgresReader(const PostgresOptions& options) {
  if (auto sound = CheckPostgresOptions(options); !sound) return sound.error();
  auto store = PostgresStore::Open(options, Sees::kOneMoment);
  if (!store) return store.error();
  return KeyedLedger::OpenReader(std::move(*store));
}

Status CheckPostgresLedger(const PostgresOptions& options) {
  if (auto sound = CheckPostgresOptions(options); !sound) return sound;
  const auto store = PostgresStore::Open(options, Sees::kOneMoment);
  return store ? Status(Done{}) : Status(store.error());
}

Result<Stepped> StepPostgresNumbers(const PostgresOptions& options) {
  if (auto there = CheckPostgresLedger(options); !there) return there.error();
  auto store = PostgresStore::Open(options, Sees::kNow);
  if (!store) return store.error();
  if (auto forgotten = ForgetPostgresKept(options); !forgotten) return forgotten.error();
  return StepNumbers(**store);
}

Status PassPostgresMarks(const PostgresOptions& options) {
  auto store = PostgresStore::Open(options, Sees::kNow);
  if (!store) return store.error();
  if (auto passed = (*store)->PassMarks(); !passed) return passed;
  return (*store)->MakeMark(options);
}

Result<std::string> AdoptPostgresLedger(const PostgresOptions& options, bool accept_loss) {
  if (options.mark_file.empty())
    return Error::Make(Code::kFailed, kLedgerFailed, "the configuration keeps no mark (ledger.mark_file)");
  if (auto sound = CheckPostgresOptions(options); !sound) return sound.error();
  if (auto judged = CheckPostgresLedger(options); !judged) return judged.error();
  auto store = PostgresStore::Open(options, Sees::kNow);
  if (!store) return store.error();
  const auto now = (*store)->MarkOfNow();
  if (!now) return now.error();
  const auto mark = ReadMark(options.mark_file);
  if (!mark && mark.error().symbol != kLedgerDamaged) return mark.error();
  const auto acked = (*store)->Acked();
  if (!acked) return acked.error();
  const std::string missing =
      mark ? MissingOf(*mark, *now, *acked) : "may lack what was acknowledged: its mark cannot be read";
  if (!missing.empty() && !accept_loss)
    return Error::Make(Code::kFailed, kLedgerDamaged,
                       "the ledger in " + NameOfPlace(options) + " " + missing + " (" + options.mark_file +
                           "); --accept-loss goes on with what is there");
  if (auto given = (*store)->GiveUp(); !given) return given.error();
  if (auto written = WriteMark(options.mark_file, *now); !written) return written.error();
  const std::string marked = "the ledger in " + NameOfPlace(options) + " has its mark, " + options.mark_file;
  return missing.empty() ? marked : marked + "; given up: it " + missing;
}

Result<std::string> ReindexPostgresLedger(const PostgresOptions& options) {
  if (auto there = CheckPostgresLedger(options); !there) return there.error();
  auto store = PostgresStore::Open(options, Sees::kNow);
  if (!store) return store.error();
  const auto devices = MakePlaces(**store);
  if (!devices) return devices.error();
  const auto marks = MakeDayMarks(**store);
  if (!marks) return marks.error();
  return "the index of " + std::to_string(*devices) + " devices in " + NameOfPlace(options) +
         " was made anew, and the days of " + std::to_string(*marks) + " event marks";
}

}  // namespace registry::ledger
