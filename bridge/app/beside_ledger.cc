#include "bridge/app/beside_ledger.h"

#include "bridge/app/kept_folder.h"
#include "bridge/ingest/ledger_intake.h"
#include "bridge/ledger/postgres/intake.h"
#include "bridge/ledger/postgres/kept.h"

namespace registry::app {

Result<BesideLedger> BesideLedger::Open(const ingest::IntakeOptions& options, const LedgerPlace& place,
                                        const ledger::Ledger& ledger) {
  BesideLedger opened;
  auto folder = ingest::Intake::Open(options);
  if (!folder) return folder.error();
  if (!place.postgres) {
    opened.kept_ = std::make_unique<KeptFolder>(options.folder);
    opened.intake_ = std::move(*folder);
    return opened;
  }
  auto there = *place.postgres;
  there.log = options.log;
  auto kept = ledger::OpenPostgresKept(there, ledger);
  if (!kept) return kept.error();
  opened.kept_ = std::move(*kept);
  auto table = ledger::OpenPostgresIntake(there, ledger);
  if (!table) return table.error();
  opened.table_ = std::move(*table);
  ingest::LedgerIntakeOptions in_ledger;
  in_ledger.bytes_max = options.bytes_max;
  in_ledger.key = options.key;
  in_ledger.log = options.log;
  auto intake = ingest::OpenLedgerIntake(*opened.table_, in_ledger, folder->get());
  if (!intake) return intake.error();
  opened.intake_ = std::move(*intake);
  return opened;
}

}  // namespace registry::app
