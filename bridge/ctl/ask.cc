#include "bridge/ctl/ask.h"

#include <optional>

#include "bridge/app/config.h"
#include "bridge/clock.h"
#include "bridge/ctl/operator_session.h"
#include "bridge/mqtt/connection.h"
#include "schemas/base/mutex.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/topics.h"

namespace registry::ctl {
namespace {

using SteadyClock = std::chrono::steady_clock;

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
  const EventId id = *EventId::Parse(FreshId());
  Replies replies(id);
  mqtt::Connection connection(
      SessionOf(*config, options), {"registryctl-" + FreshId(), wire::OwnSpaceOf(*party) + command + "/+"},
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
