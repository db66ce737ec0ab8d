#include "bridge/ledger/postgres/statements.h"

#include <cstdint>

namespace registry::ledger {
namespace {

// Of the pair of numbers that an advisory lock is known by; the other is the schema's own.
constexpr const char* kLockClass = "1768911986";  // "iotr" in octets

void AppendInt32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

Statements::OfColumn StatementsOf(const std::string& schema, Column column) {
  const std::string name(NameOf(column)), table = Quoted(schema) + "." + Quoted(name);
  const std::string pair = "SELECT key, record FROM " + table;
  Statements::OfColumn of;
  of.get = {"get_" + name, "SELECT record FROM " + table + " WHERE key = $1", {kByteaOid}};
  of.get_all = {"get_all_" + name, pair + " WHERE key = ANY($1)", {kByteaArrayOid}};
  of.scan = {"scan_" + name,
             pair + " WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3",
             {kByteaOid, kByteaOid, kInt8Oid}};
  of.scan_to_end = {
      "scan_to_end_" + name, pair + " WHERE key >= $1 ORDER BY key LIMIT $2", {kByteaOid, kInt8Oid}};
  of.last = {"last_" + name, pair + " ORDER BY key DESC LIMIT 1", {}};
  const std::string append = "INSERT INTO " + table + " (key, record) SELECT * FROM unnest($1, $2)";
  of.append = {"append_" + name, append, {kByteaArrayOid, kByteaArrayOid}};
  of.put = {"put_" + name,
            append + " ON CONFLICT (key) DO UPDATE SET record = excluded.record",
            {kByteaArrayOid, kByteaArrayOid}};
  of.erase = {"erase_" + name, "DELETE FROM " + table + " WHERE key = ANY($1)", {kByteaArrayOid}};
  of.erase_range = {"erase_range_" + name,
                    "DELETE FROM " + table + " WHERE key >= $1 AND key < $2",
                    {kByteaOid, kByteaOid}};
  return of;
}

// As octets of an int8.
std::string Micros(const std::string& time) { return "(extract(epoch FROM " + time + ") * 1000000)::int8"; }

}  // namespace

const Statement Statements::kBegin{"", "BEGIN ISOLATION LEVEL READ COMMITTED", {}};
const Statement Statements::kBeginMoment{"", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", {}};
const Statement Statements::kCommit{"", "COMMIT", {}};
const Statement Statements::kNoSync{"", "SET LOCAL synchronous_commit TO off", {}};
const Statement Statements::kTerminate{
    "",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid = $1::int8::int4 AND (extract(epoch FROM backend_start) * 1000000)::int8 = $2",
    {kInt8Oid, kInt8Oid}};

Statements::Statements(const std::string& schema) {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    columns_[i] = StatementsOf(schema, static_cast<Column>(i));
  const std::string table = Quoted(schema) + ".writer", literal = "'" + table + "'::regclass::oid";
  // An OID has 32 bits and no sign; the shifts give it the sign that an int4 of the same bits has.
  lock = {"",
          std::string("SELECT pg_try_advisory_lock(") + kLockClass + ", ((" + literal +
              "::int8 << 32) >> 32)::int4)::int::int8, (SELECT (extract(epoch FROM backend_start) * "
              "1000000)::int8 "
              "FROM pg_stat_activity WHERE pid = pg_backend_pid())",
          {}};
  const std::string holders =
      "pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid AND l.locktype = 'advisory' AND l.granted AND "
      "l.classid = " +
      std::string(kLockClass) + "::oid AND l.objid = " + literal +
      " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
  holder = {
      "",
      "SELECT a.pid::int8, a.application_name, coalesce(a.client_addr::text, 'this machine') FROM " + holders,
      {}};
  look_at_writer = {"", "SELECT epoch, number, began, acked FROM " + table, {}};
  MakeNodeStatements(schema, holders);
  confirm = {"",
             "UPDATE " + table + " SET number = number WHERE epoch = $1 AND number = $2 RETURNING epoch",
             {kInt8Oid, kInt8Oid}};
  step = {"step",
          "WITH moved AS (UPDATE " + table +
              " SET number = $2, acked = $3, said = clock_timestamp() WHERE epoch = $1 AND number = $2 - 1 "
              "RETURNING 1) "
              "SELECT 1 / count(*) FROM moved",
          {kInt8Oid, kInt8Oid, kInt8Oid}};
  say_acked = {
      "", "UPDATE " + table + " SET acked = $2 WHERE epoch = $1 AND acked < $2", {kInt8Oid, kInt8Oid}};
  give_up = {"", "UPDATE " + table + " SET acked = number WHERE epoch = $1 RETURNING number", {kInt8Oid}};
  pass_marks = {
      "",
      "UPDATE " + table + " SET number = number + $2, acked = number + $2 WHERE epoch = $1 RETURNING number",
      {kInt8Oid, kInt8Oid}};
}

void Statements::MakeNodeStatements(const std::string& schema, const std::string& holders) {
  const std::string writer = Quoted(schema) + ".writer", standby = Quoted(schema) + ".standby";
  // What a node that died said of itself goes after a day. One that let others commit is found among these: what it had at
  // the broker is to be inherited (members.h).
  begin_writer = {
      "",
      "WITH gone AS (DELETE FROM " + standby +
          " WHERE name = $1 OR said < now() - interval '1 day'), former AS (INSERT INTO " + Quoted(schema) +
          ".member (epoch, name, version, ended) SELECT epoch, node, version, true FROM " + writer +
          " WHERE shared = epoch AND shared > 0 AND node <> $1) UPDATE " + writer +
          " SET epoch = epoch + 1, began = number, node = $1, version = $2, lease_ms = $3, tables = $4, "
          "since = clock_timestamp(), said = clock_timestamp() RETURNING epoch, number",
      {kTextOid, kTextOid, kInt8Oid, kInt8Oid}};
  look_at_lease = {"",
                   "SELECT w.epoch, w.number, w.began, w.lease_ms, w.node, w.version, " + Micros("w.since") +
                       ", " + Micros("w.said") + ", " + Micros("clock_timestamp()") +
                       ", coalesce(a.pid, 0)::int8, coalesce(" + Micros("a.backend_start") +
                       ", 0), (coalesce(a.state, '') = 'active' AND coalesce(a.wait_event_type, '') <> "
                       "'Client')::int::int8, w.tables, w.acked, w.beats, (w.shared = w.epoch)::int::int8 "
                       "FROM " +
                       writer + " w LEFT JOIN (" + holders + ") ON true",
                   {}};
  list_standbys = {"",
                   "SELECT name, version, reaches_broker::int::int8, " + Micros("since") + ", " +
                       Micros("said") + ", tables FROM " + standby + " ORDER BY name",
                   {}};
  list_deciding = {"",
                   "SELECT DISTINCT m.name FROM " + Quoted(schema) + ".member m JOIN " + writer +
                       " w ON m.epoch = w.epoch AND w.shared = w.epoch WHERE NOT m.ended ORDER BY m.name",
                   {}};
  say_standby = {
      "",
      "INSERT INTO " + standby +
          " (name, version, reaches_broker, tables) VALUES ($1, $2, $3 = 1, $4) ON CONFLICT (name) DO UPDATE "
          "SET version = excluded.version, reaches_broker = excluded.reaches_broker, "
          "tables = excluded.tables, said = now()",
      {kTextOid, kTextOid, kInt8Oid, kInt8Oid}};
  forget_standby = {"", "DELETE FROM " + standby + " WHERE name = $1", {kTextOid}};
}

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string ArrayOf(const std::vector<std::string_view>& elements) {
  std::size_t size = 20;
  for (const std::string_view element : elements) size += 4 + element.size();
  std::string array;
  array.reserve(size);
  AppendInt32(array, elements.empty() ? 0 : 1);  // dimensions
  AppendInt32(array, 0);                         // no NULL among them
  AppendInt32(array, kByteaOid);
  if (elements.empty()) return array;
  AppendInt32(array, static_cast<std::uint32_t>(elements.size()));
  AppendInt32(array, 1);  // the first has this index
  for (const std::string_view element : elements) {
    AppendInt32(array, static_cast<std::uint32_t>(element.size()));
    array += element;
  }
  return array;
}

}  // namespace registry::ledger
