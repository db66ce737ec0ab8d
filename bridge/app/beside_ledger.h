// bridge/app/beside_ledger.h: where a registry keeps what is beside its ledger: the intake (bridge/ingest/intake.h) and the
// kept state (bridge/ledger/kept_state.h). With RocksDB in the intake's folder, with a ledger in PostgreSQL in tables beside
// that, where the registry that takes over finds both.
// Errors: the intake's and the backend's; the folder's too, whose intake a ledger in PostgreSQL takes over at each start.
// Threads: one. Owns: what it opened. The ledger outlives it.
#pragma once

#include <memory>

#include "bridge/app/ledger_place.h"
#include "bridge/ingest/intake.h"
#include "bridge/ledger/intake_table.h"
#include "bridge/ledger/kept_state.h"

namespace registry::app {

class BesideLedger {
 public:
  // `ledger` was opened at `place`.
  static Result<BesideLedger> Open(const ingest::IntakeOptions& options, const LedgerPlace& place,
                                   const ledger::Ledger& ledger);
  ingest::Intake& intake() const { return *intake_; }
  ledger::KeptState& kept() const { return *kept_; }

 private:
  std::unique_ptr<ledger::KeptState> kept_;
  std::unique_ptr<ledger::IntakeTable> table_;  // null: the intake is in a folder
  std::unique_ptr<ingest::Intake> intake_;
};

}  // namespace registry::app
