// bridge/app/token_watch.h: looks every two seconds whether the tokens that keys are in (bridge/keys) answer, so that a loss
// is known, and a token that is back is logged in to, before somebody needs a signature.
// Says a loss once, then once a minute, and that a token is back.
// Owns: a thread of its own, since a token may take its time; none where no key is in a token. Threads: Start and Stop from
// one; states() from any, and never waits for a token.
#pragma once

#include <functional>

#include "bridge/keys/key_source.h"
#include "bridge/log_line.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

class TokenWatch {
 public:
  using States = std::vector<keys::TokenState>;
  explicit TokenWatch(LogLine log, std::function<States()> look = keys::LookAtTokens);
  void Start();
  void Stop() { thread_.Stop(); }
  void Look();
  States states() const;

 private:
  void Run();

  const LogLine log_;
  const std::function<States()> look_;
  SayOnce said_;  // the looking thread's
  mutable Mutex mutex_;
  CondVar wake_;
  States states_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
