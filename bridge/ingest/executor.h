// bridge/ingest/executor.h: one request that has an identity, to its durable answer: the stored reply, a worker's
// decision, or a rejection. And decisions of the registry itself.
// Threads: every call from any lane; waits for its own commit. Ledger, clock, services and observer outlive it.
// Errors: a rejection is final, and remembered, unless it says "later" (2400, 2502): then the same id may come again.
//   Verdict "failed": the ledger could not be read or written, nothing was said, the request must be tried again; it is
//   logged here.
#pragma once

#include <functional>
#include <string>

#include "bridge/ingest/admission.h"
#include "bridge/ingest/dispatch.h"
#include "bridge/ingest/pipeline.h"

namespace registry::ingest {

struct Verdict {
  std::string outcome;  // see Observer::CommandDone
  std::string symbol;
  bool failed() const { return outcome == "failed"; }
};

class Executor {
 public:
  Executor(const Services& services, ledger::Ledger& ledger, const Clock& clock, Observer& observer)
      : ledger_(ledger), clock_(clock), observer_(observer), dispatcher_(services, ledger) {}

  domain::Context Now() const;
  Verdict Answer(const Request& request);
  // Decided again while others move the same records; true when nothing is left to do.
  bool Settle(const std::function<Result<domain::Changeset>(const domain::Context&)>& decide,
              const std::string& what);

 private:
  Verdict AnswerKnown(const Request& request, const domain::EventMark& mark);
  Verdict Execute(const Request& request);
  Result<domain::Decision> Decide(const Request& request, const domain::Context& context);
  Verdict PutOff(const Request& request, const Error& error);
  Verdict Refuse(const Request& request, const Error& error);
  Verdict Say(domain::OutgoingMessage reply, Verdict verdict, const std::string& command);
  Verdict Failed(const std::string& command, const Error& error);
  Status Commit(domain::Changeset changes);

  ledger::Ledger& ledger_;
  const Clock& clock_;
  Observer& observer_;
  const Dispatcher dispatcher_;
};

}  // namespace registry::ingest
