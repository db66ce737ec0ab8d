// bridge/app/broker_crl.h: watches the list of withdrawn parties the broker reads (mqtt.crl_file), which registryd cannot
// make, having no key for it: once its nextUpdate has passed, or before its thisUpdate, OpenSSL lets nobody in, registryd
// neither. `registryctl` makes one that lasts as long as the CA; one that others make may not. One that cannot be read at
// the start is a fault (check.h); what time does to one is said and ends no start: zone and CRL are still served.
// Owns: one thread. Start and Stop once each; until() from any thread.
// Errors: a warning when it cannot be read, is not of mqtt.ca_file, or has less than `warn_before` left; an error when it
//   is not valid now. Said when it changes, and once a day.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "bridge/clock.h"
#include "bridge/log_line.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "schemas/base/result.h"

namespace registry::app {

// What is to be said of the list as it is.
struct BrokerCrlVerdict {
  int level = 0;           // 0: nothing, 2: a warning, 3: an error
  bool useless = false;    // cannot be read, or is not of that CA
  std::string line;        // begins with the configuration's key
  std::int64_t until = 0;  // nextUpdate, Unix time; 0: none, or it cannot be read
};
inline constexpr std::chrono::hours kBrokerCrlWarnBefore{30 * 24};
// Nothing where no file is named. A check and a start judge as the watch does (check.h).
BrokerCrlVerdict JudgeBrokerCrl(const std::string& file, const std::string& ca_file, UtcTime now,
                                std::chrono::seconds warn_before = kBrokerCrlWarnBefore);

class BrokerCrl {
 public:
  struct Options {
    std::string file, ca_file;  // no file: nothing is watched
    std::chrono::hours warn_before = kBrokerCrlWarnBefore;
    std::chrono::milliseconds every{60'000};
  };

  BrokerCrl(Options options, const Clock& clock, LogLine log);
  void Start();
  void Stop() { thread_.Stop(); }
  std::int64_t until() const { return until_; }  // nextUpdate, Unix time; 0: none, or it cannot be read

 private:
  void Run();
  void Look();

  const Options options_;
  const Clock& clock_;
  const LogLine log_;
  std::atomic<std::int64_t> until_{0};
  std::string said_;  // the thread's own, as the next
  std::chrono::steady_clock::time_point said_at_;
  Mutex mutex_;
  CondVar wake_;
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
