// bridge/ledger/postgres/member_session.h: a member of those that commit to one ledger (members.h): its number, the
// connection it writes over, and another one over which it says that it lives.
// Private to this folder. Owns: both connections. `written` outlives it.
// Threads: one at a time; Say from any.
#pragma once

#include "bridge/ledger/postgres/lasting.h"
#include "bridge/ledger/postgres/shared_statements.h"
#include "bridge/ledger/postgres/writing_session.h"
#include "schemas/base/mutex.h"

namespace registry::ledger {

class MemberSession final : public WritingSession {
 public:
  // kLedgerInUse: the active one takes no members, or there is none.
  static Result<std::unique_ptr<MemberSession>> Join(const PostgresOptions& options,
                                                     const std::shared_ptr<Written>& written);

  std::int64_t epoch() const override { return epoch_; }
  std::int64_t member() const override { return number_; }
  Connection* connection() override { return connection_.get(); }
  void Drop() override { connection_.reset(); }
  Result<bool> Again() override;
  Status Reached(std::int64_t number, Lease::Span begun) override;
  void Seen(std::int64_t number) override { written_->number = number; }
  Error Over(const Rows& writer, bool lost) override;
  // kLedgerInUse: it is a member no longer.
  Status Say() const;

 private:
  MemberSession(const PostgresOptions& options, std::shared_ptr<Written> written);
  std::optional<Failure> Connect();

  const PostgresOptions options_;
  const SharedStatements statements_;
  const std::shared_ptr<Written> written_;
  std::unique_ptr<Connection> connection_;
  int process_ = 0;         // of the server, for the last connection
  std::int64_t since_ = 0;  // it lives
  std::int64_t number_ = 0, epoch_ = 0;
  std::int64_t reached_ = 0;  // the last transaction of its own that came back
  mutable Mutex mutex_;
  mutable Lasting says_ GUARDED_BY(mutex_);
};

}  // namespace registry::ledger
