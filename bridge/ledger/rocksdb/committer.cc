#include "bridge/ledger/rocksdb/committer.h"

#include <algorithm>

namespace registry::ledger {

Committer::Committer(Store& store, Live& live, OutboxTail& tail, std::size_t waiting_max,
                     std::size_t batch_max)
    : store_(store),
      live_(live),
      tail_(tail),
      waiting_max_(std::max<std::size_t>(waiting_max, 1)),
      batch_max_(std::max<std::size_t>(batch_max, 1)) {
  thread_.Start("ledger-commit", [this] { Run(); });
}

Status Committer::Commit(domain::Changeset changeset) {
  auto commit = std::make_unique<PendingCommit>();
  commit->changeset = std::move(changeset);
  return Enqueue(std::move(commit)).get();
}

Status Committer::Advance(Sink sink, const SinkState& state, bool durable) {
  auto commit = std::make_unique<PendingCommit>();
  commit->advance.emplace(sink, state);
  commit->durable = durable;
  return Enqueue(std::move(commit)).get();
}

std::future<Status> Committer::Enqueue(std::unique_ptr<PendingCommit> commit) {
  auto outcome = commit->done.get_future();
  {
    MutexLock lock(mutex_);
    taken_.Wait(lock, [&]() REQUIRES(mutex_) { return waiting_.size() < waiting_max_; });
    waiting_.push_back(std::move(commit));
  }
  arrived_.NotifyOne();
  return outcome;
}

void Committer::Run() {
  for (PendingCommits commits = TakeWaiting(); !commits.empty(); commits = TakeWaiting()) {
    WriteAll(commits);
    for (auto& commit : commits) commit->done.set_value(std::move(commit->outcome));
  }
}

Committer::PendingCommits Committer::TakeWaiting() {
  PendingCommits commits;
  {
    MutexLock lock(mutex_);
    thread_.Wait(lock, [this]() REQUIRES(mutex_) { return !waiting_.empty(); });
    const std::size_t count = std::min(waiting_.size(), batch_max_);
    commits.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      commits.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
  taken_.NotifyAll();
  return commits;
}

void Committer::WriteAll(PendingCommits& commits) {
  SyncedWrite batch(store_, live_, trimmed_);
  bool sync = false;
  for (auto& commit : commits) {
    if (failed_) {
      commit->outcome = *failed_;
    } else if (commit->advance) {
      batch.Add(commit->advance->first, commit->advance->second);
    } else {
      commit->outcome = batch.Add(commit->changeset);
    }
    sync = sync || (commit->durable && commit->outcome.ok());
  }
  if (failed_) return;
  auto& writes = batch.Seal();
  if (writes.Count() == 0) return;
  const auto written = store_.Write(writes, sync);
  if (written) {
    batch.Publish(live_);
    live_.ReadByItsWriter();
    changesets_ += static_cast<std::uint64_t>(std::ranges::count_if(
        commits, [](const auto& commit) { return !commit->advance && commit->outcome.ok(); }));
    tail_.Reach(EndsOf(live_.head));
    return;
  }
  failed_ = Error::Make(Code::kFailed, kLedgerFailed, written.error().message);
  for (auto& commit : commits) {
    if (commit->outcome.ok()) commit->outcome = *failed_;
  }
}

}  // namespace registry::ledger
