// bridge/ingest/unmarked.h: answers that need no look into the ledger and leave no mark there: rejections of what has
// no identity or found its sender's share taken, and dead letters. They have no order, so whatever waits goes into one
// commit: nonsense costs the least, however much of it comes, and never stands in a lane before a command.
// Owns: one thread from Start to Stop. Ledger, intake and observer outlive it.
// Threads: Add from any thread; it waits while kOctetsMax wait, which is one commit long.
// Errors: a commit that fails is logged and tried again after retry_after; what is left at Stop stays in the intake.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "bridge/ingest/pipeline.h"

namespace registry::ingest {

class Unmarked {
 public:
  static constexpr std::size_t kOctetsMax = 4u << 20;
  struct Answer {
    Intake::Ticket ticket = 0;
    std::string command;  // empty for a dead letter
    std::string outcome;  // "rejected" or "dead_letter"
    std::string symbol;
    std::variant<domain::OutgoingMessage, domain::DeadLetter> what;
  };

  Unmarked(ledger::Ledger& ledger, Intake& intake, Observer& observer, std::chrono::milliseconds retry_after)
      : ledger_(ledger), intake_(intake), observer_(observer), retry_after_(retry_after) {}
  ~Unmarked() { Stop(); }
  void Start();
  void Add(Answer answer);
  void Stop();  // what waits is committed, if that works at once

 private:
  void Run();
  bool Keep(const std::vector<Answer>& answers);

  ledger::Ledger& ledger_;
  Intake& intake_;
  Observer& observer_;
  const std::chrono::milliseconds retry_after_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Answer> waiting_;
  std::size_t octets_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace registry::ingest
