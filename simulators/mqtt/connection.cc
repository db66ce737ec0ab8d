#include "simulators/mqtt/connection.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <algorithm>
#include <cerrno>

#include "schemas/wire/batch.h"

namespace registry::sim {
namespace {

constexpr int kKeepAliveSeconds = 30;
constexpr std::uint32_t kSessionExpirySeconds = 24 * 3600;
constexpr int kReceiveMaximum = 65535;
constexpr int kLoopMilliseconds = 100;
constexpr int kLastRounds = 10;  // of the loop, for the DISCONNECT to leave
constexpr std::chrono::seconds kSayAgainAfter{60};
constexpr std::chrono::milliseconds kBackoffMin{100}, kBackoffMax{3000};

Error LibraryError(const char* what, int code) {
  return Error::Make(Code::kFailed, "client_failed", std::string(what) + ": " + mosquitto_strerror(code));
}

MqttConnection* Self(void* self) { return static_cast<MqttConnection*>(self); }

}  // namespace

MqttConnection::MqttConnection(const ClientOptions& options, std::string subscription, OnMessage on_message,
                               OnConnected on_connected, OnConfirmed on_confirmed)
    : options_(options),
      subscription_(std::move(subscription)),
      on_message_(std::move(on_message)),
      on_connected_(std::move(on_connected)),
      on_confirmed_(std::move(on_confirmed)) {}

Result<std::unique_ptr<MqttConnection>> MqttConnection::Open(const ClientOptions& options,
                                                             std::string subscription, OnMessage on_message,
                                                             OnConnected on_connected,
                                                             OnConfirmed on_confirmed) {
  static std::once_flag once;
  std::call_once(once, [] { mosquitto_lib_init(); });
  std::unique_ptr<MqttConnection> connection(
      new MqttConnection(options, std::move(subscription), std::move(on_message), std::move(on_connected),
                         std::move(on_confirmed)));
  if (Status status = connection->Configure(); !status) return status.error();
  return connection;
}

void MqttConnection::Start() {
  network_.Start("mqtt-network", [this] { NetworkLoop(); });
}

MqttConnection::~MqttConnection() {
  if (network_.running()) {
    network_.Stop([this] { mosquitto_disconnect_v5(client_, MQTT_RC_NORMAL_DISCONNECTION, nullptr); });
  }
  if (client_ != nullptr) mosquitto_destroy(client_);
}

Status MqttConnection::Configure() {
  const std::string& id = options_.client_id.empty() ? options_.party : options_.client_id;
  client_ = mosquitto_new(id.c_str(), options_.faults.contains(ProtocolFault::kCleanSession), this);
  if (client_ == nullptr) return LibraryError("cannot make a client", MOSQ_ERR_NOMEM);
  mosquitto_threaded_set(client_, true);
  mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client_, MOSQ_OPT_RECEIVE_MAXIMUM, kReceiveMaximum);
  mosquitto_int_option(client_, MOSQ_OPT_SEND_MAXIMUM, kReceiveMaximum);
  mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_v5_callback_set(client_, &HandleConnect);
  mosquitto_subscribe_v5_callback_set(client_, &HandleSubscribe);
  mosquitto_disconnect_v5_callback_set(client_, &HandleDisconnect);
  mosquitto_publish_v5_callback_set(client_, &HandlePublished);
  mosquitto_message_v5_callback_set(client_, &HandleMessage);
  mosquitto_log_callback_set(client_, &HandleLog);
  auto attempt = Attempt::Make(options_);
  if (!attempt) return attempt.error();
  attempt_ = std::move(*attempt);
  return options_.user.empty() ? ConfigureTls() : ConfigurePassword();
}

Status MqttConnection::ConfigurePassword() {
  const int code = mosquitto_username_pw_set(client_, options_.user.c_str(), options_.password.c_str());
  return code == MOSQ_ERR_SUCCESS ? Status(Done{}) : Status(LibraryError("user and password", code));
}

Status MqttConnection::ConfigureTls() {
  // All of TLS is in it: libmosquitto adds nothing of its own.
  mosquitto_int_option(client_, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  const int code = mosquitto_void_option(client_, MOSQ_OPT_SSL_CTX, attempt_->context());
  if (code != MOSQ_ERR_SUCCESS) return LibraryError("TLS 1.3", code);
  return Done{};
}

// Nobody listening yet is not an error: the loop keeps trying, with the first one's properties again.
void MqttConnection::Begin(bool first) {
  attempt_->Begin();
  int code = MOSQ_ERR_SUCCESS;
  if (first) {
    mosquitto_property* properties = nullptr;
    mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, kSessionExpirySeconds);
    code = mosquitto_connect_bind_v5(client_, options_.host.c_str(), options_.port, kKeepAliveSeconds,
                                     nullptr, properties);
    attempt_->Called(code, errno);
    mosquitto_property_free_all(&properties);
  } else {
    code = mosquitto_reconnect(client_);
    attempt_->Called(code, errno);
  }
}

// An attempt has failed, or a connection has ended: of the second nothing is said, another attempt follows.
void MqttConnection::SayTrouble() {
  if (!options_.on_trouble) return;
  const std::string line = attempt_->Trouble();
  const auto now = std::chrono::steady_clock::now();
  if (line == said_ && now - said_at_ < kSayAgainAfter) return;
  said_ = line;
  said_at_ = now;
  options_.on_trouble(line);
}

void MqttConnection::NetworkLoop() {
  Begin(true);
  auto pause = kBackoffMin;
  for (int rounds_left = kLastRounds; rounds_left > 0;) {
    attempt_->At(mosquitto_socket(client_));
    const bool was_connected = connected_;
    int code = mosquitto_loop(client_, kLoopMilliseconds, 1);
    if (code == MOSQ_ERR_SUCCESS && !connected_ && attempt_->TooLate()) code = MOSQ_ERR_CONN_LOST;
    if (network_.stopping()) {
      rounds_left = code == MOSQ_ERR_SUCCESS ? rounds_left - 1 : 0;
      continue;
    }
    if (connected_) pause = kBackoffMin;
    if (code == MOSQ_ERR_SUCCESS) continue;
    SetConnected(false);
    if (!was_connected) SayTrouble();
    if (!PauseBeforeRetry(pause)) return;
    pause = std::min(pause * 2, kBackoffMax);
    Begin(false);
  }
}

bool MqttConnection::PauseBeforeRetry(std::chrono::milliseconds pause) {
  MutexLock lock(mutex_);
  return network_.Rest(lock, pause);
}

void MqttConnection::SetConnected(bool connected) {
  {
    const MutexLock lock(mutex_);
    connected_ = announced_ = connected;
  }
  changed_.NotifyAll();
}

bool MqttConnection::WaitConnected(std::chrono::milliseconds deadline) {
  MutexLock lock(mutex_);
  return changed_.WaitFor(lock, deadline, [this]() REQUIRES(mutex_) { return announced_; });
}

bool MqttConnection::Publish(const std::string& topic, const std::string& payload, bool batch) {
  if (!connected_) return false;
  mosquitto_property* properties = nullptr;
  if (batch) {
    mosquitto_property_add_string(&properties, MQTT_PROP_CONTENT_TYPE, wire::kBatchContentType.data());
  }
  const int code =
      mosquitto_publish_v5(client_, nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(),
                           options_.faults.contains(ProtocolFault::kQos0) ? 0 : 1, false, properties);
  mosquitto_property_free_all(&properties);
  return code == MOSQ_ERR_SUCCESS;
}

void MqttConnection::HandleLog(mosquitto*, void* self, int, const char* line) {
  Self(self)->attempt_->Logged(line);
}

void MqttConnection::HandleConnect(mosquitto* client, void* self, int reason, int, const mqtt5__property*) {
  Self(self)->attempt_->Answered(reason);
  if (reason != MQTT_RC_SUCCESS) return;  // the broker closes; the loop tries again
  mosquitto_subscribe_v5(client, nullptr, Self(self)->subscription_.c_str(), 1, 0, nullptr);
}

void MqttConnection::HandleSubscribe(mosquitto*, void* self, int, int count, const int* granted,
                                     const mqtt5__property*) {
  // MQTT 5.0 §3.9.3: 0x80 and above are refusals, and 0 is less than was asked for: replies could be lost without a word.
  // A client that cannot hear its replies is not connected. What else CONNACK may ask for libmosquitto obeys: Receive
  // Maximum, Server Keep Alive, Maximum QoS, Maximum Packet Size, Retain Available.
  if (count != 1 || granted[0] != 1) return Self(self)->attempt_->NotGranted();
  // Whoever waits for the connection hears of it last: what is said then is not among what is said again here.
  Self(self)->connected_ = true;
  Self(self)->on_connected_();
  Self(self)->SetConnected(true);
}

void MqttConnection::HandleDisconnect(mosquitto*, void* self, int, const mqtt5__property*) {
  Self(self)->SetConnected(false);
}

void MqttConnection::HandlePublished(mosquitto*, void* self, int, int, const mqtt5__property*) {
  Self(self)->on_confirmed_();
}

void MqttConnection::HandleMessage(mosquitto*, void* self, const mosquitto_message* message,
                                   const mqtt5__property*) {
  const auto* payload = static_cast<const char*>(message->payload);
  const std::string_view octets(payload == nullptr ? "" : payload,
                                static_cast<std::size_t>(message->payloadlen));
  Self(self)->on_message_(message->topic, octets);
}

}  // namespace registry::sim
