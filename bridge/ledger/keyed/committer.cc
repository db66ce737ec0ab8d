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
  if (SharedWrites* const shared = store.shared())
    sharing_ = std::make_unique<Sharing>(*shared, live, tail, ahead_, devices_);
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

Status Committer::CatchUp() {
  if (!sharing_) return Done{};
  Answer answer;
  Enqueue(std::make_unique<PendingCommit>([&](Status status) { answer.Give(std::move(status)); }));
  return answer.Wait();
}

void Committer::WhenOthersWrote(std::function<void(const Ledger::Others&)> tell) {
  if (sharing_) sharing_->WhenOthersWrote(std::move(tell));
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
  for (PendingCommits commits = TakeWaiting(); !ended_; commits = TakeWaiting()) {
    if (commits.empty()) {
      Glance();
      continue;
    }
    if (sharing_) {
      WriteAmongOthers(commits);
    } else {
      WriteAll(commits);
    }
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
    const auto came = [this]() REQUIRES(mutex_) { return !waiting_.empty(); };
    if (sharing_) {
      thread_.WaitFor(lock, kLooksEvery, came);
    } else {
      thread_.Wait(lock, came);
    }
    ended_ = waiting_.empty() && thread_.stopping();
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
  if (const auto* advance = std::get_if<std::pair<Sink, SinkState>>(&commit.what))
    write.Add(advance->first, advance->second);
  return Done{};
}

bool Committer::StageAll(PendingCommits& commits, SyncedWrite& write) {
  bool sync = false;
  for (auto& commit : commits) {
    commit->outcome = Stage(*commit, write);
    sync = sync || (commit->durable && commit->outcome.ok());
  }
  return sync;
}

std::uint64_t Committer::CountOf(const PendingCommits& commits) {
  return static_cast<std::uint64_t>(std::ranges::count_if(commits, [](const auto& commit) {
    return std::holds_alternative<Encoded>(commit->what) && commit->outcome.ok();
  }));
}

std::vector<const Encoded*> Committer::ChangesetsOf(const PendingCommits& commits) {
  std::vector<const Encoded*> changesets;
  for (const auto& commit : commits) {
    if (const auto* changeset = std::get_if<Encoded>(&commit->what)) changesets.push_back(changeset);
  }
  return changesets;
}

void Committer::Refuse(PendingCommits& commits, const Error& why) {
  failed_ = Error::Make(Code::kFailed, kLedgerFailed, why.message);
  has_failed_ = true;
  for (auto& commit : commits) {
    if (commit->outcome.ok()) commit->outcome = *failed_;
  }
}

void Committer::WriteAll(PendingCommits& commits) {
  devices_.Forget();
  if (!failed_) {
    const auto read = ahead_.Fetch(ChangesetsOf(commits),
                                   [this](const std::string& device) { return devices_.Knows(device); });
    if (!read) return Refuse(commits, read.error());
  }
  SyncedWrite write(ahead_, live_, trimmed_, devices_);
  const bool sync = StageAll(commits, write);
  auto& writes = write.Seal();
  if (failed_ || writes.empty()) return;
  write.HideDevices(live_);
  if (const auto written = store_.Write(writes, sync); !written) return Refuse(commits, written.error());
  Publish(commits, write);
}

void Committer::Publish(const PendingCommits& commits, SyncedWrite& write) {
  write.Publish(live_);
  live_.ReadByItsWriter();
  changesets_ += CountOf(commits);
  tail_.Reach(EndsOf(live_.head));
}

void Committer::WriteAmongOthers(PendingCommits& commits) {
  devices_.Forget();
  const bool catches_up_only = std::ranges::all_of(
      commits, [](const auto& commit) { return std::holds_alternative<CatchingUp>(commit->what); });
  if (failed_) return Refuse(commits, *failed_);
  if (catches_up_only) {
    const auto seen = sharing_->Look(SharedWrites::Patience::kAsLongAsAWrite);
    return seen ? void() : Refuse(commits, seen.error());
  }
  while (!TryAmongOthers(commits)) {
  }
}

bool Committer::TryAmongOthers(PendingCommits& commits) {
  const Trimmed trimmed = trimmed_;
  if (const auto entered = sharing_->Enter(ChangesetsOf(commits)); !entered) {
    Refuse(commits, entered.error());
    return true;
  }
  SyncedWrite write(ahead_, live_, trimmed_, devices_);
  (void)StageAll(commits, write);
  auto& writes = write.Seal();
  if (writes.empty()) {
    if (const auto left = sharing_->Leave(); !left) Refuse(commits, left.error());
    return true;
  }
  const auto written = sharing_->Write(writes, write.Told());
  if (!written) {
    Refuse(commits, written.error());
    return true;
  }
  if (*written) {
    Publish(commits, write);
    return true;
  }
  trimmed_ = trimmed;
  devices_.ForgetAll();
  for (auto& commit : commits) commit->outcome = Done{};
  return false;
}

void Committer::Glance() {
  if (failed_) return;
  PendingCommits nobody;
  if (const auto seen = sharing_->Look(SharedWrites::Patience::kOnce); !seen) Refuse(nobody, seen.error());
}

}  // namespace registry::ledger
