#include "bridge/zone/copied_set.h"

namespace registry::zone {
namespace {

constexpr std::size_t kTtlAt = kOwnerPointer + 4, kSizeAt = kOwnerPointer + 8;  // behind the owner's labels

std::uint32_t TtlIn(View octets, std::size_t at) {
  Reader reader(octets, at);
  std::uint32_t ttl = 0;
  (void)reader.U32(ttl);
  return ttl;
}

}  // namespace

SetParts PartsOf(const Block& block) {
  SetParts parts;
  const Bytes wire = block.wire();
  const BlockShape& shape = block.shape();
  const std::size_t head = shape.prefix_size + kOwnerPointer + kRecordFixed;
  parts.ttl = TtlIn(wire, shape.prefix_size + kTtlAt);
  const View data = View(wire).first(shape.data_size);
  for (std::size_t at = 0; at + head <= data.size();) {
    const std::size_t size_at = at + shape.prefix_size + kSizeAt;
    const std::size_t size = std::size_t{data[size_at]} << 8 | data[size_at + 1];
    if (at + head + size > data.size()) break;
    const View rdata = data.subspan(at + head, size);
    parts.rdatas.emplace_back(rdata.begin(), rdata.end());
    at += head + size;
  }
  EachRrsig(wire, shape, [&](View rrsig) { parts.rrsigs.emplace_back(rrsig.begin() + head, rrsig.end()); });
  return parts;
}

BlockPtr BlockOf(const Bytes& prefix, std::uint16_t type, SetParts parts, Frames& frames) {
  if (parts.rdatas.empty() || parts.rrsigs.empty()) return nullptr;
  const Unsigned data = Render(prefix, type, parts.ttl, std::move(parts.rdatas));
  Bytes wire = data.wire;
  for (const Bytes& rrsig : parts.rrsigs) {
    const Unsigned one = Render(prefix, kTypeRrsig, parts.ttl, {rrsig});
    Put(wire, one.wire);
  }
  const BlockShape shape{static_cast<std::uint32_t>(data.wire.size()),
                         static_cast<std::uint16_t>(prefix.size()), data.count,
                         static_cast<std::uint16_t>(parts.rrsigs.size())};
  return Block::Make(wire, shape, frames);
}

std::uint16_t TypeOfSet(std::uint16_t type, View rdata) {
  if (type != kTypeRrsig || rdata.size() < 2) return type;
  return static_cast<std::uint16_t>(rdata[0] << 8 | rdata[1]);
}

}  // namespace registry::zone
