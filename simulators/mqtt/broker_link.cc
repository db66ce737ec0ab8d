#include "simulators/mqtt/broker_link.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>

#include <cctype>
#include <mutex>
#include <optional>

namespace registry::sim {
namespace {

using LinkClock = std::chrono::steady_clock;

constexpr int kLinkKeepAliveSeconds = 30;
constexpr int kLinkRoundMilliseconds = 50;
constexpr int kLinkPackets = 1;
constexpr int kLinkLastRounds = 5;  // of a connection that is broken

Error NoBroker(const std::string& why) { return Error::Make(Code::kFailed, "broker_unreachable", why); }

// As MQTT 5.0 §2.4 names it, in the way of our other reasons: "Not authorized" is not_authorized.
std::string InWords(int reason) {
  std::string words = mosquitto_reason_string(reason);
  for (char& c : words) c = c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return words;
}

class OpenLink : public BrokerLink {
 public:
  OpenLink() = default;
  ~OpenLink() override {
    if (client_ == nullptr) return;
    if (ended_.empty()) {
      mosquitto_disconnect_v5(client_, MQTT_RC_NORMAL_DISCONNECTION, nullptr);
      mosquitto_loop_write(client_, kLinkPackets);
    }
    mosquitto_destroy(client_);
  }
  OpenLink(const OpenLink&) = delete;
  OpenLink& operator=(const OpenLink&) = delete;

  Status Begin(const BrokerLinkOptions& options, std::chrono::milliseconds deadline) {
    client_ = mosquitto_new(options.client_id.c_str(), true, this);
    if (client_ == nullptr) return NoBroker("no MQTT client could be made");
    mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(client_, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    mosquitto_void_option(client_, MOSQ_OPT_SSL_CTX, options.context);
    mosquitto_connect_v5_callback_set(client_, &OnConnect);
    mosquitto_disconnect_v5_callback_set(client_, &OnDisconnect);
    mosquitto_publish_v5_callback_set(client_, &OnPublished);
    const int code = mosquitto_connect_bind_async(client_, options.address.c_str(), options.port,
                                                  kLinkKeepAliveSeconds, nullptr);
    if (code != MOSQ_ERR_SUCCESS) return NoBroker(mosquitto_strerror(code));
    if (auto done = RunUntil([this] { return connected_.has_value(); }, deadline); !done) return done;
    return Judge(*connected_);
  }

  Status Publish(const std::string& topic, const std::string& payload,
                 std::chrono::milliseconds deadline) override {
    published_.reset();
    const int code = mosquitto_publish_v5(client_, nullptr, topic.c_str(), static_cast<int>(payload.size()),
                                          payload.data(), 1, false, nullptr);
    if (code != MOSQ_ERR_SUCCESS) return NoBroker(mosquitto_strerror(code));
    if (auto done = RunUntil([this] { return published_.has_value(); }, deadline); !done) return done;
    return Judge(*published_);
  }

  int descriptor() const override { return ended_.empty() ? mosquitto_socket(client_) : -1; }

  void Turn() override {
    if (!ended_.empty()) return;
    const int read = mosquitto_loop_read(client_, kLinkPackets);
    if (read == MOSQ_ERR_SUCCESS && mosquitto_want_write(client_))
      mosquitto_loop_write(client_, kLinkPackets);
    const int kept = read == MOSQ_ERR_SUCCESS ? mosquitto_loop_misc(client_) : read;
    if (kept != MOSQ_ERR_SUCCESS) End("connection_lost");
  }

  const std::string& ended() const override { return ended_; }

 private:
  template <class Ready>
  Status RunUntil(Ready ready, std::chrono::milliseconds deadline) {
    const auto until = LinkClock::now() + deadline;
    int rounds_left = kLinkLastRounds;
    while (!ready()) {
      if (Broken() && --rounds_left == 0) return NoBroker("no connection");
      if (LinkClock::now() >= until) return NoBroker("the broker does not answer in time");
      const int code = mosquitto_loop(client_, kLinkRoundMilliseconds, kLinkPackets);
      if (code == MOSQ_ERR_SUCCESS || ready()) continue;
      End("connection_lost");
      return NoBroker(mosquitto_strerror(code));
    }
    return Done{};
  }
  // libmosquitto takes a connection that could not be made for one that is not there yet, and asks again without a pause
  // (2.0.11, net__socket_connect_tls). What has come before the end is read first.
  bool Broken() const {
    pollfd look{mosquitto_socket(client_), 0, 0};
    return look.fd >= 0 && poll(&look, 1, 0) > 0 && (look.revents & (POLLERR | POLLHUP)) != 0;
  }
  // MQTT 5.0 §2.4: 0x80 and above are failures.
  static Status Judge(int reason) {
    if (reason < 0x80) return Done{};
    return Error::Make(Code::kNotAuthorised, "refused", "refused " + InWords(reason));
  }
  void End(const std::string& why) {
    if (ended_.empty()) ended_ = why;
  }

  static OpenLink* Of(void* self) { return static_cast<OpenLink*>(self); }
  static void OnConnect(mosquitto*, void* self, int reason, int, const mqtt5__property*) {
    Of(self)->connected_ = reason;
    if (reason != MQTT_RC_SUCCESS) Of(self)->End(InWords(reason));
  }
  static void OnDisconnect(mosquitto*, void* self, int reason, const mqtt5__property*) {
    // Below 0x80 it is libmosquitto's own number for a connection that broke.
    Of(self)->End(reason >= 0x80 ? InWords(reason) : "connection_lost");
  }
  static void OnPublished(mosquitto*, void* self, int, int reason, const mqtt5__property*) {
    Of(self)->published_ = reason;
  }

  mosquitto* client_ = nullptr;
  std::optional<int> connected_, published_;
  std::string ended_;
};

}  // namespace

Result<std::unique_ptr<BrokerLink>> BrokerLink::Open(const BrokerLinkOptions& options,
                                                     std::chrono::milliseconds deadline) {
  static std::once_flag once;
  std::call_once(once, [] { mosquitto_lib_init(); });
  auto link = std::make_unique<OpenLink>();
  if (auto begun = link->Begin(options, deadline); !begun) return begun.error();
  return std::unique_ptr<BrokerLink>(std::move(link));
}

}  // namespace registry::sim
