// bridge/ledger/postgres/connection.h: one connection to PostgreSQL, in pipeline mode: all requests of a call go out
// together and cost one round trip. Statements are prepared when they are first asked for.
// Private to this folder. Owns: libpq's connection. Threads: one at a time.
// Errors: a Failure; the connection is of no use after one. `lost`: what the server made of the requests is not known.
// Waiting: connecting is bounded by connect_timeout, 5 s unless the options say another; a call by its deadline.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bridge/ledger/postgres/open.h"

namespace registry::ledger {

// Of the connection's life. Types are those of the server's catalogue; parameters and results are binary.
struct Statement {
  std::string name;  // empty: not prepared
  std::string sql;
  std::vector<Oid> types{};
};
inline constexpr Oid kByteaOid = 17, kInt8Oid = 20, kTextOid = 25, kByteaArrayOid = 1001;

struct Request {
  const Statement* statement = nullptr;    // outlives the call
  std::vector<std::string_view> params{};  // as well
};

struct Failure {
  bool lost = false;
  std::string state;  // SQLSTATE (PostgreSQL's manual, appendix A); empty: not from the server
  std::string message;

  bool Is(std::string_view sql_state) const { return state == sql_state; }
  bool IsOfClass(std::string_view sql_class) const { return state.starts_with(sql_class); }
  // Another connection, or the same in a while, may fare better.
  bool MayPass() const;
  Error AsError(const std::string& doing) const;
};

// What one request was answered.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}
  std::size_t size() const { return static_cast<std::size_t>(PQntuples(result_.get())); }
  std::string_view At(std::size_t row, int column) const;  // empty for NULL
  std::size_t changed() const;                             // rows that the statement touched

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};
using Answers = std::variant<std::vector<Rows>, Failure>;

class Connection {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // kWritable: a standby is refused (25006), for it may be behind what was acknowledged, and is promoted perhaps.
  enum class Server : std::uint8_t { kAny, kWritable };
  static std::variant<std::unique_ptr<Connection>, Failure> Open(const PostgresOptions& options,
                                                                 Server wanted);
  // One Rows for each request, in order, or the first failure.
  Answers Run(const std::vector<Request>& requests, Time deadline);
  // What the server warned of in the last Run. The one warning that a COMMIT gives is that its wait for a standby was
  // cancelled: so what it committed may be lost.
  std::optional<Failure> Warned() const {
    if (warning_.empty()) return std::nullopt;
    return Failure{true, "", warning_};
  }
  // After DEALLOCATE ALL: a failure may have left out what was to be prepared.
  void PrepareAnew() { prepared_.clear(); }
  int process() const { return PQbackendPID(connection_.get()); }  // the server's, for this connection
  // Which server it is: since when it runs, in microseconds. A standby or a restarted server says another time.
  std::int64_t server() const { return server_; }

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  explicit Connection(PGconn* connection) : connection_(connection) {}

  bool Send(const Request& request);
  // Whether the answer to the last of them is complete.
  bool TakeResults(std::vector<Rows>& rows, std::optional<Failure>& failed);
  bool Take(PGresult* result, std::vector<Rows>& rows, std::optional<Failure>& failed);
  bool WaitFor(bool to_write, Time deadline) const;
  Failure Lost(const std::string& why) const;
  static void Notice(void* self, const PGresult* notice);

  std::unique_ptr<PGconn, Finish> connection_;
  std::set<std::string, std::less<>> prepared_;
  std::vector<bool> wanted_;  // of the results under way: whether it is a request's, and not a preparation's
  std::size_t taken_ = 0;     // of them
  std::string warning_;
  std::int64_t server_ = 0;
};

// A number as a parameter (int8), and back.
std::string Int8(std::int64_t number);
std::int64_t OfInt8(std::string_view octets);

}  // namespace registry::ledger
