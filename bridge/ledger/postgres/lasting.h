// bridge/ledger/postgres/lasting.h: a connection that is made anew when it is lost, and asks again: for requests that may be
// repeated. The writer has its own way (writer.h).
// Where it is told where the writer is, it asks no other server: an earlier primary that still answers would take what is
// lost with it. A server on which the writer is not yet is tried again, as one that is away: the writer goes there with its
// next transaction, which the heartbeat makes.
// Private to this folder. Owns: its connection. Threads: one at a time.
// Errors: the last Failure. Waiting: `retry_for` of the options in all, and an answer's time more.
#pragma once

#include <memory>
#include <vector>

#include "bridge/ledger/postgres/connection.h"
#include "bridge/ledger/postgres/written.h"

namespace registry::ledger {

class Lasting {
 public:
  // Null: any server that can be written to.
  explicit Lasting(const PostgresOptions& options, std::shared_ptr<const Written> written = nullptr)
      : options_(options), written_(std::move(written)) {}
  // An answer with a warning counts as lost: a COMMIT warns when its wait for a standby was cancelled.
  Answers Run(const std::vector<Request>& requests);

 private:
  Answers RunOnce(const std::vector<Request>& requests);
  std::optional<Failure> Connect();
  bool IsWhereTheWriterIs() const;

  const PostgresOptions options_;
  const std::shared_ptr<const Written> written_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace registry::ledger
