#include "tests/support/raw_mqtt.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <cstdlib>

#include "schemas/base/check.h"

namespace registry::test {
namespace {

constexpr std::chrono::seconds kDeadline{60};

const char* OrNull(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

void InitialiseLibrary() {
  static const int once = mosquitto_lib_init();
  REG_CHECK(once == MOSQ_ERR_SUCCESS);
}

bool Send(mosquitto* client, int* id, const std::string& topic, const std::string& payload,
          const std::string& response_topic, const std::string& correlation_data, bool retain = false) {
  mosquitto_property* properties = nullptr;
  if (!response_topic.empty()) {
    mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC, response_topic.c_str());
  }
  if (!correlation_data.empty()) {
    mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, correlation_data.data(),
                                  static_cast<std::uint16_t>(correlation_data.size()));
  }
  const int sent = mosquitto_publish_v5(client, id, topic.c_str(), static_cast<int>(payload.size()),
                                        payload.data(), 1, retain, properties);
  mosquitto_property_free_all(&properties);
  return sent == MOSQ_ERR_SUCCESS;
}

}  // namespace

RawMqtt::RawMqtt(const RawOptions& options) {
  InitialiseLibrary();
  client_ = mosquitto_new(options.client_id.c_str(), !options.keeps_session, this);
  REG_CHECK(client_ != nullptr);
  mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION,
                       options.v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(client_, MOSQ_OPT_SEND_MAXIMUM, 65535);
  mosquitto_int_option(client_, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
  mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY,
                       1);  // else what is said one at a time waits 40 ms for an ACK
  REG_CHECK(mosquitto_tls_set(client_, options.ca_file.c_str(), nullptr, OrNull(options.certificate_file),
                              OrNull(options.key_file), nullptr) == MOSQ_ERR_SUCCESS);
  REG_CHECK(mosquitto_tls_opts_set(client_, 1, "tlsv1.3", nullptr) == MOSQ_ERR_SUCCESS);
  mosquitto_connect_v5_callback_set(client_, OnConnect);
  mosquitto_disconnect_v5_callback_set(client_, OnDisconnect);
  mosquitto_publish_v5_callback_set(client_, OnPublish);
  mosquitto_subscribe_v5_callback_set(client_, OnSubscribe);
  mosquitto_message_v5_callback_set(client_, OnMessage);
  if (mosquitto_connect(client_, "127.0.0.1", options.port, 30) != MOSQ_ERR_SUCCESS) return;
  mosquitto_loop_start(client_);
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kDeadline, [this] { return answered_; });
}

RawMqtt::~RawMqtt() {
  mosquitto_disconnect(client_);
  mosquitto_loop_stop(client_, true);
  mosquitto_destroy(client_);
}

bool RawMqtt::connected() const {
  std::lock_guard lock(mutex_);
  return connected_;
}

int RawMqtt::Publish(const std::string& topic, const std::string& payload, const std::string& response_topic,
                     const std::string& correlation_data) {
  int id = 0;
  if (!Send(client_, &id, topic, payload, response_topic, correlation_data)) return -1;
  return Acknowledgement(id);
}

int RawMqtt::PublishWith(const std::string& topic, const std::string& payload,
                         const std::string& content_type,
                         const std::map<std::string, std::string>& user_properties) {
  mosquitto_property* properties = nullptr;
  if (!content_type.empty()) {
    mosquitto_property_add_string(&properties, MQTT_PROP_CONTENT_TYPE, content_type.c_str());
  }
  for (const auto& [name, value] : user_properties) {
    mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, name.c_str(), value.c_str());
  }
  int id = 0;
  const int sent = mosquitto_publish_v5(client_, &id, topic.c_str(), static_cast<int>(payload.size()),
                                        payload.data(), 1, false, properties);
  mosquitto_property_free_all(&properties);
  return sent == MOSQ_ERR_SUCCESS ? Acknowledgement(id) : -1;
}

int RawMqtt::PublishRetained(const std::string& topic, const std::string& payload) {
  int id = 0;
  if (!Send(client_, &id, topic, payload, "", "", true)) return -1;
  return Acknowledgement(id);
}

int RawMqtt::Acknowledgement(int id) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kDeadline, [&] { return acknowledged_.contains(id) || !connected_; }))
    return -1;
  if (!acknowledged_.contains(id)) return -1;
  const int reason = acknowledged_.at(id);
  acknowledged_.erase(id);
  return reason;
}

bool RawMqtt::PublishLater(const std::string& topic, const std::string& payload,
                           const std::string& correlation_data) {
  {
    std::lock_guard lock(mutex_);
    ++pending_;
  }
  return Send(client_, nullptr, topic, payload, "", correlation_data);
}

bool RawMqtt::WaitPublished(std::chrono::milliseconds deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, deadline, [this] { return settled_ >= pending_; });
}

bool RawMqtt::Subscribe(const std::string& topic) {
  int id = 0;
  if (mosquitto_subscribe(client_, &id, topic.c_str(), 1) != MOSQ_ERR_SUCCESS) return false;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kDeadline, [&] { return subscribed_.contains(id); });
  return subscribed_.contains(id) && subscribed_.at(id);
}

std::optional<RawMessage> RawMqtt::Next(std::chrono::milliseconds deadline) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, deadline, [this] { return !messages_.empty(); })) return std::nullopt;
  RawMessage message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

void RawMqtt::OnConnect(mosquitto*, void* self, int reason, int, const mqtt5__property*) {
  auto* client = static_cast<RawMqtt*>(self);
  std::lock_guard lock(client->mutex_);
  client->connected_ = reason == 0;
  client->answered_ = true;
  client->changed_.notify_all();
}

void RawMqtt::OnDisconnect(mosquitto*, void* self, int, const mqtt5__property*) {
  auto* client = static_cast<RawMqtt*>(self);
  std::lock_guard lock(client->mutex_);
  client->connected_ = false;
  client->answered_ = true;  // a handshake that failed
  client->changed_.notify_all();
}

void RawMqtt::OnPublish(mosquitto*, void* self, int id, int reason, const mqtt5__property*) {
  auto* client = static_cast<RawMqtt*>(self);
  std::lock_guard lock(client->mutex_);
  if (client->pending_ > 0) {
    ++client->settled_;
  } else {
    client->acknowledged_[id] = reason;
  }
  client->changed_.notify_all();
}

void RawMqtt::OnSubscribe(mosquitto*, void* self, int id, int count, const int* granted,
                          const mqtt5__property*) {
  auto* client = static_cast<RawMqtt*>(self);
  std::lock_guard lock(client->mutex_);
  client->subscribed_[id] = count == 1 && granted[0] < 128;
  client->changed_.notify_all();
}

void RawMqtt::OnMessage(mosquitto*, void* self, const mosquitto_message* message,
                        const mqtt5__property* properties) {
  auto* client = static_cast<RawMqtt*>(self);
  RawMessage copy{
      message->topic,
      std::string(static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)),
      {}};
  void* correlation = nullptr;
  std::uint16_t size = 0;
  if (mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation, &size, false) !=
      nullptr) {
    copy.correlation_data.assign(static_cast<const char*>(correlation), size);
    std::free(correlation);
  }
  std::lock_guard lock(client->mutex_);
  client->messages_.push_back(std::move(copy));
  client->changed_.notify_all();
}

}  // namespace registry::test
