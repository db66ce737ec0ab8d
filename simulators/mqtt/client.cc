#include "simulators/mqtt/client.h"

#include <openssl/rand.h>

#include <array>
#include <atomic>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/field_tables.h"
#include "simulators/mqtt/connection.h"
#include "simulators/mqtt/outgoing.h"
#include "simulators/mqtt/pending.h"
#include "simulators/mqtt/seen.h"

namespace registry::sim {
namespace {

// A party may be restarted at any moment, so ids must not repeat across runs: 128 random bits once, then a
// counter.
std::string RunId() {
  Bytes random(16);
  RAND_bytes(random.data(), static_cast<int>(random.size()));
  return ToHex(random);
}

UtcTime Now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

bool ConsumePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool NotLookedAt(const Error& error) {
  return error.symbol == "too_busy" || error.symbol == "disk_nearly_full";
}

class MqttPartyClient : public PartyClient {
 public:
  MqttPartyClient(const ClientOptions& options, PartyId party, OnAction on_action, OnEvent on_event)
      : party_(std::move(party)),
        own_space_(wire::OwnSpaceOf(party_)),
        run_id_(RunId()),
        faults_(options.faults),
        on_action_(std::move(on_action)),
        on_event_(std::move(on_event)),
        pending_(options.repeat_after, options.give_up_after, options.in_flight_max),
        outgoing_(options.batches, wire::CommandTopicOf(party_, wire::kBatchCommand),
                  [this](const std::string& topic, const std::string& payload, bool batch) {
                    return connection_->Publish(topic, payload, batch);
                  }) {}

  Status Prepare(const ClientOptions& options) {
    auto connection = MqttConnection::Open(
        options, own_space_ + "#",
        [this](const std::string& topic, std::string_view payload) { Arrived(topic, payload); },
        [this] { SayEverythingAgain(); }, [this] { outgoing_.Confirmed(); });
    if (!connection) return connection.error();
    connection_ = std::move(*connection);
    return Done{};
  }

  ~MqttPartyClient() override {
    timer_.Stop();
    connection_.reset();
  }

  bool WaitConnected(std::chrono::milliseconds deadline) override {
    Start();
    return connection_->WaitConnected(deadline);
  }

  bool Call(const std::string& command, const nlohmann::json& data, OnReply on_reply) override {
    Start();
    wire::Envelope envelope;
    const std::string id = run_id_ + "-" + std::to_string(++counter_);
    envelope.id = EventId::Parse(id).value();
    envelope.source = party_.text();
    envelope.type = wire::CommandType(command);
    envelope.time = Now();
    envelope.data = data;
    PendingCommands::Message message{wire::CommandTopicOf(party_, command), wire::EncodeEnvelope(envelope)};
    if (!pending_.Add(id, message, std::move(on_reply), PendingCommands::Clock::now())) return false;
    outgoing_.Say(std::move(message));  // not connected: said when it is
    Wake();
    return true;
  }

 private:
  void Start() {
    std::call_once(started_, [this] {
      timer_.Start("mqtt-timer", [this] { TimerLoop(); });
      connection_->Start();
    });
  }

  void Wake() {
    {
      const MutexLock lock(mutex_);
      if (timer_armed_) return;
      woken_ = true;
    }
    wake_.NotifyOne();
  }

  void TimerLoop() {
    MutexLock lock(mutex_);
    while (!timer_.stopping()) {
      woken_ = false;
      lock.Unlock();
      const auto next = Repeat(false);
      lock.Lock();
      timer_armed_ = next.has_value();
      const auto ready = [this]() REQUIRES(mutex_) { return woken_; };
      if (next) {
        timer_.WaitFor(lock, *next - PendingCommands::Clock::now(), ready);
      } else {
        timer_.Wait(lock, ready);
      }
    }
  }

  // A new connection: of nothing that waits is it sure that the broker has it.
  void SayEverythingAgain() {
    outgoing_.Forget();
    Repeat(true);
    Wake();
  }

  std::optional<PendingCommands::Clock::time_point> Repeat(bool everything) {
    auto due = pending_.TakeDue(PendingCommands::Clock::now(), everything);
    for (auto& message : due.again) {
      if (Has(ProtocolFault::kNoRepeat) && !everything) continue;
      if (!everything) Spoil(message);
      outgoing_.Say(std::move(message));
    }
    for (const auto& on_reply : due.given_up) {
      Reply reply;
      reply.error = Error::Make(Code::kFailed, "no_reply", "no reply came before the deadline");
      if (on_reply) on_reply(reply);
    }
    return due.next;
  }

  void Arrived(const std::string& topic, std::string_view payload) {
    std::string_view rest = topic;
    if (!rest.starts_with(own_space_)) return;
    rest.remove_prefix(own_space_.size());
    if (rest != wire::kBatchCommand) return void(Heard(payload));
    const auto items = wire::SplitBatch(payload);
    if (!items) return;
    for (const std::string_view item : *items) {
      if (!Heard(item) && Has(ProtocolFault::kBatchStops)) return;
    }
  }

  // The type says what it is, as the topic does of an envelope that comes alone.
  // False: it cannot be read.
  bool Heard(std::string_view payload) {
    const auto envelope = wire::DecodeEnvelope(payload);
    if (!envelope) return false;
    std::string_view type = envelope->type;
    if (Drops(*envelope)) return true;
    if (ConsumePrefix(type, wire::EventType(""))) return Notified(std::string(type), *envelope), true;
    // Before actions: a reply to do.result begins as they do.
    const bool accepted = type.ends_with(".accepted");
    if (accepted || type.ends_with(".rejected")) return Answered(accepted, *envelope), true;
    if (ConsumePrefix(type, wire::DoType("")) && on_action_) on_action_(std::string(type), *envelope);
    return true;
  }

  void Notified(const std::string& type, const wire::Envelope& envelope) {
    const bool fresh = !envelope.seq || seen_.Add(*envelope.seq);
    if (!fresh && !Has(ProtocolFault::kDuplicatesDealtWith)) return;
    if (on_event_) on_event_(type, envelope);
  }

  void Answered(bool accepted, const wire::Envelope& envelope) {
    if (!envelope.cause) return;
    Reply reply;
    reply.accepted = accepted;
    if (accepted) {
      reply.data = envelope.data;
    } else if (auto error = wire::DecodeError(envelope.data)) {
      reply.error = *error;
    } else {
      reply.error = Error::Make(Code::kFailed, "unreadable_rejection", "the rejection could not be read");
    }
    if (PutOff(envelope.cause->text(), reply)) return;
    // Not looked at, while an earlier copy may still wait there: under a new id both would be decided. So it stays here
    // and is said again, as after no answer.
    if (reply.error && NotLookedAt(*reply.error)) return;
    if (!reply.accepted && !NotNow(reply) && Has(ProtocolFault::kFinalRepeated)) return;
    auto on_reply = pending_.Take(envelope.cause->text());
    if (!on_reply && Has(ProtocolFault::kCauseIgnored)) on_reply = pending_.Take(pending_.Any().value_or(""));
    if (!on_reply || !*on_reply) return;  // a repeated reply, or one to an earlier run
    (*on_reply)(reply);
  }

  // Rule 2 of PARTY.md. Without a time it is the caller's to choose one.
  static bool NotNow(const Reply& reply) {
    return reply.error && (reply.error->code == Code::kFailed || reply.error->code == Code::kLimit);
  }
  bool PutOff(const std::string& id, const Reply& reply) {
    if (!NotNow(reply) || !reply.error->retry_after_seconds) return false;
    const bool at_once = Has(ProtocolFault::kRetryAtOnce);
    const auto after = std::chrono::seconds(at_once ? 0 : *reply.error->retry_after_seconds);
    if (!pending_.PutOff(id, PendingCommands::Clock::now() + after)) return false;
    {
      const MutexLock lock(mutex_);
      woken_ = true;
    }
    wake_.NotifyOne();
    return true;
  }

  // ---- protocol_faults.h
  bool Has(ProtocolFault fault) const { return faults_.contains(fault); }

  void Spoil(PendingCommands::Message& message) {
    if (!Has(ProtocolFault::kNewId) && !Has(ProtocolFault::kOtherTime)) return;
    auto envelope = wire::DecodeEnvelope(message.payload);
    if (!envelope) return;
    if (Has(ProtocolFault::kNewId))
      envelope->id = EventId::Parse(run_id_ + "-" + std::to_string(++counter_)).value();
    if (Has(ProtocolFault::kOtherTime)) envelope->time = Now();
    message.payload = wire::EncodeEnvelope(*envelope);
  }

  bool Drops(const wire::Envelope& envelope) const {
    constexpr std::chrono::hours kSkewMax{1};
    if (Has(ProtocolFault::kSkewRefused) && envelope.time) {
      const auto skew = Now() - *envelope.time;
      if (skew > kSkewMax || skew < -kSkewMax) return true;
    }
    if (!Has(ProtocolFault::kUnknownMemberRefused)) return false;
    for (const wire::MessageName& name : wire::Catalogue()) {
      if (envelope.type != wire::DoType(name.name) && envelope.type != wire::EventType(name.name)) continue;
      return !wire::Recode(name.schema, envelope.data).ok();
    }
    return false;
  }

  const PartyId party_;
  const std::string own_space_, run_id_;
  const ProtocolFaults faults_;
  const OnAction on_action_;
  const OnEvent on_event_;
  std::atomic<std::uint64_t> counter_{0};
  PendingCommands pending_;
  Outgoing outgoing_;
  SeenSequence seen_;  // network thread only
  Mutex mutex_;
  CondVar wake_;
  bool woken_ GUARDED_BY(mutex_) = false;
  bool timer_armed_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<MqttConnection> connection_;
  std::once_flag started_;
  OwnThread timer_{mutex_, wake_};
};

}  // namespace

Result<std::unique_ptr<PartyClient>> PartyClient::Open(ClientOptions options, OnAction on_action,
                                                       OnEvent on_event) {
  const auto party = PartyId::Parse(options.party);
  if (!party) return Error::Make(Code::kValueSyntax, "party_name", "not a party name: " + options.party);
  auto client = std::make_unique<MqttPartyClient>(options, *party, std::move(on_action), std::move(on_event));
  if (Status status = client->Prepare(options); !status) return status.error();
  return std::unique_ptr<PartyClient>(std::move(client));
}

}  // namespace registry::sim
