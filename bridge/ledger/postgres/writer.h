// bridge/ledger/postgres/writer.h: the one connection that writes. It holds the ledger's advisory lock, so whoever writes is
// the only one; a server that is asked for the lock by the next has ended the transaction of the last.
// Every transaction moves `writer.number` on by one, of this writer's own `writer.epoch`. After a connection that was lost
// the two say what became of the transaction under way: it is there, or it is sent again; or another registry has written in
// between, or the server has lost what it had acknowledged (a standby that lagged was promoted): then nothing is written
// any more. What was written without waiting may be missing after a crash, and only that.
// A transaction that is found there is acknowledged only when another behind it has come back: before, a synchronous standby
// may not have it.
// Private to this folder. Owns: its connection. Threads: one at a time.
// Errors: kLedgerInUse, kLedgerFailed. After one nothing is written any more.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bridge/ledger/mark.h"
#include "bridge/ledger/postgres/transaction.h"
#include "bridge/ledger/postgres/writing_session.h"
#include "bridge/ledger/postgres/written.h"
#include "schemas/base/mutex.h"

namespace registry::ledger {

// Where others commit beside it (members.h), shared_writer.h makes the transactions over this one's connection.
class Writer final : public WritingSession {
 public:
  // `written` outlives it.
  static Result<std::unique_ptr<Writer>> Open(const PostgresOptions& options, const Statements& statements,
                                              Written& written);
  Status Write(OrderedWrites& writes, bool sync);
  // Of every transaction from now on.
  void Become(Transaction::Kind kind) { kind_ = kind; }
  // Raised with each transaction that is acknowledged, from now on.
  void Keep(std::unique_ptr<MarkFile> mark) { mark_ = std::move(mark); }
  // Moves the number on beyond every mark that any node may have: of a database that was set back.
  Status PassMarks();
  // What the writer before knew and is not there is known no longer.
  Status GiveUp();
  std::int64_t number() const { return number_; }
  std::int64_t epoch() const override { return epoch_; }

  // From now on, in place of Write.
  void Share() { shared_ = true; }
  Connection* connection() override { return connection_.get(); }
  void Drop() override { connection_.reset(); }
  Result<bool> Again() override;
  Status Reached(std::int64_t number, Lease::Span begun) override;
  void Seen(std::int64_t number) override { written_.number = number_ = number; }
  Error Over(const Rows& writer, bool lost) override;

 private:
  Writer(const PostgresOptions& options, const Statements& statements, Written& written)
      : options_(options), statements_(statements), written_(written) {}

  enum class Became : std::uint8_t { kDone, kNotDone, kAnothers };
  Status Begin();
  Answers BeginAmongOthers(const Request& begin);
  Status Lock();
  Result<bool> TryLock();
  std::string Holder();
  std::optional<Failure> Connect();
  // As the next transaction. Nothing: it is there, and with `sync` as safe as the server's settings ask.
  std::optional<Failure> Send(OrderedWrites& writes, bool sync);
  std::optional<Failure> Confirm();
  // What became of the next transaction; with kNotDone number_ is that of the last that is there.
  Became Resolve(const Rows& rows);
  bool IsAnothers(const Rows& rows) const;
  Error CannotGoOn() const;
  Error End();  // tells it, too
  // The connection anew, with its lock; then what became of the transaction under way. Nothing: not now, try again.
  Result<std::optional<Became>> Reconnect();
  // The same until `until`.
  Result<std::optional<Became>> Recover(Connection::Time until);
  Status MoveNumber(const Request& request);
  void Say(const std::string& line);
  Answers Run(const std::vector<Request>& requests);

  const PostgresOptions options_;
  const Statements& statements_;
  Written& written_;
  std::unique_ptr<Connection> connection_;
  int process_ = 0;                      // the server's, that had the lock for us last
  std::int64_t since_ = 0;               // it lives, in microseconds since 1970
  std::int64_t epoch_ = 0, number_ = 0;  // of the last transaction that came back
  Transaction::Kind kind_ = Transaction::Kind::kUsual;
  std::unique_ptr<MarkFile> mark_;  // may be null
  std::int64_t durable_ = 0;        // of the last one that the server may not lose
  bool shared_ = false;
  bool taken_over_ = false;     // kAnothers: by another node, with all that was acknowledged
  std::set<std::string> said_;  // of the transaction under way
};

}  // namespace registry::ledger
