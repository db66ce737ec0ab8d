#include "bridge/ingest/pipeline.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

#include "bridge/ingest/admission.h"
#include "bridge/ingest/executor.h"
#include "bridge/ingest/lanes.h"
#include "bridge/ingest/own_decisions.h"
#include "bridge/ingest/own_work.h"
#include "bridge/ingest/parsers.h"
#include "bridge/ingest/replies.h"
#include "bridge/ingest/shares.h"
#include "bridge/ingest/timer.h"
#include "bridge/ingest/unmarked.h"
#include "schemas/base/mutex.h"

namespace registry::ingest {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kShareOctets = 16u << 20;  // of one party's messages that wait
// Of one party's messages that found its share taken and wait to be refused, each with its own answer.
constexpr Load kRefusals{2048, 4u << 20};
constexpr std::size_t kAheadPerLane = 4;  // of one party's commands, so that all lanes may be busy with them
constexpr int kTooBusySeconds = 5;
constexpr milliseconds kRetryMax{60'000};
constexpr milliseconds kVisiblePatience{30'000};

// A request on its way through a lane.
struct Taken {
  Arrived arrived;  // without the message's octets, which have been read
  std::size_t lane = 0;
  Request request;
  milliseconds retry_after{0};
};

// One party holds at most half of what may wait.
Load ShareOf(const PipelineOptions& options) {
  return {std::max<std::size_t>(options.queue_max / 2, 1), kShareOctets};
}

Error TooBusy(const std::string& message) {
  Error busy = Error::Make(Code::kLimit, "too_busy", message);
  busy.retry_after_seconds = kTooBusySeconds;
  return busy;
}

}  // namespace

class Pipeline::Impl {
 public:
  Impl(PipelineOptions options, ledger::Ledger& ledger, Intake& intake, const Clock& clock, Services services,
       Observer& observer)
      : options_(options),
        intake_(intake),
        services_(std::move(services)),
        observer_(observer),
        executor_(services_, ledger, clock, observer_,
                  [this] {
                    if (own_decisions_.SomeoneHasRoom()) timer_.Wake();
                  }),
        unmarked_(ledger, intake_, observer_, options.retry_after, services_.backlog,
                  [this](const Surplus::Group& group) { return RefuseSurplus(group); }),
        shares_(ShareOf(options)),
        refusals_(kRefusals),
        lanes_(options.lanes, options.queue_max),
        parsers_(options.lanes * kAheadPerLane, services_.backlog,
                 [this](Arrived arrived) { return Handle(std::move(arrived)); }),
        own_decisions_(services_, ledger, clock, observer_, executor_),
        own_work_(own_decisions_, lanes_) {}

  void Start();
  void Receive(const InboundMessage& message);
  bool Visible(const std::vector<domain::ZoneChange>& changes) {
    return own_work_.Visible(changes, options_.stop_deadline + kVisiblePatience);
  }
  void Stop();
  std::size_t queued() const { return parsers_.waiting() + lanes_.queued(); }

 private:
  Intake::Ticket Keep(const InboundMessage& message);
  Result<Intake::Ticket> AppendWhenThereIsRoom(const InboundMessage& message);
  bool Handle(Arrived arrived);
  void Say(Arrived arrived, Unmarked::Answer answer);
  void RefuseUnread(Arrived arrived);
  void CountSurplus(const std::string& sender, const InboundMessage& message);
  Unmarked::Answer RefuseSurplus(const Surplus::Group& group);
  Unmarked::Answer Bury(const InboundMessage& message, const Error& why);
  Unmarked::Answer Reject(const Request& request, const Error& why);
  void Post(std::shared_ptr<Taken> taken);
  void Process(const std::shared_ptr<Taken>& taken);
  void PostRetries();

  const PipelineOptions options_;
  Intake& intake_;
  const Services services_;
  Observer& observer_;
  Executor executor_;
  Unmarked unmarked_;
  Shares shares_, refusals_;
  Lanes lanes_;
  Parsers parsers_;
  OwnDecisions own_decisions_;
  OwnWork own_work_;
  Timer timer_;
  Mutex mutex_;
  CondVar wake_;
  bool stopped_ GUARDED_BY(mutex_) = false;  // no lane works any more
  std::multimap<steady_clock::time_point, std::shared_ptr<Taken>> retries_ GUARDED_BY(mutex_);
};

void Pipeline::Impl::Start() {
  unmarked_.Start();
  for (Intake::Record& record : intake_.TakeLeftOver()) {
    Arrived arrived{record.ticket, SenderOf(record.message.topic), OctetsOf(record.message), {}};
    arrived.message = std::move(record.message);
    shares_.TakeAnyway(arrived.sender, arrived.octets);
    parsers_.Add(std::move(arrived));
  }
  parsers_.Start();
  timer_.Start(options_.timer_period, [this] {
    own_work_.PostDue();
    PostRetries();
  });
}

// Whose share it is comes from topic and size; nothing of the payload is looked at by this thread.
void Pipeline::Impl::Receive(const InboundMessage& message) {
  Arrived arrived{0, SenderOf(message.topic), OctetsOf(message), {}};
  const bool welcome = shares_.Take(arrived.sender, arrived.octets);
  if (!welcome && !refusals_.Take(arrived.sender, arrived.octets)) {
    return CountSurplus(arrived.sender, message);
  }
  arrived.ticket = Keep(message);
  arrived.message = message;
  if (welcome) {
    parsers_.Add(std::move(arrived));
  } else {
    RefuseUnread(std::move(arrived));
  }
}

// PUBACK leaves when Receive returns, so without a record on disk this must not return: the broker then delivers again.
Intake::Ticket Pipeline::Impl::Keep(const InboundMessage& message) {
  const auto ticket = AppendWhenThereIsRoom(message);
  if (ticket) return *ticket;
  if (ticket.error().code == Code::kLimit) {
    observer_.Log(2, "stopped with a full intake: ending before a message is acknowledged that is not kept");
    std::_Exit(EXIT_SUCCESS);
  }
  observer_.Log(3, "intake failed, ending before a message is acknowledged that is not kept: " +
                       ticket.error().message);
  std::_Exit(EXIT_FAILURE);
}

// Full only when everything has stopped and nothing more will be done with what fills it.
Result<Intake::Ticket> Pipeline::Impl::AppendWhenThereIsRoom(const InboundMessage& message) {
  while (true) {
    bool last = false;
    {
      const MutexLock lock(mutex_);
      last = stopped_;
    }
    auto ticket = intake_.Append(message);
    if (ticket || ticket.error().code != Code::kLimit || last) return ticket;
    MutexLock lock(mutex_);
    wake_.WaitFor(lock, options_.timer_period, [this]() REQUIRES(mutex_) { return stopped_; });
  }
}

bool Pipeline::Impl::Handle(Arrived arrived) {
  const auto message = std::exchange(arrived.message, {});
  auto parsed = Parse(message);
  if (!parsed) {
    Say(std::move(arrived), Bury(message, parsed.error()));
    return false;
  }
  if (!parsed->id) {
    Say(std::move(arrived), Reject(*parsed, *parsed->refusal));
    return false;
  }
  const std::size_t lane = LaneKey(*parsed);
  // Shared because std::function wants a copyable callable.
  Post(std::make_shared<Taken>(Taken{std::move(arrived), lane, std::move(*parsed), options_.retry_after}));
  return true;
}

// It keeps its share until the answer is kept.
void Pipeline::Impl::Say(Arrived arrived, Unmarked::Answer answer) {
  const Intake::Ticket ticket = arrived.ticket;
  unmarked_.Add(
      {ticket, arrived.sender, [answer = std::move(answer)] { return answer; },
       [this, sender = arrived.sender, octets = arrived.octets] { shares_.GiveBack(sender, octets); }});
}

void Pipeline::Impl::RefuseUnread(Arrived arrived) {
  const Intake::Ticket ticket = arrived.ticket;
  const std::string sender = arrived.sender;
  auto make = [this, message = std::move(arrived.message)] {
    const auto request = ParseUnread(message);
    if (!request) return Bury(message, request.error());
    return Reject(*request,
                  TooBusy("too many commands of this party wait; send the command again with the same id"));
  };
  unmarked_.Add({ticket, sender, std::move(make),
                 [this, sender, octets = arrived.octets] { refusals_.GiveBack(sender, octets); }});
}

// Not even kept: what it asks is not looked at, and the one answer for all of its kind follows within seconds.
void Pipeline::Impl::CountSurplus(const std::string& sender, const InboundMessage& message) {
  observer_.CommandDone("", "rejected", "too_busy", microseconds(0));
  unmarked_.AddSurplus(sender, message.topic.substr(0, domain::kDeadLetterTopicMax));
}

Unmarked::Answer Pipeline::Impl::RefuseSurplus(const Surplus::Group& group) {
  const std::string text =
      std::to_string(group.messages) +
      " commands of this party were not looked at and have no answer of their own; send each "
      "command that has none again, with the same id";
  observer_.Log(2, (group.sender.empty() ? "somebody" : group.sender) + ": " + text);
  const auto request = ParseUnread({group.topic, "", "", ""});
  if (!request) return Bury({group.topic, text, "", ""}, request.error());
  return Reject(*request, TooBusy(text));
}

Unmarked::Answer Pipeline::Impl::Bury(const InboundMessage& message, const Error& why) {
  domain::DeadLetter letter;
  letter.at = executor_.Now().now;
  letter.topic = message.topic.substr(0, domain::kDeadLetterTopicMax);
  letter.payload = message.payload.substr(0, domain::kDeadLetterMax);
  letter.reason = why.symbol;
  return {"", "dead_letter", why.symbol, std::move(letter)};
}

Unmarked::Answer Pipeline::Impl::Reject(const Request& request, const Error& why) {
  return {request.topic.command, "rejected", why.symbol, Rejected(request, why, executor_.Now())};
}

void Pipeline::Impl::Post(std::shared_ptr<Taken> taken) {
  const std::size_t lane = taken->lane;
  const std::string sender = taken->arrived.sender;
  // Once stopping, the record stays in the intake for the next start.
  lanes_.Post(lane, sender, [this, taken = std::move(taken)] { Process(taken); });
}

void Pipeline::Impl::Process(const std::shared_ptr<Taken>& taken) {
  const auto started = steady_clock::now();
  const Verdict verdict = executor_.Answer(taken->request);
  const auto now = steady_clock::now();
  if (!verdict.failed()) {
    intake_.MarkDone(taken->arrived.ticket);
    shares_.GiveBack(taken->arrived.sender, taken->arrived.octets);
    parsers_.Done(taken->arrived.sender);
  }
  observer_.CommandDone(taken->request.topic.command, verdict.outcome, verdict.symbol,
                        duration_cast<microseconds>(now - started));
  if (!verdict.failed()) return;
  // It keeps its share: whoever has much that fails gets no more room for it.
  const auto at = now + taken->retry_after;
  taken->retry_after = std::min(taken->retry_after * 2, kRetryMax);
  const MutexLock lock(mutex_);
  retries_.emplace(at, taken);
}

void Pipeline::Impl::PostRetries() {
  std::vector<std::shared_ptr<Taken>> due;
  {
    const MutexLock lock(mutex_);
    const auto end = retries_.upper_bound(steady_clock::now());
    for (auto it = retries_.begin(); it != end; ++it) due.push_back(std::move(it->second));
    retries_.erase(retries_.begin(), end);
  }
  for (auto& taken : due) Post(std::move(taken));
}

void Pipeline::Impl::Stop() {
  timer_.Stop();
  const auto until = steady_clock::now() + options_.stop_deadline;
  const auto left = [until] { return duration_cast<milliseconds>(until - steady_clock::now()); };
  parsers_.Stop(left());
  lanes_.Stop(left());
  unmarked_.Stop();
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
  }
  wake_.NotifyAll();
}

void FillFromOpenSsl(std::uint8_t* out, std::size_t size) {
  REG_CHECK(RAND_bytes(out, static_cast<int>(size)) == 1);
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
