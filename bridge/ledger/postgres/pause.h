// bridge/ledger/postgres/pause.h: the rest between two attempts at a server that is in trouble. Nobody wakes who rests, so
// whoever tries again and again bounds his attempts by a time (retry_for).
// Private to this folder. Threads: any.
#pragma once

#include <chrono>

#include "schemas/base/mutex.h"

namespace registry::ledger {

inline constexpr std::chrono::milliseconds kTryAgainAfter{250};

inline void PauseBetweenAttempts() {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  never.WaitFor(lock, kTryAgainAfter);
}

}  // namespace registry::ledger
