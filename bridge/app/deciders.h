// bridge/app/deciders.h: what the active node does for those that decide beside it (`ledger.shared`, NODES.md): it
// keeps by which terms commands are decided, takes members, takes over from those that are gone, and hears what the
// broker has for them.
// Owns: two threads (`members`, `heir`) from Start to Stop, and a connection each to the ledger's server and, at
// times, to the broker. Ledger, intake, pipeline and kept state outlive it.
// Threads: Start and Stop from one, the rest from any. Errors: those of the kept state; the rest is said in the log.
#pragma once

#include "bridge/app/config.h"
#include "bridge/app/deciding_terms.h"
#include "bridge/app/log.h"
#include "bridge/app/members_watch.h"
#include "bridge/ingest/pipeline.h"
#include "bridge/mqtt/heir.h"

namespace registry::app {

class Deciders {
 public:
  struct Around {
    const ledger::PostgresOptions& options;  // with which `ledger` is open
    ledger::Ledger& ledger;
    ingest::Intake& intake;
    ingest::Pipeline& pipeline;
    ledger::KeptState& kept;
    Log& log;
  };
  // `session`, `handler`, `stir`: of the registry's own session (bridge/mqtt/heir.h).
  Deciders(const Config& config, Around around, mqtt::SessionOptions session, mqtt::Session::Handler handler,
           std::function<void()> stir);
  ~Deciders() { Stop(); }
  Status Keep(const DecidingTerms& terms) { return KeepTerms(terms, kept_); }
  void Start();
  void Stop();

 private:
  MembersWatch::Ways WaysOf(const Around& around);

  ledger::KeptState& kept_;
  ledger::Members members_;  // of the watch's thread
  mqtt::Heir heir_;
  MembersWatch watch_;
};

}  // namespace registry::app
