// bridge/ingest/executor.h: one request that has an identity, to its durable answer: the stored reply, a worker's
// decision, or a rejection. And decisions of the registry itself.
// Threads: every call from any lane. Answer and Settle wait for nothing but room among the ledger's waiting commits
//   (ledger.h): the commit goes on without them, and what comes behind it runs where `resume` takes it. SettleFor waits for
//   its commit. Ledger, clock, services and observer outlive it, and it outlives what is under way.
// Errors: a rejection is final, and remembered, unless it says "later" (2400, 2502) or comes of the configuration
//   (party_unknown, role_not_allowed): then the same id may come again.
//   Verdict "failed": the ledger could not be read or written, nothing was said, the request must be tried again; it is
//   logged here.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "bridge/ingest/admission.h"
#include "bridge/ingest/allowance.h"
#include "bridge/ingest/dispatch.h"
#include "bridge/ingest/party_terms.h"
#include "bridge/ingest/pipeline.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"

namespace registry::ingest {

struct Verdict {
  std::string outcome;  // see Observer::CommandDone
  std::string symbol;
  bool failed() const { return outcome == "failed"; }
};

// Runs what it is given soon, after it has returned: a Strand's Onward (lanes.h). Called by the ledger's thread.
using Resume = std::function<void(std::function<void()>)>;
// How an answer comes about behind its commit: `end` is called once, in the call or where `resume` takes it.
struct AnswerWay {
  Resume resume;
  std::function<void(Verdict)> end;
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
        terms_({services.parties, services.policy}),
        limits_(services.limits, PartiesOf(services.parties)),
        dispatcher_(services, ledger, limits_),
        allowance_(services.kept_per_hour),
        job_ended_(std::move(job_ended)),
        order_moved_(std::move(order_moved)) {}

  domain::Context Now() const;
  std::shared_ptr<const Terms> terms() const { return terms_.Now(); }
  void Change(const PartyTerms& terms);
  // The request outlives the way's end.
  void Answer(const Request& request, AnswerWay way);
  // Decided again while others move the same records; `end` as of an AnswerWay, true when nothing is left to do.
  using Deciding = std::function<Status(domain::Case&)>;
  void Settle(Deciding decide, std::string what, Resume resume, std::function<void(bool)> end);
  // As a command that this party sends now would be decided; it has no identity of its own, `cause` is what it comes of.
  Result<domain::Decision> DecideFor(const PartyId& party, std::string_view name,
                                     const wire::Command& command, const EventId& cause,
                                     const domain::Context& context) const;
  // The same of what is no command.
  Result<domain::Decision> DecideFor(const PartyId& party,
                                     const std::function<Result<domain::Reply>(domain::Case&)>& decide,
                                     const EventId& cause, const domain::Context& context) const;
  // As Settle, on behalf of a party: what the ledger keeps counts as the party's. Why nothing was kept, unlogged.
  Status SettleFor(const PartyId& party, const std::function<Status(domain::Case&)>& decide);
  // A token of the party, when a command of this class is read; the refusal when there is none. And back.
  std::optional<Error> Charge(const PartyId& party, LimitClass which);
  void Uncharge(const PartyId& party, LimitClass which) { limits_.GiveBack(party, which); }
  // Until an order of the party goes on, because the ledger may keep more of it; zero when it does. Asked again then.
  std::chrono::seconds Wait(const PartyId& party);

 private:
  static std::set<PartyId> PartiesOf(const std::map<PartyId, wire::Role>& parties);
  Verdict AnswerRead(const Request& request);
  void AnswerKnown(const Request& request, const domain::EventMark& mark, AnswerWay way);
  void AnswerUnknown(const Request& request, AnswerWay way);
  struct Execution;
  void Execute(const Request& request, const ledger::MarksKept& kept, AnswerWay way);
  void Attempt(const std::shared_ptr<Execution>& it);
  void NotKept(const std::shared_ptr<Execution>& it, const Error& why);
  struct Settling;
  void Attempt(const std::shared_ptr<Settling>& it);
  std::optional<Error> OverAllowance(const Request& request);
  Result<domain::Origin> Identify(const Request& request, const Terms& terms) const;
  Decided Decide(const Request& request, const Terms& terms, const Result<domain::Origin>& origin,
                 const domain::Context& context) const;
  void PutOff(const Request& request, const Error& error, AnswerWay way);
  void Refuse(const Request& request, const Error& error, AnswerWay way);
  void Say(domain::OutgoingMessage reply, Verdict verdict, const std::string& command, AnswerWay way);
  Verdict Failed(const std::string& command, const Error& error);
  void SayLedger(const std::string& what, const Error& error);
  struct Aftermath;
  static Aftermath AftermathOf(const domain::Changeset& changes);
  void Tell(const Aftermath& aftermath);
  Status Commit(domain::Changeset changes);
  void CommitThen(domain::Changeset changes, const Resume& resume, std::function<void(const Status&)> then);

  const Services& services_;
  ledger::Ledger& ledger_;
  const Clock& clock_;
  Observer& observer_;
  TermsInForce terms_;
  Limits limits_;
  const Dispatcher dispatcher_;
  Allowance allowance_;
  const std::function<void()> job_ended_, order_moved_;
  Mutex said_mutex_;
  SayOnce said_ GUARDED_BY(said_mutex_);
};

}  // namespace registry::ingest
