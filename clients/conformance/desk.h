// clients/conformance/desk.h: the registry as the party meets it: hears every command, holds it against the contract, and
// answers it, unless the case says otherwise; says actions and notifications. What is found goes into the case under way.
// Owns: nothing; link and run outlive it. Threads: one, which waits inside Until and Quiet.
// Errors: none; what the party does wrong is a Check.
// Limits: a party's commands of a run are kept, without end but for the run's own.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clients/conformance/findings.h"
#include "clients/conformance/link.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/messages.h"

namespace registry::conformance {

// What the party has said, once for each time it came.
struct Command {
  std::string name, id, payload;
  nlohmann::json data;
  std::chrono::steady_clock::time_point at;
  bool again = false;  // the id was known
  std::string response_topic, correlation_data;
};

// How a case has a command answered: nullopt as always, else this reply, or none at all.
struct Answer {
  enum class Kind { kNone, kAccepted, kRejected } kind = Kind::kNone;
  nlohmann::json data = nullptr;
  std::string cause = {};  // empty: the command's own id
};
using Answering = std::function<std::optional<Answer>(const Command&)>;

// An action or notification, before it is sent.
struct Saying {
  std::string topic;
  wire::Envelope envelope;
};

class Desk {
 public:
  Desk(Link& link, const PartyId& party, std::string role, const wire::Bootstrap& bootstrap,
       std::string zone);

  // ---- the case under way
  void Begin(CaseRun& run);  // answers as always
  void SetAnswering(Answering answering) { answering_ = std::move(answering); }
  // As always, of a command that the case has left without an answer.
  void AnswerNow(const Command& command);
  void Note(std::string_view clause, Finding finding, const std::string& what);
  bool Check(std::string_view clause, bool good, const std::string& what);  // good, or failed

  // ---- hearing
  void StopWhen(std::function<bool()> stop) { stop_ = std::move(stop); }  // no wait goes on then
  // Until `done`, which is asked after each message; false: the time was over first.
  bool Until(std::chrono::milliseconds within, const std::function<bool()>& done);
  void Quiet(std::chrono::milliseconds time);
  const std::vector<Command>& heard() const { return heard_; }
  // Of this name since the `from`th.
  std::optional<Command> First(std::string_view name, std::size_t from) const;
  std::size_t commands_of_standing() const { return sound_; }
  bool used_response_topic() const { return used_response_topic_; }

  // ---- saying
  Saying Action(std::string_view action, nlohmann::json data);
  // With the next seq. A replay sends it, whether it was sent before or not.
  Saying Notification(std::string_view type, nlohmann::json data);
  void Say(const Saying& saying, const LinkProperties& properties = {});
  void SayText(const std::string& topic, const std::string& payload, const LinkProperties& properties = {});
  std::uint64_t last_seq() const { return last_seq_; }
  const std::map<std::uint64_t, Saying>& feed() const { return feed_; }

  // ---- what it knows of the party
  const std::vector<DeviceId>& registered() const { return registered_; }
  std::uint64_t acked() const { return acked_; }  // the highest so far
  const PartyId& party() const { return party_; }
  std::string DeviceName(const DeviceId& device) const { return device.text() + "._device." + zone_; }

 private:
  Saying NewSaying(const std::string& topic, const std::string& type, nlohmann::json data);
  void Handle(const LinkMessage& message);
  void HandleOne(const LinkMessage& message, const std::string& topic_command, std::string_view payload);
  void HoldToContract(const LinkMessage& message);
  bool HoldToSchema(const std::string& command, const wire::Envelope& envelope);
  void Reply(const Command& command, const Answer& answer);
  Answer Usual(const Command& command);
  Answer Register(const Command& command);
  Answer Feed(const Command& command);
  Answer Certify(const Command& command);
  void Keep(bool by_party, const std::string& topic, const std::string& payload);
  void Publish(const std::string& topic, const std::string& payload, const LinkProperties& properties);

  Link& link_;
  const PartyId party_;
  const std::string role_;
  const wire::Bootstrap bootstrap_;
  const std::string zone_;
  CaseRun* run_ = nullptr;
  Answering answering_;
  std::function<bool()> stop_;
  std::vector<Command> heard_;
  std::map<std::string, std::pair<std::string, std::optional<Answer>>>
      known_;                             // id -> its content, its answer
  std::map<std::uint64_t, Saying> feed_;  // by seq
  std::vector<Saying> replaying_;
  std::vector<DeviceId> registered_;
  std::map<std::string, nlohmann::json> esims_;  // by ICCID: their reply
  std::uint64_t last_seq_ = 0, acked_ = 0, said_ = 0;
  std::size_t sound_ = 0;  // commands with which nothing was wrong
  bool used_response_topic_ = false;
};

// 36 characters, RFC 9562 §5.4.
std::string NewUuid();
// Members of what a party has said, which may be of any kind: empty, 0 or false when it is of another or not there.
std::string TextIn(const nlohmann::json& data, const char* member);
std::uint64_t NumberIn(const nlohmann::json& data, const char* member);
// Of feed.replay; the member's former name is read too, as the registry does.
std::uint64_t ReplayFrom(const nlohmann::json& data);
bool TrueIn(const nlohmann::json& data, const char* member);

}  // namespace registry::conformance
