// bridge/ledger/postgres/open.h: the PostgreSQL backend of the ledger (README.md beside this file). No type of libpq leaves
// this folder.
// Owns: one connection that writes, some that read, one committer thread (keyed/keyed_ledger.h). What piled up while a
//   commit was under way is one transaction. A ledger is one registry's: the connection that writes holds an advisory lock
//   on it.
// With a mark file, what the server acknowledged is known here, too. A database that was set back, or made anew, is not
//   opened.
// Errors: kLedgerMissing (no such schema: `registryctl ledger migrate` makes it), kLedgerInUse (another registry writes
//   there), kLedgerNewer, kLedgerDamaged; kLedgerFailed: the server cannot be reached, refuses, or is gone longer than
//   retry_for. While it is gone, commits and reads wait. A commit that was under way then is looked up before it is
//   repeated.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "bridge/ledger/lease.h"
#include "bridge/ledger/ledger.h"
#include "bridge/log_line.h"
#include "bridge/secret.h"

namespace registry::ledger {

// A registry that may be one of several on this ledger, of which one writes (nodes.h).
struct NodeOptions {
  std::string name;     // unlike that of the others; empty: this one takes no part in it
  std::string version;  // of the program, for people
  std::shared_ptr<Lease>
      lease{};  // told of each transaction that came back; null: held for as long as the connection is
};

struct PostgresOptions {
  std::string connection;  // libpq's keywords or URI, without a password
  Secret password{};       // empty: peer, certificate, or libpq's own passfile
  std::string schema = "registry";
  std::string mark_file{};  // the ledger's mark on this machine (bridge/ledger/mark.h); empty: none is kept
  std::chrono::milliseconds answer_within{
      20'000};  // each answer of the server; then the connection counts as lost
  std::chrono::milliseconds retry_for{30'000};
  std::size_t readers = 8;                 // connections at most; who finds none waits
  std::size_t waiting_commits_max = 4096;  // Commit blocks above
  std::size_t batch_max = 256;             // changesets per transaction
  LogLine log{};
  NodeOptions node{};
  // Others may commit beside this one (members.h), which has the ledger all the same: each transaction then takes the row of
  // table `writer` before it is checked, and tells the others what it changed (table `changes`).
  bool shared = false;
  // How long a start waits for whoever has the ledger.
  std::chrono::milliseconds lock_within{40'000};
  // At most once, from the thread that writes, and in place of when_not_as_left: another node has taken the ledger over, and
  // nothing that was acknowledged was lost. The ledger fails for good right after it.
  std::function<void()> when_taken_over{};
  // At most once, from the thread that writes: another has written there, or the server lost what it had acknowledged.
  // The ledger fails for good right after it. Nobody should open it again before a person knows which it was.
  std::function<void()> when_not_as_left{};
};

// What can be said without a server: is it a connection, without a password, with TLS where it leaves this machine.
Status CheckPostgresOptions(const PostgresOptions& options);

// Makes the schema, its tables and an empty ledger in them, or brings what is there to this release. A sentence that says
// what was done. Nobody may have the ledger open.
Result<std::string> MigratePostgresLedger(const PostgresOptions& options);

Result<std::unique_ptr<Ledger>> OpenPostgresLedger(const PostgresOptions& options);

// A reader beside a running registry or of a stopped one: one moment of the ledger, the same until it is opened again. Needs
// no more than the right to read.
Result<std::unique_ptr<LedgerReader>> OpenPostgresReader(const PostgresOptions& options);

// Whether the server answers and has a ledger of this release there. Writes nothing, and takes no lock.
Status CheckPostgresLedger(const PostgresOptions& options);

// The mark anew, of what is there. A sentence that says so, or what is given up; without accept_loss nothing is, and it is
// an Error. Nobody may have the ledger open.
Result<std::string> AdoptPostgresLedger(const PostgresOptions& options, bool accept_loss);

// The indexes (FORMAT.md, `places`, `day_marks`) anew. A sentence that says so. Nobody may have the ledger open.
Result<std::string> ReindexPostgresLedger(const PostgresOptions& options);

}  // namespace registry::ledger
