#include "bridge/ctl/zone_key_commands.h"

#include <iostream>

#include "bridge/app/zone_options.h"
#include "bridge/clock.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/key_set_file.h"

namespace registry::ctl {
namespace {

using zone::KeyRole;
using zone::KeySet;

std::string Upper(std::string_view word) {
  std::string text(word);
  for (char& octet : text) octet = static_cast<char>(std::toupper(static_cast<unsigned char>(octet)));
  return text;
}

std::string DsOf(const app::Config& config, const zone::Options& options, const zone::KeyEntry& key) {
  return OrFail(zone::DsText(config.zone, zone::KeyPath(zone::KeyFolderOf(options), key.file)));
}

// As it is stored, whosever it is; that of the two files before registryd has stored one.
KeySet Stored(const zone::Options& options) {
  const auto text = OrFail(zone::ReadKeySetUnjudged(options.key_set_file));
  if (text) return OrFail(zone::KeySetFrom(*text));
  return OrFail(zone::KeySetOfFiles(zone::KeyFolderOf(options), options.ksk_file, options.zsk_file, {}));
}

std::string Then(const zone::RollStatus& roll) {
  const std::string to = "key " + std::to_string(roll.to), from = "key " + std::to_string(roll.from);
  if (roll.step == zone::RollStep::kRetire) return from + " leaves the zone";
  if (roll.step == zone::RollStep::kSubmit) return to + " is active, " + from + " retired";
  if (roll.role == KeyRole::kZsk) return to + " signs the zone, " + from + " is retired";
  return "the DS of " + to + " is due at the parent";
}

Json Shown(const app::Config& config, const zone::Options& options, const KeySet& set,
           const zone::RollStatus& roll) {
  Json out{{"role", Upper(NameOf(roll.role))},
           {"from", roll.from},
           {"to", roll.to},
           {"step", NameOf(roll.step)},
           {"waits_for", roll.waits_for}};
  // Time in which registryd runs; what it has not stored yet (a minute at most) is counted here once more.
  if (roll.rest) {
    out["seconds_left"] = std::chrono::ceil<std::chrono::seconds>(*roll.rest).count();
    out["earliest"] = ToRfc3339(SystemClock().Now() + *roll.rest);
  }
  out["then"] = Then(roll);
  if (roll.ds_due) out["ds_due"] = DsOf(config, options, *set.Find(*roll.ds_due));
  return out;
}

// Under the lock of the file, from what is there now.
void Change(const std::string& file, const std::function<Result<KeySet>(KeySet)>& change) {
  const app::Config config = OrFail(app::LoadConfig(file));
  const zone::Options options = app::ZoneOptions(config, {});
  OrFail(
      zone::ChangeKeySet(options.key_set_file, [&](const std::optional<std::string>& text) -> Result<KeySet> {
        auto set = text ? zone::KeySetFrom(*text) : zone::KeySetOf(options, SystemClock().Now());
        return set ? change(std::move(*set)) : set;
      }));
}

Error RollRefused(const std::string& why) { return Error::Make(Code::kFailed, "zone_roll_refused", why); }

void Roll(const std::string& file, const std::string& word) {
  if (word == "algorithm") {
    Fail(
        "an algorithm roll-over is not there yet: the zone is signed with algorithm 13 (ECDSAP256SHA256) "
        "only");
  }
  const KeyRole asked = *zone::KeyRoleFrom(word);
  KeyRole role = asked;
  Change(file, [&](KeySet set) -> Result<KeySet> {
    role = RoleIn(set, asked);
    if (auto why = RollRefusal(set, role); !why.empty()) return RollRefused(why);
    if (const auto active = std::ranges::find(set.keys, role, &zone::KeyEntry::role);
        zone::IsTokenKey(active->file))
      return RollRefused("the " + Upper(NameOf(role)) + " is in a token, and registryd makes no keys there");
    set.requested.push_back(role);
    return set;
  });
  std::cout << "the roll-over of the " << Upper(NameOf(role))
            << " is requested; registryd begins it within a second, or at its next start\n"
            << "registryctl zone show says how far it is and what it waits for\n";
}

void DsSeen(const std::string& file, std::uint16_t tag) {
  Change(file, [&](KeySet set) -> Result<KeySet> {
    for (zone::Roll& roll : set.rolls) {
      if (roll.to != tag || !SignsKeys(roll.role)) continue;
      if (roll.step != zone::RollStep::kSubmit || !roll.served)
        return RollRefused("the DS of key " + std::to_string(tag) + " is not due: zone show says what is");
      roll.ds_seen = true;
      return set;
    }
    return RollRefused("no roll-over brings a key " + std::to_string(tag) + " that has a DS");
  });
  std::cout << "noted: the parent has the DS of key " << tag << '\n';
}

}  // namespace

Json KeysShown(const app::Config& config) {
  const zone::Options options = app::ZoneOptions(config, {});
  const zone::RollPolicy policy = zone::RollPolicyOf(options);
  const KeySet set = Stored(options);
  Json out{{"zone", config.zone}, {"ds", DsOf(config, options, set.Anchor())}, {"keys", Json::array()}};
  for (const zone::KeyEntry& key : set.keys) {
    out["keys"].push_back({{"role", Upper(NameOf(key.role))},
                           {"tag", key.tag},
                           {"algorithm", "13 (ECDSAP256SHA256)"},
                           {"state", NameOf(key.state)},
                           {"since", key.since == UtcTime{} ? "" : ToRfc3339(key.since)},
                           {"file", zone::KeyPath(zone::KeyFolderOf(options), key.file)}});
  }
  out["roll_overs"] = Json::array();
  for (const auto& roll : zone::StatusOf(set, policy))
    out["roll_overs"].push_back(Shown(config, options, set, roll));
  out["next"] = Json::array();
  for (const KeyRole role : {KeyRole::kKsk, KeyRole::kZsk, KeyRole::kCsk}) {
    if (std::ranges::find(set.requested, role) != set.requested.end()) {
      out["next"].push_back({{"role", Upper(NameOf(role))}, {"begins", "requested"}});
    } else if (const auto next = zone::NextRoll(set, policy, role);
               next && set.keys.front().since != UtcTime{}) {
      out["next"].push_back({{"role", Upper(NameOf(role))}, {"begins", ToRfc3339(*next)}});
    }
  }
  return out;
}

void AddZoneKeyCommands(CLI::App& zone) {
  const auto file = std::make_shared<std::string>();
  const auto word = std::make_shared<std::string>();
  auto* roll = zone.add_subcommand("roll", "begin a roll-over of a key");
  roll->add_option("KEY", *word, "ksk or zsk; where one key does both, either")
      ->required()
      ->check(CLI::IsMember({"ksk", "zsk", "algorithm"}));
  roll->add_option("--config", *file, "configuration of registryd")->required();
  roll->callback([file, word] { Roll(*file, *word); });
  const auto tag = std::make_shared<std::uint16_t>(0);
  auto* seen = zone.add_subcommand(
      "ds-seen", "say that every server of the parent has the DS that a roll-over waits for");
  seen->add_option("TAG", *tag, "key tag of the DS")->required();
  seen->add_option("--config", *file, "configuration of registryd")->required();
  seen->callback([file, tag] { DsSeen(*file, *tag); });
}

}  // namespace registry::ctl
