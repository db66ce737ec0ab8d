// tests/fuzz/alarm.h: libFuzzer looks at its clock in a handler of SIGALRM (every -timeout / 2 seconds) that it installs
// without SA_RESTART, so that a blocking call of a target ends with EINTR now and then. That is no fault of what is
// attacked.
#pragma once

#include <poll.h>

#include <cerrno>
#include <csignal>

#include "schemas/base/check.h"

namespace registry::fuzz {

// Blocking calls go on after the alarm from now on. Call it in the first input, when libFuzzer's handler stands.
inline void GoOnAfterAlarms() {
  struct sigaction alarm {};
  REG_CHECK(sigaction(SIGALRM, nullptr, &alarm) == 0);
  alarm.sa_flags |= SA_RESTART;
  REG_CHECK(sigaction(SIGALRM, &alarm, nullptr) == 0);
}

// poll never restarts by itself (signal(7)).
inline int Poll(pollfd& waiting, int milliseconds) {
  int ready = 0;
  do {
    ready = poll(&waiting, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  return ready;
}

}  // namespace registry::fuzz
