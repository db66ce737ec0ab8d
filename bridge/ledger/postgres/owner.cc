#include "bridge/ledger/postgres/owner.h"

#include "bridge/ledger/postgres/shared_statements.h"
#include "bridge/ledger/postgres/store.h"

namespace registry::ledger {

std::shared_ptr<const Written> WrittenOf(const Ledger& ledger) { return StoreOf(ledger).written(); }

Result<std::int64_t> TakeOwnership(Lasting& connection, const std::string& schema, const Ledger& ledger) {
  const PostgresStore& store = StoreOf(ledger);
  const std::string of = Quoted(schema) + ".", epoch = Int8(store.Epoch());
  // A write whose client is gone or hangs may be open for long, and this one would wait for it: it is ended. A dump of the
  // database holds no lock of these modes.
  const Statement end_former{
      "",
      "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE a.usename = current_user AND "
      "a.pid <> pg_backend_pid() AND EXISTS (SELECT 1 FROM " +
          of + "writer WHERE epoch = $1) AND a.pid IN (SELECT pid FROM pg_locks WHERE relation IN ('" + of +
          "owner'::regclass, '" + of + "intake'::regclass, '" + of +
          "kept'::regclass) AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
          "AND mode IN ('RowShareLock', 'RowExclusiveLock'))",
      {kInt8Oid}};
  const Statement own{"",
                      "UPDATE " + of + "owner SET epoch = $1 WHERE epoch <= $1 AND EXISTS (SELECT 1 FROM " +
                          of + "writer WHERE epoch = $1) RETURNING epoch",
                      {kInt8Oid}};
  const SharedStatements members(schema);
  const auto answers = connection.Run({{&end_former, {epoch}},
                                       {&members.lock_earlier, {epoch}},
                                       {&members.end_earlier, {epoch}},
                                       {&own, {epoch}}});
  if (const auto* const failed = std::get_if<Failure>(&answers))
    return failed->AsError("opening what is beside the ledger");
  if (std::get<std::vector<Rows>>(answers).back().size() != 1) return NotTheOwner();
  return store.Epoch();
}

std::string WithOwner(const std::string& schema) {
  return "WITH owner AS MATERIALIZED (SELECT 1 FROM " + Quoted(schema) +
         ".owner WHERE epoch = $1 FOR SHARE) ";
}

// A key share lock lets the member say that it lives meanwhile. Who ends it waits (Statements: lock_member).
std::string WithMember(const std::string& schema) {
  return "WITH owner AS MATERIALIZED (SELECT 1 FROM " + Quoted(schema) +
         ".member WHERE number = $1 AND NOT ended AND epoch = (SELECT epoch FROM " + Quoted(schema) +
         ".writer) FOR KEY SHARE) ";
}

Error NotTheOwner() {
  return Error::Make(Code::kFailed, kLedgerInUse, "another registry has taken over the ledger");
}

}  // namespace registry::ledger
