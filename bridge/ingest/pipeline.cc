#include "bridge/ingest/pipeline.h"

#include <openssl/rand.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "bridge/ingest/admission.h"
#include "bridge/ingest/dispatch.h"
#include "bridge/ingest/lanes.h"
#include "bridge/ingest/replies.h"

namespace registry::ingest {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr int kDecisionsMax = 8;  // fresh views after a stale one, before the sender is told to come back
constexpr std::size_t kDueMax = 1000;  // jobs looked at per timer period

void FillFromOpenSsl(std::uint8_t* out, std::size_t size) {
  REG_CHECK(RAND_bytes(out, static_cast<int>(size)) == 1);
}

bool IsStale(const Error& error) { return error.symbol == ledger::kStale; }
bool IsKnown(const Error& error) { return error.symbol == ledger::kEventKnown; }
bool IsLedgerFailure(const Error& error) { return error.symbol == ledger::kLedgerFailed; }

struct Verdict {
  std::string outcome;
  std::string symbol;
};

}  // namespace

class Pipeline::Impl {
 public:
  Impl(PipelineOptions options, ledger::Ledger& ledger, Intake& intake, const Clock& clock, Services services,
       Observer& observer)
      : options_(options),
        ledger_(ledger),
        intake_(intake),
        clock_(clock),
        services_(std::move(services)),
        observer_(observer),
        dispatcher_(services_, ledger_),
        lanes_(options.lanes, options.queue_max) {}

  void Start();
  void Receive(InboundMessage message);
  bool Visible(const std::vector<domain::ZoneChange>& changes);
  void Stop();
  std::size_t queued() const { return lanes_.queued(); }

 private:
  domain::Context Now() const { return {clock_.Now(), FillFromOpenSsl}; }
  void Enqueue(Intake::Ticket ticket, InboundMessage message);
  bool Process(const Request& request, const InboundMessage& message);
  Verdict Answer(const Request& request);
  Verdict AnswerKnown(const Request& request, const domain::EventMark& mark);
  Verdict Execute(const Request& request);
  Verdict Refuse(const Request& request, const Error& error);
  bool CommitReply(domain::OutgoingMessage reply);
  bool Commit(domain::Changeset changes, Error* why);
  void ObserveSteps(const std::vector<domain::DevicePut>& devices);
  bool BuryDead(const InboundMessage& message, const Error& why);
  template <class Decide>
  bool Settle(Decide decide, const std::string& what);
  void RunTimer();
  void PostDue(const domain::Job& job);

  const PipelineOptions options_;
  ledger::Ledger& ledger_;
  Intake& intake_;
  const Clock& clock_;
  const Services services_;
  Observer& observer_;
  const Dispatcher dispatcher_;
  Lanes lanes_;
  std::thread timer_;
  std::mutex timer_mutex_;
  std::condition_variable timer_wake_;
  bool stopping_ = false;
  std::set<JobId> posted_;  // due jobs on their way through a lane
};

void Pipeline::Impl::Start() {
  for (Intake::Record& record : intake_.TakeLeftOver()) Enqueue(record.ticket, std::move(record.message));
  timer_ = std::thread([this] { RunTimer(); });
}

void Pipeline::Impl::Receive(InboundMessage message) {
  auto ticket = intake_.Append(message);
  // PUBACK leaves when this returns, so without a record on disk it must not return: the broker then delivers again.
  while (!ticket && ticket.error().code == Code::kLimit) {
    std::unique_lock lock(timer_mutex_);
    if (timer_wake_.wait_for(lock, options_.timer_period, [this] { return stopping_; })) break;
    lock.unlock();
    ticket = intake_.Append(message);
  }
  if (!ticket) {
    observer_.Log(3, "intake failed, ending before a message is acknowledged that is not kept: " +
                         ticket.error().message);
    std::abort();
  }
  Enqueue(*ticket, std::move(message));
}

void Pipeline::Impl::Enqueue(Intake::Ticket ticket, InboundMessage message) {
  auto parsed = Parse(message);
  if (!parsed) {
    if (BuryDead(message, parsed.error())) intake_.MarkDone(ticket);
    observer_.CommandDone("", "dead_letter", parsed.error().symbol, microseconds(0));
    return;
  }
  const std::size_t key = LaneKey(*parsed);
  // Shared because std::function wants a copyable callable.
  auto request = std::make_shared<const Request>(std::move(*parsed));
  auto raw = std::make_shared<const InboundMessage>(std::move(message));
  lanes_.Post(key, [this, ticket, request, raw] {
    if (Process(*request, *raw)) intake_.MarkDone(ticket);
  });
}

// True when the consequence is durable; false leaves the record in the intake for the next start.
bool Pipeline::Impl::Process(const Request& request, const InboundMessage&) {
  const auto started = steady_clock::now();
  const Verdict verdict = Answer(request);
  observer_.CommandDone(request.topic.command, verdict.outcome, verdict.symbol,
                        duration_cast<microseconds>(steady_clock::now() - started));
  return verdict.outcome != "failed";
}

Verdict Pipeline::Impl::Answer(const Request& request) {
  if (!request.id) return Refuse(request, *request.refusal);
  auto mark = ledger_.FindEvent(request.topic.party, *request.id);
  if (!mark) return {"failed", mark.error().symbol};
  if (*mark) return AnswerKnown(request, **mark);
  return Execute(request);
}

Verdict Pipeline::Impl::AnswerKnown(const Request& request, const domain::EventMark& mark) {
  const auto difference = FirstDifference(mark.digests, request.digests);
  if (!difference) {
    return CommitReply(Again(request, mark.reply)) ? Verdict{"duplicate", ""} : Verdict{"failed", ""};
  }
  // Error::field is a pointer into the data member; what differs outside of it is named by the message alone.
  const bool in_data = difference->starts_with("data/");
  const Error conflict = Error::Make(Code::kExists, "event_conflict",
                                     "this id was used before with another content of " + *difference,
                                     in_data ? difference->substr(4) : std::string());
  if (!CommitReply(Rejected(request, conflict, Now()))) return {"failed", ""};
  return {"conflict", conflict.symbol};
}

Verdict Pipeline::Impl::Refuse(const Request& request, const Error& error) {
  const bool kept = CommitReply(Rejected(request, error, Now()));
  return kept ? Verdict{"rejected", error.symbol} : Verdict{"failed", error.symbol};
}

Verdict Pipeline::Impl::Execute(const Request& request) {
  for (int attempt = 0; attempt < kDecisionsMax; ++attempt) {
    const domain::Context context = Now();
    Result<domain::Decision> decision = [&]() -> Result<domain::Decision> {
      auto origin = dispatcher_.Identify(request.topic.party, request.topic.command, *request.id);
      // Who may not send a command learns nothing about what was wrong inside it.
      if (!wire::RolesOf(request.topic.command).empty() && !origin) return origin.error();
      if (request.refusal) return *request.refusal;
      if (!origin) return origin.error();
      origin->traceparent = request.traceparent;
      return dispatcher_.Decide(*request.command, *origin, context);
    }();
    if (!decision && IsLedgerFailure(decision.error())) return {"failed", decision.error().symbol};

    domain::Changeset changes;
    Verdict verdict{"accepted", ""};
    domain::OutgoingMessage reply;
    if (decision) {
      changes = std::move(decision->changes);
      reply = Accepted(request, std::move(decision->reply), context);
    } else {
      verdict = {"rejected", decision.error().symbol};
      reply = Rejected(request, decision.error(), context);
    }
    changes.mark = domain::EventMark{request.topic.party, *request.id, context.now, request.digests, reply};
    // The reply goes first: what it says is the cause of everything after it.
    changes.messages.insert(changes.messages.begin(), std::move(reply));
    Error why;
    if (Commit(std::move(changes), &why)) return verdict;
    if (IsKnown(why)) return Answer(request);
    if (!IsStale(why)) return {"failed", why.symbol};
  }
  Error busy = Error::Make(Code::kFailed, "busy",
                           "the device changes too fast; send the command again under a new id");
  busy.retry_after_seconds = 1;
  return Refuse(request, busy);
}

bool Pipeline::Impl::CommitReply(domain::OutgoingMessage reply) {
  domain::Changeset changes;
  changes.messages.push_back(std::move(reply));
  return Commit(std::move(changes), nullptr);
}

bool Pipeline::Impl::Commit(domain::Changeset changes, Error* why) {
  const std::vector<domain::DevicePut> devices = changes.devices;
  auto committed = ledger_.Commit(std::move(changes));
  if (committed) {
    ObserveSteps(devices);
    return true;
  }
  if (IsLedgerFailure(committed.error())) observer_.Log(3, "ledger: " + committed.error().message);
  if (why != nullptr) *why = committed.error();
  return false;
}

void Pipeline::Impl::ObserveSteps(const std::vector<domain::DevicePut>& devices) {
  for (const auto& put : devices) {
    const auto& trace = put.device.trace;
    for (std::size_t i = trace.size(); i-- > 1 && trace[i].at == put.device.updated;) {
      observer_.StepDone(trace[i].step, trace[i].at - trace[i - 1].at);
    }
  }
}

bool Pipeline::Impl::BuryDead(const InboundMessage& message, const Error& why) {
  domain::Changeset changes;
  changes.dead_letters.push_back(
      {clock_.Now(), message.topic, message.payload.substr(0, domain::kDeadLetterMax), why.symbol});
  return Commit(std::move(changes), nullptr);
}

// A decision of the registry itself, repeated while others move the same records.
template <class Decide>
bool Pipeline::Impl::Settle(Decide decide, const std::string& what) {
  for (int attempt = 0; attempt < kDecisionsMax; ++attempt) {
    auto changes = decide(Now());
    if (!changes) {
      observer_.Log(3, what + ": " + changes.error().symbol + ": " + changes.error().message);
      return !IsLedgerFailure(changes.error());
    }
    if (changes->empty()) return true;
    Error why;
    if (Commit(std::move(*changes), &why)) return true;
    if (!IsStale(why)) return false;
  }
  return false;
}

bool Pipeline::Impl::Visible(const std::vector<domain::ZoneChange>& changes) {
  struct Batch {
    std::mutex mutex;
    std::condition_variable done;
    std::size_t left;
    bool good = true;
  };
  auto batch = std::make_shared<Batch>();
  batch->left = changes.size();
  const auto finish = [batch](bool good) {
    std::lock_guard lock(batch->mutex);
    batch->good = batch->good && good;
    if (--batch->left == 0) batch->done.notify_all();
  };
  for (const domain::ZoneChange& change : changes) {
    const bool posted = lanes_.Post(std::hash<DeviceId>{}(change.device), [this, change, finish] {
      finish(Settle(
          [&](const domain::Context& context) {
            return lifecycle::DecideVisible(change, ledger_, context, services_.policy, *services_.signer);
          },
          "visible"));
    });
    if (!posted) finish(false);
  }
  std::unique_lock lock(batch->mutex);
  // A batch that a stop dropped never finishes; it is told again after the next start.
  batch->done.wait_for(lock, options_.stop_deadline + std::chrono::seconds(30),
                       [&] { return batch->left == 0; });
  return batch->left == 0 && batch->good;
}

void Pipeline::Impl::PostDue(const domain::Job& job) {
  {
    std::lock_guard lock(timer_mutex_);
    if (!posted_.insert(job.id).second) return;
  }
  lanes_.Post(std::hash<DeviceId>{}(job.device), [this, job] {
    Settle(
        [&](const domain::Context& context) {
          return lifecycle::DecideDue(job, ledger_, context, services_.policy);
        },
        "due");
    std::lock_guard lock(timer_mutex_);
    posted_.erase(job.id);
  });
}

void Pipeline::Impl::RunTimer() {
  std::unique_lock lock(timer_mutex_);
  while (!timer_wake_.wait_for(lock, options_.timer_period, [this] { return stopping_; })) {
    lock.unlock();
    auto due = ledger_.JobsDue(clock_.Now(), kDueMax);
    if (due) {
      for (const domain::Job& job : *due) PostDue(job);
    } else {
      observer_.Log(3, "jobs due: " + due.error().message);
    }
    lock.lock();
  }
}

void Pipeline::Impl::Stop() {
  {
    std::lock_guard lock(timer_mutex_);
    stopping_ = true;
  }
  timer_wake_.notify_all();
  if (timer_.joinable()) timer_.join();
  lanes_.Stop(options_.stop_deadline);
}

Pipeline::Pipeline(PipelineOptions options, ledger::Ledger& ledger, Intake& intake, const Clock& clock,
                   Services services, Observer& observer)
    : impl_(std::make_unique<Impl>(options, ledger, intake, clock, std::move(services), observer)) {}
Pipeline::~Pipeline() { Stop(); }
void Pipeline::Start() { impl_->Start(); }
void Pipeline::Receive(InboundMessage message) { impl_->Receive(std::move(message)); }
bool Pipeline::Visible(const std::vector<domain::ZoneChange>& changes) { return impl_->Visible(changes); }
void Pipeline::Stop() { impl_->Stop(); }
std::size_t Pipeline::queued() const { return impl_->queued(); }

}  // namespace registry::ingest
