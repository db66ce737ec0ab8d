// bridge/ingest/executor.h: one request that has an identity, to its durable answer: the stored reply, a worker's
// decision, or a rejection. And decisions of the registry itself.
// Threads: every call from any lane; waits for its own commit. Ledger, clock, services and observer outlive it.
// Errors: a rejection is final, and remembered, unless it says "later" (2400, 2502) or comes of the configuration
//   (party_unknown, role_not_allowed): then the same id may come again.
//   Verdict "failed": the ledger could not be read or written, nothing was said, the request must be tried again; it is
//   logged here.
#pragma once

#include <functional>
#include <string>

#include "bridge/ingest/admission.h"
#include "bridge/ingest/allowance.h"
#include "bridge/ingest/dispatch.h"
#include "bridge/ingest/pipeline.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"

namespace registry::ingest {

struct Verdict {
  std::string outcome;  // see Observer::CommandDone
  std::string symbol;
  bool failed() const { return outcome == "failed"; }
};

class Executor {
 public:
  // `job_ended` is called behind every commit that erased a job, `order_moved` behind every command that started, paused,
  // resumed or cancelled an order: they must be quick, and may come from any lane.
  Executor(
      const Services& services, ledger::Ledger& ledger, const Clock& clock, Observer& observer,
      std::function<void()> job_ended, std::function<void()> order_moved = [] {})
      : services_(services),
        ledger_(ledger),
        clock_(clock),
        observer_(observer),
        dispatcher_(services, ledger),
        allowance_(services.kept_per_hour),
        job_ended_(std::move(job_ended)),
        order_moved_(std::move(order_moved)) {}

  domain::Context Now() const;
  Verdict Answer(const Request& request);
  // Decided again while others move the same records; true when nothing is left to do.
  bool Settle(const std::function<Status(domain::Case&)>& decide, const std::string& what);
  // As a command that this party sends now would be decided; it has no identity of its own, `cause` is what it comes of.
  Result<domain::Decision> DecideFor(const PartyId& party, std::string_view name,
                                     const wire::Command& command, const EventId& cause,
                                     const domain::Context& context) const;
  // As Settle, on behalf of a party: what the ledger keeps counts as the party's. Why nothing was kept, unlogged.
  Status SettleFor(const PartyId& party, const std::function<Status(domain::Case&)>& decide);
  // Until the party may make the ledger keep more; zero when it may.
  std::chrono::seconds Wait(const PartyId& party) { return allowance_.Wait(party, clock_.Now()); }

 private:
  Verdict AnswerRead(const Request& request);
  Verdict AnswerKnown(const Request& request, const domain::EventMark& mark);
  Verdict Execute(const Request& request);
  Verdict AnswerUnknown(const Request& request);
  std::optional<Error> OverAllowance(const Request& request);
  Result<domain::Origin> Identify(const Request& request) const;
  Result<domain::Decision> Decide(const Request& request, const Result<domain::Origin>& origin,
                                  const domain::Context& context) const;
  Verdict PutOff(const Request& request, const Error& error);
  Verdict Refuse(const Request& request, const Error& error);
  Verdict Say(domain::OutgoingMessage reply, Verdict verdict, const std::string& command);
  Verdict Failed(const std::string& command, const Error& error);
  void SayLedger(const std::string& what, const Error& error);
  Status Commit(domain::Changeset changes);

  const Services& services_;
  ledger::Ledger& ledger_;
  const Clock& clock_;
  Observer& observer_;
  const Dispatcher dispatcher_;
  Allowance allowance_;
  const std::function<void()> job_ended_, order_moved_;
  Mutex said_mutex_;
  SayOnce said_ GUARDED_BY(said_mutex_);
};

}  // namespace registry::ingest
