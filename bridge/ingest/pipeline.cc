#include "bridge/ingest/pipeline.h"

#include <openssl/rand.h>

#include <algorithm>

#include "bridge/ingest/batch.h"
#include "bridge/ingest/executor.h"
#include "bridge/ingest/keeper.h"
#include "bridge/ingest/lanes.h"
#include "bridge/ingest/order_runner.h"
#include "bridge/ingest/own_decisions.h"
#include "bridge/ingest/own_work.h"
#include "bridge/ingest/parsers.h"
#include "bridge/ingest/refusals.h"
#include "bridge/ingest/renewals.h"
#include "bridge/ingest/replies.h"
#include "bridge/ingest/retries.h"
#include "bridge/ingest/shares.h"
#include "bridge/ingest/timer.h"

namespace registry::ingest {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kShareOctets = 16u << 20;  // of one party's messages that wait
constexpr std::size_t kAhead = 128;  // of one party's commands: that many may share a synced write
constexpr milliseconds kVisiblePatience{30'000};
constexpr int kSpaceSeconds = 60;  // an operator makes room, or something that was deleted does
constexpr std::string_view kNoSpace = "disk_nearly_full";

// One party holds at most half of what may wait.
Load ShareOf(const PipelineOptions& options) {
  return {std::max<std::size_t>(options.queue_max / 2, 1), kShareOctets};
}

// Whether its refusal counts as ahead. An item's share is taken without asking and before that its octets stand for it, of
// which it may have one: so nothing else bounds how many answers to one sender's items wait, each larger than its item.
bool HoldsItsSender(const Arrived& arrived) { return arrived.place.has_value(); }

// Nonsense takes from the same bucket as what is written.
LimitClass ClassOf(const CommandRow* row) { return row != nullptr ? row->limit : LimitClass::kWrite; }

Error DiskNearlyFull() {
  Error full = Error::Make(Code::kFailed, std::string(kNoSpace),
                           "the registry's disk is nearly full, so it begins nothing new; send the command "
                           "again with the same id");
  full.retry_after_seconds = kSpaceSeconds;
  return full;
}

// A code that was not wrong, or a repeat of what was answered: whoever guesses has neither.
bool GivesTokenBack(const Request& request, const Verdict& verdict) {
  return ClassOf(request.row) == LimitClass::kAuthorise &&
         (verdict.outcome == "accepted" || verdict.outcome == "duplicate");
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
        executor_(
            services_, ledger, clock, observer_,
            [this] {
              if (options_.own_work && own_decisions_.SomeoneHasRoom()) timer_.Wake();
            },
            [this] { order_runner_.Wake(); }),
        keeper_(intake, observer, options.timer_period, options.intake_may_refuse),
        shares_(ShareOf(options)),
        refusals_(ledger, intake, observer, options.retry_after, services_.backlog,
                  [this] { return executor_.Now(); }),
        lanes_(options.lanes, options.queue_max),
        parsers_(kAhead, services_.backlog, [this](Arrived arrived) { return Handle(std::move(arrived)); }),
        own_decisions_(ledger, clock, observer_, executor_),
        own_work_(own_decisions_, lanes_),
        renewals_(own_decisions_, lanes_, options.renewals_every),
        order_decisions_(ledger, observer_, executor_),
        order_runner_(order_decisions_, lanes_, pace_, observer_) {}

  void Start();
  bool Receive(const InboundMessage& message);
  void Take(std::vector<Intake::Record> left_over);
  void OthersWrote(const ledger::Ledger::Others& what);
  bool Visible(const std::vector<domain::ZoneChange>& changes) {
    return own_work_.Visible(changes, options_.stop_deadline + kVisiblePatience);
  }
  void Stop();
  void Change(const PartyTerms& terms) {
    executor_.Change(terms);
    timer_.Wake();  // an MNO may have room for more now
  }
  std::size_t queued() const { return parsers_.waiting() + lanes_.queued(); }
  std::size_t orders_open() const { return order_runner_.open(); }
  std::uint64_t renewal_rounds() const { return renewals_.rounds(); }
  RenewalsDue renewals_due() const { return renewals_.due(); }
  void LookForRenewals() {
    renewals_.Hurry();
    timer_.Wake();
  }

 private:
  Handled Handle(Arrived arrived);
  Handled HandleBatch(Arrived arrived);
  bool RefuseForNow(const Arrived& arrived, const InboundMessage& message);
  bool RefuseForNow(const Arrived& arrived, const Request& item);
  std::optional<Error> NotNow(const PartyId& party, const CommandRow* row);
  bool MayUseTheLast(const PartyId& party, const CommandRow* row) const;
  void SayNotNow(const Arrived& arrived, const Request& request, const Error& why);
  Refusals::GiveBack GiveBackOf(const Arrived& arrived);
  void Post(std::shared_ptr<Taken> taken);
  void Process(const std::shared_ptr<Taken>& taken, const Strand& strand);
  void Answered(const std::shared_ptr<Taken>& taken, const Verdict& verdict,
                steady_clock::time_point started);
  void PostRetries();

  const PipelineOptions options_;
  Intake& intake_;
  const Services services_;
  Observer& observer_;
  Executor executor_;
  Keeper keeper_;
  Shares shares_;
  Refusals refusals_;
  Retries retries_;
  Lanes lanes_;
  Parsers parsers_;
  OwnDecisions own_decisions_;
  OwnWork own_work_;
  Renewals renewals_;
  Pace pace_;
  OrderDecisions order_decisions_;
  OrderRunner order_runner_;
  Timer timer_;
};

void Pipeline::Impl::Start() {
  refusals_.Start();
  Take(intake_.TakeLeftOver());
  parsers_.Start();
  timer_.Start(options_.timer_period, [this] {
    // While reports are refused for want of space, a job must not use up its attempts.
    if (options_.own_work && !services_.space_low()) {
      own_work_.PostDue();
      renewals_.Look();
    }
    PostRetries();
  });
  if (options_.own_work) order_runner_.Start();
}

// The broker was told long ago that they are kept, so no share may be too small for them.
void Pipeline::Impl::Take(std::vector<Intake::Record> left_over) {
  for (Intake::Record& record : left_over) {
    Arrived arrived{record.ticket, SenderOf(record.message.topic), OctetsOf(record.message), {}};
    arrived.messages = MessagesOf(record.message);
    arrived.message = std::move(record.message);
    shares_.TakeAnyway(arrived.sender, arrived.octets, arrived.messages);
    parsers_.Add(std::move(arrived));
  }
}

// Whether an MNO has room now is for the timer to find out: the ledger's thread, which calls, waits for nothing.
void Pipeline::Impl::OthersWrote(const ledger::Ledger::Others& what) {
  if (!options_.own_work) return;
  if (what.jobs) timer_.Wake();
  if (what.orders) order_runner_.Wake();
}

// Whose share it is comes from topic and size; nothing of the payload is looked at by this thread. PUBACK leaves when this
// returns.
bool Pipeline::Impl::Receive(const InboundMessage& message) {
  Arrived arrived{0, SenderOf(message.topic), OctetsOf(message), {}};
  arrived.messages = MessagesOf(message);
  const bool welcome = shares_.Take(arrived.sender, arrived.octets, arrived.messages);
  if (!welcome && !refusals_.Take(arrived)) {
    refusals_.CountSurplus(arrived.sender, message);
    return true;
  }
  const auto ticket = keeper_.Keep(message);
  if (!ticket) return false;  // and nothing is decided here any more, so that its share is nobody else's
  arrived.ticket = *ticket;
  arrived.message = message;
  if (welcome) {
    parsers_.Add(std::move(arrived));
  } else {
    refusals_.RefuseUnread(std::move(arrived));
  }
  return true;
}

Handled Pipeline::Impl::Handle(Arrived arrived) {
  if (!arrived.place && IsBatch(arrived.message)) return HandleBatch(std::move(arrived));
  const auto message = std::exchange(arrived.message, {});
  if (!arrived.place && RefuseForNow(arrived, message)) return HoldsItsSender(arrived);
  auto parsed = arrived.place ? ParseItem(message, *arrived.place) : Parse(message);
  if (!parsed) {
    refusals_.Bury(arrived, message, parsed.error(), GiveBackOf(arrived));
    return HoldsItsSender(arrived);
  }
  if (arrived.place && RefuseForNow(arrived, *parsed)) return HoldsItsSender(arrived);
  if (!parsed->id) {
    refusals_.Reject(arrived, *parsed, *parsed->refusal, GiveBackOf(arrived));
    return HoldsItsSender(arrived);
  }
  const std::size_t lane = LaneKey(*parsed);
  // Shared because std::function wants a copyable callable.
  Post(std::make_shared<Taken>(Taken{std::move(arrived), lane, std::move(*parsed), options_.retry_after}));
  return true;
}

// What is alone in its message is charged by its topic, so that a refusal costs no reading.
bool Pipeline::Impl::RefuseForNow(const Arrived& arrived, const InboundMessage& message) {
  const auto topic = wire::ParseCommandTopic(message.topic);
  if (!topic) return false;
  const CommandRow* const row = FindCommand(topic->command);
  const auto why = NotNow(topic->party, row);
  if (!why) return false;
  auto unread = ParseUnread(message);
  REG_CHECK(unread.ok());
  unread->row = row;
  SayNotNow(arrived, *unread, *why);
  return true;
}

bool Pipeline::Impl::RefuseForNow(const Arrived& arrived, const Request& item) {
  const auto why = NotNow(item.topic.party, item.row);
  if (why) SayNotNow(arrived, item, *why);
  return why.has_value();
}

// Space is asked for first: what is refused for the registry's sake takes no token.
std::optional<Error> Pipeline::Impl::NotNow(const PartyId& party, const CommandRow* row) {
  if (services_.space_low() && !MayUseTheLast(party, row)) return DiskNearlyFull();
  return executor_.Charge(party, ClassOf(row));
}

// The operator's few commands end what must not wait, a stolen device for example.
bool Pipeline::Impl::MayUseTheLast(const PartyId& party, const CommandRow* row) const {
  if (row != nullptr && row->way == Way::kReads) return true;
  const auto terms = executor_.terms();
  const auto known = terms->parties.find(party);
  return known != terms->parties.end() && known->second == wire::Role::kOperator;
}

// As the reply to a read would, the refusal of one goes aside: no commit, which would cost more than the answer. So does a
// refusal for want of space.
void Pipeline::Impl::SayNotNow(const Arrived& arrived, const Request& request, const Error& why) {
  if (!request.reads() && why.symbol != kNoSpace) {
    return refusals_.Reject(arrived, request, why, GiveBackOf(arrived));
  }
  services_.aside(request.topic.party, Rejected(request, why, executor_.Now()));
  intake_.MarkDone(arrived.ticket);
  observer_.CommandDone(request.topic.command, "rejected", why.symbol, microseconds(0));
  GiveBackOf(arrived)();
}

// Each item takes a share of its own from here on, and the record in the intake is done when all of them are.
Handled Pipeline::Impl::HandleBatch(Arrived arrived) {
  Batch batch = TakeApart(std::exchange(arrived.message, {}));
  if (batch.head.refusal) {
    refusals_.Reject(arrived, batch.head, *batch.head.refusal, GiveBackOf(arrived));
    return false;
  }
  intake_.Expect(arrived.ticket, batch.items.size());
  std::vector<Arrived> parts;
  parts.reserve(batch.items.size());
  for (InboundMessage& item : batch.items) {
    const std::size_t octets = OctetsOf(item), place = parts.size();
    shares_.TakeAnyway(arrived.sender, octets);
    parts.push_back({arrived.ticket, arrived.sender, octets, std::move(item), arrived.since, 1, place});
  }
  shares_.GiveBack(arrived.sender, arrived.octets, arrived.messages);
  return parts;
}

// A message keeps its share until its answer is kept; an item keeps its place ahead, too.
Refusals::GiveBack Pipeline::Impl::GiveBackOf(const Arrived& arrived) {
  return [this, sender = arrived.sender, octets = arrived.octets, messages = arrived.messages,
          holds = HoldsItsSender(arrived)] {
    shares_.GiveBack(sender, octets, messages);
    if (holds) parsers_.Done(sender);
  };
}

void Pipeline::Impl::Post(std::shared_ptr<Taken> taken) {
  const std::size_t lane = taken->lane;
  const std::string sender = taken->arrived.sender;
  // Once stopping, the record stays in the intake for the next start.
  lanes_.Post(lane, sender,
              [this, taken = std::move(taken)](const Strand& strand) { Process(taken, strand); });
}

void Pipeline::Impl::Process(const std::shared_ptr<Taken>& taken, const Strand& strand) {
  const auto started = steady_clock::now();
  // The items of a batch stand behind each other, which says nothing of how busy the lanes are.
  if (!taken->arrived.place && taken->retry_after == options_.retry_after)
    pace_.Waited(started - taken->arrived.since, started);
  executor_.Answer(taken->request, {strand.Onward(), [this, taken, started](const Verdict& verdict) {
                                      Answered(taken, verdict, started);
                                    }});
}

void Pipeline::Impl::Answered(const std::shared_ptr<Taken>& taken, const Verdict& verdict,
                              steady_clock::time_point started) {
  const auto now = steady_clock::now();
  if (!verdict.failed()) {
    intake_.MarkDone(taken->arrived.ticket);
    shares_.GiveBack(taken->arrived.sender, taken->arrived.octets);
    if (GivesTokenBack(taken->request, verdict))
      executor_.Uncharge(taken->request.topic.party, LimitClass::kAuthorise);
    parsers_.Done(taken->arrived.sender);
  }
  observer_.CommandDone(taken->request.topic.command, verdict.outcome, verdict.symbol,
                        duration_cast<microseconds>(now - started));
  // It keeps its share: whoever has much that fails gets no more room for it.
  if (verdict.failed()) retries_.Add(taken, now);
}

void Pipeline::Impl::PostRetries() {
  for (auto& taken : retries_.TakeDue(steady_clock::now())) Post(std::move(taken));
}

// In the order of a message's way, so that what one has handed on the next still finishes.
void Pipeline::Impl::Stop() {
  timer_.Stop();
  order_runner_.Stop();
  const auto until = steady_clock::now() + options_.stop_deadline;
  const auto left = [until] { return duration_cast<milliseconds>(until - steady_clock::now()); };
  parsers_.Stop(left());
  lanes_.Stop(left());
  refusals_.Stop();
  keeper_.Stopped();
}

void FillFromOpenSsl(std::uint8_t* out, std::size_t size) {
  REG_CHECK(RAND_bytes(out, static_cast<int>(size)) == 1);
}

Pipeline::Pipeline(PipelineOptions options, ledger::Ledger& ledger, Intake& intake, const Clock& clock,
                   Services services, Observer& observer)
    : impl_(std::make_unique<Impl>(options, ledger, intake, clock, std::move(services), observer)) {}
Pipeline::~Pipeline() { Stop(); }
void Pipeline::Start() { impl_->Start(); }
bool Pipeline::Receive(const InboundMessage& message) { return impl_->Receive(message); }
void Pipeline::Take(std::vector<Intake::Record> left_over) { impl_->Take(std::move(left_over)); }
void Pipeline::OthersWrote(const ledger::Ledger::Others& what) { impl_->OthersWrote(what); }
bool Pipeline::Visible(const std::vector<domain::ZoneChange>& changes) { return impl_->Visible(changes); }
void Pipeline::Change(const PartyTerms& terms) { impl_->Change(terms); }
void Pipeline::Stop() { impl_->Stop(); }
std::size_t Pipeline::queued() const { return impl_->queued(); }
std::size_t Pipeline::orders_open() const { return impl_->orders_open(); }
std::uint64_t Pipeline::renewal_rounds() const { return impl_->renewal_rounds(); }
RenewalsDue Pipeline::renewals_due() const { return impl_->renewals_due(); }
void Pipeline::LookForRenewals() { impl_->LookForRenewals(); }

}  // namespace registry::ingest
