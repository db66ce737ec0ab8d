// tests/support/raw_mqtt.h: an MQTT client that says whatever it is told, for asking the broker what it refuses.
// Owns one libmosquitto network thread. Every wait has a deadline. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

struct mosquitto;
struct mosquitto_message;
struct mqtt5__property;

namespace registry::test {

struct RawOptions {
  int port = 0;
  std::string ca_file, certificate_file, key_file;  // no certificate when empty
  std::string client_id;
  bool keeps_session = false;  // goes on with what the broker has under its client identifier
  bool v5 = true;              // else MQTT 3.1.1, which is told nothing of what the broker does not do
};

struct RawMessage {
  std::string topic, payload, correlation_data;
};

class RawMqtt {
 public:
  explicit RawMqtt(const RawOptions& options);
  ~RawMqtt();
  bool connected() const;  // now; of a fresh one: whether it was let in
  int Publish(
      const std::string& topic, const std::string& payload, const std::string& response_topic = {},
      const std::string& correlation_data = {});  // waits for PUBACK: its reason code, -1 when none came
  // Likewise, with a Content Type (none when empty) and user properties.
  int PublishWith(const std::string& topic, const std::string& payload, const std::string& content_type,
                  const std::map<std::string, std::string>& user_properties);
  // Likewise; -1 also when the broker ended the connection over it, or had said before that it retains nothing.
  int PublishRetained(const std::string& topic, const std::string& payload);
  bool PublishLater(const std::string& topic, const std::string& payload,
                    const std::string& correlation_data = {});
  bool WaitPublished(std::chrono::milliseconds deadline);  // every PublishLater has its PUBACK
  bool Subscribe(const std::string& topic);
  std::optional<RawMessage> Next(std::chrono::milliseconds deadline);

 private:
  int Acknowledgement(int id);
  static void OnConnect(mosquitto*, void* self, int reason, int, const mqtt5__property*);
  static void OnDisconnect(mosquitto*, void* self, int reason, const mqtt5__property*);
  static void OnPublish(mosquitto*, void* self, int id, int reason, const mqtt5__property*);
  static void OnSubscribe(mosquitto*, void* self, int id, int, const int*, const mqtt5__property*);
  static void OnMessage(mosquitto*, void* self, const mosquitto_message*, const mqtt5__property*);

  mosquitto* client_ = nullptr;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool connected_ = false, answered_ = false;  // answered: whether it was let in is known
  std::map<int, int> acknowledged_;
  std::uint64_t pending_ = 0, settled_ = 0;
  std::map<int, bool> subscribed_;
  std::deque<RawMessage> messages_;
};

}  // namespace registry::test
