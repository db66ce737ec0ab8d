#include "bridge/mqtt/connection.h"

#include <mqtt/async_client.h>

#include <atomic>
#include <type_traits>

#include "bridge/mqtt/dial.h"
#include "bridge/mqtt/send_at_once.h"
#include "bridge/mqtt/terms.h"
#include "bridge/mqtt/unconfirmed.h"
#include "bridge/say_once.h"
#include "schemas/base/end_after_threads.h"
#include "schemas/base/mutex.h"
#include "schemas/base/sanitized.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/topics.h"

#if REGISTRY_ADDRESS_SANITIZED
// Paho C 1.3.12 keeps a few of its own blocks per connection until the process ends; only those are silenced.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpaho-mqtt3as\n"; }
// Else each program of ours says on standard error what was silenced, where tests read what it has to say.
extern "C" const char* __lsan_default_options();
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }
#endif

namespace registry::mqtt {
namespace {

using outbox::Publisher;
using Fate = Publisher::Fate;
using Confirmed = Publisher::Confirmed;

constexpr int kQos = 1;
constexpr std::chrono::seconds kConnectTimeout{10};
constexpr std::chrono::milliseconds kLook{20};  // how often waiting for the broker looks whether to give up

std::string UriOf(const SessionOptions& options) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return "ssl://" + (v6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

::mqtt::ssl_options TlsOf(const SessionOptions& options) {
  ::mqtt::ssl_options tls;
  tls.set_trust_store(options.ca_file);
  tls.set_key_store(options.certificate_file);
  tls.set_private_key(options.key_file);
  tls.set_enable_server_cert_auth(true);
  tls.set_verify(true);  // the certificate must name the host (RFC 6125)
  // No error handler: Paho C++ 1.2 leaves its address with Paho C inside the options connect() takes by value, so
  // it would be called on memory that is gone. What OpenSSL says is found out by dial.h instead.
  return tls;
}

// Paho refuses what its sending thread has not taken up yet beyond a limit, 100 if nobody says otherwise, and the relay
// takes a refusal for the end of the connection.
::mqtt::create_options CreateOf(const SessionOptions& options) {
  ::mqtt::create_options create(MQTTVERSION_5);
  create.set_max_buffered_messages(options.in_flight_max + 16);
  return create;
}

::mqtt::connect_options ConnectOf(const SessionOptions& options) {
  using ::mqtt::property;
  ::mqtt::connect_options connect;
  connect.set_mqtt_version(MQTTVERSION_5);
  connect.set_clean_start(false);
  connect.set_keep_alive_interval(options.keep_alive);
  connect.set_connect_timeout(kConnectTimeout);
  connect.set_automatic_reconnect(false);
  connect.set_max_inflight(options.in_flight_max + 16);
  connect.set_ssl(TlsOf(options));
  ::mqtt::properties properties;
  properties.add(
      property(property::SESSION_EXPIRY_INTERVAL, static_cast<std::int32_t>(options.session_expiry.count())));
  properties.add(property(property::RECEIVE_MAXIMUM, options.receive_maximum));
  connect.set_properties(std::move(properties));
  return connect;
}

// Paho C++ 1.2 leaves the structure of its options at version 0, in which Paho C looks at no properties, and has no call to
// raise it. The structure is the first member.
void EndSession(::mqtt::disconnect_options& how) {
  static_assert(std::is_standard_layout_v<::mqtt::disconnect_options>);
  how.set_properties({{::mqtt::property::SESSION_EXPIRY_INTERVAL, 0}});
  reinterpret_cast<MQTTAsync_disconnectOptions*>(&how)->struct_version = 1;
}

std::string TextProperty(const ::mqtt::properties& properties, ::mqtt::property::code code) {
  return properties.contains(code) ? ::mqtt::get<std::string>(properties, code) : std::string();
}

std::string_view TextOf(const MQTTLenString& text) { return {text.data, static_cast<std::size_t>(text.len)}; }

// CloudEvents MQTT binding §3.1.1: in binary mode each attribute is a user property of its name, `specversion` is always
// there. One pass over Paho's own list, for a sender may put thousands of them into a packet.
void ReadContentMode(const ::mqtt::properties& properties, ingest::InboundMessage& message) {
  const MQTTProperties& all = properties.c_struct();
  bool attributes = false;
  std::string id;
  for (const MQTTProperty* each = all.array; each != all.array + all.count; ++each) {
    if (each->identifier != MQTTPROPERTY_CODE_USER_PROPERTY) continue;
    const std::string_view name = TextOf(each->value.data), value = TextOf(each->value.value);
    attributes = attributes || name == "specversion";
    if (name == "id" && EventId::Parse(value)) id = value;
  }
  message.mode = wire::ContentModeOf(TextProperty(properties, ::mqtt::property::CONTENT_TYPE), attributes);
  if (message.mode == wire::ContentMode::kBinary) message.id_property = std::move(id);
}

ingest::InboundMessage InboundOf(const ::mqtt::message& message) {
  const auto& properties = message.get_properties();
  ingest::InboundMessage inbound{message.get_topic(), message.get_payload(),
                                 TextProperty(properties, ::mqtt::property::RESPONSE_TOPIC),
                                 TextProperty(properties, ::mqtt::property::CORRELATION_DATA)};
  ReadContentMode(properties, inbound);
  return inbound;
}

::mqtt::const_message_ptr OutboundOf(outbox::Publisher::Message message) {
  // CloudEvents MQTT binding §3.2: structured mode is told by the content type.
  static const ::mqtt::properties kSingle = {
      {::mqtt::property::CONTENT_TYPE, std::string(wire::kContentType)}};
  static const ::mqtt::properties kMany = {
      {::mqtt::property::CONTENT_TYPE, std::string(wire::kBatchContentType)}};
  const ::mqtt::properties& plain = message.batch ? kMany : kSingle;
  auto out = ::mqtt::message::create(std::move(message.topic), std::move(message.payload), kQos, false);
  if (message.correlation_data.empty()) {
    out->set_properties(plain);
  } else {
    ::mqtt::properties properties = plain;
    properties.add({::mqtt::property::CORRELATION_DATA, std::move(message.correlation_data)});
    out->set_properties(std::move(properties));
  }
  return out;
}

std::size_t VarintSize(std::size_t value) { return value < 128 ? 1 : 1 + VarintSize(value / 128); }

// What OutboundOf becomes on the wire: MQTT 5 §2.1 and §3.3, with a packet identifier since QoS is 1.
std::size_t PacketSize(const outbox::Publisher::Message& message) {
  std::size_t properties = 3 + (message.batch ? wire::kBatchContentType : wire::kContentType).size();
  if (!message.correlation_data.empty()) properties += 3 + message.correlation_data.size();
  const std::size_t rest =
      2 + message.topic.size() + 2 + VarintSize(properties) + properties + message.payload.size();
  return 1 + VarintSize(rest) + rest;
}

std::string Hex(int reason) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[reason >> 4 & 15], kDigits[reason & 15]};
}

// MQTT 5 §2.4: name and number of a reason.
std::string Named(int reason) {
  const char* const name = MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(reason));
  return std::string(name != nullptr ? name : "reason") + " (" + Hex(reason) + ")";
}

// §3.14.2.2.3: with the broker's own words, if it has any.
std::string WhyEnded(int reason, const ::mqtt::properties& properties) {
  const std::string why = "the broker says " + Named(reason);
  const std::string words = TextProperty(properties, ::mqtt::property::REASON_STRING);
  return words.empty() ? why : why + ": " + words;
}

bool IsRefusal(int reason) { return reason >= 0x80 && reason != ::mqtt::MQTTPP_V3_CODE; }

// broker-config: use_identity_as_username.
constexpr char kByName[] = "; its access list goes by the certificate's name";

// Paho gives a CONNACK's reason as its return code; its own codes are negative.
std::string PahosWords(const ::mqtt::exception& why) {
  for (const int reason : {static_cast<int>(why.get_reason_code()), why.get_return_code()}) {
    if (!IsRefusal(reason)) continue;
    const std::string refused = "the broker refused it: " + Named(reason);
    return reason == ::mqtt::NOT_AUTHORIZED ? refused + kByName : refused;
  }
  return why.what();
}

}  // namespace

class Connection::Impl : private ::mqtt::iaction_listener {
 public:
  Impl(const SessionOptions& options, Part part, Events events);
  ~Impl() override;
  Status Open(const std::function<bool()>& give_up);
  void Stir();
  Status Publish(outbox::Publisher::Message message, Confirmed confirmed);
  bool HearOut(const std::vector<std::string>& filters, const std::function<bool()>& give_up);
  bool alive() const { return client_->is_connected(); }
  void Close(std::chrono::milliseconds deadline, bool forget);
  const Terms& terms() const { return terms_; }
  std::size_t in_flight_max() const {
    return std::min(terms_.receive_max, static_cast<std::size_t>(options_.in_flight_max));
  }

 private:
  void SayRetained(const std::string& topic);
  Status Connect(const std::function<bool()>& give_up);
  Status Agree();
  Status Subscribe(const std::function<bool()>& give_up);
  bool Unsubscribe(const std::string& filter, const std::function<bool()>& give_up);
  // What an end of the connection means for what was on its way.
  Publisher::Receipt Ended() const {
    return cut_off_ ? Publisher::Receipt{Fate::kCutOff, "the broker ended the connection, packet too large"}
                    : Publisher::Receipt{Fate::kLost, "the connection ended"};
  }

  // Retained messages are not wanted (§3.8.3.1): a command is repeated by its sender, never by the broker. But whether
  // a sender asked for one to be retained is (Retain As Published).
  static ::mqtt::subscribe_options Fresh() {
    return ::mqtt::subscribe_options(false, true, ::mqtt::subscribe_options::DONT_SEND_RETAINED);
  }
  static bool Await(const ::mqtt::token_ptr& token, const std::function<bool()>& give_up);
  void on_success(const ::mqtt::token& token) override;
  void on_failure(const ::mqtt::token& token) override;

  const SessionOptions options_;
  const Part part_;
  const Events events_;
  Unconfirmed unconfirmed_;
  SayOnce retained_;  // Paho's receiving thread alone
  Terms terms_;       // set before anybody may publish
  std::atomic<bool> cut_off_{false};
  std::atomic<std::uint64_t> arrived_{0};  // and handled
  Mutex stirring_mutex_;
  ::mqtt::token_ptr stirring_ GUARDED_BY(stirring_mutex_);
  std::unique_ptr<::mqtt::async_client> client_;
};

Connection::Impl::Impl(const SessionOptions& options, Part part, Events events)
    : options_(options),
      part_(std::move(part)),
      events_(std::move(events)),
      unconfirmed_(static_cast<std::size_t>(options.in_flight_max)),
      client_(std::make_unique<::mqtt::async_client>(UriOf(options), part_.client_id, CreateOf(options))) {
  EndAfterOtherThreads();
  // noexcept on purpose: returning from here lets the PUBACK leave, so a message that could not be kept must
  // end the process before that (measured: Paho acknowledges when the callback returns, whatever it returns).
  client_->set_message_callback([this](const ::mqtt::const_message_ptr& message) noexcept {
    if (message->is_retained()) SayRetained(message->get_topic());
    events_.arrived(InboundOf(*message));
    ++arrived_;
  });
  client_->set_connection_lost_handler([this](const std::string& why) noexcept {
    events_.lost(why.empty() ? "connection lost, the broker did not say why" : why);
  });
  client_->set_disconnected_handler([this](const ::mqtt::properties& said, ::mqtt::ReasonCode code) noexcept {
    if (code == ::mqtt::PACKET_TOO_LARGE) cut_off_ = true;
    events_.lost(WhyEnded(code, said));
  });
}

// The command is carried out like any other: refusing it would not take back the copy that the broker keeps.
void Connection::Impl::SayRetained(const std::string& topic) {
  const std::size_t party = wire::kFrom.size();
  const std::string line =
      "mqtt: a command of " + topic.substr(party, topic.find('/', party) - party) +
      " came with the retain flag, so the broker keeps a copy of it; retain_available false in "
      "the broker's configuration refuses such";
  if (retained_.Due(line, SayOnce::Steady::now())) options_.log.Warning(line);
}

Connection::Impl::~Impl() {
  client_.reset();  // joins whatever callback is running; then nobody else can answer
  unconfirmed_.TellAll(Ended());
}

// False when given up; Paho's exception when the broker said no.
bool Connection::Impl::Await(const ::mqtt::token_ptr& token, const std::function<bool()>& give_up) {
  const auto until = std::chrono::steady_clock::now() + kConnectTimeout;
  while (!give_up() && std::chrono::steady_clock::now() < until) {
    if (token->wait_for(kLook)) return true;
  }
  return false;
}

Status Connection::Impl::Open(const std::function<bool()>& give_up) {
  if (auto connected = Connect(give_up); !connected) return connected;
  if (auto agreed = Agree(); !agreed) return agreed;
  if (SendAtOnce(options_.port) == 0) options_.log.Warning("mqtt: TCP_NODELAY could not be set");
  return Subscribe(give_up);
}

Status Connection::Impl::Connect(const std::function<bool()>& give_up) {
  std::string why = "no CONNACK in time";
  try {
    const auto connecting = client_->connect(ConnectOf(options_));
    if (Await(connecting, give_up)) {
      terms_ = TermsOf(connecting->get_connect_response());
      return Done{};
    }
  } catch (const ::mqtt::exception& failed) {
    why = PahosWords(failed);
  }
  if (give_up()) return Error::Make(Code::kFailed, "connect_failed", "given up");
  const Dialled dialled = Dial(options_, give_up);
  return Error::Make(Code::kFailed, "connect_failed",
                     dialled.where + ": " + (dialled.fault.empty() ? "MQTT: " + why : dialled.fault));
}

// §3.2.2.3: what the broker demands is done, or the connection is ended.
Status Connection::Impl::Agree() {
  unconfirmed_.Narrow(in_flight_max());
  if (const std::string unfit = Unfit(terms_, !options_.share.empty()); !unfit.empty()) {
    return Error::Make(Code::kFailed, "broker_unfit", unfit);
  }
  // §3.2.2.3.14 wants the broker's value used; Paho C 1.3.12 pings by the one it has sent, so a new CONNECT must carry it.
  // A longer one is kept by pinging more often; 0 asks for no pings, but they are what notices a dead network.
  if (const auto& asked = terms_.keep_alive; asked && asked->count() > 0 && *asked < options_.keep_alive) {
    return Error::Make(Code::kFailed, std::string(kShorterKeepAlive),
                       "the broker wants a keep alive of " + std::to_string(asked->count()) + " s, not " +
                           std::to_string(options_.keep_alive.count()) + "; connecting again with that");
  }
  return Done{};
}

Status Connection::Impl::Subscribe(const std::function<bool()>& give_up) {
  const std::string& filter = part_.filter;
  if (filter.empty()) return Done{};
  const auto refused = [&](const std::string& why) {
    return Error::Make(
        Code::kFailed, "subscribe_refused",
        options_.host + ":" + std::to_string(options_.port) + ": MQTT: " + filter + ": " + why);
  };
  try {
    // Always, also into a session the broker still has: it costs nothing and the broker may have forgotten.
    const auto token = client_->subscribe(filter, kQos, Fresh());
    if (!Await(token, give_up)) return refused("no SUBACK in time");
    // §3.9.3: the broker may grant less than was asked for, and commands at QoS 0 would be lost without a word.
    const auto answer = token->get_subscribe_response();
    for (const ::mqtt::ReasonCode granted : answer.get_reason_codes()) {
      if (granted != kQos) return refused("granted at QoS " + std::to_string(granted) + ", not 1");
    }
  } catch (const ::mqtt::exception& why) {
    return refused(PahosWords(why));
  }
  return Done{};
}

// True when the broker has answered. Paho C++ 1.2 takes every reason above 2 for a failure, also that there is no such
// subscription (0x11), which is an answer.
bool Connection::Impl::Unsubscribe(const std::string& filter, const std::function<bool()>& give_up) {
  try {
    const auto token = client_->unsubscribe(filter);
    while (!token->wait_for(kLook)) {
      if (give_up()) return false;
    }
  } catch (const ::mqtt::exception& why) {
    if (why.get_reason_code() != ::mqtt::NO_SUBSCRIPTION_FOUND) throw;
  }
  return true;
}

// Two silent rounds, as an acknowledgement may wait in Paho behind the question when the socket is full.
bool Connection::Impl::HearOut(const std::vector<std::string>& filters,
                               const std::function<bool()>& give_up) {
  constexpr int kRounds = 2;
  const auto ended = [&] { return give_up() || !alive(); };
  try {
    for (int silent = 0; silent < kRounds;) {
      const std::uint64_t before = arrived_;
      for (const std::string& filter : filters) {
        if (!Unsubscribe(filter, ended)) return false;
      }
      silent = arrived_ == before ? silent + 1 : 0;
      if (ended()) return false;
    }
    return true;
  } catch (const ::mqtt::exception& why) {
    options_.log.Warning(std::string("mqtt: did not hear out: ") + PahosWords(why));
    return false;
  }
}

// The subscription it has, again: answered by a SUBACK and nothing else, since no retained messages are asked for. Of one
// that hears together with others, which may have ended its own: the end of one that it never has.
void Connection::Impl::Stir() {
  const MutexLock lock(stirring_mutex_);
  try {
    if (stirring_ && !stirring_->is_complete()) return;
    stirring_ = options_.share.empty() ? client_->subscribe(part_.filter, kQos, Fresh())
                                       : client_->unsubscribe(FilterOfAll(""));
  } catch (const ::mqtt::exception&) {
    // No longer connected, which is noticed elsewhere.
  }
}

Status Connection::Impl::Publish(outbox::Publisher::Message message, Confirmed confirmed) {
  if (const std::size_t size = PacketSize(message); terms_.packet_max != 0 && size > terms_.packet_max) {
    confirmed({Fate::kImpossible, "a packet of " + std::to_string(size) + " octets, the broker takes " +
                                      std::to_string(terms_.packet_max)});
    return Done{};
  }
  auto key = unconfirmed_.Add(std::move(confirmed));
  if (!key) return key.error();
  try {
    // The key itself is the context: nothing to free, nothing that dangles.
    // NOLINTNEXTLINE(performance-no-int-to-ptr): Paho hands it back and never looks behind it
    client_->publish(OutboundOf(std::move(message)), reinterpret_cast<void*>(*key), *this);
  } catch (const std::exception& why) {
    // Answered in the meantime: then it was taken as far as the caller is concerned.
    if (!unconfirmed_.Withdraw(*key)) return Done{};
    if (alive()) options_.log.Warning(std::string("mqtt: a publish was not taken: ") + why.what());
    return Error::Make(Code::kFailed, "not_connected", why.what());
  }
  return Done{};
}

void Connection::Impl::on_success(const ::mqtt::token& token) {
  // Any reason below 0x80 is a success; 0x10 only says that nobody is listening just now (§3.4.2.1).
  unconfirmed_.Tell(reinterpret_cast<Unconfirmed::Key>(token.get_user_context()), {});
}

void Connection::Impl::on_failure(const ::mqtt::token& token) {
  const int reason = token.get_reason_code();
  const bool refused = IsRefusal(reason) && !cut_off_;
  if (refused) {
    options_.log.Warning("mqtt: the broker refused a publish, reason " + std::to_string(reason));
  }
  // 0x97 says that there is no room just now (§3.4.2.1), which is no word about the message.
  Publisher::Receipt answer = Ended();
  if (refused) {
    answer = {reason == ::mqtt::QUOTA_EXCEEDED ? Fate::kLost : Fate::kRefused,
              "the broker refused it, reason " + Hex(reason)};
  }
  unconfirmed_.Tell(reinterpret_cast<Unconfirmed::Key>(token.get_user_context()), std::move(answer));
}

void Connection::Impl::Close(std::chrono::milliseconds deadline, bool forget) {
  try {
    ::mqtt::disconnect_options how(static_cast<int>(deadline.count()));
    // MQTT 5 §3.14.2.2.2.
    if (forget) EndSession(how);
    if (client_->is_connected()) client_->disconnect(how)->wait_for(deadline);
  } catch (const ::mqtt::exception&) {
    // Gone already, which is what was wanted.
  }
}

Connection::Connection(const SessionOptions& options, Part part, Events events)
    : impl_(std::make_unique<Impl>(options, std::move(part), std::move(events))) {}
Connection::~Connection() = default;
Status Connection::Open(const std::function<bool()>& give_up) { return impl_->Open(give_up); }
void Connection::Stir() { impl_->Stir(); }
Status Connection::Publish(outbox::Publisher::Message message, Confirmed confirmed) {
  return impl_->Publish(std::move(message), std::move(confirmed));
}
bool Connection::HearOut(const std::vector<std::string>& filters, const std::function<bool()>& give_up) {
  return impl_->HearOut(filters, give_up);
}
bool Connection::alive() const { return impl_->alive(); }
void Connection::Close(std::chrono::milliseconds deadline, bool forget) { impl_->Close(deadline, forget); }
const Terms& Connection::terms() const { return impl_->terms(); }
std::size_t Connection::in_flight_max() const { return impl_->in_flight_max(); }

}  // namespace registry::mqtt
