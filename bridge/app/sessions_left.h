// bridge/app/sessions_left.h: which sessions at the broker are still to be heard out, by client identifier: those of nodes
// that share what they hear (members_watch.h). They are kept beside the ledger (bridge/ledger/kept_state.h) under
// "sessions-left", by whichever node is active.
// Threads: any, one at a time. Errors: those of the kept state.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "bridge/ledger/kept_state.h"
#include "bridge/log_line.h"
#include "bridge/mqtt/heir.h"
#include "schemas/base/mutex.h"

namespace registry::app {

// Nothing is kept, or what is kept cannot be read as such: none.
Result<std::set<std::string>> SessionsLeft(const ledger::KeptState& kept);
Status KeepSessionsLeft(const std::set<std::string>& sessions, ledger::KeptState& kept);

// Of a registry that hears alone again: it hears out what is left, once.
// Owns: the heir's thread. The kept state outlives it. Threads: one.
class FormerSessions {
 public:
  // As an heir's (bridge/mqtt/heir.h). Null: there are none.
  static Result<std::unique_ptr<FormerSessions>> Of(ledger::KeptState& kept, mqtt::SessionOptions session,
                                                    mqtt::Session::Handler handler,
                                                    std::function<void()> stir);
  ~FormerSessions() { heir_.Stop(); }
  void Start();

 private:
  FormerSessions(std::set<std::string> left, ledger::KeptState& kept, mqtt::SessionOptions session,
                 mqtt::Session::Handler handler, std::function<void()> stir);
  void Ended(const std::string& client_id);

  ledger::KeptState& kept_;
  const LogLine log_;
  Mutex mutex_;
  std::set<std::string> left_ GUARDED_BY(mutex_);
  mqtt::Heir heir_;  // ends first
};

}  // namespace registry::app
