#include "bridge/app/sessions_left.h"

#include <nlohmann/json.hpp>

#include "bridge/app/mqtt_options.h"

namespace registry::app {
namespace {

constexpr const char* kLeftName = "sessions-left";

mqtt::SessionOptions OfGroup(mqtt::SessionOptions options) {
  options.share = kShareGroup;
  return options;
}

}  // namespace

Result<std::set<std::string>> SessionsLeft(const ledger::KeptState& kept) {
  const auto text = kept.Read(kLeftName);
  if (!text) return text.error();
  std::set<std::string> sessions;
  const auto said = nlohmann::json::parse(text->value_or(""), nullptr, false);
  if (!said.is_array()) return sessions;
  for (const auto& id : said) {
    if (id.is_string()) sessions.insert(id.get<std::string>());
  }
  return sessions;
}

Status KeepSessionsLeft(const std::set<std::string>& sessions, ledger::KeptState& kept) {
  return kept.Write(kLeftName, nlohmann::json(sessions).dump() + "\n");
}

Result<std::unique_ptr<FormerSessions>> FormerSessions::Of(ledger::KeptState& kept,
                                                           mqtt::SessionOptions session,
                                                           mqtt::Session::Handler handler,
                                                           std::function<void()> stir) {
  auto left = SessionsLeft(kept);
  if (!left) return left.error();
  if (left->empty()) return std::unique_ptr<FormerSessions>();
  return std::unique_ptr<FormerSessions>(
      new FormerSessions(std::move(*left), kept, std::move(session), std::move(handler), std::move(stir)));
}

FormerSessions::FormerSessions(std::set<std::string> left, ledger::KeptState& kept,
                               mqtt::SessionOptions session, mqtt::Session::Handler handler,
                               std::function<void()> stir)
    : kept_(kept),
      log_(session.log),
      left_(std::move(left)),
      heir_(
          OfGroup(std::move(session)), std::move(handler),
          [this](const std::string& client_id) { Ended(client_id); }, std::move(stir)) {}

void FormerSessions::Start() {
  heir_.Start();
  const MutexLock lock(mutex_);
  for (const std::string& client_id : left_) heir_.Inherit(client_id);
}

// What cannot be kept is heard out once more by the next start.
void FormerSessions::Ended(const std::string& client_id) {
  const MutexLock lock(mutex_);
  left_.erase(client_id);
  if (auto kept = KeepSessionsLeft(left_, kept_); !kept)
    log_.Warning("mqtt: which sessions are left cannot be kept: " + kept.error().message);
}

}  // namespace registry::app
