#include "bridge/ledger/keyed/committer.h"

#include <algorithm>

#include "bridge/ledger/answer.h"

namespace registry::ledger {

Committer::Committer(Store& store, Live& live, OutboxTail& tail, std::size_t waiting_max,
                     std::size_t batch_max)
    : store_(store),
      live_(live),
      tail_(tail),
      waiting_max_(std::max<std::size_t>(waiting_max, 1)),
      batch_max_(std::max<std::size_t>(batch_max, 1)),
      ahead_(store),
      devices_(ahead_) {
  thread_.Start("ledger-commit", [this] { Run(); });
}

void Committer::CommitLater(domain::Changeset changeset, Ledger::WhenDone done) {
  Enqueue(std::make_unique<PendingCommit>(std::move(changeset), std::move(done)));
}

Status Committer::Advance(Sink sink, const SinkState& state, bool durable) {
  Answer answer;
  Enqueue(std::make_unique<PendingCommit>(sink, state, durable,
                                          [&](Status status) { answer.Give(std::move(status)); }));
  return answer.Wait();
}

void Committer::Enqueue(std::unique_ptr<PendingCommit> commit) {
  {
    MutexLock lock(mutex_);
    taken_.Wait(lock, [&]() REQUIRES(mutex_) { return waiting_.size() < waiting_max_; });
    waiting_.push_back(std::move(commit));
    if (waiting_.size() > 1) return;  // it was told when the first came, and takes all
  }
  arrived_.NotifyOne();
}

void Committer::Run() {
  for (PendingCommits commits = TakeWaiting(); !commits.empty(); commits = TakeWaiting()) {
    WriteAll(commits);
    for (auto& commit : commits) {
      commit->done(std::move(commit->outcome));
      commit.reset();  // what `done` holds goes now, not when the next batch comes
    }
  }
}

Committer::PendingCommits Committer::TakeWaiting() {
  PendingCommits commits;
  bool was_full = false;
  {
    MutexLock lock(mutex_);
    thread_.Wait(lock, [this]() REQUIRES(mutex_) { return !waiting_.empty(); });
    was_full = waiting_.size() >= waiting_max_;
    const std::size_t count = std::min(waiting_.size(), batch_max_);
    commits.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      commits.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
  if (was_full) taken_.NotifyAll();
  return commits;
}

Status Committer::Stage(PendingCommit& commit, SyncedWrite& write) {
  if (failed_) return *failed_;
  if (const auto* changeset = std::get_if<Encoded>(&commit.what)) return write.Add(*changeset);
  const auto& [sink, state] = std::get<std::pair<Sink, SinkState>>(commit.what);
  write.Add(sink, state);
  return Done{};
}

std::uint64_t Committer::CountOf(const PendingCommits& commits) {
  return static_cast<std::uint64_t>(std::ranges::count_if(commits, [](const auto& commit) {
    return std::holds_alternative<Encoded>(commit->what) && commit->outcome.ok();
  }));
}

Status Committer::ReadFor(const PendingCommits& commits) {
  std::vector<const Encoded*> changesets;
  for (const auto& commit : commits) {
    if (const auto* changeset = std::get_if<Encoded>(&commit->what)) changesets.push_back(changeset);
  }
  return ahead_.Fetch(changesets, [this](const std::string& device) { return devices_.Knows(device); });
}

void Committer::Refuse(PendingCommits& commits, const Error& why) {
  failed_ = Error::Make(Code::kFailed, kLedgerFailed, why.message);
  for (auto& commit : commits) {
    if (commit->outcome.ok()) commit->outcome = *failed_;
  }
}

void Committer::WriteAll(PendingCommits& commits) {
  devices_.Forget();
  if (!failed_) {
    if (const auto read = ReadFor(commits); !read) return Refuse(commits, read.error());
  }
  SyncedWrite write(ahead_, live_, trimmed_, devices_);
  bool sync = false;
  for (auto& commit : commits) {
    commit->outcome = Stage(*commit, write);
    sync = sync || (commit->durable && commit->outcome.ok());
  }
  auto& writes = write.Seal();
  if (failed_ || writes.empty()) return;
  write.HideDevices(live_);
  if (const auto written = store_.Write(writes, sync); !written) return Refuse(commits, written.error());
  write.Publish(live_);
  live_.ReadByItsWriter();
  changesets_ += CountOf(commits);
  tail_.Reach(EndsOf(live_.head));
}

}  // namespace registry::ledger
