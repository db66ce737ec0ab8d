#include "clients/follow/follower.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <random>
#include <utility>

#include "clients/follow/broker_link.h"
#include "clients/follow/position_file.h"
#include "clients/follow/sequence.h"
#include "clients/follow/unguessable.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"

namespace registry::follow {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kBackoffMin{500}, kBackoffMax{30'000}, kQuiet{100};
// A connection that ended sooner makes one suspicious.
constexpr milliseconds kShort{5000};

std::string NameOf(bool replay) {
  return std::string(replay ? wire::FeedReplay::kName : wire::FeedAck::kName);
}

}  // namespace

class Follower::Impl {
 public:
  Impl(Options options, Handlers handlers)
      : options_(std::move(options)), handlers_(std::move(handlers)), position_(options_.position_file) {}

  std::string Run();
  void Stop() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    inbox_.Wake();
    changed_.NotifyAll();
  }

 private:
  std::string Connection();  // until it ends; says why
  std::string Prepare();
  void Take(const BrokerLink::Message& message);
  void TakeEnvelope(const std::string& topic, std::string_view text);
  void TakeReply(bool replay, const wire::Envelope& envelope);
  void TakeRejection(bool replay, const wire::Envelope& envelope);
  void Apply();
  void PassOver(std::uint64_t first, std::uint64_t last);
  void Store(std::uint64_t applied);
  void SayWhatIsDue(BrokerLink& link);
  template <class Message>
  void Ask(BrokerLink& link, bool replay, const Message& message);
  void Trouble(const std::string& text) const {
    if (handlers_.trouble) handlers_.trouble(text);
  }
  void Rest(milliseconds pause);

  const Options options_;
  const Handlers handlers_;
  PositionFile position_;
  std::optional<PartyId> party_;
  Sequence sequence_{0};
  Inbox inbox_;
  bool subscribed_ = false;
  std::string refused_;  // what repeating does not mend
  std::atomic<bool> stopping_{false};
  Mutex mutex_;  // for the rest between two connections
  CondVar changed_;
};

std::string Follower::Impl::Prepare() {
  const auto party = PartyId::Parse(options_.party);
  if (!party) return "party: '" + options_.party + "' is no party's name";
  party_ = *party;
  for (const std::string& file : {options_.ca_file, options_.cert_file, options_.key_file}) {
    if (const std::string fault = Unreadable(file); !fault.empty()) return fault;
  }
  if (std::string fault = position_.Open(options_.party); !fault.empty()) return fault;
  sequence_ = Sequence(position_.applied());
  return {};
}

std::string Follower::Impl::Run() {
  refused_ = Prepare();
  std::minstd_rand random(std::random_device{}());
  milliseconds backoff = kBackoffMin;
  while (!stopping_ && refused_.empty()) {
    const auto since = Clock::now();
    std::string why = Connection();
    if (stopping_ || !refused_.empty()) break;
    const auto lived = Clock::now() - since;
    if (subscribed_ && lived > kBackoffMax) backoff = kBackoffMin;
    // A broker need not say it (Mosquitto 2.0.11 does not).
    if (subscribed_ && lived < kShort)
      why += "; has another program the client id in " + position_.path() + "?";
    const milliseconds pause =
        backoff / 2 + milliseconds(random() % static_cast<unsigned>(backoff.count() / 2));
    Trouble(options_.host + ":" + std::to_string(options_.port) + ": " + why + "; again in " +
            std::to_string(pause.count()) + " ms");
    Rest(pause);
    backoff = std::min(2 * backoff, kBackoffMax);
  }
  return refused_;
}

void Follower::Impl::Rest(milliseconds pause) {
  MutexLock lock(mutex_);
  (void)changed_.WaitFor(lock, pause, [this] { return stopping_.load(); });
}

std::string Follower::Impl::Connection() {
  inbox_.Clear();
  subscribed_ = false;
  BrokerLink link(options_, *party_, position_.client_id(), inbox_);
  if (std::string fault = link.Open([this] { return stopping_.load(); }); !fault.empty()) return fault;
  subscribed_ = true;
  sequence_.Connected();
  while (!stopping_ && refused_.empty()) {
    while (const auto message = inbox_.Take(kQuiet)) {
      Take(*message);
      if (stopping_ || !refused_.empty()) return {};
    }
    if (link.taken_over()) {
      refused_ = "another program connected with the client id in " + position_.path();
      return {};
    }
    if (const std::string ended = link.ended(); !ended.empty()) return ended;
    SayWhatIsDue(link);
  }
  return {};
}

// ---- what is heard ----

void Follower::Impl::Take(const BrokerLink::Message& message) {
  const std::string_view text = message.payload;
  if (text.substr(0, text.find_first_not_of(" \t\r\n") + 1).ends_with('[')) {
    const auto items = wire::SplitBatch(text);
    if (!items) return Trouble("a message on " + message.topic + " cannot be read: " + items.error().message);
    for (const std::string_view item : *items) TakeEnvelope(message.topic, item);
  } else {
    TakeEnvelope(message.topic, text);
  }
  if (refused_.empty()) Apply();
}

// By its type, for a batch holds messages of every topic. One that cannot be read costs itself only.
void Follower::Impl::TakeEnvelope(const std::string& topic, std::string_view text) {
  static const std::string kEvents = wire::EventType("");
  auto envelope = wire::DecodeEnvelope(text);
  if (!envelope) {
    return Trouble("an envelope on " + topic + " cannot be read: " + envelope.error().symbol + ": " +
                   envelope.error().message);
  }
  if (envelope->type.starts_with(kEvents)) {
    if (!envelope->seq) return Trouble("an envelope on " + topic + " has no seq");
    sequence_.Heard(
        {*envelope->seq, envelope->type.substr(kEvents.size()), std::string(text), envelope->data.dump()},
        Clock::now());
    return;
  }
  for (const bool replay : {false, true}) {
    if (!envelope->cause || !sequence_.Awaits(replay, envelope->cause->text())) continue;
    if (envelope->type == wire::AcceptedType(NameOf(replay))) return TakeReply(replay, *envelope);
    if (envelope->type == wire::RejectedType(NameOf(replay))) return TakeRejection(replay, *envelope);
  }
}

void Follower::Impl::TakeReply(bool replay, const wire::Envelope& envelope) {
  const auto status = wire::Decode<wire::FeedStatus>(envelope.data);
  if (!status) return Trouble("a reply to " + NameOf(replay) + " cannot be read: " + status.error().message);
  Apply();
  const auto gone = sequence_.Accepted(replay, {status->last_seq, status->acked_seq, status->replayed});
  if (gone && refused_.empty()) PassOver(gone->first, gone->second);
}

void Follower::Impl::TakeRejection(bool replay, const wire::Envelope& envelope) {
  const auto error = wire::DecodeError(envelope.data);
  const std::string symbol = error ? error->symbol : "unreadable";
  if (symbol == "seq_unknown") {
    refused_ = position_.path() + " says " + std::to_string(sequence_.applied()) +
               ", and the registry's feed has not come that far: it is another registry's, or that one was "
               "restored from a backup";
    return;
  }
  const std::chrono::seconds later(error ? error->retry_after_seconds.value_or(0) : 0);
  sequence_.Rejected(replay, later, Clock::now());
  if (later.count() == 0) {
    Trouble(NameOf(replay) + " was rejected: " + symbol + ": " + (error ? error->message : std::string()));
  }
}

// What has its turn is handled, and then stored. A crash in between brings it again.
void Follower::Impl::Apply() {
  const std::uint64_t before = sequence_.applied();
  while (const Notification* const next = sequence_.Next()) {
    bool taken = false;
    try {
      taken = handlers_.handle(*next);
    } catch (const std::exception& why) {
      refused_ = std::string(why.what()) + ": ";
    }
    if (!taken) {
      refused_ += "the handler did not take notification " + std::to_string(next->seq);
      break;
    }
    sequence_.Handled();
  }
  if (sequence_.applied() != before) Store(sequence_.applied());
}

void Follower::Impl::PassOver(std::uint64_t first, std::uint64_t last) {
  Trouble("notifications " + std::to_string(first) + " to " + std::to_string(last) + " are gone for good");
  if (handlers_.lost) handlers_.lost(first, last);
  sequence_.Gone(last);
  Store(last);
}

void Follower::Impl::Store(std::uint64_t applied) {
  std::string fault = position_.Store(applied);
  if (refused_.empty()) refused_ = std::move(fault);
}

// ---- what is said ----

void Follower::Impl::SayWhatIsDue(BrokerLink& link) {
  const auto now = Clock::now();
  const std::chrono::seconds patience(options_.reply_seconds);
  for (const bool replay : {false, true}) {
    if (!sequence_.GaveUp(replay, now, patience)) continue;
    Trouble("no reply to " + NameOf(replay) + " in " + std::to_string(patience.count()) + " s");
  }
  if (const auto from = sequence_.ReplayDue(now)) Ask(link, true, wire::FeedReplay{*from});
  const auto ack = options_.acknowledge ? sequence_.AckDue(now) : std::nullopt;
  if (ack) Ask(link, false, wire::FeedAck{*ack});
}

// With a new id each time: the reply to a known one is given again, the notifications are not.
template <class Message>
void Follower::Impl::Ask(BrokerLink& link, bool replay, const Message& message) {
  wire::Envelope envelope;
  envelope.id = EventId::Parse(Unguessable()).value();
  envelope.source = options_.party;
  envelope.type = wire::CommandType(Message::kName);
  envelope.time = UtcTime{std::chrono::duration_cast<std::chrono::microseconds>(
                              std::chrono::system_clock::now().time_since_epoch())
                              .count()};
  envelope.data = wire::Encode(message);
  link.Publish(Message::kName, wire::EncodeEnvelope(envelope));
  sequence_.Asked(replay, envelope.id.text(), Clock::now());
}

Follower::Follower(Options options, Handlers handlers)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handlers))) {}
Follower::~Follower() = default;
std::string Follower::Run() { return impl_->Run(); }
void Follower::Stop() { impl_->Stop(); }

}  // namespace registry::follow
