#include "bridge/zone/key_material.h"

#include <algorithm>

#include "bridge/zone/key_set_file.h"
#include "bridge/zone/key_set_order.h"

namespace registry::zone {
namespace {

constexpr std::uint8_t kDigestSha256 = 2, kDigestSha384 = 4;
const Bytes kDeleteCds{0, 0, 0, 0, 0}, kDeleteCdnskey{0, 0, 3, 0, 0};  // RFC 8078 §4

Result<ZoneKey> LoadEntry(const KeyEntry& entry, const std::string& folder) {
  const std::string path = KeyPath(folder, entry.file);
  auto key = LoadZoneKey(path, SignsKeys(entry.role) ? kKskFlags : kZskFlags);
  if (key && (key->tag != entry.tag || key->algorithm() != entry.algorithm)) {
    return Error::Make(Code::kFailed, "zone_key_set_invalid",
                       path + " holds key " + std::to_string(key->tag) + " of algorithm " +
                           AlgorithmText(key->algorithm()) + ", and the zone's key set says " +
                           std::to_string(entry.tag) + " of " + AlgorithmText(entry.algorithm));
  }
  return key;
}

// The parent is told nothing before every cache has the new key, and nothing else before the old one has left.
bool AtParent(const Roll& roll) {
  return SignsKeys(roll.role) && roll.step != RollStep::kPublish && roll.step != RollStep::kSign;
}

// RFC 7344 §4: what the DS set is to be once the roll-over is over. Before every cache has the new key it is the old one.
std::uint16_t WantedAtParent(const KeySet& set) {
  for (const Roll& roll : set.rolls) {
    if (AtParent(roll)) return roll.to;
  }
  return set.Anchor().tag;
}

bool TellsParent(const KeySet& set, CdsPolicy cds) {
  if (cds == CdsPolicy::kAlways) return true;
  return cds == CdsPolicy::kRollover && std::ranges::any_of(set.rolls, AtParent);
}

void AddCds(const KeySet& set, const Name& zone, CdsPolicy cds, KeyMaterial& material) {
  if (cds == CdsPolicy::kDelete) {
    material.cds = {kDeleteCds};
    material.cdnskeys = {kDeleteCdnskey};
  }
  if (!TellsParent(set, cds)) return;
  const std::uint16_t wanted = WantedAtParent(set);
  const auto key = std::ranges::find(material.ksks, wanted, &ZoneKey::tag);
  REG_CHECK(key != material.ksks.end());
  material.cds = {DsRdata(zone, key->dnskey)};
  material.cdnskeys = {key->dnskey};
}

}  // namespace

Result<KeyMaterial> LoadKeyMaterial(const KeySet& set, const std::string& folder, const Name& zone,
                                    CdsPolicy cds) {
  KeyMaterial material;
  const KeyEntry& anchor = set.Anchor();
  const std::vector<const KeyEntry*> signers = set.Signers();
  material.zsks.resize(signers.size());
  for (const KeyEntry& entry : set.keys) {
    auto key = LoadEntry(entry, folder);
    if (!key) return key.error();
    if (const auto at = std::ranges::find(signers, &entry); at != signers.end())
      material.zsks[static_cast<std::size_t>(at - signers.begin())] = *key;
    if (!entry.in_zone()) {
      if (SignsKeys(entry.role) && signers.size() > 1) material.unnamed_ksks.push_back(*key);
      continue;
    }
    material.dnskeys.push_back(key->dnskey);
    if (!SignsKeys(entry.role)) continue;
    const auto place = &entry == &anchor ? material.ksks.begin() : material.ksks.end();
    material.ksks.insert(place, *key);
  }
  material.tags = TagsOf(set);
  AddCds(set, zone, cds, material);
  return material;
}

Bytes DsRdata(const Name& zone, View dnskey) { return DsRdatas(zone, dnskey).front(); }

std::vector<Bytes> DsRdatas(const Name& zone, View dnskey) {
  Bytes hashed = zone;
  Put(hashed, dnskey);
  const auto rdata = [&](std::uint8_t type, const Bytes& digest) {
    Bytes octets;
    PutU16(octets, KeyTag(dnskey));
    octets.push_back(dnskey[3]);
    octets.push_back(type);
    Put(octets, digest);
    return octets;
  };
  Bytes sha384(48);
  REG_CHECK(EVP_Digest(hashed.data(), hashed.size(), sha384.data(), nullptr, EVP_sha384(), nullptr) == 1);
  return {rdata(kDigestSha256, Sha256(hashed)), rdata(kDigestSha384, sha384)};
}

}  // namespace registry::zone
