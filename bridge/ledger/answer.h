// bridge/ledger/answer.h: one answer of another thread, waited for.
// Owns nothing. Whoever gives the answer has let go of it before the wait ends, so it may lie on a stack.
// Threads: Give once from any, Wait from its owner's. No deadline: a ledger answers everything it took (ledger.h).
#pragma once

#include <optional>

#include "schemas/base/mutex.h"
#include "schemas/base/result.h"

namespace registry::ledger {

class Answer {
 public:
  void Give(Status status) {
    const MutexLock lock(mutex_);
    status_ = std::move(status);
    given_.NotifyOne();
  }
  Status Wait() {
    MutexLock lock(mutex_);
    given_.Wait(lock, [this]() REQUIRES(mutex_) { return status_.has_value(); });
    return std::move(*status_);
  }

 private:
  Mutex mutex_;
  CondVar given_;
  std::optional<Status> status_ GUARDED_BY(mutex_);
};

}  // namespace registry::ledger
