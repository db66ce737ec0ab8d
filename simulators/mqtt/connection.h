// simulators/mqtt/connection.h: one MQTT 5 connection over libmosquitto that never gives up. TLS 1.3 with the party's
// certificate; clean start off and a session expiry, so that the broker keeps what arrives meanwhile; subscribes again
// after every connect, as a broker that was killed has forgotten it (measured: Mosquitto 2.0.11 loses sessions on
// SIGKILL).
// Owns: one network thread. It drives mosquitto_loop itself: the library's own threaded loop ends for good on the first
//   TLS error, e.g. a broker killed in the middle of a handshake.
// Threads: Publish from any thread, also from handlers. Handlers run on the network thread.
// Spec: MQTT 5.0 §3.1.2.4 clean start, §3.1.2.11.2 session expiry, §3.1.2.11.3 receive maximum.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/mqtt/attempt.h"
#include "simulators/mqtt/client.h"

struct mosquitto;
struct mosquitto_message;
struct mqtt5__property;

namespace registry::sim {

class MqttConnection {
 public:
  using OnMessage = std::function<void(const std::string& topic, std::string_view payload)>;
  using OnConnected = std::function<void()>;  // subscribed now
  using OnConfirmed = std::function<void()>;  // a PUBACK came

  static Result<std::unique_ptr<MqttConnection>> Open(const ClientOptions& options, std::string subscription,
                                                      OnMessage on_message, OnConnected on_connected,
                                                      OnConfirmed on_confirmed);
  ~MqttConnection();

  void Start();  // the network thread; nothing is handed on before
  bool connected() const { return connected_; }
  bool WaitConnected(std::chrono::milliseconds deadline);
  // QoS 1; false when not connected. A batch says so by its Content Type.
  bool Publish(const std::string& topic, const std::string& payload, bool batch);

 private:
  MqttConnection(const ClientOptions& options, std::string subscription, OnMessage on_message,
                 OnConnected on_connected, OnConfirmed on_confirmed);
  Status Configure();
  Status ConfigureTls();
  Status ConfigurePassword();
  void Begin(bool first);
  void SayTrouble();
  void NetworkLoop();
  bool PauseBeforeRetry(std::chrono::milliseconds pause);  // false: stopping
  void SetConnected(bool connected);

  static void HandleLog(mosquitto*, void* self, int level, const char* line);
  static void HandleConnect(mosquitto*, void* self, int reason, int flags, const mqtt5__property*);
  static void HandleSubscribe(mosquitto*, void* self, int id, int count, const int* granted,
                              const mqtt5__property*);
  static void HandleDisconnect(mosquitto*, void* self, int reason, const mqtt5__property*);
  static void HandlePublished(mosquitto*, void* self, int id, int reason, const mqtt5__property*);
  static void HandleMessage(mosquitto*, void* self, const mosquitto_message*, const mqtt5__property*);

  const ClientOptions options_;
  const std::string subscription_;
  const OnMessage on_message_;
  const OnConnected on_connected_;
  const OnConfirmed on_confirmed_;
  std::unique_ptr<Attempt> attempt_;  // the network thread's, as the next two
  std::string said_;
  std::chrono::steady_clock::time_point said_at_;
  mosquitto* client_ = nullptr;
  Mutex mutex_;
  CondVar changed_;
  bool announced_ GUARDED_BY(mutex_) = false;  // to who waits for the connection
  std::atomic<bool> connected_{false};
  OwnThread network_{mutex_, changed_};
};

}  // namespace registry::sim
