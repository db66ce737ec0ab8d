#include "bridge/ledger/postgres/connection.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "bridge/ledger/fields.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kBinary = 1;
constexpr int kInRecovery = 10, kRunsSince = 11;  // the columns of Settings

std::string FirstLine(std::string text) {
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

// Of every connection, before anything else: plans that are made once, by the primary key and never by reading a whole
// table (they are made while the tables are still empty), and not compiled, which takes longer than they do. Nobody waits
// for locks for ever. No statement_timeout: at COMMIT it would end the wait for a synchronous standby, and call that a
// success. The server looks for a client that is gone within 25 s, as the client does for it (Open): until it finds out,
// the ledger stays locked, which by the kernel's own settings is two hours (tcp(7)). A socket in the file system takes none
// of the four.
const Statement& Settings() {
  static const Statement settings{
      "",
      "SELECT set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false), "
      "set_config('jit', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false), "
      "set_config('lock_timeout', $1, false), set_config('idle_in_transaction_session_timeout', '0', false), "
      "set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), "
      "set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '20000', false), "
      "pg_is_in_recovery(), pg_postmaster_start_time()",
      {kTextOid}};
  return settings;
}

}  // namespace

bool Failure::MayPass() const {
  // Connection, resources, operator's hand, rolled back by the server, a standby that is not promoted yet,
  // a lock that the same had in an earlier attempt, a transaction that stood still too long.
  return lost || IsOfClass("08") || IsOfClass("53") || IsOfClass("57") || IsOfClass("40") || Is("25006") ||
         Is("25P03") || Is("55P03");
}

Error Failure::AsError(const std::string& doing) const {
  const std::string said = doing + ": " + message + (state.empty() ? "" : " (SQLSTATE " + state + ")");
  if (Is("42P01") || Is("3F000"))  // undefined_table, invalid_schema_name
    return Error::Make(Code::kFailed, kLedgerMissing, said);
  if (IsOfClass("XX0") && !Is("XX000"))  // data_corrupted, index_corrupted
    return Error::Make(Code::kFailed, kLedgerDamaged, said);
  return Error::Make(Code::kFailed, kLedgerFailed, said);
}

std::string_view Rows::At(std::size_t row, int column) const {
  const int at = static_cast<int>(row);
  return {PQgetvalue(result_.get(), at, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), at, column))};
}

std::size_t Rows::changed() const {
  const std::string text = PQcmdTuples(result_.get());
  return text.empty() ? 0 : std::stoul(text);
}

std::variant<std::unique_ptr<Connection>, Failure> Connection::Open(const PostgresOptions& options,
                                                                    Server wanted) {
  const std::string password(options.password.text());
  // What stands before the options is overruled by them, what stands behind overrules them (libpq's manual, 34.1.1).
  const std::array keywords = {"connect_timeout",
                               "keepalives_idle",
                               "keepalives_interval",
                               "keepalives_count",
                               "tcp_user_timeout",
                               "fallback_application_name",
                               "dbname",
                               "client_encoding",
                               password.empty() ? static_cast<const char*>(nullptr) : "password",
                               static_cast<const char*>(nullptr)};
  const std::array values = {"5",
                             "10",
                             "5",
                             "3",
                             "20000",
                             "iot-registry",
                             options.connection.c_str(),
                             "UTF8",
                             password.empty() ? static_cast<const char*>(nullptr) : password.c_str(),
                             static_cast<const char*>(nullptr)};
  std::unique_ptr<Connection> made(
      new Connection(PQconnectdbParams(keywords.data(), values.data(), /*expand_dbname=*/1)));
  PGconn* const connection = made->connection_.get();
  if (PQstatus(connection) != CONNECTION_OK) return made->Lost("cannot connect");
  PQsetNoticeReceiver(connection, &Connection::Notice, made.get());
  if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1)
    return made->Lost("cannot be pipelined");
  const std::string timeout = std::to_string(options.answer_within.count());
  auto set = made->Run({{&Settings(), {timeout}}}, steady_clock::now() + options.answer_within);
  if (auto* failure = std::get_if<Failure>(&set)) return std::move(*failure);
  const Rows& said = std::get<std::vector<Rows>>(set).front();
  made->server_ = OfInt8(said.At(0, kRunsSince));
  const bool standby = said.At(0, kInRecovery) == std::string_view("\1", 1);
  if (standby && wanted == Server::kWritable)
    return Failure{false, "25006", "the server is a standby that is not promoted"};
  return made;
}

Answers Connection::Run(const std::vector<Request>& requests, Time deadline) {
  wanted_.clear();
  warning_.clear();
  taken_ = 0;
  for (const Request& request : requests) {
    if (!Send(request)) return Lost("cannot send");
  }
  if (PQpipelineSync(connection_.get()) != 1) return Lost("cannot send");
  std::vector<Rows> rows;
  std::optional<Failure> failed;
  for (bool flushed = false;;) {
    const int left = flushed ? 0 : PQflush(connection_.get());
    if (left < 0) return Lost("cannot send");
    flushed = left == 0;
    if (TakeResults(rows, failed)) break;
    if (failed && failed->lost) break;
    if (!WaitFor(!flushed, deadline)) return Failure{true, "", "the server did not answer in time"};
    if (PQconsumeInput(connection_.get()) != 1) return Lost("cannot read");
  }
  if (failed) return std::move(*failed);
  return rows;
}

bool Connection::Send(const Request& request) {
  const Statement& statement = *request.statement;
  PGconn* const connection = connection_.get();
  const int count = static_cast<int>(request.params.size());
  if (!statement.name.empty() && prepared_.insert(statement.name).second) {
    if (PQsendPrepare(connection, statement.name.c_str(), statement.sql.c_str(),
                      static_cast<int>(statement.types.size()), statement.types.data()) != 1)
      return false;
    wanted_.push_back(false);
  }
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string_view param : request.params) {
    values.push_back(param.data() != nullptr ? param.data() : "");
    lengths.push_back(static_cast<int>(param.size()));
  }
  const std::vector<int> formats(request.params.size(), kBinary);
  wanted_.push_back(true);
  if (statement.name.empty())
    return PQsendQueryParams(connection, statement.sql.c_str(), count, statement.types.data(), values.data(),
                             lengths.data(), formats.data(), kBinary) == 1;
  return PQsendQueryPrepared(connection, statement.name.c_str(), count, values.data(), lengths.data(),
                             formats.data(), kBinary) == 1;
}

bool Connection::TakeResults(std::vector<Rows>& rows, std::optional<Failure>& failed) {
  PGconn* const connection = connection_.get();
  // A null result stands between two requests; two of them: nothing is under way, which a whole answer never leaves.
  for (int nulls = 0; PQisBusy(connection) == 0;) {
    PGresult* const result = PQgetResult(connection);
    if (result == nullptr) {
      if (++nulls < 2 && PQstatus(connection) == CONNECTION_OK) continue;
      if (!failed) failed.emplace();
      if (!failed->lost) failed = Lost("the connection went");
      return false;
    }
    nulls = 0;
    if (Take(result, rows, failed)) return true;
  }
  return false;
}

// Whether this was the end of the answers.
bool Connection::Take(PGresult* result, std::vector<Rows>& rows, std::optional<Failure>& failed) {
  Rows taken(result);
  const auto status = PQresultStatus(result);
  if (status == PGRES_PIPELINE_SYNC) return true;
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
    if (taken_ < wanted_.size() && wanted_[taken_]) rows.push_back(std::move(taken));
    ++taken_;
  } else if (status != PGRES_PIPELINE_ABORTED && !failed) {
    const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    failed = Failure{PQstatus(connection_.get()) != CONNECTION_OK, state != nullptr ? state : "",
                     message != nullptr ? message : FirstLine(PQresultErrorMessage(result))};
  }
  return false;
}

bool Connection::WaitFor(bool to_write, Time deadline) const {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
  if (left <= milliseconds(0)) return false;
  pollfd watched{PQsocket(connection_.get()), static_cast<short>(to_write ? POLLIN | POLLOUT : POLLIN), 0};
  constexpr milliseconds kLook{1000};  // so that a signal's interruption needs no case of its own
  ::poll(&watched, 1, static_cast<int>(std::min(left, kLook).count()));
  return true;
}

Failure Connection::Lost(const std::string& why) const {
  const std::string said = FirstLine(PQerrorMessage(connection_.get()));
  return {true, "", said.empty() ? why : why + ": " + said};
}

void Connection::Notice(void* self, const PGresult* notice) {
  const char* const severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  const char* const message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  if (severity != nullptr && message != nullptr && std::string_view(severity) == "WARNING")
    static_cast<Connection*>(self)->warning_ = message;
}

std::string Int8(std::int64_t number) {
  std::string octets;
  AppendFixed64(octets, static_cast<std::uint64_t>(number));
  return octets;
}

std::int64_t OfInt8(std::string_view octets) {
  return octets.size() == 8 ? static_cast<std::int64_t>(Fixed64(octets)) : 0;
}

}  // namespace registry::ledger
