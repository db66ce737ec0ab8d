// bridge/ledger/postgres/read_pool.h: connections that read. A reading that was cut off is made again on another connection,
// as long as retry_for allows; what a server refuses is refused.
// Private to this folder. Owns: its connections. Threads: any; who finds no connection waits for one.
// A reading shows all that was acknowledged before it began. A connection is kept for as long as it is to the server that is
// written to. The first one to another server, which the writer has not gone to yet, has to show what was acknowledged, and
// is used once.
// A pool of one moment has a single connection with one snapshot: what was cut off there is not made again.
#pragma once

#include <memory>
#include <vector>

#include "bridge/ledger/postgres/statements.h"
#include "bridge/ledger/postgres/written.h"
#include "schemas/base/mutex.h"

namespace registry::ledger {

class ReadPool {
 public:
  enum class Sees : std::uint8_t { kNow, kOneMoment };
  // Statements and `written` outlive it.
  ReadPool(const PostgresOptions& options, Sees sees, const Statements& statements, const Written& written)
      : options_(options), sees_(sees), statements_(statements), written_(written) {}

  Result<std::vector<Rows>> Run(const std::vector<Request>& requests, const std::string& doing) const;

  // All it is asked sees the same moment. Not made again when it is cut off.
  class Moment {
   public:
    Moment(const ReadPool& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    ~Moment();
    Moment(Moment&&) = default;
    Moment& operator=(Moment&&) = delete;
    Result<std::vector<Rows>> Run(const std::vector<Request>& requests, const std::string& doing);

   private:
    const ReadPool* pool_;
    std::unique_ptr<Connection> connection_;  // null: it was cut off
  };
  Result<Moment> Begin(const std::string& doing) const;
  Sees sees() const { return sees_; }

 private:
  using Made = std::variant<std::unique_ptr<Connection>, Failure>;
  Connection::Time Deadline() const { return std::chrono::steady_clock::now() + options_.answer_within; }
  struct Answered {
    std::unique_ptr<Connection> connection;
    std::vector<Rows> rows;
  };
  // A connection and what it answers, none to no requests; asked again for as long as that may help.
  Result<Answered> Ask(const std::vector<Request>& requests, const std::string& doing) const;
  Made Take() const;
  // One that was kept, when there is one; others are thrown away. Null: the place for a new one is taken.
  Made TakeKept() const;
  Made Make() const;
  bool IsOfTheWriter(const Connection& connection) const;
  // What is wrong with a server that the writer is not on.
  std::optional<Failure> Lacks(Connection& connection) const;
  void GiveBack(std::unique_ptr<Connection> connection) const;  // null: it is gone
  void Pause() const;

  const PostgresOptions options_;
  const Sees sees_;
  const Statements& statements_;
  const Written& written_;
  mutable Mutex mutex_;
  mutable CondVar given_back_;
  mutable std::vector<std::unique_ptr<Connection>> idle_ GUARDED_BY(mutex_);
  mutable std::size_t count_ GUARDED_BY(mutex_) = 0;
  mutable bool begun_ GUARDED_BY(mutex_) = false;
};

}  // namespace registry::ledger
