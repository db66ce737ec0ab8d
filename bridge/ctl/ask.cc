#include "bridge/ctl/ask.h"

#include <openssl/rand.h>

#include <filesystem>
#include <optional>

#include "bridge/app/config.h"
#include "bridge/clock.h"
#include "bridge/mqtt/connection.h"
#include "schemas/base/check.h"
#include "schemas/base/mutex.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/topics.h"

namespace registry::ctl {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::string RandomId() {
  DeviceId::Octets octets{};
  REG_CHECK(RAND_bytes(octets.data(), static_cast<int>(octets.size())) == 1);
  return DeviceId::FromRandom(octets).text();
}

mqtt::SessionOptions SessionOf(const app::Config& config, const AskOptions& options) {
  const auto folder = std::filesystem::path(options.config).parent_path() / "interface" / "parties";
  mqtt::SessionOptions session;
  session.host = config.mqtt.host;
  session.port = config.mqtt.port;
  session.ca_file = config.mqtt.ca_file;
  session.certificate_file = (folder / (options.party + ".pem")).string();
  session.key_file = (folder / (options.party + ".key")).string();
  session.session_expiry = std::chrono::seconds(0);
  session.keep_alive = std::chrono::seconds(config.mqtt.keep_alive_seconds);
  session.receive_maximum = 16;
  session.in_flight_max = 16;
  session.log = [](int, const std::string&) {};
  return session;
}

// The first reply to one command.
class Replies {
 public:
  explicit Replies(EventId id) : id_(std::move(id)) {}
  void Hear(const ingest::InboundMessage& message) {
    auto envelope = wire::DecodeEnvelope(message.payload);
    if (!envelope || envelope->cause != id_) return;
    const MutexLock lock(mutex_);
    answer_ = Answer{envelope->type.ends_with(".accepted"), std::move(envelope->data)};
    changed_.NotifyAll();
  }
  std::optional<Answer> Wait() {
    MutexLock lock(mutex_);
    changed_.WaitFor(lock, kPatience, [this]() REQUIRES(mutex_) { return answer_.has_value(); });
    return answer_;
  }

 private:
  const EventId id_;
  Mutex mutex_;
  CondVar changed_;
  std::optional<Answer> answer_ GUARDED_BY(mutex_);
};

outbox::Publisher::Message MessageOf(const PartyId& party, const std::string& command, const EventId& id,
                                     const nlohmann::json& data) {
  wire::Envelope envelope;
  envelope.id = id;
  envelope.source = party.text();
  envelope.type = wire::CommandType(command);
  envelope.time = SystemClock().Now();
  envelope.data = data;
  return {wire::CommandTopicOf(party, command), wire::EncodeEnvelope(envelope), ""};
}

}  // namespace

Result<Answer> Ask(const AskOptions& options, const std::string& command, const nlohmann::json& data) {
  const auto config = app::LoadConfig(options.config);
  if (!config) return config.error();
  const auto party = PartyId::Parse(options.party);
  if (!party || !config->parties.contains(*party))
    return Error::Make(Code::kNotAuthorised, "party_unknown",
                       options.config + " names no party " + options.party);
  const EventId id = *EventId::Parse(RandomId());
  Replies replies(id);
  mqtt::Connection connection(
      SessionOf(*config, options), {"registryctl-" + RandomId(), wire::OwnSpaceOf(*party) + command + "/+"},
      {[&](const ingest::InboundMessage& message) { replies.Hear(message); }, [](const std::string&) {}});
  const auto give_up = [until = SteadyClock::now() + kPatience] { return SteadyClock::now() > until; };
  if (auto opened = connection.Open(give_up); !opened) return opened.error();
  const auto published = connection.Publish(MessageOf(*party, command, id, data), [](const auto&) {});
  if (!published) return published.error();
  auto answer = replies.Wait();
  connection.Close(std::chrono::milliseconds(500));
  if (answer) return std::move(*answer);
  return Error::Make(Code::kFailed, "no_reply",
                     "no reply to " + command + " within " + std::to_string(kPatience.count()) +
                         " s: does registryd run? The command may still be decided");
}

}  // namespace registry::ctl
