// bridge/ledger/postgres/writing_session.h: the connection that one of several ledgers writes over, and what it proves: the
// active one that it has the ledger (writer.h), a member that it was admitted (member_session.h).
// Private to this folder. Owns: its connection. Threads: one at a time.
#pragma once

#include "bridge/ledger/lease.h"
#include "bridge/ledger/postgres/connection.h"

namespace registry::ledger {

class WritingSession {
 public:
  virtual ~WritingSession() = default;
  virtual std::int64_t epoch() const = 0;
  virtual std::int64_t member() const { return 0; }  // its number; 0: the active one
  virtual Connection* connection() = 0;              // null: it was dropped
  virtual void Drop() = 0;
  // The connection anew. False: not now, try again in a while. An error: never again.
  virtual Result<bool> Again() = 0;
  // Its own transaction of that number, begun then, came back, and is as safe as the server's settings ask.
  virtual Status Reached(std::int64_t number, Lease::Span begun) = 0;
  virtual void Seen(std::int64_t number) = 0;  // another's: a standby may not have it yet
  // By the row of table `writer` it may not write any more: tells it, and what to fail with. `lost`: its own that came back
  // is there no longer. Otherwise what is gone was only seen, or another has the ledger, and it may begin anew.
  virtual Error Over(const Rows& writer, bool lost) = 0;

 protected:
  WritingSession() = default;
  WritingSession(const WritingSession&) = default;
  WritingSession& operator=(const WritingSession&) = default;
};

}  // namespace registry::ledger
