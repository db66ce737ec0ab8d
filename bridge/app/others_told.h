// bridge/app/others_told.h: takes what others wrote (Ledger::WhenOthersWrote) to the pipeline while there is one: the
// ledger tells it from its own thread, before a pipeline is there and after it.
// Threads: any. Owns: nothing. Limit: the pipeline that was set last is told; it outlives To(nullptr).
#pragma once

#include "bridge/ingest/pipeline.h"
#include "schemas/base/mutex.h"

namespace registry::app {

class OthersTold {
 public:
  void To(ingest::Pipeline* pipeline) {
    const MutexLock lock(mutex_);
    pipeline_ = pipeline;
  }
  void Wrote(const ledger::Ledger::Others& what) {
    const MutexLock lock(mutex_);
    if (pipeline_ != nullptr) pipeline_->OthersWrote(what);
  }

 private:
  Mutex mutex_;
  ingest::Pipeline* pipeline_ GUARDED_BY(mutex_) = nullptr;
};

}  // namespace registry::app
