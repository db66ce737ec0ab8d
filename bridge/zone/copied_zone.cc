#include "bridge/zone/copied_zone.h"

#include <algorithm>
#include <map>

#include "bridge/zone/keys.h"
#include "bridge/zone/signature_fields.h"

namespace registry::zone {
namespace {

constexpr std::size_t kJudgedAtOnce = 256;     // some 20 ms
constexpr std::size_t kComparedAtOnce = 8192;  // the same

struct Touched {
  Bytes prefix;
  std::uint16_t type = 0;
  BlockPtr before;
  SetParts parts;
};
using AllTouched = std::map<Bytes, Touched>;

Touched& TouchedBy(const CopiedRecord& record, const StoredZone& zone, AllTouched& all) {
  const std::uint16_t type = TypeOfSet(record.type, record.rdata);
  const bool soa = type == kTypeSoa && record.prefix.empty();
  const auto [at, fresh] = all.try_emplace(StoredBlocks::KeyOf(record.prefix, type));
  Touched& touched = at->second;
  if (!fresh) return touched;
  touched.prefix = record.prefix;
  touched.type = type;
  touched.before = soa ? zone.soa : zone.blocks.Find(at->first);
  // RFC 1995 §4: the old SOA is told without being taken out.
  if (touched.before != nullptr && !soa) touched.parts = PartsOf(*touched.before);
  return touched;
}

std::vector<Bytes>& ListOf(const CopiedRecord& record, SetParts& parts) {
  return record.type == kTypeRrsig ? parts.rrsigs : parts.rdatas;
}

bool TakeOut(const CopiedRecord& record, const StoredZone& zone, AllTouched& all) {
  if (record.prefix.empty() && TypeOfSet(record.type, record.rdata) == kTypeSoa) return true;
  auto& list = ListOf(record, TouchedBy(record, zone, all).parts);
  const auto found = std::ranges::find(list, record.rdata);
  if (found == list.end()) return false;
  list.erase(found);
  return true;
}

void PutIn(const CopiedRecord& record, const StoredZone& zone, AllTouched& all) {
  SetParts& parts = TouchedBy(record, zone, all).parts;
  if (record.type != kTypeRrsig) parts.ttl = record.ttl;
  ListOf(record, parts).push_back(record.rdata);
}

bool SameOctets(const Block& a, const Block& b) { return a.shape() == b.shape() && a.wire() == b.wire(); }

// False: what is left of the set is none.
bool PutSet(Touched& touched, Frames& frames, Delta& delta) {
  const bool gone = touched.parts.rdatas.empty() && touched.parts.rrsigs.empty();
  BlockPtr after = gone ? nullptr : BlockOf(touched.prefix, touched.type, std::move(touched.parts), frames);
  if (after == nullptr && !gone) return false;
  if (touched.type == kTypeSoa && touched.prefix.empty()) {
    delta.soa_to = std::move(after);
    return true;
  }
  if (after != nullptr && touched.before != nullptr && SameOctets(*after, *touched.before)) return true;
  if (touched.before != nullptr) delta.removed.push_back(std::move(touched.before));
  if (after != nullptr) delta.added.push_back(std::move(after));
  return true;
}

}  // namespace

std::optional<Delta> DifferenceIn(const StoredZone& zone, Frames& frames, const CopiedStep& step,
                                  std::string& why) {
  const auto no = [&why](const char* reason) {
    why = reason;
    return std::nullopt;
  };
  if (step.from != zone.serial) return no("a difference from another version");
  AllTouched all;
  for (const CopiedRecord& record : step.removed) {
    if (!TakeOut(record, zone, all)) return no("a difference that takes out what is not there");
  }
  for (const CopiedRecord& record : step.added) PutIn(record, zone, all);
  Delta delta{step.from, step.to, zone.soa, nullptr, {}, {}};
  for (auto& [key, touched] : all) {
    if (!PutSet(touched, frames, delta)) return no("a difference that leaves a set without signatures");
  }
  return delta.soa_to == nullptr ? no("a difference without a SOA") : std::optional(std::move(delta));
}

std::optional<Delta> DifferenceTo(const StoredZone& zone, const CopiedAnswer& whole, const StopAsked& stop) {
  Delta delta{zone.serial, whole.serial, zone.soa, whole.soa, {}, {}};
  std::size_t compared = 0;
  const auto stopped = [&] { return compared++ % kComparedAtOnce == 0 && stop(); };
  for (BlockPtr& after : whole.blocks.All()) {
    if (stopped()) return std::nullopt;
    BlockPtr before = zone.blocks.Find(StoredBlocks::KeyOf(*after));
    if (before != nullptr && SameOctets(*before, *after)) continue;
    if (before != nullptr) delta.removed.push_back(std::move(before));
    delta.added.push_back(std::move(after));
  }
  for (BlockPtr& before : zone.blocks.All()) {
    if (stopped()) return std::nullopt;
    if (whole.blocks.Find(StoredBlocks::KeyOf(*before)) == nullptr)
      delta.removed.push_back(std::move(before));
  }
  return delta;
}

void MakeStep(StoredZone& zone, const DeltaPtr& step, bool told) {
  for (const BlockPtr& block : step->removed) zone.blocks.Remove(StoredBlocks::KeyOf(*block));
  for (const BlockPtr& block : step->added) zone.blocks.Add(block);
  zone.soa = step->soa_to;
  zone.serial = step->to;
  if (told) {
    zone.journal.Append(step);
  } else {
    zone.journal.Clear();
  }
}

void CopyJudge::Believe(const std::vector<Bytes>& dnskeys) {
  auto keys = std::make_shared<Keys>();
  for (const Bytes& dnskey : dnskeys) {
    if (dnskey.size() > 3)
      keys->push_back({dnskey, KeyTag(dnskey), dnskey[3], (dnskey[1] & 1) != 0, VerifyingKey(dnskey)});
  }
  keys_ = std::move(keys);
}

bool CopyJudge::BelieveToo(const std::vector<Bytes>& dnskeys) {
  std::vector<Bytes> all;
  for (const Key& key : *keys_) all.push_back(key.rdata);
  const std::size_t before = all.size();
  for (const Bytes& dnskey : dnskeys) {
    if (std::ranges::find(all, dnskey) == all.end()) all.push_back(dnskey);
  }
  if (all.size() == before) return false;
  Believe(all);
  return true;
}

bool CopyJudge::Signed(const Block& block, UtcTime now) const {
  const std::size_t head = block.shape().prefix_size + kOwnerPointer + kRecordFixed;
  const bool dnskeys = block.type() == kTypeDnskey, timed = dnskeys || block.type() == kTypeSoa;
  bool good = false, bad = false;
  const Bytes wire = block.wire();
  const Unsigned data = DataOf(block);
  EachRrsig(wire, block.shape(), [&](View rrsig) {
    const auto fields = FieldsOf(rrsig.subspan(head));
    bad = bad || !fields || fields->covered != block.type() || fields->signer != zone_;
    if (bad || (timed && (fields->Expired(now) || fields->NotYet(now)))) return;
    Bytes message;
    PutToBeSigned(message, data, fields->head, zone_);
    bool known = false, right = false;
    for (const Key& key : *keys_) {
      if (key.tag != fields->tag || key.algorithm != fields->algorithm || (dnskeys && !key.entry)) continue;
      known = true;
      right = right || key.verifying.Verifies(message, fields->signature);
    }
    good = good || right;
    bad = bad || (known && !right);
  });
  return good && !bad;
}

bool CopyJudge::Good(const Delta& step, UtcTime now, const StopAsked& stop, std::string& why) {
  auto before = keys_;
  if (AllSigned(step, now, stop, why)) return true;
  keys_ = std::move(before);
  return false;
}

bool CopyJudge::AllSigned(const Delta& step, UtcTime now, const StopAsked& stop, std::string& why) {
  for (const BlockPtr& block : step.added) {
    if (block->type() != kTypeDnskey) continue;
    if (!Signed(*block, now)) {
      why = "a DNSKEY set that no known key has signed, for now";
      return false;
    }
    Believe(PartsOf(*block).rdatas);
  }
  std::size_t judged = 0;
  const auto good = [&](const BlockPtr& block) {
    if (judged++ % kJudgedAtOnce == 0 && stop()) return false;
    return block->type() == kTypeDnskey || Signed(*block, now);
  };
  why = "a SOA without a signature of the zone's keys that holds now";
  if (!good(step.soa_to)) return false;
  why = "a signature that is not of the zone's keys";
  return std::ranges::all_of(step.added, good);
}

}  // namespace registry::zone
