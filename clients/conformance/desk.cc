#include "clients/conformance/desk.h"

#include <openssl/rand.h>

#include <algorithm>

#include "clients/conformance/certify.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/field_tables.h"
#include "schemas/wire/topics.h"

namespace registry::conformance {

using nlohmann::json;

namespace {

constexpr std::chrono::milliseconds kTurn{20};
constexpr const char* kSource = "registry";

// Replies are for what the registry does; these are played, and every other command is refused.
template <class Message>
bool Is(const Command& command) {
  return command.name == Message::kName;
}

Answer Accepted(json data) { return {Answer::Kind::kAccepted, std::move(data)}; }

Answer Rejected(Code code, std::string_view symbol, std::string_view why) {
  return {Answer::Kind::kRejected, wire::EncodeError(Error::Make(code, symbol, why))};
}

// schemas/README.md, "Repeats": what a repeat is held against.
std::string ContentOf(const wire::Envelope& envelope) {
  const std::string time = envelope.time ? ToRfc3339(*envelope.time) : "";
  return envelope.type + "\n" + time + "\n" +
         envelope.data.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<std::string> SchemaOfCommand(const std::string& command) {
  for (const wire::MessageName& name : wire::Catalogue()) {
    if (name.kind == wire::MessageName::Kind::kCommand && name.name == command)
      return std::string(name.schema);
  }
  return std::nullopt;
}

}  // namespace

std::string NewUuid() {
  Bytes octets(16);
  RAND_bytes(octets.data(), static_cast<int>(octets.size()));
  octets[6] = static_cast<std::uint8_t>(0x40 | (octets[6] & 0x0f));
  octets[8] = static_cast<std::uint8_t>(0x80 | (octets[8] & 0x3f));
  std::string text = ToHex(octets);
  for (const std::size_t at : {8, 13, 18, 23}) text.insert(at, "-");
  return text;
}

std::string TextIn(const json& data, const char* member) {
  const auto found = data.is_object() ? data.find(member) : data.end();
  return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t NumberIn(const json& data, const char* member) {
  const auto found = data.is_object() ? data.find(member) : data.end();
  return found != data.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::uint64_t ReplayFrom(const json& data) {
  return NumberIn(data, data.is_object() && data.contains("fromSeq") ? "fromSeq" : "from_seq");
}

bool TrueIn(const json& data, const char* member) {
  const auto found = data.is_object() ? data.find(member) : data.end();
  return found != data.end() && found->is_boolean() && found->get<bool>();
}

Desk::Desk(Link& link, const PartyId& party, std::string role, const wire::Bootstrap& bootstrap,
           std::string zone)
    : link_(link), party_(party), role_(std::move(role)), bootstrap_(bootstrap), zone_(std::move(zone)) {}

// ---- the case under way

void Desk::Begin(CaseRun& run) {
  run_ = &run;
  answering_ = nullptr;
}

void Desk::Note(std::string_view clause, Finding finding, const std::string& what) {
  for (const auto& check : run_->checks) {
    if (check.clause == clause && check.finding == finding && check.what == what) return;
  }
  run_->checks.push_back({std::string(clause), finding, what});
}

bool Desk::Check(std::string_view clause, bool good, const std::string& what) {
  Note(clause, good ? Finding::kPassed : Finding::kFailed, what);
  return good;
}

void Desk::Keep(bool by_party, const std::string& topic, const std::string& payload) {
  if (run_->said.size() >= CaseRun::kSaidMax) {
    ++run_->left_out;
    return;
  }
  run_->said.push_back({WallClock(), by_party, topic, payload.substr(0, Said::kOctetsMax), payload.size()});
}

// ---- hearing

bool Desk::Until(std::chrono::milliseconds within, const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + within;
  for (;;) {
    if (done()) return true;
    const auto now = std::chrono::steady_clock::now();
    if (now >= until || (stop_ && stop_())) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - now);
    if (const auto message = link_.Take(std::min(left, kTurn))) Handle(*message);
  }
}

void Desk::Quiet(std::chrono::milliseconds time) {
  Until(time, [] { return false; });
}

std::optional<Command> Desk::First(std::string_view name, std::size_t from) const {
  for (std::size_t i = from; i < heard_.size(); ++i) {
    if (heard_[i].name == name) return heard_[i];
  }
  return std::nullopt;
}

void Desk::Handle(const LinkMessage& message) {
  if (wire::SenderOf(message.topic) != party_) return;  // another party of the lab's, by mistake
  Keep(true, message.topic, message.payload);
  HoldToContract(message);
  const auto topic = wire::ParseCommandTopic(message.topic);
  if (!topic) {
    Check("P4", false, "a topic that names no command: " + message.topic);
    return;
  }
  if (topic->command != wire::kBatchCommand) return HandleOne(message, topic->command, message.payload);
  const auto items = wire::SplitBatch(message.payload);
  if (!items) {
    Check("P5", false, "a batch that is none: " + items.error().message);
    return;
  }
  for (const std::string_view item : *items) HandleOne(message, "", item);
}

// What a message itself must be like, whatever it carries.
void Desk::HoldToContract(const LinkMessage& message) {
  if (message.qos != 1) Check("P4", false, "QoS " + std::to_string(message.qos) + " on " + message.topic);
  if (message.retained) Check("P4", false, "retained: " + message.topic);
  if (message.response_topic.empty()) return;
  used_response_topic_ = true;
  const Status status = wire::CheckResponseTopic(party_, message.response_topic);
  if (!status) Check("P16", false, status.error().symbol + ": " + message.response_topic);
}

bool Desk::HoldToSchema(const std::string& command, const wire::Envelope& envelope) {
  const auto schema = SchemaOfCommand(command);
  if (!schema) return Check("P5", false, "there is no command " + command);
  const auto roles = wire::RolesOf(command);
  const bool may =
      std::any_of(roles.begin(), roles.end(), [&](wire::Role role) { return wire::RoleName(role) == role_; });
  if (!may) return Check("P5", false, command + " is none of this role's");
  if (envelope.source != party_.text()) return Check("P5", false, "the source is " + envelope.source);
  const auto data = wire::Recode(*schema, envelope.data);
  if (!data) return Check("P5", false, command + ": " + data.error().symbol + " at " + data.error().field);
  return true;
}

void Desk::HandleOne(const LinkMessage& message, const std::string& topic_command, std::string_view payload) {
  const auto envelope = wire::DecodeEnvelope(payload);
  if (!envelope) {
    Check("P5", false, envelope.error().symbol + " at " + envelope.error().field);
    return;
  }
  const std::string name =
      topic_command.empty() ? wire::CommandOfType(envelope->type).value_or("") : topic_command;
  if (!wire::CheckCommandType(*envelope, name)) {
    Check("P5", false, "the type " + envelope->type + " on the topic of " + name);
    return;
  }
  Command command{name,
                  envelope->id.text(),
                  std::string(payload),
                  envelope->data,
                  std::chrono::steady_clock::now(),
                  false,
                  message.response_topic,
                  message.correlation_data};
  const std::string content = ContentOf(*envelope);
  const auto known = known_.find(command.id);
  command.again = known != known_.end();
  if (command.again && known->second.first != content) {
    Check("P6", false, "the id " + command.id + " came again with another type, time or data");
    heard_.push_back(command);
    return Reply(command, Rejected(Code::kExists, "event_conflict", "the same id with other content"));
  }
  heard_.push_back(command);
  if (!HoldToSchema(name, *envelope))
    return Reply(command, Rejected(Code::kValueSyntax, "type_mismatch", "not as its schema says"));
  ++sound_;
  known_.try_emplace(command.id, content, std::nullopt);
  if (answering_) {
    if (const auto special = answering_(command)) return Reply(command, *special);
  }
  AnswerNow(command);
}

void Desk::AnswerNow(const Command& command) {
  const auto known = known_.find(command.id);
  if (known == known_.end()) return;  // not as its schema says: it was rejected already
  auto& stored = known->second.second;
  if (!stored) stored = Usual(command);
  Reply(command, *stored);
  for (const Saying& saying : std::exchange(replaying_, {})) Say(saying);
}

void Desk::Reply(const Command& command, const Answer& answer) {
  // Remembered even without an answer, so that a repeat is known as one.
  if (answer.kind == Answer::Kind::kNone) return;
  const bool accepted = answer.kind == Answer::Kind::kAccepted;
  wire::Envelope reply;
  reply.id = *EventId::Parse("reply-" + std::to_string(++said_));
  reply.source = kSource;
  reply.time = WallClock();
  reply.type = accepted ? wire::AcceptedType(command.name) : wire::RejectedType(command.name);
  reply.cause = EventId::Parse(answer.cause.empty() ? command.id : answer.cause);
  reply.data = answer.data;
  const bool own_topic =
      !command.response_topic.empty() && wire::CheckResponseTopic(party_, command.response_topic);
  const std::string topic = own_topic  ? command.response_topic
                            : accepted ? wire::AcceptedTopic(party_, command.name)
                                       : wire::RejectedTopic(party_, command.name);
  Publish(topic, wire::EncodeEnvelope(reply),
          {.content_type = std::string(wire::kContentType),
           .correlation_data = command.correlation_data,
           .user = {}});
}

// ---- as a registry answers

Answer Desk::Usual(const Command& command) {
  const auto device = DeviceId::Parse(TextIn(command.data, "device"));
  if (Is<wire::EsimRegister>(command)) return Register(command);
  if (Is<wire::CsrSubmit>(command)) return Certify(command);
  if (Is<wire::FeedAck>(command) || Is<wire::FeedReplay>(command)) return Feed(command);
  if (Is<wire::DoProgress>(command) || Is<wire::DoResult>(command))
    return Accepted({{"job", TextIn(command.data, "job")}});
  if (Is<wire::EndpointPublish>(command))
    return Accepted({{"name", TextIn(command.data, "name")}, {"revision", 1}});
  const bool about_device =
      Is<wire::DeviceAttach>(command) || Is<wire::DeviceDetach>(command) || Is<wire::DeviceClaim>(command);
  if (about_device && device) return Accepted({{"device", device->text()}, {"state", "attached"}});
  const bool decided = Is<wire::TransferApprove>(command) || Is<wire::TransferReject>(command);
  if (decided)
    return Rejected(Code::kStatusProhibits, "transfer_not_pending", "this transfer is only played");
  return Rejected(Code::kStatusProhibits, "state_prohibits",
                  "the conformance run does not play this command");
}

Answer Desk::Register(const Command& command) {
  const std::string iccid = TextIn(command.data, "iccid");
  if (const auto known = esims_.find(iccid); known != esims_.end())
    return Rejected(Code::kExists, "iccid_registered", "a device of the sender's has this ICCID");
  const auto device = *DeviceId::Parse(NewUuid());
  wire::EsimRegistered registered;
  registered.device = device;
  registered.authorisation_code = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG";
  registered.bootstrap = bootstrap_;
  registered.bootstrap.device_name = DeviceName(device);
  registered.profile = 1;
  registered_.push_back(device);
  esims_[iccid] = wire::Encode(registered);
  return Accepted(esims_[iccid]);
}

Answer Desk::Certify(const Command& command) {
  const auto csr = ReadCsr(TextIn(command.data, "csr"));
  if (!csr) return Rejected(csr.error().code, csr.error().symbol, csr.error().message);
  const auto device = *DeviceId::Parse(TextIn(command.data, "device"));
  const auto issued = CertificateFor(*csr, device, DeviceName(device));
  return issued ? Accepted(wire::Encode(*issued))
                : Rejected(Code::kFailed, "registry_failed", issued.error().message);
}

Answer Desk::Feed(const Command& command) {
  std::uint64_t replayed = 0;
  if (Is<wire::FeedAck>(command)) {
    const std::uint64_t seq = NumberIn(command.data, "seq");
    if (seq > last_seq_) {
      Check("F2", false,
            "feed.ack " + std::to_string(seq) + ", but the last number said is " + std::to_string(last_seq_));
      return Rejected(Code::kRange, "seq_unknown", "the feed has no such number yet");
    }
    acked_ = std::max(acked_, seq);
  } else {
    const auto from = feed_.lower_bound(ReplayFrom(command.data));
    for (auto at = from; at != feed_.end(); ++at) replaying_.push_back(at->second);
    replayed = replaying_.size();
  }
  return Accepted({{"lastSeq", last_seq_}, {"ackedSeq", acked_}, {"replayed", replayed}});
}

// ---- saying

Saying Desk::NewSaying(const std::string& topic, const std::string& type, json data) {
  Saying saying{topic, {}};
  saying.envelope.id = *EventId::Parse("said-" + std::to_string(++said_));
  saying.envelope.source = kSource;
  saying.envelope.time = WallClock();
  saying.envelope.type = type;
  saying.envelope.data = std::move(data);
  return saying;
}

Saying Desk::Action(std::string_view action, json data) {
  return NewSaying(wire::DoTopic(party_, action), wire::DoType(action), std::move(data));
}

Saying Desk::Notification(std::string_view type, json data) {
  Saying saying = NewSaying(wire::EventTopic(party_, type), wire::EventType(type), std::move(data));
  saying.envelope.seq = ++last_seq_;
  feed_[last_seq_] = saying;
  return saying;
}

void Desk::Say(const Saying& saying, const LinkProperties& properties) {
  LinkProperties with = properties;
  if (with.content_type.empty()) with.content_type = std::string(wire::kContentType);
  Publish(saying.topic, wire::EncodeEnvelope(saying.envelope), with);
}

void Desk::SayText(const std::string& topic, const std::string& payload, const LinkProperties& properties) {
  Publish(topic, payload, properties);
}

void Desk::Publish(const std::string& topic, const std::string& payload, const LinkProperties& properties) {
  Keep(false, topic, payload);
  link_.Publish(topic, payload, properties);
}

}  // namespace registry::conformance
