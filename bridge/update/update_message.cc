#include "bridge/update/update_message.h"

#include <algorithm>

#include "bridge/zone/message.h"

namespace registry::update {
namespace {

using zone::kClassAny;
using zone::kClassIn;
using zone::kTypeTlsa;
using zone::kTypeTxt;

constexpr std::uint16_t kClassNone = 254;
constexpr std::uint16_t kOpcodeUpdate = 5;
constexpr std::uint16_t kPointer = 0xc000;  // RFC 1035 §4.1.4: 14 bits say where
constexpr std::size_t kCountAt = 6;         // of the prerequisites; that of the updates stands behind it

void PutRecord(Bytes& out, const Bytes& owner, std::uint16_t type, std::uint16_t rclass, std::uint32_t ttl,
               const Bytes& rdata) {
  zone::Put(out, owner);
  zone::PutU16(out, type);
  zone::PutU16(out, rclass);
  zone::PutU32(out, ttl);
  zone::PutU16(out, static_cast<std::uint16_t>(rdata.size()));
  zone::Put(out, rdata);
}

Bytes PointerTo(std::size_t at) {
  Bytes pointer;
  zone::PutU16(pointer, static_cast<std::uint16_t>(kPointer | at));
  return pointer;
}

}  // namespace

UpdateMessage::UpdateMessage(zone::Name zone, std::uint32_t ttl) : zone_(std::move(zone)), ttl_(ttl) {}

std::size_t UpdateMessage::NextPrerequisite() const {
  return zone::kHeaderSize + zone_.size() + 4 + prerequisites_.size();
}

bool UpdateMessage::Add(const Move& move) {
  const Bytes prerequisites = prerequisites_, updates = updates_;
  const std::uint16_t prerequisite_count = prerequisite_count_, update_count = update_count_;
  // The name once, then pointers to it as far as they reach.
  Bytes in_full = *zone::PrefixIn(move.name, zone_);
  zone::Put(in_full, PointerTo(zone::kHeaderSize));
  const std::size_t at = NextPrerequisite();
  const Bytes again = at < std::size_t{0x4000} ? PointerTo(at) : in_full;
  Require(in_full, kTypeTlsa, move.from.tlsa);
  Require(again, kTypeTxt, move.from.txt);
  Replace(again, kTypeTlsa, move.from.tlsa, move.to.tlsa);
  if (move.shared) {
    ReplaceEach(again, kTypeTxt, move.from.txt, move.to.txt);
  } else {
    Replace(again, kTypeTxt, move.from.txt, move.to.txt);
  }
  if (NextPrerequisite() + updates_.size() <= kUpdateSizeMax) return true;
  prerequisites_ = prerequisites;
  updates_ = updates;
  prerequisite_count_ = prerequisite_count;
  update_count_ = update_count;
  return false;
}

void UpdateMessage::Require(const Bytes& owner, std::uint16_t type, const std::vector<Bytes>& rdatas) {
  if (rdatas.empty()) {
    PutRecord(prerequisites_, owner, type, kClassNone, 0, {});
    ++prerequisite_count_;
  }
  for (const Bytes& rdata : rdatas) {
    PutRecord(prerequisites_, owner, type, kClassIn, 0, rdata);
    ++prerequisite_count_;
  }
}

void UpdateMessage::Replace(const Bytes& owner, std::uint16_t type, const std::vector<Bytes>& from,
                            const std::vector<Bytes>& to) {
  if (from == to) return;
  if (!from.empty()) {
    PutRecord(updates_, owner, type, kClassAny, 0, {});
    ++update_count_;
  }
  for (const Bytes& rdata : to) {
    PutRecord(updates_, owner, type, kClassIn, ttl_, rdata);
    ++update_count_;
  }
}

// §2.5.4: the records of others, and their TTL, are not named at all.
void UpdateMessage::ReplaceEach(const Bytes& owner, std::uint16_t type, const std::vector<Bytes>& from,
                                const std::vector<Bytes>& to) {
  for (const Bytes& rdata : from) {
    if (std::ranges::find(to, rdata) != to.end()) continue;
    PutRecord(updates_, owner, type, kClassNone, 0, rdata);
    ++update_count_;
  }
  for (const Bytes& rdata : to) {
    if (std::ranges::find(from, rdata) != from.end()) continue;
    PutRecord(updates_, owner, type, kClassIn, ttl_, rdata);
    ++update_count_;
  }
}

void UpdateMessage::AddRecord(const zone::Name& name, std::uint16_t type, std::uint32_t ttl,
                              const Bytes& rdata) {
  PutRecord(updates_, name, type, kClassIn, ttl, rdata);
  ++update_count_;
}

Bytes UpdateMessage::octets() const {
  Bytes message = zone::StartMessage(0, kOpcodeUpdate << 11, zone_, zone::kTypeSoa);
  zone::Put(message, prerequisites_);
  zone::Put(message, updates_);
  zone::SetU16(message, kCountAt, prerequisite_count_);
  zone::SetU16(message, kCountAt + 2, update_count_);
  return message;
}

}  // namespace registry::update
