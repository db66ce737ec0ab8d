// bridge/ledger/keyed/committer.h: the one thread that writes. It takes whatever has piled up while the disk
// was busy and makes one synced write of it: the slower the disk, the larger the batches, with nobody waiting
// on purpose.
// Owns: its thread and the waiting commits. Store, Live and OutboxTail outlive it. The destructor writes what
//   was accepted, then stops.
// Threads: CommitLater and Advance from any thread; `done` is called by the committer's.
// Errors: after a failed write the database may hold it or not (the disk did not say), so every later commit
//   fails with "ledger_failed" until the ledger is opened again and has read what is really there.
// Limits: waiting_max commits; CommitLater, Advance and CatchUp block above.
// Where others write to the same records (Store::shared), each write is a transaction that it enters first (sharing.h), and
//   every write is synced. While nothing is to be written it looks kLooksEvery for what the others wrote.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <variant>

#include "bridge/ledger/keyed/sharing.h"
#include "bridge/ledger/keyed/synced_write.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::ledger {

class Committer {
 public:
  static constexpr std::chrono::milliseconds kLooksEvery{25};

  Committer(Store& store, Live& live, OutboxTail& tail, std::size_t waiting_max, std::size_t batch_max);

  void CommitLater(domain::Changeset changeset, Ledger::WhenDone done);
  std::uint64_t changesets() const { return changesets_; }  // committed so far
  Status Advance(Sink sink, const SinkState& state, bool durable);
  Status CatchUp();  // Ledger::CatchUp
  bool failed() const { return has_failed_; }
  void WhenOthersWrote(std::function<void(const Ledger::Others&)> tell);

 private:
  struct CatchingUp {};
  struct PendingCommit {
    PendingCommit(domain::Changeset changeset, Ledger::WhenDone when_done)
        : what(std::in_place_type<Encoded>, std::move(changeset)), done(std::move(when_done)) {}
    PendingCommit(Sink sink, const SinkState& state, bool wants_sync, Ledger::WhenDone when_done)
        : what(std::pair(sink, state)), durable(wants_sync), done(std::move(when_done)) {}
    explicit PendingCommit(Ledger::WhenDone when_done)
        : what(std::in_place_type<CatchingUp>), done(std::move(when_done)) {}
    std::variant<Encoded, std::pair<Sink, SinkState>, CatchingUp> what;
    bool durable = true;
    Status outcome = Done{};
    Ledger::WhenDone done;
  };
  using PendingCommits = std::vector<std::unique_ptr<PendingCommit>>;

  void Enqueue(std::unique_ptr<PendingCommit> commit);
  void Run();
  // Empty: stopped, and nothing is left (ended_); or nothing came for kLooksEvery where others write.
  PendingCommits TakeWaiting();
  void WriteAll(PendingCommits& commits);
  void WriteAmongOthers(PendingCommits& commits);
  // Whether it came to an end. Not: it was cut off, and begins anew.
  bool TryAmongOthers(PendingCommits& commits);
  void Glance();
  bool StageAll(PendingCommits& commits, SyncedWrite& write);  // whether one of them is to be synced
  void Publish(const PendingCommits& commits, SyncedWrite& write);
  static std::vector<const Encoded*> ChangesetsOf(const PendingCommits& commits);
  void Refuse(PendingCommits& commits, const Error& why);
  Status Stage(PendingCommit& commit, SyncedWrite& write);
  static std::uint64_t CountOf(const PendingCommits& commits);  // changesets that were committed

  Store& store_;
  Live& live_;
  OutboxTail& tail_;
  const std::size_t waiting_max_;
  const std::size_t batch_max_;
  // Of the committer's thread alone:
  Trimmed trimmed_;
  ReadAhead ahead_;
  RecentDevices devices_;
  std::unique_ptr<Sharing> sharing_;  // null: nobody else writes
  std::optional<Error> failed_;
  std::atomic<bool> has_failed_{false};
  bool ended_ = false;
  std::atomic<std::uint64_t> changesets_{0};

  Mutex mutex_;
  CondVar arrived_;
  CondVar taken_;
  std::deque<std::unique_ptr<PendingCommit>> waiting_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, arrived_};
};

}  // namespace registry::ledger
