// bridge/app/coming_ca_watch.h: asks the servers of the zone for the TLSA records at the apex, until each of them has those
// of all coming issuing CAs, and keeps since when each has (coming_ca.h). A server that has been seen with a record is not
// asked for it again: it takes no older version of the zone.
// Says each server once, the time from which a CA may sign, and once a minute what does not answer.
// Owns: a thread of its own from Start to Stop; none where no CA is to come. The file in which the times are kept, which a
//   start without such a CA removes. Threads: Start and Stop from one.
// Errors: a file that cannot be read or written is logged, and what was seen is looked for again.
#pragma once

#include <functional>
#include <set>

#include "bridge/app/coming_ca.h"
#include "bridge/clock.h"
#include "bridge/log_line.h"
#include "bridge/say_once.h"
#include "bridge/zone/ask_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

class ComingCaWatch {
 public:
  // The TLSA set at the apex, by one of ZoneServers().
  using Ask = std::function<zone::AskedSet(const std::string& server)>;
  static Ask AskingOf(const Config& config, const Clock& clock);

  // `certificates`: of the coming CAs (DER).
  ComingCaWatch(Config config, const std::vector<Bytes>& certificates, const Clock& clock, LogLine log,
                Ask ask);
  ~ComingCaWatch() { Stop(); }
  void Start();
  void Stop() { thread_.Stop(); }
  bool Look();  // whether every server has every record

 private:
  void Run();
  void Recall();
  void LookAt(const std::string& server, bool& changed);
  bool Lacks(const std::string& server) const;
  void SayWhen(const std::string& record);

  const Config config_;
  const Clock& clock_;
  const LogLine log_;
  const Ask ask_;
  std::map<std::string, Bytes> records_;  // text to RDATA
  // The thread's own.
  ServedByRecord served_;
  SayOnce said_;
  Mutex mutex_;
  CondVar wake_;
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
