#include "bridge/zone/zone_check.h"

#include <algorithm>
#include <map>

#include "bridge/zone/device_content.h"
#include "bridge/zone/signature_fields.h"
#include "bridge/zone/verifying_key.h"
#include "schemas/base/check.h"

namespace registry::zone {
namespace {

using Group = ZoneContent::Group;

constexpr std::uint8_t kSepFlag = 1;
constexpr std::size_t kRrsigAlgorithmAt = 2;  // RFC 4034 §3.1

Bytes OwnerOf(const Group& group) { return {group.owner.begin(), group.owner.end()}; }

void Note(Differences& differences, const std::string& place, const Group& group, const std::string& what) {
  std::string type = TypeText(group.type);
  if (group.covered != 0) type += " of " + TypeText(group.covered);
  differences.Add({place, NameToText(OwnerOf(group)), std::move(type), what});
}

bool SetsItself(std::uint16_t type) {
  return type == kTypeSoa || type == kTypeRrsig || type == kTypeNsec3 || type == kTypeCds ||
         type == kTypeCdnskey;
}

class SignatureCheck {
 public:
  SignatureCheck(const ZoneContent& found, const Name& zone, const std::vector<Bytes>& dnskeys, UtcTime now)
      : found_(found), zone_(zone), now_(now) {
    for (const Bytes& dnskey : dnskeys)
      keys_.push_back({KeyTag(dnskey), dnskey[3], (dnskey[1] & kSepFlag) != 0, VerifyingKey(dnskey)});
    const Group set = found.Find(zone, kTypeDnskey);
    for (std::size_t place = set.first; place < set.end; ++place) {
      if (const View rdata = found.At(place).rdata; rdata.size() > 3) algorithms_.insert(rdata[3]);
    }
  }

  // Empty: it is signed, and every signature of it is right.
  std::string Look(const Group& group) const {
    const Group signatures = found_.Find(group.owner, kTypeRrsig, group.type);
    if (signatures.first == signatures.end) return "unsigned";
    std::set<std::uint8_t> missing = algorithms_;
    for (std::size_t place = signatures.first; place < signatures.end; ++place) {
      const View rdata = found_.At(place).rdata;
      const std::string wrong = Look(group, rdata);
      if (!wrong.empty()) return "bad signature: " + wrong;
      missing.erase(rdata[kRrsigAlgorithmAt]);
    }
    // RFC 4035 §2.2: one of each algorithm in the DNSKEY set.
    return missing.empty() ? "" : "unsigned by algorithm " + AlgorithmText(*missing.begin());
  }

 private:
  struct Key {
    std::uint16_t tag;
    std::uint8_t algorithm;
    bool sep;
    VerifyingKey key;
  };

  std::string Look(const Group& group, View rdata) const {
    const auto fields = FieldsOf(rdata);
    if (!fields || fields->signer != zone_) return "not of this zone";
    if (fields->Expired(now_)) return "expired";
    if (fields->NotYet(now_)) return "not valid yet";
    const bool keys_only = group.type == kTypeDnskey || group.type == kTypeCds || group.type == kTypeCdnskey;
    const Bytes message = SignedOctets(group, *fields);
    bool known = false;
    for (const Key& key : keys_) {
      if (key.tag != fields->tag || key.algorithm != fields->algorithm || !key.key) continue;
      if (keys_only && !key.sep) continue;
      known = true;
      if (key.key.Verifies(message, fields->signature)) return "";
    }
    return known ? "it does not verify"
                 : "by key " + std::to_string(fields->tag) + ", which may not sign this";
  }

  // RFC 4034 §3.1.8.1; the records stand in the order of §6.3 already.
  Bytes SignedOctets(const Group& group, const SignatureFields& fields) const {
    Bytes message(fields.head.begin(), fields.head.end());
    for (std::size_t place = group.first; place < group.end; ++place) {
      const ZoneContent::Entry record = found_.At(place);
      Put(message, record.owner);
      PutU16(message, record.type);
      PutU16(message, kClassIn);
      PutU32(message, fields.ttl);
      PutU16(message, static_cast<std::uint16_t>(record.rdata.size()));
      Put(message, record.rdata);
    }
    return message;
  }

  const ZoneContent& found_;
  const Name& zone_;
  const UtcTime now_;
  std::vector<Key> keys_;
  std::set<std::uint8_t> algorithms_;  // of its DNSKEY set
};

// The types at every name that needs an NSEC3: those that have records, and the empty ones between them and the apex.
std::map<Bytes, std::vector<std::uint16_t>> TypesByName(const ZoneContent& found, const Name& zone) {
  std::map<Bytes, std::vector<std::uint16_t>> names;
  for (std::size_t place = 0; place < found.size(); place = found.GroupFrom(place).end) {
    const Group group = found.GroupFrom(place);
    auto& types = names[OwnerOf(group)];
    if (types.empty() || types.back() != group.type) types.push_back(group.type);
  }
  // RFC 5155 §7.1: the names of NSEC3 records have none themselves.
  std::erase_if(names, [](const auto& name) {
    return std::ranges::all_of(name.second,
                               [](std::uint16_t t) { return t == kTypeNsec3 || t == kTypeRrsig; });
  });
  std::vector<Bytes> between;
  for (const auto& [name, types] : names) {
    for (std::size_t at = 1u + name[0]; name.size() - at > zone.size(); at += 1u + name[at])
      between.emplace_back(name.begin() + static_cast<long>(at), name.end());
  }
  for (const Bytes& name : between) names.try_emplace(name);
  return names;
}

}  // namespace

void Differences::Add(Difference difference) {
  ++total_;
  if (kept_.size() < kDifferencesMax) kept_.insert(std::move(difference));
}

Differences Differences::AlsoIn(const Differences& before) const {
  Differences both;
  const bool cut = before.total_ > before.kept_.size();
  for (const Difference& difference : kept_) {
    if (cut || before.kept_.contains(difference)) both.Add(difference);
  }
  if (cut) both.total_ += total_ - kept_.size();
  return both;
}

ZoneContent WantedContent(const Name& zone, const std::vector<StaticSet>& fixed,
                          const std::vector<domain::ZoneChange>& devices, std::uint32_t tlsa_ttl) {
  ZoneContent wanted;
  for (const StaticSet& set : fixed) {
    Name owner = set.prefix;
    Put(owner, zone);
    for (const Bytes& rdata : set.rdatas) wanted.Add(owner, set.type, set.ttl, rdata);
  }
  for (const domain::ZoneChange& change : devices) {
    Name owner = DevicePrefix(change.device);
    Put(owner, zone);
    for (const domain::TlsaRecord& record : change.tlsa)
      wanted.Add(owner, kTypeTlsa, tlsa_ttl, TlsaRdata(record));
    if (!change.note.empty()) wanted.Add(owner, kTypeTxt, tlsa_ttl, TxtRdata(change.note));
  }
  wanted.Finish();
  return wanted;
}

void CompareWithWanted(const ZoneContent& wanted, const ZoneContent& found, const std::string& place,
                       Differences& differences) {
  ZoneContent::Compare(wanted, found, [&](const Group& group, const char* what) {
    if (!SetsItself(group.type)) Note(differences, place, group, what);
  });
}

std::set<Bytes> CompareWithPrimary(const ZoneContent& primary, const ZoneContent& found,
                                   const std::string& place, Differences& differences) {
  std::set<Bytes> owners;
  ZoneContent::Compare(primary, found, [&](const Group& group, const char* what) {
    if (group.type == kTypeSoa || group.covered == kTypeSoa) return;
    Note(differences, place, group, what);
    if (owners.size() < kDifferencesMax) owners.insert(OwnerOf(group));
  });
  return owners;
}

void CheckSignatures(const ZoneContent& found, const Name& zone, const std::vector<Bytes>& dnskeys,
                     UtcTime now, const std::string& place, Differences& differences,
                     const std::set<Bytes>* owners) {
  const SignatureCheck check(found, zone, dnskeys, now);
  for (std::size_t at = 0; at < found.size();) {
    const Group group = found.GroupFrom(at);
    at = group.end;
    if (group.type == kTypeRrsig || (owners != nullptr && !owners->contains(OwnerOf(group)))) continue;
    const std::string wrong = check.Look(group);
    if (!wrong.empty()) Note(differences, place, group, wrong);
  }
}

void CheckDenial(const ZoneContent& found, const Name& zone, std::uint32_t ttl, const std::string& place,
                 Differences& differences) {
  Nsec3Hasher hasher(zone);
  std::map<Hash, std::vector<std::uint16_t>> chain;
  for (auto& [name, types] : TypesByName(found, zone))
    chain.emplace(hasher.Of(View(name).first(name.size() - zone.size())), std::move(types));
  ZoneContent wanted, has;
  for (auto at = chain.begin(); at != chain.end(); ++at) {
    const auto next = std::next(at) == chain.end() ? chain.begin() : std::next(at);
    Name owner = Nsec3Prefix(at->first);
    Put(owner, zone);
    wanted.Add(owner, kTypeNsec3, ttl, Nsec3Rdata(next->first, TypeBitmap(at->second)));
  }
  for (std::size_t at = 0; at < found.size(); ++at) {
    const ZoneContent::Entry record = found.At(at);
    if (record.type == kTypeNsec3) has.Add(record.owner, record.type, record.ttl, record.rdata);
  }
  wanted.Finish();
  has.Finish();
  ZoneContent::Compare(wanted, has,
                       [&](const Group& group, const char* what) { Note(differences, place, group, what); });
}

}  // namespace registry::zone
