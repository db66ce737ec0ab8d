#include "clients/follow/broker_link.h"

#include <mqtt/async_client.h>

#include <fstream>
#include <utility>
#include <vector>

#include "schemas/base/end_after_threads.h"
#include "schemas/base/sanitized.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/messages.h"
#include "schemas/wire/topics.h"

#if REGISTRY_ADDRESS_SANITIZED
// Paho C 1.3.12 keeps a few of its own blocks per connection until the process ends; only those are silenced.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpaho-mqtt3as\n"; }
// Else each program of ours says on standard error what was silenced, where tests read what it has to say.
extern "C" const char* __lsan_default_options();
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }
#endif

namespace registry::follow {
namespace {

constexpr int kQos = 1;
constexpr std::chrono::seconds kPatience{10}, kKeepAlive{60};
constexpr std::chrono::milliseconds kLook{20}, kGoodbye{1000};
constexpr std::int32_t kSessionExpirySeconds = 86400;  // schemas/PARTY.md, "Connecting"
constexpr int kTakenOver = 0x8E;                       // §3.14.2.1

std::string UriOf(const Options& options) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return "ssl://" + (v6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

mqtt::connect_options ConnectOf(const Options& options) {
  mqtt::ssl_options tls;
  tls.set_trust_store(options.ca_file);
  tls.set_key_store(options.cert_file);
  tls.set_private_key(options.key_file);
  tls.set_enable_server_cert_auth(true);
  tls.set_verify(true);  // the certificate must name the host (RFC 6125)
  mqtt::connect_options connect;
  connect.set_mqtt_version(MQTTVERSION_5);
  connect.set_clean_start(false);
  connect.set_keep_alive_interval(kKeepAlive);
  connect.set_connect_timeout(kPatience);
  connect.set_automatic_reconnect(false);
  connect.set_ssl(tls);
  mqtt::properties properties;
  properties.add(mqtt::property(mqtt::property::SESSION_EXPIRY_INTERVAL, kSessionExpirySeconds));
  connect.set_properties(std::move(properties));
  return connect;
}

// §2.4: name and number of a reason.
std::string ReasonText(int reason) {
  const char* const name = MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(reason));
  return std::string(name != nullptr ? name : "reason") + " (" + std::to_string(reason) + ")";
}

std::string Words(const mqtt::exception& why) {
  const int reason = why.get_reason_code();
  return reason >= 0x80 && reason != mqtt::MQTTPP_V3_CODE ? "the broker says " + ReasonText(reason)
                                                          : std::string(why.what());
}

std::vector<std::string> FiltersOf(const PartyId& party) {
  return {wire::EventTopic(party, "#"),
          wire::BatchTopic(party),
          wire::AcceptedTopic(party, wire::FeedReplay::kName),
          wire::RejectedTopic(party, wire::FeedReplay::kName),
          wire::AcceptedTopic(party, wire::FeedAck::kName),
          wire::RejectedTopic(party, wire::FeedAck::kName)};
}

}  // namespace

std::string Unreadable(const std::string& file) {
  if (std::ifstream(file).peek() != std::ifstream::traits_type::eof()) return {};
  return file + " cannot be read, or is empty";
}

void Inbox::Put(Message message) {
  {
    const MutexLock lock(mutex_);
    if (octets_ + message.payload.size() > kOctetsMax) return;
    octets_ += message.payload.size();
    messages_.push_back(std::move(message));
  }
  changed_.NotifyAll();
}

std::optional<Inbox::Message> Inbox::Take(std::chrono::milliseconds patience) {
  MutexLock lock(mutex_);
  changed_.WaitFor(lock, patience, [this]() REQUIRES(mutex_) { return woken_ || !messages_.empty(); });
  woken_ = false;
  if (messages_.empty()) return std::nullopt;
  Message message = std::move(messages_.front());
  messages_.pop_front();
  octets_ -= message.payload.size();
  return message;
}

void Inbox::Wake() {
  {
    const MutexLock lock(mutex_);
    woken_ = true;
  }
  changed_.NotifyAll();
}

void Inbox::Clear() {
  const MutexLock lock(mutex_);
  messages_.clear();
  octets_ = 0;
}

class BrokerLink::Impl {
 public:
  Impl(const Options& options, PartyId party, const std::string& client_id, Inbox& inbox)
      : options_(options),
        party_(std::move(party)),
        inbox_(inbox),
        client_(std::make_unique<mqtt::async_client>(UriOf(options), client_id,
                                                     mqtt::create_options(MQTTVERSION_5))) {
    EndAfterOtherThreads();
    client_->set_message_callback([this](const mqtt::const_message_ptr& message) noexcept {
      inbox_.Put({message->get_topic(), message->get_payload_str()});
    });
    client_->set_connection_lost_handler(
        [this](const std::string& why) noexcept { End(why.empty() ? "the connection ended" : why, 0); });
    client_->set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode reason) noexcept {
      End("the broker ended the connection: " + ReasonText(reason), reason);
    });
  }
  ~Impl() {
    try {
      if (client_->is_connected())
        client_->disconnect(static_cast<int>(kGoodbye.count()))->wait_for(kGoodbye);
    } catch (const mqtt::exception&) {
      // Gone already, which is what was wanted.
    }
    client_.reset();  // joins whatever callback is running
  }

  std::string Open(const std::function<bool()>& give_up);
  void Publish(std::string_view command, std::string payload);
  std::string ended() const {
    const MutexLock lock(mutex_);
    return ended_;
  }
  bool taken_over() const {
    const MutexLock lock(mutex_);
    return taken_over_;
  }

 private:
  void End(const std::string& why, int reason) {
    {
      const MutexLock lock(mutex_);
      if (ended_.empty()) ended_ = why;
      taken_over_ = taken_over_ || reason == kTakenOver;
    }
    inbox_.Wake();
  }
  static bool Await(const mqtt::token_ptr& token, const std::function<bool()>& give_up) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!give_up() && std::chrono::steady_clock::now() < until) {
      if (token->wait_for(kLook)) return true;
    }
    return false;
  }

  const Options options_;
  const PartyId party_;
  Inbox& inbox_;
  mutable Mutex mutex_;
  std::string ended_ GUARDED_BY(mutex_);
  bool taken_over_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<mqtt::async_client> client_;
};

std::string BrokerLink::Impl::Open(const std::function<bool()>& give_up) {
  std::string step = "no connection";
  try {
    const auto connecting = client_->connect(ConnectOf(options_));
    if (!Await(connecting, give_up)) return "no CONNACK in time";
    (void)connecting->get_connect_response();
    for (const std::string& filter : FiltersOf(party_)) {
      step = "no subscription to " + filter;
      const auto token = client_->subscribe(
          filter, kQos, mqtt::subscribe_options(false, false, mqtt::subscribe_options::DONT_SEND_RETAINED));
      if (!Await(token, give_up)) return step + ": no SUBACK in time";
      // §3.9.3: the broker may grant less than was asked for.
      const auto answer = token->get_subscribe_response();
      for (const mqtt::ReasonCode granted : answer.get_reason_codes()) {
        if (granted != kQos) return step + ": " + ReasonText(granted);
      }
    }
  } catch (const mqtt::exception& why) {
    return step + ": " + Words(why);
  }
  return {};
}

void BrokerLink::Impl::Publish(std::string_view command, std::string payload) {
  auto message =
      mqtt::message::create(wire::CommandTopicOf(party_, command), std::move(payload), kQos, false);
  message->set_properties({{mqtt::property::CONTENT_TYPE, std::string(wire::kContentType)}});
  try {
    client_->publish(message);
  } catch (const mqtt::exception& why) {
    End(Words(why), 0);
  }
}

BrokerLink::BrokerLink(const Options& options, PartyId party, const std::string& client_id, Inbox& inbox)
    : impl_(std::make_unique<Impl>(options, std::move(party), client_id, inbox)) {}
BrokerLink::~BrokerLink() = default;
std::string BrokerLink::Open(const std::function<bool()>& give_up) { return impl_->Open(give_up); }
void BrokerLink::Publish(std::string_view command, std::string payload) {
  impl_->Publish(command, std::move(payload));
}
std::string BrokerLink::ended() const { return impl_->ended(); }
bool BrokerLink::taken_over() const { return impl_->taken_over(); }

}  // namespace registry::follow
