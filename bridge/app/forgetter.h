// bridge/app/forgetter.h: lets the ledger forget event marks (bridge/ledger/retention.h), a look every second.
// Owns: one thread from Start to Stop. Ledger and clock outlive it. oldest() from any thread.
// Errors: what the ledger refuses is logged once a minute and tried again with the next look.
#pragma once

#include "bridge/clock.h"
#include "bridge/ledger/retention.h"
#include "bridge/log_line.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

class Forgetter {
 public:
  Forgetter(ledger::Ledger& ledger, int event_days, const Clock& clock, LogLine log);
  ~Forgetter() { Stop(); }
  void Start();
  void Stop() { thread_.Stop(); }
  std::int64_t oldest() const { return retention_.oldest(); }  // Retention::oldest

 private:
  void Run();
  void Look();

  ledger::Retention retention_;
  const Clock& clock_;
  const LogLine log_;
  SayOnce said_;  // the thread's own
  Mutex mutex_;
  CondVar wake_;
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
