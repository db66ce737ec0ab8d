// clients/conformance/link.h: the registry's connection to the broker, over libmosquitto. It says whatever it is told, also
// what a registry never says, and keeps what the parties say with how they said it.
// Owns: a libmosquitto client and its network thread. Threads: every call from any.
// Errors: link_failed. Limits: kHeardMax messages wait to be taken; more are dropped, the oldest first.
// Spec: MQTT 5.0 §3.3.1 (QoS, RETAIN), §3.3.2.3 (properties), §3.8.3.1 (Retain As Published).
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schemas/base/mutex.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

struct mosquitto;
struct mosquitto_message;
struct mqtt5__property;

namespace registry::conformance {

struct LinkOptions {
  std::uint16_t port = 0;
  std::string ca_file, certificate_file, key_file, client_id;
};

struct LinkMessage {
  std::string topic, payload;
  int qos = 0;
  bool retained = false;
  std::string response_topic, correlation_data;
  UtcTime at;
};

struct LinkProperties {
  std::string content_type, correlation_data;
  std::vector<std::pair<std::string, std::string>> user;
};

UtcTime WallClock();

class Link {
 public:
  static constexpr std::size_t kHeardMax = 100000;
  // Connected and subscribed to `filter` when it returns.
  static Result<std::unique_ptr<Link>> Open(const LinkOptions& options, const std::string& filter,
                                            std::chrono::milliseconds deadline);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // QoS 1; true when the broker has acknowledged it.
  bool Publish(const std::string& topic, const std::string& payload, const LinkProperties& properties = {});
  std::optional<LinkMessage> Take(std::chrono::milliseconds deadline);

 private:
  Link() = default;
  Status Configure(const LinkOptions& options);
  static void HandleConnect(mosquitto*, void* self, int reason, int, const mqtt5__property*);
  static void HandleSubscribe(mosquitto*, void* self, int, int count, const int* granted,
                              const mqtt5__property*);
  static void HandlePublish(mosquitto*, void* self, int id, int reason, const mqtt5__property*);
  static void HandleMessage(mosquitto*, void* self, const mosquitto_message*, const mqtt5__property*);

  mosquitto* client_ = nullptr;
  std::string filter_;
  Mutex mutex_;
  CondVar changed_;
  bool subscribed_ GUARDED_BY(mutex_) = false;
  int confirmed_ GUARDED_BY(mutex_) = 0;  // packet id of the last PUBACK; one is out at a time
  std::deque<LinkMessage> heard_ GUARDED_BY(mutex_);
};

}  // namespace registry::conformance
