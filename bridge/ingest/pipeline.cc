#include "bridge/ingest/pipeline.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "bridge/ingest/admission.h"
#include "bridge/ingest/backlog.h"
#include "bridge/ingest/executor.h"
#include "bridge/ingest/lanes.h"
#include "bridge/ingest/replies.h"
#include "bridge/ingest/shares.h"
#include "bridge/ingest/unmarked.h"

namespace registry::ingest {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kDueMax = 1000;      // jobs looked at per timer period
constexpr ledger::Seq kBacklogMax = 1000;  // messages on their way to the broker, above which no job is due
constexpr int kTooBusySeconds = 5;
constexpr milliseconds kRetryMax{60'000};

// A request on its way through a lane.
struct Taken {
  Intake::Ticket ticket = 0;
  std::size_t lane = 0;
  Request request;
  milliseconds retry_after{0};
};

// One party holds at most half of what may wait.
std::size_t ShareOf(std::size_t queue_max) { return std::max<std::size_t>(queue_max / 2, 1); }

}  // namespace

class Pipeline::Impl {
 public:
  Impl(PipelineOptions options, ledger::Ledger& ledger, Intake& intake, const Clock& clock, Services services,
       Observer& observer)
      : options_(options),
        ledger_(ledger),
        intake_(intake),
        services_(std::move(services)),
        observer_(observer),
        clock_(clock),
        executor_(services_, ledger_, clock, observer_),
        unmarked_(ledger_, intake_, observer_, options.retry_after),
        shares_(ShareOf(options.queue_max)),
        lanes_(options.lanes, options.queue_max) {}

  void Start();
  void Receive(const InboundMessage& message);
  bool Visible(const std::vector<domain::ZoneChange>& changes);
  void Stop();
  std::size_t queued() const { return lanes_.queued(); }

 private:
  enum class Admit { kWithinShare, kAnyway };
  Result<Intake::Ticket> AppendWhenThereIsRoom(const InboundMessage& message);
  void Enqueue(Intake::Ticket ticket, const InboundMessage& message, Admit admit);
  void Bury(Intake::Ticket ticket, const InboundMessage& message, const Error& why);
  void Reject(Intake::Ticket ticket, const Request& request, const Error& why);
  void Post(std::shared_ptr<Taken> taken);
  void Process(const std::shared_ptr<Taken>& taken);
  void RunTimer();
  void PostDue();
  void PostDue(const domain::Job& job);
  void PostRetries();

  const PipelineOptions options_;
  ledger::Ledger& ledger_;
  Intake& intake_;
  const Services services_;
  Observer& observer_;
  const Clock& clock_;
  Executor executor_;
  Unmarked unmarked_;
  Shares shares_;
  Lanes lanes_;
  std::thread timer_;
  std::mutex timer_mutex_;
  std::condition_variable timer_wake_;
  bool stopping_ = false;
  bool stopped_ = false;    // no lane works any more
  std::set<JobId> posted_;  // due jobs on their way through a lane
  std::multimap<steady_clock::time_point, std::shared_ptr<Taken>> retries_;
};

void Pipeline::Impl::Start() {
  unmarked_.Start();
  for (const Intake::Record& record : intake_.TakeLeftOver()) {
    Enqueue(record.ticket, record.message, Admit::kAnyway);
  }
  timer_ = std::thread([this] { RunTimer(); });
}

void Pipeline::Impl::Receive(const InboundMessage& message) {
  // PUBACK leaves when this returns, so without a record on disk it must not return: the broker then delivers again.
  const auto ticket = AppendWhenThereIsRoom(message);
  if (ticket) return Enqueue(*ticket, message, Admit::kWithinShare);
  if (ticket.error().code == Code::kLimit) {
    observer_.Log(2, "stopped with a full intake: ending before a message is acknowledged that is not kept");
    std::_Exit(EXIT_SUCCESS);
  }
  observer_.Log(3, "intake failed, ending before a message is acknowledged that is not kept: " +
                       ticket.error().message);
  std::abort();
}

// Full only when everything has stopped and nothing more will be done with what fills it.
Result<Intake::Ticket> Pipeline::Impl::AppendWhenThereIsRoom(const InboundMessage& message) {
  while (true) {
    bool last = false;
    {
      const std::lock_guard lock(timer_mutex_);
      last = stopped_;
    }
    auto ticket = intake_.Append(message);
    if (ticket || ticket.error().code != Code::kLimit || last) return ticket;
    std::unique_lock lock(timer_mutex_);
    timer_wake_.wait_for(lock, options_.timer_period, [this] { return stopped_; });
  }
}

void Pipeline::Impl::Enqueue(Intake::Ticket ticket, const InboundMessage& message, Admit admit) {
  auto parsed = Parse(message);
  if (!parsed) return Bury(ticket, message, parsed.error());
  if (!parsed->id) return Reject(ticket, *parsed, *parsed->refusal);
  if (admit == Admit::kAnyway) {
    shares_.TakeAnyway(parsed->topic.party);
  } else if (!shares_.Take(parsed->topic.party)) {
    Error busy = Error::Make(Code::kLimit, "too_busy",
                             "too many commands of this party wait; send the command again with the same id");
    busy.retry_after_seconds = kTooBusySeconds;
    return Reject(ticket, *parsed, busy);
  }
  const std::size_t lane = LaneKey(*parsed);
  // Shared because std::function wants a copyable callable.
  Post(std::make_shared<Taken>(Taken{ticket, lane, std::move(*parsed), options_.retry_after}));
}

void Pipeline::Impl::Bury(Intake::Ticket ticket, const InboundMessage& message, const Error& why) {
  domain::DeadLetter letter;
  letter.at = clock_.Now();
  letter.topic = message.topic.substr(0, domain::kDeadLetterTopicMax);
  letter.payload = message.payload.substr(0, domain::kDeadLetterMax);
  letter.reason = why.symbol;
  unmarked_.Add({ticket, "", "dead_letter", why.symbol, std::move(letter)});
}

void Pipeline::Impl::Reject(Intake::Ticket ticket, const Request& request, const Error& why) {
  unmarked_.Add(
      {ticket, request.topic.command, "rejected", why.symbol, Rejected(request, why, executor_.Now())});
}

void Pipeline::Impl::Post(std::shared_ptr<Taken> taken) {
  const std::size_t lane = taken->lane;
  // Once stopping, the record stays in the intake for the next start.
  lanes_.Post(lane, [this, taken = std::move(taken)] { Process(taken); });
}

void Pipeline::Impl::Process(const std::shared_ptr<Taken>& taken) {
  const auto started = steady_clock::now();
  const Verdict verdict = executor_.Answer(taken->request);
  const auto now = steady_clock::now();
  if (!verdict.failed()) {
    intake_.MarkDone(taken->ticket);
    shares_.GiveBack(taken->request.topic.party);
  }
  observer_.CommandDone(taken->request.topic.command, verdict.outcome, verdict.symbol,
                        duration_cast<microseconds>(now - started));
  if (!verdict.failed()) return;
  // It keeps its share: whoever has much that fails gets no more room for it.
  const auto at = now + taken->retry_after;
  taken->retry_after = std::min(taken->retry_after * 2, kRetryMax);
  const std::lock_guard lock(timer_mutex_);
  retries_.emplace(at, taken);
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
      finish(executor_.Settle(
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

// While many messages wait for the broker, what was asked last may be among them. Asking again would use up an attempt
// that nobody heard and lengthen the queue: under load every answer would come too late, for good.
void Pipeline::Impl::PostDue() {
  const auto backlog = MqttBacklog(ledger_);
  if (backlog && *backlog > kBacklogMax) return;
  auto due = ledger_.JobsDue(clock_.Now(), kDueMax);
  if (!due) return observer_.Log(3, "jobs due: " + due.error().message);
  for (const domain::Job& job : *due) PostDue(job);
}

void Pipeline::Impl::PostDue(const domain::Job& job) {
  {
    std::lock_guard lock(timer_mutex_);
    if (!posted_.insert(job.id).second) return;
  }
  lanes_.Post(std::hash<DeviceId>{}(job.device), [this, job] {
    executor_.Settle(
        [&](const domain::Context& context) {
          return lifecycle::DecideDue(job, ledger_, context, services_.policy);
        },
        "due");
    std::lock_guard lock(timer_mutex_);
    posted_.erase(job.id);
  });
}

void Pipeline::Impl::PostRetries() {
  std::vector<std::shared_ptr<Taken>> due;
  {
    const std::lock_guard lock(timer_mutex_);
    const auto end = retries_.upper_bound(steady_clock::now());
    for (auto it = retries_.begin(); it != end; ++it) due.push_back(std::move(it->second));
    retries_.erase(retries_.begin(), end);
  }
  for (auto& taken : due) Post(std::move(taken));
}

void Pipeline::Impl::RunTimer() {
  std::unique_lock lock(timer_mutex_);
  while (!timer_wake_.wait_for(lock, options_.timer_period, [this] { return stopping_; })) {
    lock.unlock();
    PostDue();
    PostRetries();
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
  unmarked_.Stop();
  {
    std::lock_guard lock(timer_mutex_);
    stopped_ = true;
  }
  timer_wake_.notify_all();
}

Pipeline::Pipeline(PipelineOptions options, ledger::Ledger& ledger, Intake& intake, const Clock& clock,
                   Services services, Observer& observer)
    : impl_(std::make_unique<Impl>(options, ledger, intake, clock, std::move(services), observer)) {}
Pipeline::~Pipeline() { Stop(); }
void Pipeline::Start() { impl_->Start(); }
void Pipeline::Receive(const InboundMessage& message) { impl_->Receive(message); }
bool Pipeline::Visible(const std::vector<domain::ZoneChange>& changes) { return impl_->Visible(changes); }
void Pipeline::Stop() { impl_->Stop(); }
std::size_t Pipeline::queued() const { return impl_->queued(); }

}  // namespace registry::ingest
