// bridge/ingest/ledger_intake.h: the intake (intake.h) in the ledger's server, where the registry that takes over finds it.
// Append comes back when the message is committed there, so what the broker has been told we have survives the loss of this
// machine. Appends that pile up while one is under way go together. What is done is erased in bulk by a thread.
// A row holds what a file of the folder would, one record (intake_segment.h), sealed by the same key: both machines have it.
// Open reads every row, and takes over once what the folder holds of a time before (`before`).
// TakeOverOf goes on with the rows of a node that decided beside this one, once for each node: its rows stay its own in the
// table until they are done. After an error none of them was taken.
// A row that is not what was written, or that another key has sealed, is said in the log and counted at every start. Nothing
// erases it.
// Owns: one thread. The table outlives it. Threads: all calls from any thread.
// Errors: intake_failed: another registry has the ledger, or the server is away for longer than the ledger waits for it.
//   intake_full as for the folder, and while too much that is done could not be erased. CopyTo refuses: the server's own
//   tools back it up.
// Limits: bytes_max of undone records, which bounds Append and not what Open and TakeOverOf find; kErasedLaterMax rows that
//   wait to be erased.
#pragma once

#include <chrono>
#include <memory>

#include "bridge/ingest/intake.h"
#include "bridge/ledger/intake_table.h"

namespace registry::ingest {

struct LedgerIntakeOptions {
  std::size_t bytes_max = 1u << 30;
  Bytes key{};  // empty: payloads are kept as they are
  std::chrono::milliseconds erase_every{100};
  LogLine log{};
  static constexpr std::size_t kErasedLaterMax = 100'000;
};

// `before` may be null. It is empty afterwards, and no longer needed.
Result<std::unique_ptr<Intake>> OpenLedgerIntake(ledger::IntakeTable& table,
                                                 const LedgerIntakeOptions& options, Intake* before);

}  // namespace registry::ingest
