// bridge/app/membership.h: what decides commands in a node while another one is active (NODES.md): a ledger that was
// joined (bridge/ledger/postgres/members.h), its rows of the intake, a pipeline that decides commands and does nothing
// else, and what says replies to reads. All else is the active one's: it relays, does what is due, and has zone, CRL
// and census.
// Owns: these. What is around it outlives it.
// Threads: Join, Beat and the end from one; Receive from the one that hears; the rest from any.
// End: what was taken is decided within kStopWithin, or stays in the intake, where the active one finds it.
// Errors: ledger_in_use: it is a member no longer, or may not be one. Those of ledger and intake.
#pragma once

#include <map>
#include <memory>

#include "bridge/app/beside_ledger.h"
#include "bridge/app/config.h"
#include "bridge/app/deciding_terms.h"
#include "bridge/app/log.h"
#include "bridge/app/material.h"
#include "bridge/app/metrics.h"
#include "bridge/app/node.h"
#include "bridge/clock.h"
#include "bridge/ingest/pipeline.h"
#include "bridge/outbox/aside.h"

namespace registry::app {

class Membership {
 public:
  static constexpr std::chrono::milliseconds kStopWithin{1500};
  struct Around {
    const Material& material;
    Log& log;
    const Clock& clock;
    Metrics& metrics;
    outbox::Publisher& publisher;
  };

  // One that does nothing yet.
  static Result<std::unique_ptr<Membership>> Join(const Config& config, Around around);
  ~Membership();
  // In which parts the active one decides otherwise than by `own`; empty: it may decide. Asks the ledger's server.
  Result<std::string> DiffersFrom(const DecidingTerms& own) const;
  Status Start(const Config& config);
  void Stop();    // decides what it took, and takes no more
  Status Beat();  // says that it lives, and is a member still
  // False: it was not kept, and must not be acknowledged.
  bool Receive(const ingest::InboundMessage& message) { return pipeline_->Receive(message); }
  void Change(const ingest::PartyTerms& terms) { pipeline_->Change(terms); }
  const std::shared_ptr<Node>& node() const { return node_; }
  void Fill(Sample& sample) const;

 private:
  Membership(const Config& config, Around around);

  const Around around_;
  const std::shared_ptr<Node> node_;  // outlives the ledger, whose thread tells it
  LedgerPlace place_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<ledger::KeptState> kept_;
  std::optional<BesideLedger> beside_;  // from Start on, as the rest
  std::unique_ptr<ingest::Pipeline> pipeline_;
  std::unique_ptr<outbox::Aside> aside_;
};

}  // namespace registry::app
