#include "clients/conformance/link.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <cstdlib>

namespace registry::conformance {
namespace {

constexpr std::chrono::seconds kConfirmedWithin{10};
constexpr int kKeepAliveSeconds = 30;

Error LinkError(const std::string& what) { return Error::Make(Code::kFailed, "link_failed", what); }

std::string TextProperty(const mqtt5__property* properties, int name) {
  char* text = nullptr;
  if (mosquitto_property_read_string(properties, name, &text, false) == nullptr || text == nullptr) return {};
  std::string copy = text;
  std::free(text);
  return copy;
}

std::string BinaryProperty(const mqtt5__property* properties, int name) {
  void* octets = nullptr;
  std::uint16_t size = 0;
  if (mosquitto_property_read_binary(properties, name, &octets, &size, false) == nullptr) return {};
  std::string copy(static_cast<const char*>(octets), size);
  std::free(octets);
  return copy;
}

mosquitto_property* MadeOf(const LinkProperties& properties) {
  mosquitto_property* made = nullptr;
  if (!properties.content_type.empty())
    mosquitto_property_add_string(&made, MQTT_PROP_CONTENT_TYPE, properties.content_type.c_str());
  if (!properties.correlation_data.empty()) {
    mosquitto_property_add_binary(&made, MQTT_PROP_CORRELATION_DATA, properties.correlation_data.data(),
                                  static_cast<std::uint16_t>(properties.correlation_data.size()));
  }
  for (const auto& [name, value] : properties.user)
    mosquitto_property_add_string_pair(&made, MQTT_PROP_USER_PROPERTY, name.c_str(), value.c_str());
  return made;
}

}  // namespace

UtcTime WallClock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

Status Link::Configure(const LinkOptions& options) {
  static const int once = mosquitto_lib_init();
  if (once != MOSQ_ERR_SUCCESS) return LinkError("libmosquitto does not start");
  client_ = mosquitto_new(options.client_id.c_str(), true, this);
  if (client_ == nullptr) return LinkError("libmosquitto makes no client");
  mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client_, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
  mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_v5_callback_set(client_, &HandleConnect);
  mosquitto_subscribe_v5_callback_set(client_, &HandleSubscribe);
  mosquitto_publish_v5_callback_set(client_, &HandlePublish);
  mosquitto_message_v5_callback_set(client_, &HandleMessage);
  if (mosquitto_tls_set(client_, options.ca_file.c_str(), nullptr, options.certificate_file.c_str(),
                        options.key_file.c_str(), nullptr) != MOSQ_ERR_SUCCESS ||
      mosquitto_tls_opts_set(client_, 1, "tlsv1.3", nullptr) != MOSQ_ERR_SUCCESS) {
    return LinkError("the registry's certificate or key cannot be read: " + options.certificate_file);
  }
  if (mosquitto_connect(client_, "127.0.0.1", options.port, kKeepAliveSeconds) != MOSQ_ERR_SUCCESS)
    return LinkError("no connection to the broker");
  return mosquitto_loop_start(client_) == MOSQ_ERR_SUCCESS ? Status(Done{})
                                                           : LinkError("libmosquitto has no thread");
}

Result<std::unique_ptr<Link>> Link::Open(const LinkOptions& options, const std::string& filter,
                                         std::chrono::milliseconds deadline) {
  std::unique_ptr<Link> link(new Link());
  link->filter_ = filter;
  if (Status status = link->Configure(options); !status) return status.error();
  MutexLock lock(link->mutex_);
  const bool subscribed = link->changed_.WaitFor(
      lock, deadline, [&]() NOT_PROVED { return link->subscribed_; });  // the lock is link's
  lock.Unlock();
  if (!subscribed) return LinkError("the broker does not let the registry in");
  return link;
}

Link::~Link() {
  if (client_ == nullptr) return;
  mosquitto_disconnect(client_);
  mosquitto_loop_stop(client_, true);
  mosquitto_destroy(client_);
}

bool Link::Publish(const std::string& topic, const std::string& payload, const LinkProperties& properties) {
  mosquitto_property* made = MadeOf(properties);
  MutexLock lock(mutex_);
  confirmed_ = 0;
  int id = 0;
  lock.Unlock();  // the library may call back before it returns
  const int sent = mosquitto_publish_v5(client_, &id, topic.c_str(), static_cast<int>(payload.size()),
                                        payload.data(), 1, false, made);
  mosquitto_property_free_all(&made);
  if (sent != MOSQ_ERR_SUCCESS) return false;
  lock.Lock();
  return changed_.WaitFor(lock, kConfirmedWithin, [&]() REQUIRES(mutex_) { return confirmed_ == id; });
}

std::optional<LinkMessage> Link::Take(std::chrono::milliseconds deadline) {
  MutexLock lock(mutex_);
  if (!changed_.WaitFor(lock, deadline, [this]() REQUIRES(mutex_) { return !heard_.empty(); }))
    return std::nullopt;
  LinkMessage message = std::move(heard_.front());
  heard_.pop_front();
  return message;
}

void Link::HandleConnect(mosquitto* client, void* self, int reason, int, const mqtt5__property*) {
  // Retain As Published, so that what a party wanted to be retained is seen as such.
  constexpr int kOptions = MQTT_SUB_OPT_RETAIN_AS_PUBLISHED;
  if (reason == 0)
    mosquitto_subscribe_v5(client, nullptr, static_cast<Link*>(self)->filter_.c_str(), 2, kOptions, nullptr);
}

void Link::HandleSubscribe(mosquitto*, void* self, int, int count, const int* granted,
                           const mqtt5__property*) {
  auto* link = static_cast<Link*>(self);
  const MutexLock lock(link->mutex_);
  link->subscribed_ = count == 1 && granted[0] < 128;
  link->changed_.NotifyAll();
}

void Link::HandlePublish(mosquitto*, void* self, int id, int reason, const mqtt5__property*) {
  auto* link = static_cast<Link*>(self);
  const MutexLock lock(link->mutex_);
  if (reason < 128) link->confirmed_ = id;
  link->changed_.NotifyAll();
}

void Link::HandleMessage(mosquitto*, void* self, const mosquitto_message* message,
                         const mqtt5__property* properties) {
  auto* link = static_cast<Link*>(self);
  LinkMessage heard;
  heard.topic = message->topic;
  if (message->payloadlen > 0)
    heard.payload.assign(static_cast<const char*>(message->payload),
                         static_cast<std::size_t>(message->payloadlen));
  heard.qos = message->qos;
  heard.retained = message->retain;
  heard.response_topic = TextProperty(properties, MQTT_PROP_RESPONSE_TOPIC);
  heard.correlation_data = BinaryProperty(properties, MQTT_PROP_CORRELATION_DATA);
  heard.at = WallClock();
  const MutexLock lock(link->mutex_);
  if (link->heard_.size() >= kHeardMax) link->heard_.pop_front();
  link->heard_.push_back(std::move(heard));
  link->changed_.NotifyAll();
}

}  // namespace registry::conformance
