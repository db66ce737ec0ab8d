#include "bridge/zone/key_material.h"

#include <algorithm>

#include "bridge/zone/key_set_file.h"

namespace registry::zone {
namespace {

constexpr std::uint8_t kDigestSha256 = 2, kDigestSha384 = 4;
const Bytes kDeleteCds{0, 0, 0, 0, 0}, kDeleteCdnskey{0, 0, 3, 0, 0};  // RFC 8078 §4

Result<ZoneKey> LoadEntry(const KeyEntry& entry, const std::string& folder) {
  const std::string path = KeyPath(folder, entry.file);
  auto key = LoadZoneKey(path, SignsKeys(entry.role) ? kKskFlags : kZskFlags);
  if (key && key->tag != entry.tag) {
    return Error::Make(Code::kFailed, "zone_key_set_invalid",
                       path + " holds key " + std::to_string(key->tag) + ", and the zone's key set says " +
                           std::to_string(entry.tag));
  }
  return key;
}

// RFC 7344 §4: what the DS set is to be once the roll-over is over. Before every cache has the new key it is the old one.
std::uint16_t WantedAtParent(const KeySet& set) {
  for (const Roll& roll : set.rolls) {
    if (SignsKeys(roll.role) && roll.step != RollStep::kPublish) return roll.to;
  }
  return set.Anchor().tag;
}

bool TellsParent(const KeySet& set, CdsPolicy cds) {
  if (cds == CdsPolicy::kAlways) return true;
  return cds == CdsPolicy::kRollover && std::ranges::any_of(set.rolls, [](const Roll& roll) {
           return SignsKeys(roll.role) && roll.step != RollStep::kPublish;
         });
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
  const KeyEntry &anchor = set.Anchor(), &signer = set.Signer();
  for (const KeyEntry& entry : set.keys) {
    auto key = LoadEntry(entry, folder);
    if (!key) return key.error();
    material.dnskeys.push_back(key->dnskey);
    if (&entry == &signer) material.zsk = *key;
    if (!SignsKeys(entry.role)) continue;
    const auto place = &entry == &anchor ? material.ksks.begin() : material.ksks.end();
    material.ksks.insert(place, *key);
  }
  material.tags = std::to_string(anchor.tag) + "/" + std::to_string(signer.tag);
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
    octets.push_back(kAlgorithm);
    octets.push_back(type);
    Put(octets, digest);
    return octets;
  };
  Bytes sha384(48);
  REG_CHECK(EVP_Digest(hashed.data(), hashed.size(), sha384.data(), nullptr, EVP_sha384(), nullptr) == 1);
  return {rdata(kDigestSha256, Sha256(hashed)), rdata(kDigestSha384, sha384)};
}

}  // namespace registry::zone
