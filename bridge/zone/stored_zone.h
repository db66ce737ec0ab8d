// bridge/zone/stored_zone.h: a zone that was signed before, as it is read from a file, and what of it still holds.
// Its signatures are taken over record by record, so that a start signs only what is new: a block is taken when the
// ledger of today says the same data, its time has not run out, and of each algorithm in the DNSKEY set of now a key has
// signed it (RFC 4035 §2.2) that is the one that signed then: it is in the DNSKEY set of then and of now, or the SOA of
// then verifies with it. Signatures of further keys harm nobody.
// No other signatures are verified; the file's checksums find accidents (zone_file.h).
// Threads: plain values, moved and not copied.        Spec: RFC 4034 §3.1; RFC 1995 §4.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "bridge/zone/btree.h"
#include "bridge/zone/journal.h"

namespace registry::zone {

// At most one block for each owner and type. In the order of the zone itself, in which a start asks for them: what it has
// taken leaves room for what the zone puts in the place of that.
class StoredBlocks {
 public:
  // The octets that stand for owner and type: the owner's labels, the pointer behind them, the type.
  static Bytes KeyOf(View prefix, std::uint16_t type);
  static Bytes KeyOf(const Block& block) { return KeyOf(block.prefix(), block.type()); }

  bool Add(BlockPtr block);       // false, and nothing is added, when there is one
  BlockPtr Find(View key) const;  // null when there is none
  BlockPtr Remove(View key);      // the same
  std::vector<BlockPtr> All() const;
  std::size_t size() const { return tlsa_.size() + denial_.size() + others_.size(); }

 private:
  OctetMap<DeviceId, BlockPtr> tlsa_;  // of devices
  OctetMap<Hash, BlockPtr> denial_;
  absl::btree_map<Bytes, BlockPtr> others_;  // by key
};

struct StoredZone {
  StoredZone(std::size_t journal_octets_max, std::size_t journal_changes_max)
      : journal(journal_octets_max, journal_changes_max) {}

  Frames frames;        // of what is read
  StoredBlocks blocks;  // all but the SOA
  BlockPtr soa;
  std::uint32_t serial = 0;
  Journal journal;    // the versions that led to this one
  bool torn = false;  // versions behind it were lost, or are another registry's
  // Another registry's, which this one has followed (follower.h): there may be versions behind it.
  bool copied = false;
};

// What of a stored zone can be taken over under the keys of now.
class FormerBlocks {
 public:
  // `soa`: that of the stored zone. `dnskeys`: RDATA of the DNSKEY set of now.
  FormerBlocks(StoredBlocks blocks, const Block& soa, const SigningProfile& signing,
               const std::vector<Bytes>& dnskeys, UtcTime now);

  BlockPtr Take(const Unsigned& wanted);  // null: it must be signed
  bool Usable(const Block& block) const;
  std::vector<BlockPtr> Rest() const { return blocks_.All(); }  // what nobody has taken

 private:
  bool SignedInAll(const std::vector<std::uint16_t>& signers) const;

  StoredBlocks blocks_;
  std::vector<std::uint16_t> ksks_;
  std::map<std::uint16_t, std::uint8_t>
      then_;                           // tags of keys that signed then and may now, with their algorithms
  std::set<std::uint8_t> algorithms_;  // of the DNSKEY set of now
  std::int64_t now_;
};

}  // namespace registry::zone
