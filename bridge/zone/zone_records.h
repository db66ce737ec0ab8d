// bridge/zone/zone_records.h: the records of the file that keeps the signed zone (zone_file.h), to and from octets.
// Record := length (4, of what follows the checksum) | CRC-32C (4) | kind (1) | payload. Integers in network order.
//   kStart     format (2) | zone's name, uncompressed | serial (4) | block of the SOA
//   kBlocks    blocks of the content at that serial, without the SOA, in any number of records
//   kEnd       how many blocks there were (4): the content is whole
//   kVersion   from (4) | to (4) | anew (1) | SOA | count (4), keys of what goes | count (4), blocks of what comes
//   kCopied    nothing, or as kVersion: the zone is now as another registry served it, which may have served versions behind
//              that. A kVersion behind it is this registry's own. A release that does not know the kind reads up to there
// Block := prefix size (2) | records (2) | RRSIGs (2) | octets of the RRset (4) | octets in all (4) | octets.
// Key := size (2) | octets (StoredBlocks::KeyOf).
// Reading trusts nothing: what does not fit is null or false. A version that does not fit leaves what was read before as it
// was; content (kBlocks) that does not fit is no content at all.
// Threads: pure functions.
#pragma once

#include "bridge/zone/stored_zone.h"

namespace registry::zone {

inline constexpr std::uint16_t kZoneFileFormat = 1;
inline constexpr std::size_t kZoneRecordHead = 9;           // length, checksum, kind
inline constexpr std::size_t kZoneRecordMax = 64u << 20;    // payload; a larger version is not written as one
inline constexpr std::size_t kBlocksRecordSize = 1u << 18;  // about

enum class ZoneRecord : std::uint8_t { kStart = 1, kBlocks = 2, kEnd = 3, kVersion = 4, kCopied = 5 };

Bytes Framed(ZoneRecord kind, View payload);
// Length of the payload; nullopt when the head cannot be one.
std::optional<std::size_t> PayloadSize(View head);
bool ChecksumHolds(View head, View payload);
inline ZoneRecord KindOf(View head) { return static_cast<ZoneRecord>(head[8]); }

void PutBlock(Bytes& out, const Block& block);
BlockPtr ReadBlock(Reader& reader, Frames& frames);

Bytes StartPayload(const Name& zone, std::uint32_t serial, const Block& soa);
// False: another format, another zone, or no such record.
bool ReadStart(View payload, const Name& zone, StoredZone& into);
bool ReadBlocks(View payload, StoredZone& into);
bool ReadEnd(View payload, const StoredZone& whole);
// `anew`: no difference is told over it (journal.h).
std::size_t VersionSize(const Delta& delta);  // about, and not less
Bytes VersionPayload(const Delta& delta, bool anew);
bool ReadVersion(View payload, StoredZone& into);
bool ReadCopied(View payload, StoredZone& into);

}  // namespace registry::zone
