// bridge/ingest/pipeline.h: from bytes to a committed decision (design §2): intake, strict decoding, admission (new,
// duplicate, conflict), a worker's Decide, one ledger commit. Replies leave through the outbox only.
// Owns: `lanes` threads (work on one device is serial, devices run in parallel; a lane waits only for its own commit),
//   one timer thread for jobs that are due, and one for answers that leave no mark (unmarked.h). Intake, ledger, clock,
//   services and observer outlive it.
// Threads: Receive is the MQTT handler (one thread at a time); Visible from the zone's thread; Start/Stop once each.
// Errors: nothing that arrives is dropped in silence: it is rejected on its reply topic, or kept as a dead letter. What
//   the ledger did not take is tried again, later each time.
// Limits: queue_max messages wait in memory, at most half of them of one party: more of it is rejected (2502 too_busy)
//   before anything is decided. With the queue or the intake full, Receive blocks (MQTT5 §4.9 flow control does the
//   rest).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bridge/clock.h"
#include "bridge/ingest/inbound.h"
#include "bridge/ingest/intake.h"
#include "bridge/ledger/ledger.h"
#include "workers/csr_sign/csr_sign.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/payload_push/payload_push.h"

namespace registry::ingest {

// What is worth counting; called from lanes, must be quick and thread-safe.
class Observer {
 public:
  virtual ~Observer() = default;
  // outcome: "accepted", "rejected", "duplicate", "conflict", "dead_letter", "failed" (tried again); symbol is empty
  // unless rejected or failed.
  virtual void CommandDone(const std::string& command, const std::string& outcome, const std::string& symbol,
                           std::chrono::microseconds latency) = 0;
  // A step of an activation, measured from the step before it ("attached", "certified", "published", "delivered", ...).
  virtual void StepDone(const std::string& step, std::chrono::microseconds latency) = 0;
  virtual void Log(int level, const std::string& line) = 0;  // 0 debug, 1 info, 2 warning, 3 error
};

struct Services {
  std::map<PartyId, wire::Role> parties;
  const csr_sign::Issuer* issuer = nullptr;
  const domain::Signer* signer = nullptr;  // the issuing key, for payloads
  lifecycle::Policy policy;
};

struct PipelineOptions {
  std::size_t lanes = 32;
  std::size_t queue_max = 8192;
  std::chrono::milliseconds timer_period{250};
  std::chrono::milliseconds retry_after{1000};  // what the ledger did not take; doubles up to a minute
  std::chrono::milliseconds stop_deadline{10000};
};

class Pipeline {
 public:
  Pipeline(PipelineOptions options, ledger::Ledger& ledger, Intake& intake, const Clock& clock,
           Services services, Observer& observer);
  ~Pipeline();
  void Start();  // first processes what the intake has left over
  // Returning from here acknowledges the message to the broker. While a full intake holds it back and the pipeline
  // stops, it waits until the lanes have; without room even then it ends the process (exit status 0), unacknowledged.
  void Receive(const InboundMessage& message);
  // Zone changes served by every secondary; true when the consequences are committed.
  bool Visible(const std::vector<domain::ZoneChange>& changes);
  // Stops taking in, finishes what was taken (up to the deadline; the rest stays in the intake), joins.
  void Stop();
  std::size_t queued() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace registry::ingest
