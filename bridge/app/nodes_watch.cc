#include "bridge/app/nodes_watch.h"

#include <algorithm>

namespace registry::app {
namespace {

ledger::PostgresOptions Bounded(ledger::PostgresOptions options) {
  options.answer_within =
      std::min<std::chrono::milliseconds>(options.answer_within, NodesWatch::kAnswerWithin);
  return options;
}

}  // namespace

NodesWatch::NodesWatch(ledger::PostgresOptions options) : nodes_(Bounded(std::move(options))) {
  thread_.Start("nodes", [this] { Run(); });
}

NodesLook NodesWatch::seen() const {
  const MutexLock lock(mutex_);
  NodesLook look{seen_, {}, trouble_};
  if (seen_) look.ago = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - answered_);
  return look;
}

void NodesWatch::Run() {
  MutexLock lock(mutex_);
  do {
    lock.Unlock();
    auto seen = nodes_.Look();
    lock.Lock();
    trouble_ = seen ? "" : seen.error().message;
    if (!seen) continue;
    seen_ = std::move(*seen);
    answered_ = Steady::now();
  } while (thread_.Rest(lock, kEvery));
}

}  // namespace registry::app
