#include "bridge/zone/zone_content.h"

#include <algorithm>
#include <numeric>

#include "schemas/base/check.h"

namespace registry::zone {
namespace {

constexpr std::size_t kTypeAndTtl = 6;
constexpr std::uint16_t kTypeCname = 5, kTypePtr = 12, kTypeMx = 15;

View ViewOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Octets in front of the names in RDATA, and how many names; no names: taken as it is.
struct NamesInRdata {
  std::size_t before = 0;
  int names = 0;
};
NamesInRdata NamesOf(std::uint16_t type) {
  switch (type) {
    case kTypeNs:
    case kTypeCname:
    case kTypePtr:
      return {0, 1};
    case kTypeSoa:
      return {0, 2};
    case kTypeMx:
      return {2, 1};
    case kTypeRrsig:
      return {18, 1};
    default:
      return {};
  }
}

}  // namespace

void ZoneContent::Add(View owner, std::uint16_t type, std::uint32_t ttl, View rdata) {
  REG_CHECK(owner.size() <= kNameMax);
  Bytes head{static_cast<std::uint8_t>(owner.size())};
  Put(head, owner);
  PutU16(head, type);
  PutU32(head, ttl);
  places_.push_back(octets_.size());
  sizes_.push_back(static_cast<std::uint32_t>(head.size() + rdata.size()));
  octets_ += AsText(head);
  octets_ += AsText(rdata);
}

std::string_view ZoneContent::Octets(std::size_t place) const {
  return std::string_view(octets_).substr(places_[place], sizes_[place]);
}

ZoneContent::Entry ZoneContent::At(std::size_t place) const {
  const View all = ViewOf(Octets(place));
  const std::size_t size = all[0], rdata = 1 + size + kTypeAndTtl;
  Entry entry{all.subspan(1, size), all.subspan(rdata)};
  Reader reader(all, 1 + size);
  REG_CHECK(reader.U16(entry.type) && reader.U32(entry.ttl));
  return entry;
}

// What says which group a record belongs to, but for the type that an RRSIG covers.
std::string_view ZoneContent::Head(std::size_t place) const {
  const std::string_view all = Octets(place);
  return all.substr(0, 1 + static_cast<std::uint8_t>(all[0]) + 2u);
}

namespace {

std::uint16_t CoveredBy(const ZoneContent::Entry& entry) {
  if (entry.type != kTypeRrsig || entry.rdata.size() < 2) return 0;
  return static_cast<std::uint16_t>(entry.rdata[0] << 8 | entry.rdata[1]);
}

}  // namespace

// By head, then by RDATA: RRSIGs of one owner then stand in the order of what they cover, which their RDATA begins with.
void ZoneContent::Finish() {
  std::vector<std::size_t> order(places_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto rest = [this](std::size_t place) { return Octets(place).substr(Head(place).size() + 4); };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int head = Head(a).compare(Head(b));
    if (head != 0) return head < 0;
    const int rdata = rest(a).compare(rest(b));
    return rdata != 0 ? rdata < 0 : Octets(a) < Octets(b);
  });
  order.erase(std::unique(order.begin(), order.end(),
                          [this](std::size_t a, std::size_t b) { return Octets(a) == Octets(b); }),
              order.end());
  std::vector<std::uint64_t> places;
  std::vector<std::uint32_t> sizes;
  places.reserve(order.size());
  sizes.reserve(order.size());
  for (const std::size_t place : order) {
    places.push_back(places_[place]);
    sizes.push_back(sizes_[place]);
  }
  places_ = std::move(places);
  sizes_ = std::move(sizes);
}

ZoneContent::Group ZoneContent::GroupFrom(std::size_t place) const {
  const Entry first = At(place);
  Group group{first.owner, first.type, CoveredBy(first), place, place + 1};
  while (group.end < size() && Head(group.end) == Head(place) && CoveredBy(At(group.end)) == group.covered)
    ++group.end;
  return group;
}

ZoneContent::Group ZoneContent::Find(View owner, std::uint16_t type, std::uint16_t covered) const {
  Bytes head{static_cast<std::uint8_t>(owner.size())};
  Put(head, owner);
  PutU16(head, type);
  std::size_t low = 0, high = size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const int order = Head(middle).compare(AsText(head));
    if (order < 0 || (order == 0 && CoveredBy(At(middle)) < covered)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == size() || Head(low) != AsText(head)) return {};
  Group group = GroupFrom(low);
  return group.covered == covered ? group : Group{};
}

std::optional<std::uint32_t> ZoneContent::SerialOf(const Name& zone) const {
  const Group soa = Find(zone, kTypeSoa);
  if (soa.first == soa.end) return std::nullopt;
  const Entry entry = At(soa.first);
  Reader reader(entry.rdata);
  Name name;
  std::uint32_t serial = 0;
  if (!reader.ReadName(name) || !reader.ReadName(name) || !reader.U32(serial)) return std::nullopt;
  return serial;
}

bool ZoneContent::SameGroup(const Group& mine, const ZoneContent& other, const Group& its) const {
  if (mine.end - mine.first != its.end - its.first) return false;
  for (std::size_t i = 0; i < mine.end - mine.first; ++i) {
    if (Octets(mine.first + i) != other.Octets(its.first + i)) return false;
  }
  return true;
}

void ZoneContent::Compare(const ZoneContent& wanted, const ZoneContent& found,
                          const std::function<void(const Group&, const char* what)>& differs) {
  std::size_t ours = 0, theirs = 0;
  while (ours < wanted.size() || theirs < found.size()) {
    const bool mine = ours < wanted.size(), its = theirs < found.size();
    const Group a = mine ? wanted.GroupFrom(ours) : Group{}, b = its ? found.GroupFrom(theirs) : Group{};
    int order = mine ? -1 : 1;
    if (mine && its) order = wanted.Head(ours).compare(found.Head(theirs));
    if (mine && its && order == 0) order = static_cast<int>(a.covered) - b.covered;
    if (order < 0) differs(a, "missing");
    if (order > 0) differs(b, "extra");
    if (order == 0 && !wanted.SameGroup(a, found, b)) differs(b, "differs");
    if (order <= 0) ours = a.end;
    if (order >= 0) theirs = b.end;
  }
}

std::optional<Bytes> PlainRdata(View octets, const Record& record) {
  const NamesInRdata in = NamesOf(record.type);
  Reader reader(octets.first(record.rdata_at + record.rdata_size), record.rdata_at);
  Bytes rdata, rest;
  if (!reader.Octets(in.before, rdata)) return std::nullopt;
  for (int i = 0; i < in.names; ++i) {
    Name name;
    if (!reader.ReadName(name)) return std::nullopt;
    Put(rdata, name);
  }
  if (!reader.Octets(reader.left(), rest)) return std::nullopt;
  Put(rdata, rest);
  return rdata;
}

std::string TypeText(std::uint16_t type) {
  switch (type) {
    case kTypeA:
      return "A";
    case kTypeNs:
      return "NS";
    case kTypeSoa:
      return "SOA";
    case kTypeTxt:
      return "TXT";
    case kTypeAaaa:
      return "AAAA";
    case kTypeRrsig:
      return "RRSIG";
    case kTypeDnskey:
      return "DNSKEY";
    case kTypeNsec3:
      return "NSEC3";
    case kTypeNsec3Param:
      return "NSEC3PARAM";
    case kTypeTlsa:
      return "TLSA";
    case kTypeCds:
      return "CDS";
    case kTypeCdnskey:
      return "CDNSKEY";
    default:
      return "TYPE" + std::to_string(type);
  }
}

}  // namespace registry::zone
