#include "bridge/app/deciders.h"

#include <algorithm>

#include "bridge/app/mqtt_options.h"

namespace registry::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLookAtMembersAtMost{1000}, kLookAtMembersAtLeast{250};
// A stop waits for it.
constexpr milliseconds kMembersAnswerWithin{2000}, kMembersRetryFor{5000};

ledger::PostgresOptions AnsweredSoon(ledger::PostgresOptions options) {
  options.answer_within = std::min(options.answer_within, kMembersAnswerWithin);
  options.retry_for = std::min(options.retry_for, kMembersRetryFor);
  return options;
}

// Of a registry that heard alone until now.
std::vector<std::string> SessionsBefore(const Config& config) {
  std::vector<std::string> sessions{config.mqtt.client_id};
  if (!config.mqtt.session_per_party) return sessions;
  for (const auto& [party, role] : config.parties)
    sessions.push_back(config.mqtt.client_id + "/" + party.text());
  return sessions;
}

MembersWatch::Options WatchOf(const Config& config, Log& log) {
  MembersWatch::Options options;
  options.client_id = config.mqtt.client_id;
  options.self = NodeName(config.ledger);
  options.before = SessionsBefore(config);
  const milliseconds lease = seconds(config.ledger.lease_seconds);
  // The ledger refuses one that was ended, so one that was only slow comes to no harm: it joins anew.
  options.patience = lease * 3 / 4;
  options.every = std::clamp(lease / 8, kLookAtMembersAtLeast, kLookAtMembersAtMost);
  options.log = log.For("node");
  return options;
}

}  // namespace

Deciders::Deciders(const Config& config, Around around, mqtt::SessionOptions session,
                   mqtt::Session::Handler handler, std::function<void()> stir)
    : kept_(around.kept),
      members_(AnsweredSoon(around.options), around.ledger),
      heir_(
          std::move(session), std::move(handler),
          [this](const std::string& client_id) { watch_.Told(client_id); }, std::move(stir)),
      watch_(WatchOf(config, around.log), WaysOf(around), around.kept) {}

MembersWatch::Ways Deciders::WaysOf(const Around& around) {
  MembersWatch::Ways ways;
  ways.admit = [this] { return members_.Admit(); };
  ways.look = [this] { return members_.Look(); };
  ways.end = [this](std::int64_t member) { return members_.End(member); };
  ways.forget = [this](std::int64_t member) { return members_.Forget(member); };
  ways.take_over = [&intake = around.intake,
                    &pipeline = around.pipeline](std::int64_t member) -> Result<std::size_t> {
    auto records = intake.TakeOverOf(member);
    if (!records) return records.error();
    const std::size_t messages = records->size();
    pipeline.Take(std::move(*records));
    return messages;
  };
  ways.inherit = [this](const std::string& client_id) { heir_.Inherit(client_id); };
  ways.spare = [this](const std::string& client_id) { heir_.Spare(client_id); };
  return ways;
}

void Deciders::Start() {
  heir_.Start();
  watch_.Start();
}

void Deciders::Stop() {
  watch_.Stop();
  heir_.Stop();
}

}  // namespace registry::app
