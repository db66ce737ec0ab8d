// bridge/app/nodes_watch.h: the nodes on one ledger in PostgreSQL, looked at again and again for whoever shows them, so that
// nobody who shows them waits for the ledger's server.
// Owns: one thread (`nodes`), and a connection that neither the ledger's writer nor its readers use. The destructor ends
//   them. While the server does not answer that takes 5 s for each host of `connection`, and 4 s.
// Threads: construction and end from one, seen() from any; it waits for nothing.
// Errors: none; what the server said instead is kept until it answers again.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "bridge/ledger/postgres/nodes.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

// The last answer, and what became of the look since.
struct NodesLook {
  std::optional<ledger::NodesSeen> nodes;  // nothing: there was no answer yet
  std::chrono::milliseconds ago{0};        // of the answer
  std::string trouble;                     // of the last look; empty: it was answered
};

class NodesWatch {
 public:
  static constexpr std::chrono::seconds kEvery{2}, kAnswerWithin{2};

  explicit NodesWatch(ledger::PostgresOptions options);
  NodesLook seen() const;

 private:
  using Steady = std::chrono::steady_clock;
  void Run();

  ledger::PostgresNodes nodes_;  // of the thread
  mutable Mutex mutex_;
  CondVar wake_;
  std::optional<ledger::NodesSeen> seen_ GUARDED_BY(mutex_);
  Steady::time_point answered_ GUARDED_BY(mutex_);
  std::string trouble_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
