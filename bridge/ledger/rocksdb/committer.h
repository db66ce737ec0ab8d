// bridge/ledger/rocksdb/committer.h: the one thread that writes. It takes whatever has piled up while the disk
// was busy and makes one synced write of it: the slower the disk, the larger the batches, with nobody waiting
// on purpose.
// Owns: its thread and the waiting commits. Store, Live and OutboxTail outlive it. The destructor writes what
//   was accepted, then stops.
// Threads: Commit and Advance from any thread.
// Errors: after a failed write the database may hold it or not (the disk did not say), so every later commit
//   fails with "ledger_failed" until the ledger is opened again and has read what is really there.
// Limits: waiting_max commits; Commit blocks above.
#pragma once

#include <atomic>
#include <deque>
#include <future>

#include "bridge/ledger/rocksdb/synced_write.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::ledger {

class Committer {
 public:
  Committer(Store& store, Live& live, OutboxTail& tail, std::size_t waiting_max, std::size_t batch_max);

  Status Commit(domain::Changeset changeset);
  std::uint64_t changesets() const { return changesets_; }  // committed so far
  Status Advance(Sink sink, const SinkState& state, bool durable);

 private:
  struct PendingCommit {
    domain::Changeset changeset;
    std::optional<std::pair<Sink, SinkState>> advance;
    bool durable = true;
    Status outcome = Done{};
    std::promise<Status> done;
  };
  using PendingCommits = std::vector<std::unique_ptr<PendingCommit>>;

  std::future<Status> Enqueue(std::unique_ptr<PendingCommit> commit);
  void Run();
  PendingCommits TakeWaiting();  // empty: stopped, and nothing is left
  void WriteAll(PendingCommits& commits);

  Store& store_;
  Live& live_;
  OutboxTail& tail_;
  const std::size_t waiting_max_;
  const std::size_t batch_max_;
  Trimmed trimmed_;              // committer thread only
  std::optional<Error> failed_;  // committer thread only
  std::atomic<std::uint64_t> changesets_{0};

  Mutex mutex_;
  CondVar arrived_;
  CondVar taken_;
  std::deque<std::unique_ptr<PendingCommit>> waiting_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, arrived_};
};

}  // namespace registry::ledger
