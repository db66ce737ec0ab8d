#include "bridge/zone/stored_zone.h"

#include <algorithm>

#include "bridge/zone/device_content.h"
#include "bridge/zone/signature_fields.h"
#include "bridge/zone/verifying_key.h"

namespace registry::zone {
namespace {

constexpr std::size_t kRecordHead = 2 + 10;  // pointer, type, class, TTL, RDLENGTH

std::uint16_t NumberAt(View octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

// RDATA of every record of a set at the apex.
std::vector<Bytes> RdatasAtApex(const Block& block) {
  std::vector<Bytes> rdatas;
  const Bytes octets = block.data();
  const View data(octets);
  for (std::size_t at = 0; at + kRecordHead <= data.size();) {
    const std::size_t size = NumberAt(data, at + kRecordHead - 2);
    if (at + kRecordHead + size > data.size()) break;
    const View rdata = data.subspan(at + kRecordHead, size);
    rdatas.emplace_back(rdata.begin(), rdata.end());
    at += kRecordHead + size;
  }
  return rdatas;
}

constexpr std::size_t kKeyEnd = 4;  // pointer and type

// Which of a stored zone's maps a key belongs to; none of both: to the last.
struct Placed {
  explicit Placed(View key) {
    if (key.size() < kKeyEnd) return;
    const View prefix = key.first(key.size() - kKeyEnd);
    const std::uint16_t type = NumberAt(key, key.size() - 2);
    if (type == kTypeNsec3) hash = HashAt(prefix);
    if (type == kTypeTlsa) device = DeviceAt(prefix);
  }
  std::optional<Hash> hash;
  std::optional<DeviceId> device;
};

template <class Map, class Key>
BlockPtr FindIn(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

template <class Map, class Key>
BlockPtr RemoveFrom(Map& map, const Key& key) {
  const auto found = map.find(key);
  if (found == map.end()) return nullptr;
  BlockPtr block = std::move(found->second);
  map.erase(found);
  return block;
}

// Whether one of its signatures is this very key's.
bool SignedWith(const Block& block, const ZoneKey& key, const Name& zone) {
  const VerifyingKey verifying(key.dnskey);
  bool verifies = false;
  EachRrsig(block.wire(), block.shape(), [&](View rrsig) {
    const auto fields = FieldsOf(rrsig.subspan(block.shape().prefix_size + kRecordHead));
    if (!fields || fields->tag != key.tag || fields->algorithm != key.algorithm()) return;
    Bytes message;
    PutToBeSigned(message, DataOf(block), fields->head, zone);
    verifies = verifies || verifying.Verifies(message, fields->signature);
  });
  return verifies;
}

bool OfKsks(std::uint16_t type) { return type == kTypeDnskey || type == kTypeCds || type == kTypeCdnskey; }

}  // namespace

Bytes StoredBlocks::KeyOf(View prefix, std::uint16_t type) {
  Bytes key;
  key.reserve(prefix.size() + kKeyEnd);
  Put(key, prefix);
  PutU16(key, 0xc00c);
  PutU16(key, type);
  return key;
}

bool StoredBlocks::Add(BlockPtr block) {
  if (const auto hash = block->hash()) return denial_.try_emplace(*hash, std::move(block)).second;
  const auto device = block->type() == kTypeTlsa ? block->device() : std::nullopt;
  if (device) return tlsa_.try_emplace(*device, std::move(block)).second;
  return others_.try_emplace(KeyOf(*block), std::move(block)).second;
}

BlockPtr StoredBlocks::Find(View key) const {
  const Placed placed(key);
  if (placed.hash) return FindIn(denial_, *placed.hash);
  if (placed.device) return FindIn(tlsa_, *placed.device);
  return FindIn(others_, Bytes(key.begin(), key.end()));
}

BlockPtr StoredBlocks::Remove(View key) {
  const Placed placed(key);
  if (placed.hash) return RemoveFrom(denial_, *placed.hash);
  if (placed.device) return RemoveFrom(tlsa_, *placed.device);
  return RemoveFrom(others_, Bytes(key.begin(), key.end()));
}

std::vector<BlockPtr> StoredBlocks::All() const {
  std::vector<BlockPtr> all;
  all.reserve(size());
  for (const auto& [key, block] : others_) all.push_back(block);
  for (const auto& [device, block] : tlsa_) all.push_back(block);
  for (const auto& [hash, block] : denial_) all.push_back(block);
  return all;
}

FormerBlocks::FormerBlocks(StoredBlocks blocks, const Block& soa, const SigningProfile& signing,
                           const std::vector<Bytes>& dnskeys, UtcTime now)
    : blocks_(std::move(blocks)), now_(now.seconds()) {
  for (const ZoneKey& ksk : signing.ksks) ksks_.push_back(ksk.tag);
  for (const Bytes& dnskey : dnskeys) algorithms_.insert(dnskey[3]);
  const BlockPtr then = blocks_.Find(StoredBlocks::KeyOf({}, kTypeDnskey));
  if (then == nullptr) return;
  // By the whole key: a tag alone may be that of two.
  for (const Bytes& dnskey : RdatasAtApex(*then)) {
    if (std::ranges::find(dnskeys, dnskey) != dnskeys.end()) then_.emplace(KeyTag(dnskey), dnskey[3]);
  }
  // While the algorithm is rolled over, a key signs that is not in the DNSKEY set yet, or not any more.
  for (const ZoneKey& key : signing.zsks) {
    if (!then_.contains(key.tag) && SignedWith(soa, key, signing.zone))
      then_.emplace(key.tag, key.algorithm());
  }
}

bool FormerBlocks::SignedInAll(const std::vector<std::uint16_t>& signers) const {
  return std::ranges::all_of(algorithms_, [&](std::uint8_t algorithm) {
    return std::ranges::any_of(signers, [&](std::uint16_t tag) {
      const auto known = then_.find(tag);
      return known != then_.end() && known->second == algorithm;
    });
  });
}

bool FormerBlocks::Usable(const Block& block) const {
  if (block.expires() <= now_ || block.inception() > now_) return false;
  const std::vector<std::uint16_t> signers = block.signers();
  if (!OfKsks(block.type())) return !algorithms_.empty() && SignedInAll(signers);
  // CDS and CDNSKEY that others sign as well are made again.
  return signers == ksks_ &&
         std::ranges::all_of(signers, [this](std::uint16_t tag) { return then_.contains(tag); });
}

BlockPtr FormerBlocks::Take(const Unsigned& wanted) {
  const Bytes key = StoredBlocks::KeyOf(wanted.prefix, wanted.type);
  const BlockPtr found = blocks_.Find(key);
  if (found == nullptr || !found->DataIs(wanted.wire) || !Usable(*found)) return nullptr;
  return blocks_.Remove(key);
}

}  // namespace registry::zone
