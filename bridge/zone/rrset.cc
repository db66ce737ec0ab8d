#include "bridge/zone/rrset.h"

#include <algorithm>

#include "schemas/base/check.h"

namespace registry::zone {
namespace {

constexpr std::uint16_t kPointerToQuestion = 0xc00c;

std::uint16_t U16At(View octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

}  // namespace

Unsigned Render(Bytes prefix, std::uint16_t type, std::uint32_t ttl, std::vector<Bytes> rdatas) {
  // RFC 4034 §6.3: in the order of the RDATA as octet strings, without duplicates.
  std::sort(rdatas.begin(), rdatas.end());
  rdatas.erase(std::unique(rdatas.begin(), rdatas.end()), rdatas.end());
  Unsigned rrset{std::move(prefix), type, static_cast<std::uint16_t>(rdatas.size()), {}};
  rrset.wire.reserve(rdatas.size() * (rrset.prefix.size() + 2 + kRecordFixed + rdatas.front().size()));
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

Unsigned DataOf(const Block& block) {
  Unsigned rrset{{}, block.type(), block.shape().data_count, block.data()};
  rrset.prefix.assign(rrset.wire.begin(), rrset.wire.begin() + block.shape().prefix_size);
  return rrset;
}

std::vector<keys::KeySourcePtr> SigningProfile::Sources() const {
  std::vector<keys::KeySourcePtr> sources;
  for (const std::vector<ZoneKey>* some : {&zsks, &ksks, &unnamed_ksks}) {
    for (const ZoneKey& key : *some) {
      if (key.source) sources.push_back(key.source);
    }
  }
  return sources;
}

Sealer::Sealer(const SigningProfile& profile)
    : zone_(profile.zone),
      zone_labels_(LabelCount(profile.zone)),
      validity_(profile.validity.count()),
      inception_offset_(profile.inception_offset.count()) {
  const auto add = [&](const ZoneKey& key, std::vector<Key>& to) {
    to.push_back({key.tag, AlgorithmOf(key.algorithm()), KeySigner(key, profile.patience)});
  };
  for (const ZoneKey& key : profile.ksks) add(key, ksks_);
  for (const std::vector<ZoneKey>* some : {&profile.ksks, &profile.unnamed_ksks}) {
    for (const ZoneKey& key : *some) add(key, cds_ksks_);
  }
  for (const ZoneKey& key : profile.zsks) add(key, zsks_);
}

// Spreads what was signed together (a start signs everything) over a fourteenth of the validity, so that it
// does not fall due together. FNV-1a of the owner: the same name always gets the same place.
std::int64_t Sealer::Expiry(const Unsigned& rrset, UtcTime now) const {
  std::uint64_t hash = 14695981039346656037ull ^ rrset.type;
  for (std::uint8_t octet : rrset.prefix) hash = (hash ^ octet) * 1099511628211ull;
  return now.seconds() + validity_ -
         static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(validity_ / 14 + 1));
}

// RFC 4034 §3.1.8.1.
void PutToBeSigned(Bytes& message, const Unsigned& rrset, View rrsig_head, const Name& zone) {
  Put(message, rrsig_head);
  const View wire(rrset.wire);
  const std::size_t owner = rrset.prefix.size() + 2;
  for (std::size_t at = 0; at < wire.size();) {
    const std::size_t size = kRecordFixed + U16At(wire, at + owner + 8);
    Put(message, rrset.prefix);
    Put(message, zone);
    Put(message, wire.subspan(at + owner, size));
    at += owner + size;
  }
}

std::vector<Sealer::Key>& Sealer::KeysFor(std::uint16_t type) {
  if (type == kTypeDnskey) return ksks_;
  return type == kTypeCds || type == kTypeCdnskey ? cds_ksks_ : zsks_;
}

BlockPtr Sealer::Seal(const Unsigned& rrset, UtcTime now) {
  const std::int64_t expires = Expiry(rrset, now);
  std::vector<Key>& keys = KeysFor(rrset.type);
  wire_ = rrset.wire;
  for (Key& key : keys) PutSignature(rrset, expires, key, now);
  const BlockShape shape{static_cast<std::uint32_t>(rrset.wire.size()),
                         static_cast<std::uint16_t>(rrset.prefix.size()), rrset.count,
                         static_cast<std::uint16_t>(keys.size())};
  BlockPtr block = Block::Make(wire_, shape, frames_);
  REG_CHECK(block != nullptr);
  return block;
}

void Sealer::PutSignature(const Unsigned& rrset, std::int64_t expires, Key& key, UtcTime now) {
  Put(wire_, rrset.prefix);
  PutU16(wire_, kPointerToQuestion);
  PutU16(wire_, kTypeRrsig);
  PutU16(wire_, kClassIn);
  const View ttl = View(rrset.wire).subspan(rrset.prefix.size() + 2 + 4, 4);
  Put(wire_, ttl);  // RFC 4034 §3: the TTL of an RRSIG is that of the set it covers
  PutU16(wire_, static_cast<std::uint16_t>(kRrsigFixed + zone_.size() + key.algorithm->signature_size));
  const std::size_t head = wire_.size();
  PutU16(wire_, rrset.type);
  wire_.push_back(key.algorithm->number);
  wire_.push_back(static_cast<std::uint8_t>(LabelCount(rrset.prefix) + zone_labels_));
  Put(wire_, ttl);
  PutU32(wire_, static_cast<std::uint32_t>(expires));
  PutU32(wire_, static_cast<std::uint32_t>(now.seconds() - inception_offset_));
  PutU16(wire_, key.tag);
  Put(wire_, zone_);
  message_.clear();
  PutToBeSigned(message_, rrset, View(wire_).subspan(head), zone_);
  Put(wire_, key.signer.Sign(message_));
}

}  // namespace registry::zone
