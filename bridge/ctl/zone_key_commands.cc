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

std::string ThenOfAlgorithm(const zone::RollStatus& roll) {
  const std::string fresh = zone::AlgorithmText(roll.algorithm);
  switch (roll.step) {
    case zone::RollStep::kSign:
      return "the keys of algorithm " + fresh + " are published";
    case zone::RollStep::kRetire:
      return "the old keys leave the DNSKEY set, and sign on";
    case zone::RollStep::kWithdraw:
      return "the signatures of the old keys leave the zone";
    case zone::RollStep::kUnsign:
      return "the old keys are removed, and the roll-over is over";
    default:
      return {};
  }
}

std::string Then(const zone::RollStatus& roll) {
  if (roll.algorithm != 0) {
    if (auto then = ThenOfAlgorithm(roll); !then.empty()) return then;
  }
  const std::string to = "key " + std::to_string(roll.to), from = "key " + std::to_string(roll.from);
  if (roll.step == zone::RollStep::kRetire) return from + " leaves the zone";
  if (roll.step == zone::RollStep::kSubmit) return to + " is active, " + from + " retired";
  if (roll.role == KeyRole::kZsk) return to + " signs the zone, " + from + " is retired";
  return "the DS of " + to + " is due at the parent";
}

Json Shown(const app::Config& config, const zone::Options& options, const KeySet& set,
           const zone::RollStatus& roll) {
  Json out{{"role", Upper(NameOf(roll.role))}, {"from", roll.from}, {"to", roll.to}};
  if (roll.algorithm != 0) {
    out["algorithm"] = zone::AlgorithmText(roll.algorithm);
    if (roll.role == KeyRole::kKsk) out["zsk_from"] = roll.zsk_from;
    if (roll.role == KeyRole::kKsk) out["zsk_to"] = roll.zsk_to;
  }
  out["step"] = NameOf(roll.step);
  out["waits_for"] = roll.waits_for;
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
  if (config.dns.by_update())
    Fail("zone.publisher is \"update\": the signing server " + config.dns.update_address + " has the keys");
  const zone::Options options = app::ZoneOptions(config, {});
  OrFail(
      zone::ChangeKeySet(options.key_set_file, [&](const std::optional<std::string>& text) -> Result<KeySet> {
        auto set = text ? zone::KeySetFrom(*text) : zone::KeySetOf(options, SystemClock().Now());
        return set ? change(std::move(*set)) : set;
      }));
}

Error RollRefused(const std::string& why) { return Error::Make(Code::kFailed, "zone_roll_refused", why); }

void SayRequested(const std::string& what, const std::string& when) {
  std::cout << "the roll-over " << what << " is requested; registryd begins it " << when << '\n'
            << "registryctl zone show says how far it is and what it waits for\n";
}

void RollAlgorithm(const std::string& file) {
  const app::Config config = OrFail(app::LoadConfig(file));
  const std::uint8_t algorithm = zone::AlgorithmNamed(config.dns.algorithm)->number;
  bool waits = false, taken_back = false;
  Change(file, [&](KeySet set) -> Result<KeySet> {
    if (auto why = AlgorithmRefusal(set, algorithm); !why.empty()) return RollRefused(why);
    if (std::ranges::any_of(set.keys, [](const auto& key) { return zone::IsTokenKey(key.file); }))
      return RollRefused("a key is in a token, and registryd makes no keys there");
    taken_back = algorithm == set.algorithm();
    set.requested_algorithm = taken_back ? 0 : algorithm;
    waits = !set.rolls.empty();
    return set;
  });
  if (taken_back) {
    std::cout
        << "the roll-over to another algorithm is requested no longer: zone.algorithm is the present one\n";
    return;
  }
  SayRequested(
      "to algorithm " + zone::AlgorithmText(algorithm),
      waits ? "when the roll-overs that are under way are over" : "within a second, or at its next start");
}

void Roll(const std::string& file, const std::string& word) {
  if (word == "algorithm") return RollAlgorithm(file);
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
  SayRequested("of the " + Upper(NameOf(role)), "within a second, or at its next start");
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
                           {"algorithm", zone::AlgorithmText(key.algorithm)},
                           {"state", NameOf(key.state)},
                           {"since", key.since == UtcTime{} ? "" : ToRfc3339(key.since)},
                           {"file", zone::KeyPath(zone::KeyFolderOf(options), key.file)}});
  }
  out["roll_overs"] = Json::array();
  for (const auto& roll : zone::StatusOf(set, policy))
    out["roll_overs"].push_back(Shown(config, options, set, roll));
  out["next"] = Json::array();
  if (set.requested_algorithm != 0) {
    out["next"].push_back(
        {{"role", "algorithm " + zone::AlgorithmText(set.requested_algorithm)}, {"begins", "requested"}});
  }
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
  roll->add_option("KEY", *word,
                   "ksk or zsk (where one key does both, either), or algorithm: every key, "
                   "to zone.algorithm")
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
