// bridge/ingest/unmarked.h: answers that need no look into the ledger and leave no mark there: rejections of what has
// no identity or found its sender's share taken, and dead letters. They have no order among senders, so what waits goes
// into few commits, some of each sender in turn: nonsense costs the least and never stands before a command.
// Pace: while replies wait for the broker (backlog), no more of these are added: else thousands of one sender's rejections
//   would stand before everybody's replies. They wait here, in the sender's own line.
// Owns: one thread from Start to Stop. Ledger, intake and observer outlive it.
// Threads: Add and AddSurplus from any thread; they never wait.
// Errors: a commit that fails is logged and tried again after retry_after; what is left at Stop stays in the intake.
// Limits: how much waits is up to whoever adds (shares.h); of surplus only a number is kept per sender.
#pragma once

#include <chrono>
#include <functional>
#include <variant>
#include <vector>

#include "bridge/ingest/fair_queue.h"
#include "bridge/ingest/pipeline.h"
#include "bridge/ingest/surplus.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::ingest {

class Unmarked {
 public:
  struct Refusal {
    std::string command;  // empty for a dead letter and where the topic names none
    std::string outcome;  // "rejected" or "dead_letter"
    std::string symbol;
    std::variant<domain::OutgoingMessage, domain::DeadLetter> what;
  };
  struct Waiting {
    Intake::Ticket ticket = 0;
    std::string sender;
    std::function<Refusal()> make;    // called once, by the thread of this class
    std::function<void()> give_back;  // called once the refusal is kept: the share it took
  };
  // One refusal to many messages that were not even kept.
  using MakeForSurplus = std::function<Refusal(const Surplus::Group& group)>;

  Unmarked(ledger::Ledger& ledger, Intake& intake, Observer& observer, std::chrono::milliseconds retry_after,
           Backlog backlog, MakeForSurplus make_for_surplus);
  ~Unmarked() { Stop(); }
  void Start();
  void Add(Waiting waiting);
  void AddSurplus(const std::string& sender, const std::string& topic);
  void Stop() { thread_.Stop(); }  // what waits is committed, if that works at once

 private:
  struct Made {
    Waiting waiting;
    Refusal refusal;
  };
  void Run();
  bool WaitForTurn(MutexLock& lock) NOT_PROVED;  // lets go of its caller's lock in between
  std::vector<Waiting> TakeSome() REQUIRES(mutex_);
  bool Keep(const std::vector<Made>& batch);
  void Tell(const std::vector<Made>& batch, const Status& committed);

  ledger::Ledger& ledger_;
  Intake& intake_;
  Observer& observer_;
  const std::chrono::milliseconds retry_after_;
  const Backlog backlog_;
  const MakeForSurplus make_for_surplus_;
  Mutex mutex_;
  CondVar changed_;
  FairQueue<Waiting> queue_ GUARDED_BY(mutex_);
  Surplus surplus_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, changed_};
};

}  // namespace registry::ingest
