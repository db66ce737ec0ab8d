// bridge/ingest/pipeline.h: from bytes to a committed decision (design §2): intake, strict decoding, admission (new,
// duplicate, conflict), a worker's Decide, one ledger commit. Replies leave through the outbox only.
// The way: Receive decides by topic and size alone whose share a message takes and keeps it (intake.h); parsers.h reads
//   it, party by party in turn; a lane (lanes.h) decides it, party by party in turn. No party stands behind more than one
//   turn of another, and behind what that one has under way on the devices of the same lane (128 commands at most), however
//   much it sends. A batch (batch.h) is taken apart where messages are read; each of its
//   commands then goes that way as if it had come alone, and counts as a message of its sender.
// Owns: `lanes` threads (one party's work on one device is in order, work on one device is serial, devices run in
//   parallel; while a device's commit is under way its lane decides for others), two that parse, one timer thread for jobs
//   that are due, and one for answers that leave no mark (unmarked.h). Intake, ledger, clock, services and observer
//   outlive it.
// Threads: Receive is the MQTT handler (one thread at a time); Visible from the zone's thread; Start/Stop once each.
// Errors: nothing that arrives is dropped in silence: it is rejected on its reply topic, or kept as a dead letter. What
//   the ledger did not take is tried again, later each time.
// Limits: of one party wait at most queue_max / 2 messages and 16 MiB. What is more is rejected (2502 too_busy) without
//   being read, and waits for that in the same way: 2,048 messages and 4 MiB. What is even more is not kept at all: one
//   rejection a second says for all of them how many there were. Receive waits only while the intake is full (MQTT5 §4.9
//   flow control does the rest), never for one party's share.
// While space is low nothing new is begun: what would write is rejected (2400 disk_nearly_full) but for the operator's
//   commands, by which a device is still deactivated; jobs, renewals and orders wait. What DNS shows is still recorded.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bridge/clock.h"
#include "bridge/ingest/inbound.h"
#include "bridge/ingest/intake.h"
#include "bridge/ingest/limits.h"
#include "bridge/ingest/party_terms.h"
#include "bridge/ledger/ledger.h"
#include "bridge/log_line.h"
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
  // A command that was refused because this limit of its sender was reached; "unknown" for whoever is no party.
  virtual void Limited(const std::string& /*party*/, const std::string& /*limit*/) {}
  // A device of an order; kind and outcome as in order.state and order.report.
  virtual void OrderItemDone(const std::string& /*kind*/, const std::string& /*outcome*/) {}
  // A transfer was requested, approved, rejected, cancelled, completed or failed; kind as in transfer.state.
  virtual void TransferMoved(const std::string& /*kind*/, const std::string& /*outcome*/) {}
  // What became of a device's renewal (lifecycle::RenewalsOf).
  virtual void RenewalMoved(const std::string& /*outcome*/) {}
  virtual void Log(int level, const std::string& line) = 0;  // Level
};

// Devices that were due for another key when they were looked at last, those on hold left out.
struct RenewalsDue {
  std::uint64_t due = 0;
  std::uint64_t under_way = 0;  // of those: a key is asked for, or the next certificate is on its way
  UtcTime oldest;               // since when the first of them is due; zero: there is none
};

// Whether the disk has so little space that only what is under way may still be written. Asked for every command: from any
// thread, and without a wait.
using SpaceLow = std::function<bool()>;

// Takes a reply that is kept nowhere to its party, or drops it; never waits, from any thread.
using Aside = std::function<void(const PartyId& party, domain::OutgoingMessage reply)>;

// Replies that were decided and have not reached the broker yet.
using Backlog = std::function<std::uint64_t()>;

// OpenSSL's, for secrets too. Ends the process when there is none.
void FillFromOpenSsl(std::uint8_t* out, std::size_t size);

struct Services {
  std::map<PartyId, wire::Role> parties;
  const csr_sign::Issuer* issuer = nullptr;
  const domain::Signer* signer = nullptr;  // the issuing key, for payloads
  domain::Policy policy;
  LimitRules limits{};
  domain::FillRandom random = FillFromOpenSsl;
  Backlog backlog = [] { return std::uint64_t{0}; };
  Aside aside = [](const PartyId&, const domain::OutgoingMessage&) {};
  SpaceLow space_low = [] { return false; };
  std::uint64_t kept_per_hour = std::uint64_t{256}
                                << 20;  // octets one party may make the ledger keep (allowance.h)
};

struct PipelineOptions {
  std::size_t lanes = 2;
  std::size_t queue_max = 8192;
  std::chrono::milliseconds timer_period{250};
  std::chrono::milliseconds renewals_every{60'000};  // looks for certificates that end soon
  std::chrono::milliseconds retry_after{1000};       // what the ledger did not take; doubles up to a minute
  std::chrono::milliseconds stop_deadline{10000};
  // False: commands alone. Jobs, renewals and orders are another node's, which has the ledger.
  bool own_work = true;
  // True: where the intake fails, Receive says so in place of ending the process.
  bool intake_may_refuse = false;
};

class Pipeline {
 public:
  Pipeline(PipelineOptions options, ledger::Ledger& ledger, Intake& intake, const Clock& clock,
           Services services, Observer& observer);
  ~Pipeline();
  void Start();  // first processes what the intake has left over
  // Returning from here acknowledges the message to the broker. While a full intake holds it back and the pipeline
  // stops, it waits until the lanes have; without room even then it ends the process (exit status 0), unacknowledged.
  // False, with intake_may_refuse alone: it is not kept, and must not be acknowledged.
  bool Receive(const InboundMessage& message);
  // What another node had not finished (Intake::TakeOverOf); from Start on, any thread.
  void Take(std::vector<Intake::Record> left_over);
  // Others have committed (Ledger::WhenOthersWrote): jobs and orders are looked at. Any thread, quick.
  void OthersWrote(const ledger::Ledger::Others& what);
  // Zone changes served by every secondary; true when the consequences are committed.
  bool Visible(const std::vector<domain::ZoneChange>& changes);
  // From the next command on; what is being decided goes on as it began. Any thread.
  void Change(const PartyTerms& terms);
  // Stops taking in, finishes what was taken (up to the deadline; the rest stays in the intake), joins.
  void Stop();
  std::size_t orders_open() const;  // running or paused, as of the last change that was read (order_runner.h)
  std::size_t queued() const;
  std::uint64_t renewal_rounds() const;  // through the index of expiry (renewals.h)
  RenewalsDue renewals_due() const;      // in the last of them
  void LookForRenewals();                // the next round begins now

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace registry::ingest
