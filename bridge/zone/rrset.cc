#include "bridge/zone/rrset.h"

#include <algorithm>

namespace registry::zone {
namespace {

constexpr std::uint16_t kPointerToQuestion = 0xc00c;
constexpr std::size_t kFixedSize = 10;  // type, class, TTL, RDLENGTH

std::uint16_t U16At(View octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

}  // namespace

Unsigned Render(Bytes prefix, std::uint16_t type, std::uint32_t ttl, std::vector<Bytes> rdatas) {
  // RFC 4034 §6.3: in the order of the RDATA as octet strings, without duplicates.
  std::sort(rdatas.begin(), rdatas.end());
  rdatas.erase(std::unique(rdatas.begin(), rdatas.end()), rdatas.end());
  Unsigned rrset{std::move(prefix), type, static_cast<std::uint16_t>(rdatas.size()), {}};
  rrset.wire.reserve(rdatas.size() * (rrset.prefix.size() + 2 + kFixedSize + rdatas.front().size()));
  for (const Bytes& rdata : rdatas) {
    Put(rrset.wire, rrset.prefix);
    PutU16(rrset.wire, kPointerToQuestion);
    PutU16(rrset.wire, type);
    PutU16(rrset.wire, kClassIn);
    PutU32(rrset.wire, ttl);
    PutU16(rrset.wire, static_cast<std::uint16_t>(rdata.size()));
    Put(rrset.wire, rdata);
  }
  return rrset;
}

// RFC 4034 §3.1: behind the type covered, algorithm, labels, original TTL and expiration.
std::int64_t Block::inception() const {
  const View at = signature().subspan(prefix_size + 2u + kFixedSize + 12u, 4);
  return std::int64_t{U16At(at, 0)} << 16 | U16At(at, 2);
}

Unsigned DataOf(const Block& block) {
  const View data = block.data();
  return {Bytes(data.begin(), data.begin() + block.prefix_size), block.type, block.data_count,
          Bytes(data.begin(), data.end())};
}

Sealer::Sealer(const SigningProfile& profile)
    : zone_(profile.zone),
      zone_labels_(LabelCount(profile.zone)),
      validity_(profile.validity.count()),
      inception_offset_(profile.inception_offset.count()),
      zsk_{profile.zsk.tag, KeySigner(profile.zsk, profile.patience)} {
  for (const ZoneKey& ksk : profile.ksks) ksks_.push_back({ksk.tag, KeySigner(ksk, profile.patience)});
}

// Spreads what was signed together (a start signs everything) over a fourteenth of the validity, so that it
// does not fall due together. FNV-1a of the owner: the same name always gets the same place.
std::int64_t Sealer::Expiry(const Unsigned& rrset, UtcTime now) const {
  std::uint64_t hash = 14695981039346656037ull ^ rrset.type;
  for (std::uint8_t octet : rrset.prefix) hash = (hash ^ octet) * 1099511628211ull;
  return now.seconds() + validity_ -
         static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(validity_ / 14 + 1));
}

// RFC 4034 §3.1.8.1: RRSIG RDATA without the signature, then every record with its owner written out.
void Sealer::PutToBeSigned(const Unsigned& rrset, View rrsig_head) {
  message_.assign(rrsig_head.begin(), rrsig_head.end());
  const View wire(rrset.wire);
  const std::size_t owner = rrset.prefix.size() + 2;
  for (std::size_t at = 0; at < wire.size();) {
    const std::size_t size = kFixedSize + U16At(wire, at + owner + 8);
    Put(message_, rrset.prefix);
    Put(message_, zone_);
    Put(message_, wire.subspan(at + owner, size));
    at += owner + size;
  }
}

BlockPtr Sealer::Seal(const Unsigned& rrset, UtcTime now) {
  auto block = std::make_shared<Block>();
  block->data_size = static_cast<std::uint32_t>(rrset.wire.size());
  block->data_count = rrset.count;
  block->type = rrset.type;
  block->prefix_size = static_cast<std::uint16_t>(rrset.prefix.size());
  block->expires = Expiry(rrset, now);
  const bool by_ksks = rrset.type == kTypeDnskey || rrset.type == kTypeCds || rrset.type == kTypeCdnskey;
  const std::span<Key> keys = by_ksks ? std::span<Key>(ksks_) : std::span<Key>(&zsk_, 1);
  const std::size_t rrsig_size = rrset.prefix.size() + 2 + kFixedSize + 18 + zone_.size() + 64;
  block->wire.reserve(rrset.wire.size() + keys.size() * rrsig_size);
  block->wire = rrset.wire;
  block->signature_count = static_cast<std::uint16_t>(keys.size());
  block->signer = keys.front().tag;
  for (Key& key : keys) PutSignature(rrset, *block, key, now);
  return block;
}

void Sealer::PutSignature(const Unsigned& rrset, Block& block, Key& key, UtcTime now) {
  Bytes& wire = block.wire;
  Put(wire, rrset.prefix);
  PutU16(wire, kPointerToQuestion);
  PutU16(wire, kTypeRrsig);
  PutU16(wire, kClassIn);
  const View ttl = View(rrset.wire).subspan(rrset.prefix.size() + 2 + 4, 4);
  Put(wire, ttl);  // RFC 4034 §3: the TTL of an RRSIG is that of the set it covers
  PutU16(wire, static_cast<std::uint16_t>(18 + zone_.size() + 64));
  const std::size_t head = wire.size();
  PutU16(wire, rrset.type);
  wire.push_back(kAlgorithm);
  wire.push_back(static_cast<std::uint8_t>(LabelCount(rrset.prefix) + zone_labels_));
  Put(wire, ttl);
  PutU32(wire, static_cast<std::uint32_t>(block.expires));
  PutU32(wire, static_cast<std::uint32_t>(now.seconds() - inception_offset_));
  PutU16(wire, key.tag);
  Put(wire, zone_);
  PutToBeSigned(rrset, View(wire).subspan(head));
  Put(wire, key.signer.Sign(message_));
}

}  // namespace registry::zone
