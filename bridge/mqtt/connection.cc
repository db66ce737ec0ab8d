#include "bridge/mqtt/connection.h"

#include <mqtt/async_client.h>

#include <atomic>

#include "bridge/mqtt/send_at_once.h"
#include "bridge/mqtt/unconfirmed.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/topics.h"

#ifdef __SANITIZE_ADDRESS__
// Paho C 1.3.12 keeps a few of its own blocks per connection until the process ends; only those are silenced.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpaho-mqtt3as\n"; }
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
  // it would be called on memory that is gone. What OpenSSL said is thus not in the log; openssl s_client says it.
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

std::string TextProperty(const ::mqtt::properties& properties, ::mqtt::property::code code) {
  return properties.contains(code) ? ::mqtt::get<std::string>(properties, code) : std::string();
}

ingest::InboundMessage InboundOf(const ::mqtt::message& message) {
  const auto& properties = message.get_properties();
  return {message.get_topic(), message.get_payload(),
          TextProperty(properties, ::mqtt::property::RESPONSE_TOPIC),
          TextProperty(properties, ::mqtt::property::CORRELATION_DATA)};
}

::mqtt::const_message_ptr OutboundOf(outbox::Publisher::Message message) {
  // CloudEvents MQTT binding §3.2: structured mode is told by the content type.
  static const ::mqtt::properties kPlain = {
      {::mqtt::property::CONTENT_TYPE, std::string(wire::kContentType)}};
  auto out = ::mqtt::message::create(std::move(message.topic), std::move(message.payload), kQos, false);
  if (message.correlation_data.empty()) {
    out->set_properties(kPlain);
  } else {
    ::mqtt::properties properties = kPlain;
    properties.add({::mqtt::property::CORRELATION_DATA, std::move(message.correlation_data)});
    out->set_properties(std::move(properties));
  }
  return out;
}

std::size_t VarintSize(std::size_t value) { return value < 128 ? 1 : 1 + VarintSize(value / 128); }

// What OutboundOf becomes on the wire: MQTT 5 §2.1 and §3.3, with a packet identifier since QoS is 1.
std::size_t PacketSize(const outbox::Publisher::Message& message) {
  std::size_t properties = 3 + wire::kContentType.size();
  if (!message.correlation_data.empty()) properties += 3 + message.correlation_data.size();
  const std::size_t rest =
      2 + message.topic.size() + 2 + VarintSize(properties) + properties + message.payload.size();
  return 1 + VarintSize(rest) + rest;
}

// §3.2.2.3.6: 0 when the broker named no maximum.
std::size_t PacketMaxOf(const ::mqtt::token& connected) {
  const auto response = connected.get_connect_response();
  const auto& properties = response.get_properties();
  if (!properties.contains(::mqtt::property::MAXIMUM_PACKET_SIZE)) return 0;
  return ::mqtt::get<std::uint32_t>(properties, ::mqtt::property::MAXIMUM_PACKET_SIZE);
}

std::string Hex(int reason) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[reason >> 4 & 15], kDigits[reason & 15]};
}

// MQTT 5 §3.14.2.1: name and number of the reason; §3.14.2.2.3: the broker's own words, if it has any.
std::string WhyEnded(int reason, const ::mqtt::properties& properties) {
  const char* const name = MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(reason));
  std::string why = std::string("the broker says ") + (name != nullptr ? name : "reason");
  why += " (" + Hex(reason) + ")";
  const std::string words = TextProperty(properties, ::mqtt::property::REASON_STRING);
  return words.empty() ? why : why + ": " + words;
}

Error Failed(std::string_view symbol, const ::mqtt::exception& why) {
  std::string text = why.what();
  if (why.get_reason_code() != 0) text += ", reason " + std::to_string(why.get_reason_code());
  return Error::Make(Code::kFailed, symbol, text);
}

}  // namespace

class Connection::Impl : private ::mqtt::iaction_listener {
 public:
  Impl(const SessionOptions& options, Events events);
  ~Impl() override;
  Status Open(const std::function<bool()>& give_up);
  Status Publish(outbox::Publisher::Message message, Confirmed confirmed);
  bool alive() const { return client_->is_connected(); }
  void Close(std::chrono::milliseconds deadline);

 private:
  // What an end of the connection means for what was on its way.
  Publisher::Answer Ended() const {
    return cut_off_ ? Publisher::Answer{Fate::kCutOff, "the broker ended the connection, packet too large"}
                    : Publisher::Answer{Fate::kLost, "the connection ended"};
  }

  static bool Await(const ::mqtt::token_ptr& token, const std::function<bool()>& give_up);
  void on_success(const ::mqtt::token& token) override;
  void on_failure(const ::mqtt::token& token) override;

  const SessionOptions options_;
  const Events events_;
  Unconfirmed unconfirmed_;
  std::size_t packet_max_ = 0;  // set before anybody may publish
  std::atomic<bool> cut_off_{false};
  std::unique_ptr<::mqtt::async_client> client_;
};

Connection::Impl::Impl(const SessionOptions& options, Events events)
    : options_(options),
      events_(std::move(events)),
      unconfirmed_(static_cast<std::size_t>(options.in_flight_max)),
      client_(std::make_unique<::mqtt::async_client>(UriOf(options), options.client_id, CreateOf(options))) {
  // noexcept on purpose: returning from here lets the PUBACK leave, so a message that could not be kept must
  // end the process before that (measured: Paho acknowledges when the callback returns, whatever it returns).
  client_->set_message_callback(
      [this](const ::mqtt::const_message_ptr& message) noexcept { events_.arrived(InboundOf(*message)); });
  client_->set_connection_lost_handler([this](const std::string& why) noexcept {
    events_.lost(why.empty() ? "connection lost, the broker did not say why" : why);
  });
  client_->set_disconnected_handler([this](const ::mqtt::properties& said, ::mqtt::ReasonCode code) noexcept {
    if (code == ::mqtt::PACKET_TOO_LARGE) cut_off_ = true;
    events_.lost(WhyEnded(code, said));
  });
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
  try {
    const auto connecting = client_->connect(ConnectOf(options_));
    if (!Await(connecting, give_up)) {
      return Error::Make(Code::kFailed, "connect_failed", "no answer from the broker in time");
    }
    packet_max_ = PacketMaxOf(*connecting);
  } catch (const ::mqtt::exception& why) {
    return Failed("connect_failed", why);
  }
  if (SendAtOnce(options_.port) == 0 && options_.log) options_.log(2, "mqtt: TCP_NODELAY could not be set");
  try {
    // Always, also into a session the broker still has: it costs nothing and the broker may have forgotten.
    // Retained messages are not wanted (§3.8.3.1): a command is repeated by its sender, never by the broker.
    const ::mqtt::subscribe_options fresh(false, false, ::mqtt::subscribe_options::DONT_SEND_RETAINED);
    if (!Await(client_->subscribe(std::string(wire::kFromAll), kQos, fresh), give_up)) {
      return Error::Make(Code::kFailed, "subscribe_refused", "no answer to SUBSCRIBE in time");
    }
  } catch (const ::mqtt::exception& why) {
    return Failed("subscribe_refused", why);
  }
  return Done{};
}

Status Connection::Impl::Publish(outbox::Publisher::Message message, Confirmed confirmed) {
  if (const std::size_t size = PacketSize(message); packet_max_ != 0 && size > packet_max_) {
    confirmed({Fate::kImpossible, "a packet of " + std::to_string(size) + " octets, the broker takes " +
                                      std::to_string(packet_max_)});
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
    if (alive() && options_.log) options_.log(2, std::string("mqtt: a publish was not taken: ") + why.what());
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
  const bool refused = reason >= 0x80 && reason != ::mqtt::MQTTPP_V3_CODE && !cut_off_;
  if (refused && options_.log) {
    options_.log(2, "mqtt: the broker refused a publish, reason " + std::to_string(reason));
  }
  // 0x97 says that there is no room just now (§3.4.2.1), which is no word about the message.
  Publisher::Answer answer = Ended();
  if (refused) {
    answer = {reason == ::mqtt::QUOTA_EXCEEDED ? Fate::kLost : Fate::kRefused,
              "the broker refused it, reason " + Hex(reason)};
  }
  unconfirmed_.Tell(reinterpret_cast<Unconfirmed::Key>(token.get_user_context()), std::move(answer));
}

void Connection::Impl::Close(std::chrono::milliseconds deadline) {
  try {
    if (client_->is_connected()) client_->disconnect(static_cast<int>(deadline.count()))->wait_for(deadline);
  } catch (const ::mqtt::exception&) {
    // Gone already, which is what was wanted.
  }
}

Connection::Connection(const SessionOptions& options, Events events)
    : impl_(std::make_unique<Impl>(options, std::move(events))) {}
Connection::~Connection() = default;
Status Connection::Open(const std::function<bool()>& give_up) { return impl_->Open(give_up); }
Status Connection::Publish(outbox::Publisher::Message message, Confirmed confirmed) {
  return impl_->Publish(std::move(message), std::move(confirmed));
}
bool Connection::alive() const { return impl_->alive(); }
void Connection::Close(std::chrono::milliseconds deadline) { impl_->Close(deadline); }

}  // namespace registry::mqtt
