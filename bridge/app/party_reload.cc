#include "bridge/app/party_reload.h"

#include <sstream>

#include "schemas/wire/codec.h"

namespace registry::app {
namespace {

// With what holds for all parties, [limits] and [retry], left out: that is said once.
std::string ChangesOf(const PartyId& party, const Config& before, const Config& after) {
  std::string changes;
  const auto note = [&changes](bool other, const char* what) {
    if (other) changes.append(changes.empty() ? "" : ", ").append(what);
  };
  note(before.parties.at(party) != after.parties.at(party), "role");
  const auto own = [&party](const auto& of) {
    const auto found = of.own.find(party);
    return found == of.own.end() ? of.usual : found->second;
  };
  const bool is_own = before.limits.own.contains(party) || after.limits.own.contains(party);
  note(is_own && own(before.limits) != own(after.limits), "limits");
  const bool has_plan = before.retry.own.contains(party) || after.retry.own.contains(party);
  note(has_plan && !(own(before.retry) == own(after.retry)), "retry");
  note(before.takes_batches.contains(party) != after.takes_batches.contains(party), "batches");
  note(before.transfer.auto_approve.contains(party) != after.transfer.auto_approve.contains(party),
       "auto_approve");
  const auto contact = [&party](const Config& of) {
    const auto found = of.contacts.find(party);
    return found == of.contacts.end() ? std::string() : found->second;
  };
  note(contact(before) != contact(after), "contact");
  return changes;
}

std::vector<std::string> ChangesBetween(const Config& before, const Config& after) {
  std::vector<std::string> changes;
  for (const auto& [party, role] : after.parties) {
    if (!before.parties.contains(party)) {
      changes.push_back("party " + party.text() + " is new, role " + std::string(wire::RoleName(role)));
    } else if (const std::string what = ChangesOf(party, before, after); !what.empty()) {
      changes.push_back("party " + party.text() + " has changed: " + what);
    }
  }
  for (const auto& [party, role] : before.parties) {
    if (!after.parties.contains(party)) changes.push_back("party " + party.text() + " is no party any more");
  }
  if (before.limits.usual != after.limits.usual) changes.emplace_back("[limits] has changed");
  if (!(before.retry.usual == after.retry.usual)) changes.emplace_back("[retry] has changed");
  const auto rule = [](domain::TransferPolicy policy) {
    policy.auto_approve.clear();
    return policy;
  };
  if (!(rule(before.transfer) == rule(after.transfer))) changes.emplace_back("[transfer] has changed");
  return changes;
}

// Of what a start takes.
std::vector<std::string> Differences(const Config& one, const Config& other) {
  std::vector<std::string> names;
  const auto note = [&names](bool same, const char* name) {
    if (!same) names.emplace_back(name);
  };
  note(one.zone == other.zone && one.profile == other.profile && one.trust_anchors == other.trust_anchors &&
           one.restore_days == other.restore_days,
       "[registry]");
  note(one.mqtt == other.mqtt, "[mqtt]");
  note(one.ledger_folder == other.ledger_folder && one.ledger == other.ledger &&
           one.event_days == other.event_days && one.free_bytes_min == other.free_bytes_min,
       "[ledger]");
  note(one.intake_folder == other.intake_folder && one.intake_bytes_max == other.intake_bytes_max,
       "[intake]");
  note(one.backup_folder == other.backup_folder, "[backup]");
  note(one.pki == other.pki, "[pki]");
  note(one.former_issuing == other.former_issuing, "[[former_issuing]]");
  note(one.coming_issuing == other.coming_issuing, "[[coming_issuing]]");
  note(one.payload_validity_days == other.payload_validity_days, "[payload]");
  note(one.code_key_file == other.code_key_file && one.code_validity_days == other.code_validity_days,
       "[authorisation]");
  note(one.resolver == other.resolver, "[resolver]");
  note(one.dns == other.dns, "[zone]");
  note(one.secondaries == other.secondaries, "[[secondary]]");
  note(one.http_address == other.http_address && one.http_port == other.http_port, "[http]");
  note(one.console == other.console, "[console]");
  note(one.log_level == other.log_level && one.log_file == other.log_file, "[log]");
  note(one.lanes == other.lanes && one.queue_max == other.queue_max, "[pipeline]");
  note(one.kept_per_hour == other.kept_per_hour, "limits.ledger_octets_per_hour");
  note(one.visible_within_seconds == other.visible_within_seconds, "retry.visible_within_seconds");
  note(one.renewal == other.renewal && one.renewal_look_seconds == other.renewal_look_seconds, "[renewal]");
  note(one.run_file == other.run_file, "[run]");
  note(one.core_dumps == other.core_dumps, "[process]");
  return names;
}

}  // namespace

PartyReload TakeParties(const Config& running, const Config& read) {
  PartyReload taken{running, ChangesBetween(running, read), Differences(running, read)};
  taken.config.parties = read.parties;
  taken.config.contacts = read.contacts;
  taken.config.takes_batches = read.takes_batches;
  taken.config.limits = read.limits;
  taken.config.retry = read.retry;
  taken.config.transfer = read.transfer;
  return taken;
}

std::optional<Config> ReadPartiesAgain(const std::string& file, const LogLine& log) {
  auto read = LoadConfig(file);
  if (read) return std::move(*read);
  std::istringstream faults(read.error().message);
  for (std::string fault; std::getline(faults, fault);)
    log.Error("the configuration is wrong, the parties stay as they were: " + fault);
  return std::nullopt;
}

void SayTaken(const PartyReload& taken, const LogLine& log) {
  for (const std::string& change : taken.changes) log.Info(change);
  std::string waiting;
  for (const std::string& name : taken.waiting) waiting += " " + name;
  if (!waiting.empty()) log.Warning("the configuration has changed where only a start takes it:" + waiting);
  log.Info("the configuration was read again, " + std::to_string(taken.config.parties.size()) + " parties");
}

}  // namespace registry::app
