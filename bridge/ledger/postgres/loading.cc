#include "bridge/ledger/postgres/loading.h"

#include <array>
#include <deque>

#include "bridge/ledger/keyed/store.h"
#include "bridge/ledger/postgres/lasting.h"
#include "bridge/ledger/postgres/schema.h"
#include "bridge/ledger/postgres/statements.h"

namespace registry::ledger {
namespace {

// Sorting a hundred million keys takes minutes. A server that is gone is noticed much sooner (connection.cc, Settings).
constexpr std::chrono::hours kIndexedWithin{2};

constexpr std::array kFollows = {Column::kHistoryByDevice, Column::kPlaces, Column::kDayMarks};

std::string TableOf(const PostgresOptions& options, Column column) {
  return Quoted(options.schema) + "." + Quoted(NameOf(column));
}

std::string DropKey(const PostgresOptions& options, Column column) {
  return "ALTER TABLE " + TableOf(options, column) + " DROP CONSTRAINT IF EXISTS " +
         Quoted(std::string(NameOf(column)) + "_pkey");
}

// Whoever comes meanwhile waits behind an attempt that waits for a lock.
constexpr int kLockShare = 4;  // of `answer_within`

// In one transaction, again and again while that may help: each may meet the work of an attempt whose end nobody heard.
Status ApplyAtLast(const PostgresOptions& options, const std::string& doing,
                   const std::vector<std::string>& all, std::chrono::milliseconds within) {
  // A server at work looks for its client only when told to: an import that was cut off would be in the next one's way.
  std::deque<Statement> statements{
      {"",
       "SELECT set_config(name, '10s', true) FROM pg_settings WHERE name = "
       "'client_connection_check_interval'"},
      {"", "SET LOCAL lock_timeout = " + std::to_string((options.answer_within / kLockShare).count())}};
  for (const std::string& sql : all) statements.push_back({"", sql});
  std::vector<Request> requests = {{&Statements::kBegin}};
  for (const Statement& statement : statements) requests.push_back({&statement});
  requests.push_back({&Statements::kCommit});
  PostgresOptions lasting = options;
  lasting.answer_within = within;
  lasting.retry_for = kReadersWithin;
  const auto answers = Lasting(lasting).Run(requests);
  const auto* const failed = std::get_if<Failure>(&answers);
  return failed != nullptr ? Status(failed->AsError(doing)) : Status(Done{});
}

}  // namespace

Status MayLoad(const PostgresOptions& options) {
  const auto made = Connection::Open(options, Connection::Server::kWritable);
  if (const auto* const failed = std::get_if<Failure>(&made)) return failed->AsError("looking at the tables");
  const Statement others{"",
                         "SELECT count(*) FROM pg_tables WHERE schemaname = convert_from($1, 'UTF8') AND NOT "
                         "pg_has_role(tableowner, 'USAGE')",
                         {kByteaOid}};
  const auto answers = std::get<std::unique_ptr<Connection>>(made)->Run(
      {{&others, {options.schema}}}, std::chrono::steady_clock::now() + options.answer_within);
  if (const auto* const failed = std::get_if<Failure>(&answers))
    return failed->AsError("looking at the tables");
  if (OfInt8(std::get<std::vector<Rows>>(answers).front().At(0, 0)) == 0) return Done{};
  return Error::Make(
      Code::kFailed, kLedgerFailed,
      "an import drops indexes and makes them again, so it needs the role that owns the tables in " +
          NameOfPlace(options));
}

// The name of the index is the one that PostgreSQL gives the key of a table.
Status BeginLoading(const PostgresOptions& options) {
  std::vector<std::string> all;
  for (const Column column : kFollows) all.push_back(DropKey(options, column));
  // History and what is found by it are in by the same transactions: what is there stays.
  for (const Column column : {Column::kPlaces, Column::kDayMarks})
    all.push_back("TRUNCATE " + TableOf(options, column));
  return ApplyAtLast(options, "dropping the indexes", all, options.answer_within);
}

Status EndLoading(const PostgresOptions& options) {
  std::vector<std::string> all;
  for (const Column column : kFollows) {
    all.push_back(DropKey(options, column));  // of an attempt whose end nobody heard
    all.push_back("ALTER TABLE " + TableOf(options, column) + " ADD PRIMARY KEY (key)");
  }
  return ApplyAtLast(options, "making the indexes", all, kIndexedWithin);
}

}  // namespace registry::ledger
