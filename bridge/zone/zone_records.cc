#include "bridge/zone/zone_records.h"

#include <set>

#include "bridge/ledger/crc32c.h"

namespace registry::zone {
namespace {

// Over what it is about and how much of it there is.
std::uint32_t ChecksumOf(View head, View payload) {
  Bytes ends(head.begin(), head.begin() + 4);
  ends.push_back(head[8]);
  PutU32(ends, ledger::Crc32c(AsText(payload)));
  return ledger::Crc32c(AsText(ends));
}

std::uint32_t NumberIn(View octets, std::size_t at) {
  return std::uint32_t{octets[at]} << 24 | std::uint32_t{octets[at + 1]} << 16 |
         std::uint32_t{octets[at + 2]} << 8 | octets[at + 3];
}

struct Version {
  Delta delta;
  bool anew = false;
  std::vector<Bytes> gone;
};

bool ReadGone(Reader& reader, Version& version) {
  std::uint32_t count = 0;
  if (!reader.U32(count)) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint16_t size = 0;
    if (!reader.U16(size) || !reader.Octets(size, version.gone.emplace_back())) return false;
  }
  return true;
}

bool ReadCome(Reader& reader, Frames& frames, Version& version) {
  std::uint32_t count = 0;
  if (!reader.U32(count)) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    BlockPtr block = ReadBlock(reader, frames);
    if (block == nullptr) return false;
    version.delta.added.push_back(std::move(block));
  }
  return reader.left() == 0;
}

bool Parse(View payload, Frames& frames, Version& version) {
  Reader reader(payload);
  std::uint8_t anew = 0;
  if (!reader.U32(version.delta.from) || !reader.U32(version.delta.to) || !reader.U8(anew)) return false;
  version.anew = anew != 0;
  version.delta.soa_to = ReadBlock(reader, frames);
  return version.delta.soa_to != nullptr && ReadGone(reader, version) && ReadCome(reader, frames, version);
}

// Whether what goes is there, and what comes finds its place free: each once. Two blocks of one place can only be a fault
// of who wrote it, and the difference from there on would be wrong.
bool LeadsOnFrom(const StoredBlocks& blocks, const Version& version) {
  std::set<Bytes> gone, come;
  for (const Bytes& key : version.gone) {
    if (blocks.Find(key) == nullptr || !gone.insert(key).second) return false;
  }
  for (const BlockPtr& block : version.delta.added) {
    Bytes key = StoredBlocks::KeyOf(*block);
    if (blocks.Find(key) != nullptr && !gone.contains(key)) return false;
    if (!come.insert(std::move(key)).second) return false;
  }
  return true;
}

}  // namespace

Bytes Framed(ZoneRecord kind, View payload) {
  Bytes record;
  record.reserve(kZoneRecordHead + payload.size());
  PutU32(record, static_cast<std::uint32_t>(payload.size()));
  PutU32(record, 0);
  record.push_back(static_cast<std::uint8_t>(kind));
  Put(record, payload);
  const std::uint32_t checksum = ChecksumOf(record, payload);
  SetU16(record, 4, static_cast<std::uint16_t>(checksum >> 16));
  SetU16(record, 6, static_cast<std::uint16_t>(checksum));
  return record;
}

std::optional<std::size_t> PayloadSize(View head) {
  const std::size_t size = NumberIn(head, 0);
  if (size > kZoneRecordMax) return std::nullopt;
  return size;
}

bool ChecksumHolds(View head, View payload) { return NumberIn(head, 4) == ChecksumOf(head, payload); }

void PutBlock(Bytes& out, const Block& block) {
  const BlockShape& shape = block.shape();
  PutU16(out, shape.prefix_size);
  PutU16(out, shape.data_count);
  PutU16(out, shape.signature_count);
  PutU32(out, shape.data_size);
  PutU32(out, static_cast<std::uint32_t>(block.size()));
  block.AppendTo(out, Block::Part::kAll);
}

BlockPtr ReadBlock(Reader& reader, Frames& frames) {
  BlockShape shape;
  std::uint32_t size = 0;
  View wire;
  if (!reader.U16(shape.prefix_size) || !reader.U16(shape.data_count) || !reader.U16(shape.signature_count) ||
      !reader.U32(shape.data_size) || !reader.U32(size) || !reader.Take(size, wire))
    return nullptr;
  return Block::Make(wire, shape, frames);
}

Bytes StartPayload(const Name& zone, std::uint32_t serial, const Block& soa) {
  Bytes payload;
  PutU16(payload, kZoneFileFormat);
  Put(payload, zone);
  PutU32(payload, serial);
  PutBlock(payload, soa);
  return payload;
}

bool ReadStart(View payload, const Name& zone, StoredZone& into) {
  Reader reader(payload);
  std::uint16_t format = 0;
  Bytes name;
  if (!reader.U16(format) || format != kZoneFileFormat) return false;
  if (!reader.Octets(zone.size(), name) || name != zone) return false;
  if (!reader.U32(into.serial)) return false;
  into.soa = ReadBlock(reader, into.frames);
  return into.soa != nullptr && reader.left() == 0;
}

bool ReadBlocks(View payload, StoredZone& into) {
  Reader reader(payload);
  while (reader.left() > 0) {
    BlockPtr block = ReadBlock(reader, into.frames);
    if (block == nullptr || !into.blocks.Add(std::move(block))) return false;
  }
  return true;
}

bool ReadEnd(View payload, const StoredZone& whole) {
  Reader reader(payload);
  std::uint32_t count = 0;
  return reader.U32(count) && reader.left() == 0 && count == whole.blocks.size();
}

std::size_t VersionSize(const Delta& delta) {
  constexpr std::size_t kBlockHead = 14, kKeyHead = 6, kRest = 64;
  std::size_t size = kRest + delta.soa_to->size();
  for (const BlockPtr& block : delta.removed) size += kKeyHead + block->shape().prefix_size;
  for (const BlockPtr& block : delta.added) size += kBlockHead + block->size();
  return size;
}

Bytes VersionPayload(const Delta& delta, bool anew) {
  Bytes payload;
  payload.reserve(VersionSize(delta));
  PutU32(payload, delta.from);
  PutU32(payload, delta.to);
  payload.push_back(anew ? 1 : 0);
  PutBlock(payload, *delta.soa_to);
  PutU32(payload, static_cast<std::uint32_t>(delta.removed.size()));
  for (const BlockPtr& block : delta.removed) {
    const Bytes key = StoredBlocks::KeyOf(*block);
    PutU16(payload, static_cast<std::uint16_t>(key.size()));
    Put(payload, key);
  }
  PutU32(payload, static_cast<std::uint32_t>(delta.added.size()));
  for (const BlockPtr& block : delta.added) PutBlock(payload, *block);
  return payload;
}

bool ReadVersion(View payload, StoredZone& into) {
  Version version;
  if (!Parse(payload, into.frames, version) || version.delta.from != into.serial) return false;
  if (!LeadsOnFrom(into.blocks, version)) return false;
  version.delta.soa_from = into.soa;
  for (const Bytes& key : version.gone) version.delta.removed.push_back(into.blocks.Remove(key));
  for (const BlockPtr& block : version.delta.added) into.blocks.Add(block);
  into.soa = version.delta.soa_to;
  into.serial = version.delta.to;
  into.copied = false;
  if (version.anew) {
    into.journal.Clear();
  } else {
    into.journal.Append(std::make_shared<const Delta>(std::move(version.delta)));
  }
  return true;
}

bool ReadCopied(View payload, StoredZone& into) {
  if (!payload.empty() && !ReadVersion(payload, into)) return false;
  into.copied = true;
  return true;
}

}  // namespace registry::zone
