#include "bridge/app/zone_keys_kept.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bridge/secret_file.h"
#include "bridge/signing/file_write.h"
#include "bridge/zone/key_set_file.h"
#include "bridge/zone/keys.h"

namespace registry::app {
namespace {

using nlohmann::json;

constexpr const char* kZoneKeysName = "zone-keys";
constexpr std::size_t kZoneKeyMax = 16 * 1024;
constexpr mode_t kOwnerOnly = 0600;

std::string DigestOf(const std::string& set) { return ToHex(zone::Sha256(AsBytes(set))); }

// As a roll-over names what it makes (key_set_file.h); what is named otherwise is an operator's.
bool MadeByARoll(const zone::KeyEntry& key) {
  return key.file == std::string(NameOf(key.role)) + "-" + std::to_string(key.tag) + ".pem";
}

// Not that the ledger could not be read.
bool IsNotServed(const Status& judged) { return !judged && judged.error().symbol == "zone_keys_changed"; }

Error Unreadable(const std::string& why) {
  return Error::Make(Code::kFailed, "zone_key_unreadable", "the zone's keys beside the ledger " + why);
}

}  // namespace

Result<std::optional<ZoneKeysKept::Kept>> ZoneKeysKept::Read() const {
  const auto text = kept_.Read(kZoneKeysName);
  if (!text) return text.error();
  if (!*text) return std::optional<Kept>();
  const auto opened = seal_.Open(**text);
  if (!opened)
    return Unreadable(
        "are sealed under another authorisation.key_file: put that back, or, where this machine has the "
        "newest "
        "keys, delete 'zone-keys' from table kept");
  const json parsed = json::parse(*opened, nullptr, false);
  const auto set = parsed.is_object() ? parsed.find("set") : parsed.end();
  const auto keys = parsed.is_object() ? parsed.find("keys") : parsed.end();
  if (set == parsed.end() || !set->is_string() || keys == parsed.end() || !keys->is_object())
    return Unreadable("are malformed");
  Kept kept{*set, {}};
  for (const auto& [name, pem] : keys->items()) {
    if (!pem.is_string() || name.find('/') != name.npos) return Unreadable("are malformed");
    kept.keys[name] = pem;
  }
  return std::optional(std::move(kept));
}

Status ZoneKeysKept::Take(const CanSign& can_sign) {
  const auto file = zone::ReadKeySet(set_file_);
  if (!file) return file.error();
  const auto kept = Read();
  if (!kept) return kept.error();
  if (!*file) return *kept ? Place(**kept, *file, false) : Status(Done{});
  if (*kept && **file == (*kept)->set) return NoteBoth(**file);
  if (*kept) return Choose(**kept, **file, can_sign);
  const auto here = zone::KeySetFrom(**file);
  if (!here) return here.error();
  if (auto may = can_sign(*here); !may) return may;
  return Keep(**file);
}

Result<std::vector<Bytes>> ZoneKeysKept::EntryKeys() const {
  const auto kept = Read();
  if (!kept) return kept.error();
  std::vector<Bytes> found;
  if (!*kept) return found;
  const auto set = zone::KeySetFrom((*kept)->set);
  if (!set) return Unreadable("are malformed: " + set.error().message);
  for (const zone::KeyEntry& entry : set->keys) {
    if (!zone::SignsKeys(entry.role)) continue;
    const auto made = (*kept)->keys.find(entry.file);
    const auto key = made != (*kept)->keys.end()
                         ? zone::PublicZoneKeyIn(Secret(AsBytes(made->second)), entry.file, zone::kKskFlags)
                         : zone::PublicZoneKey(zone::KeyPath(zone::FolderOfKeySet(set_file_), entry.file),
                                               zone::kKskFlags);
    if (key) found.push_back(key->dnskey);
  }
  return found;
}

Status ZoneKeysKept::Choose(const Kept& kept, const std::string& file, const CanSign& can_sign) {
  const auto here = zone::KeySetFrom(file), there = zone::KeySetFrom(kept.set);
  if (!here) return here.error();
  if (!there) return Unreadable("are malformed: " + there.error().message);
  const zone::SetOrder order = zone::OrderOf(*here, *there);
  if (order == zone::SetOrder::kLater) return KeepLater(kept, file);
  if (order == zone::SetOrder::kEarlier) return Place(kept, file, false);
  if (order == zone::SetOrder::kAlike)
    return DigestOf(kept.set) == LastOfBoth() ? Keep(file) : Place(kept, file, false);
  return can_sign(*here) && IsNotServed(can_sign(*there)) ? KeepOfTwoApart(kept, file)
                                                          : Place(kept, file, true);
}

// A step that this machine could not keep there before it ended is nothing to be told of.
Status ZoneKeysKept::KeepLater(const Kept& kept, const std::string& file) {
  if (DigestOf(kept.set) != LastOfBoth())
    log_.Warning("zone: the key set beside the ledger is of an earlier time than " + set_file_ +
                 " (was the database set back?): the file counts");
  return Keep(file);
}

Status ZoneKeysKept::KeepOfTwoApart(const Kept& kept, const std::string& file) {
  if (auto placed = PlaceKeys(kept); !placed) return placed;
  if (auto aside = PutAside(kept.set); !aside) return aside;
  log_.Warning("zone: " + set_file_ +
               " and the key set beside the ledger have gone apart. The zone was served with "
               "the file's keys, which count; the other set is in " +
               set_file_ + ".before now");
  return Keep(file);
}

Status ZoneKeysKept::Place(const Kept& kept, const std::optional<std::string>& file, bool gone_apart) {
  if (auto placed = PlaceKeys(kept); !placed) return placed;
  const bool changed_here = file && DigestOf(*file) != LastOfBoth();
  if (auto aside = file ? PutAside(*file) : Status(Done{}); !aside) return aside;
  const auto placed = zone::ChangeKeySet(set_file_, [&](const auto& text) -> Result<zone::KeySet> {
    if (text != file) return Unreadable("and " + set_file_ + " were changed at the same time; start again");
    return zone::KeySetFrom(kept.set);
  });
  if (!placed) return placed.error();
  log_.Info("zone: the key set is that of the registry before, from beside the ledger");
  if (changed_here || gone_apart)
    log_.Warning("zone: " + set_file_ + " had been changed here, too; that is in " + set_file_ +
                 ".before now");
  return NoteBoth(kept.set);
}

Status ZoneKeysKept::PlaceKeys(const Kept& kept) const {
  for (const auto& [name, pem] : kept.keys) {
    const std::string path = zone::KeyPath(zone::FolderOfKeySet(set_file_), name);
    if (std::filesystem::exists(path)) continue;
    if (auto made = signing::CreateFile(path, pem, kOwnerOnly); !made) return made;
  }
  return Done{};
}

Status ZoneKeysKept::PutAside(const std::string& set) const {
  return signing::ReplaceFile(set_file_ + ".before", set, kOwnerOnly);
}

Status ZoneKeysKept::Keep(const std::string& set) {
  const auto parsed = zone::KeySetFrom(set);
  if (!parsed) return parsed.error();
  json keys = json::object();
  for (const zone::KeyEntry& key : parsed->keys) {
    if (!MadeByARoll(key)) continue;
    const auto pem = ReadSecret(zone::KeyPath(zone::FolderOfKeySet(set_file_), key.file), kZoneKeyMax);
    if (!pem.ok()) return Error::Make(Code::kFailed, "zone_key_unreadable", pem.why);
    keys[key.file] = std::string(pem.secret.text());
  }
  const json all{{"set", set}, {"keys", std::move(keys)}};
  if (auto written = kept_.Write(kZoneKeysName, seal_.Seal(all.dump())); !written) return written;
  return NoteBoth(set);
}

// Without it the text counts as the newer one, as it should where nothing is known.
Status ZoneKeysKept::NoteBoth(const std::string& set) const {
  if (LastOfBoth() == DigestOf(set)) return Done{};
  return signing::ReplaceFile(set_file_ + ".kept", DigestOf(set) + "\n", kOwnerOnly);
}

std::string ZoneKeysKept::LastOfBoth() const {
  std::ifstream file(set_file_ + ".kept");
  std::string digest;
  std::getline(file, digest);
  return digest;
}

}  // namespace registry::app
