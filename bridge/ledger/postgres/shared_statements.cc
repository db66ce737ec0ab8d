#include "bridge/ledger/postgres/shared_statements.h"

namespace registry::ledger {

const Statement SharedStatements::kRollback{"", "ROLLBACK", {}};
const Statement SharedStatements::kForgetPrepared{"", "DEALLOCATE ALL", {}};
const Statement SharedStatements::kTerminateUnlessItWaits{
    "",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1::int8::int4 AND "
    "(extract(epoch FROM backend_start) * 1000000)::int8 = $2 AND wait_event IS DISTINCT FROM 'SyncRep'",
    {kInt8Oid, kInt8Oid}};
const Statement SharedStatements::kBounds{
    "shared_bounds",
    "SELECT set_config('lock_timeout', ($1::int8)::text, true), "
    "set_config('idle_in_transaction_session_timeout', ($2::int8)::text, true)",
    {kInt8Oid, kInt8Oid}};

SharedStatements::SharedStatements(const std::string& schema) {
  const std::string of = Quoted(schema) + ".", writer = of + "writer", member = of + "member",
                    changes = of + "changes";
  const std::string row = "SELECT epoch, number, began, acked FROM " + writer;
  take_writer = {"take_writer", row + " FOR UPDATE", {}};
  see_writer = {"see_writer", row, {}};
  is_member = {
      "is_member", "SELECT count(*) FROM " + member + " WHERE number = $1 AND NOT ended", {kInt8Oid}};
  changes_from = {"changes_from",
                  "SELECT number, member, record FROM " + changes +
                      " WHERE number >= $1 ORDER BY number LIMIT " + std::to_string(kChangesRead),
                  {kInt8Oid}};
  tell = {"tell_change",
          "INSERT INTO " + changes + " (number, member, record) VALUES ($1, $2, $3)",
          {kInt8Oid, kInt8Oid, kByteaOid}};
  const auto moved = [&](const std::string& what) {
    return "WITH moved AS (UPDATE " + writer + " SET number = $2" + what +
           " WHERE epoch = $1 AND number = $2 - 1 RETURNING 1) SELECT 1 / count(*) FROM moved";
  };
  step = {"step_shared",
          moved(", acked = greatest(acked, $3), said = clock_timestamp(), beats = beats + 1"),
          {kInt8Oid, kInt8Oid, kInt8Oid}};
  step_of_member = {"step_of_member", moved(""), {kInt8Oid, kInt8Oid}};
  confirm = {"", "UPDATE " + writer + " SET number = number WHERE epoch = $1", {kInt8Oid}};
  say_acked = {
      "", "UPDATE " + writer + " SET acked = $2 WHERE epoch = $1 AND acked < $2", {kInt8Oid, kInt8Oid}};
  prune = {"prune_changes", "DELETE FROM " + changes + " WHERE number <= $1", {kInt8Oid}};
  const auto oid = [](const std::string& table) { return "'" + table + "'::regclass"; };
  end_waiting = {
      "",
      "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a WHERE a.usename = current_user AND "
      "a.pid <> pg_backend_pid() AND a.wait_event_type = 'Client' AND a.xact_start IS NOT NULL AND "
      "a.state_change < clock_timestamp() - $1 * interval '1 millisecond' AND a.pid IN (SELECT pid FROM "
      "pg_locks WHERE relation IN (" +
          oid(writer) + ", " + oid(member) + ", " + oid(of + "intake") +
          ") AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mode IN "
          "('RowShareLock', 'RowExclusiveLock')) AND a.pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = "
          "'advisory' AND granted AND objid = " +
          oid(writer) + "::oid)",
      {kInt8Oid}};
  join = {"",
          "INSERT INTO " + member + " (epoch, name, version) SELECT epoch, $1, $2 FROM " + writer +
              " WHERE shared = epoch AND EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND "
              "granted AND objid = " +
              oid(writer) +
              "::oid AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) "
              "RETURNING number, epoch",
          {kTextOid, kTextOid}};
  say = {"say_member",
         "UPDATE " + member +
             " SET beats = beats + 1, said = clock_timestamp() WHERE number = $1 AND NOT ended AND epoch = "
             "(SELECT epoch FROM " +
             writer + ") RETURNING number",
         {kInt8Oid}};
  admit = {"", "UPDATE " + writer + " SET shared = epoch WHERE epoch = $1 RETURNING epoch", {kInt8Oid}};
  lock_earlier = {
      "", "SELECT number FROM " + member + " WHERE epoch < $1 AND NOT ended FOR UPDATE", {kInt8Oid}};
  end_earlier = {"", "UPDATE " + member + " SET ended = true WHERE epoch < $1 AND NOT ended", {kInt8Oid}};
  lock_member = {"", "SELECT number FROM " + member + " WHERE number = $1 FOR UPDATE", {kInt8Oid}};
  end_member = {"", "UPDATE " + member + " SET ended = true WHERE number = $1", {kInt8Oid}};
  list_members = {"",
                  "SELECT number, name, version, beats, (ended OR epoch <> $1)::int::int8 FROM " + member +
                      " ORDER BY number",
                  {kInt8Oid}};
  forget_member = {"", "DELETE FROM " + member + " WHERE number = $1", {kInt8Oid}};
}

}  // namespace registry::ledger
