// bridge/zone/signed_zone.h: the content of the zone with its signatures and its NSEC3 chain, changed in place. Cost of
// a change does not grow with the zone: an added device is three signatures (its RRset, its NSEC3 and the NSEC3 before
// it) plus one per version (the SOA), and logarithmic look-ups.
// Use: Stage any number of changes, then Seal them as one version. Removed and added blocks come back as a Delta.
// Names: the apex, name servers inside the zone, their empty non-terminals, and `<uuid>._device` per device with the
//   empty non-terminal `_device` above them.
// Threads: one at a time, guarded by its owner; large batches are signed on `threads` threads inside the call.
// Errors: "zone_options_invalid" from Create. A staged content that is too large for a message is refused by Stage,
//   which then answers the devices it left as they were.
// Spec: RFC 4035 §2, RFC 5155 §7.1, RFC 9276 (1 0 0 -), RFC 9077 (TTL of NSEC3), RFC 2181 §5.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <span>
#include <variant>

#include "bridge/zone/btree.h"
#include "bridge/zone/delta.h"
#include "bridge/zone/expiry.h"
#include "bridge/zone/nsec3.h"
#include "bridge/zone/publisher.h"
#include "bridge/zone/stored_zone.h"

namespace registry::zone {

inline constexpr std::size_t kRrsetOctetsMax = 16 * 1024;

// Records of the names that do not depend on devices.
struct StaticSet {
  Bytes prefix;
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  std::vector<Bytes> rdatas;
};

struct ZoneProfile {
  SigningProfile signing;
  std::vector<StaticSet> key_sets;  // DNSKEY, CDS, CDNSKEY
  std::vector<StaticSet> sets;      // all others but the SOA
  Bytes soa_head, soa_tail;         // RDATA around the serial
  std::uint32_t soa_ttl = 60, tlsa_ttl = 60, denial_ttl = 60;
  std::chrono::seconds refresh{7 * 86400};
  std::size_t threads = 1;
};

class SignedZone {
 public:
  explicit SignedZone(ZoneProfile profile, UtcTime now);

  // Before anything is staged: what was served before. From here to EndAdoption its signatures are taken over where they
  // still hold. A walk over signatures of another ZSK begins anew when there are some.
  void Adopt(StoredBlocks blocks, BlockPtr soa, std::uint32_t serial, UtcTime now);
  // Everything is staged. Whether the zone differs from what was adopted; if not it is that very version.
  bool EndAdoption(UtcTime now);
  // At most one change per device counts: the one with the highest revision, the last of equals; a change
  // older than what the name holds is ignored.
  std::vector<DeviceId> Stage(std::span<const domain::ZoneChange> changes, UtcTime now);
  // Signs again what expires within `refresh`, at most `limit` RRsets.
  void StageRefresh(std::size_t limit, UtcTime now);
  // Other keys from here on, and the key sets that go with them. What the apex holds is signed anew at once; what devices
  // and NSEC3 hold of other ZSKs stays, and StageRekeyed signs at most `limit` of it anew. New content is signed
  // with the new keys. A walk over the whole zone in all, in as many parts. Two ZSKs are of two algorithms, which sign
  // everything both: 64 or 96 octets more for each RRset (RFC 6781 §4.1.4).
  void Rekey(SigningProfile signing, const std::vector<StaticSet>& key_sets, UtcTime now);
  void StageRekeyed(std::size_t limit, UtcTime now);
  bool Rekeying() const { return rekeying_; }
  // Whether Seal would make a version that differs from the last one.
  bool Dirty() const;
  bool RefreshDue(UtcTime now) const;
  // Signatures made by a clock that was ahead begin in the future and are bogus to everybody until then. Makes them
  // due; how many there are. A look at the whole zone, but only when the clock has gone back by more than
  // inception_offset.
  std::size_t ExpediteFromAhead(UtcTime now);
  // When the first signature expires, UTC seconds, a little early rather than late; 0 when one must be made again at
  // once.
  std::int64_t FirstExpiry() const;
  Delta Seal(std::uint32_t serial, UtcTime now);

  std::vector<BlockPtr> Contents() const;  // all but the SOA
  template <typename Visit>
  void ForEach(const Visit& visit) const;  // the same, one after the other
  std::size_t blocks_at_most() const {
    return static_.size() + key_sets_.size() + devices_.size() + notes_.size() + denial_.size();
  }
  const BlockPtr& soa() const { return soa_; }
  std::uint64_t devices() const { return devices_.size(); }
  std::size_t octets() const { return octets_; }  // of all blocks, for comparison with a difference

 private:
  struct DeviceName {
    std::uint64_t revision = 0;
    BlockPtr tlsa;  // null: it has none
  };
  // Ordered by the hash alone, which nobody changes.
  struct Denial {
    Hash hash;
    mutable std::uint16_t types;  // its bitmap in bitmaps_
    mutable bool stale;           // to be rendered again by Seal; listed in stale_denial_
    mutable BlockPtr block;
  };
  struct ByHash {
    using is_transparent = void;
    static const Hash& Of(const Denial& denial) { return denial.hash; }
    static const Hash& Of(const Hash& hash) { return hash; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return ByOctets()(Of(a), Of(b));
    }
  };
  using DenialSet = absl::btree_set<Denial, ByHash>;
  // Where a block stands. By name, because what stands in an ordered container moves when something comes or goes.
  struct DeviceSpot {
    DeviceId device;
    bool note;
  };
  using Spot = std::variant<BlockPtr*, DeviceSpot, Hash>;
  struct Task {
    Spot spot;
    Unsigned data;
    BlockPtr sealed;
  };

  void MakeSealers();
  void AddStatic(UtcTime now);
  void SetKeySets(const std::vector<StaticSet>& key_sets, UtcTime now);
  void Readopt(BlockPtr& block);
  void TakeFormer(std::vector<Task>& tasks);
  Spot SpotOf(const Block& block);
  BlockPtr& At(const Spot& spot);
  void Place(BlockPtr& at, BlockPtr block);
  void TakeOver(const Spot& spot, BlockPtr& block, std::vector<Task>& tasks);
  bool TakeOverDevices(const std::function<bool()>& stop, std::vector<Task>& tasks);
  bool Fits(const domain::ZoneChange& change) const;
  void Update(const domain::ZoneChange& change, std::vector<Task>& tasks);
  void SetNote(const DeviceId& device, std::optional<Unsigned> wanted, std::vector<Task>& tasks);
  void Replace(const Spot& spot, BlockPtr& block, std::optional<Unsigned> wanted, std::vector<Task>& tasks);
  void Drop(BlockPtr& block);
  void Run(std::vector<Task>& tasks, UtcTime now);
  void SetTypes(const Bytes& prefix, std::optional<std::vector<std::uint16_t>> types);
  std::uint16_t TypesId(std::vector<std::uint16_t> types);
  void Mark(const Denial& denial);
  void MarkBefore(DenialSet::iterator at);
  void SealDenial(UtcTime now);
  Unsigned SoaOf(std::uint32_t serial) const;
  BlockPtr SealSoa(std::uint32_t serial, UtcTime now);

  ZoneProfile profile_;
  std::vector<std::uint16_t> signers_;  // tags of the ZSKs
  Nsec3Hasher hasher_;
  std::deque<Sealer> sealers_;
  ExpiryIndex expiry_;
  std::deque<BlockPtr> static_;
  std::map<std::uint16_t, BlockPtr> key_sets_;  // by type
  std::vector<std::uint16_t> apex_types_;       // without those of the key sets
  OctetMap<DeviceId, DeviceName> devices_;
  OctetMap<DeviceId, BlockPtr> notes_;  // TXT of the devices that have one
  DenialSet denial_;
  std::vector<Hash> stale_denial_;
  std::vector<Bytes> bitmaps_;  // of the sets of types that names have, a dozen
  bool rekeying_ = false;
  std::optional<DeviceId> rekeyed_device_;  // the walk has come so far
  std::optional<Hash> rekeyed_denial_;
  std::optional<FormerBlocks> former_;  // while it starts
  Delta pending_;
  BlockPtr soa_;
  std::uint32_t serial_ = 0;
  std::size_t octets_ = 0;
  std::int64_t signed_at_ = 0;  // the latest time anything was signed at, UTC seconds
};

template <typename Visit>
void SignedZone::ForEach(const Visit& visit) const {
  for (const BlockPtr& block : static_) visit(block);
  for (const auto& [type, block] : key_sets_) visit(block);
  for (const auto& [device, name] : devices_) {
    if (name.tlsa) visit(name.tlsa);
  }
  for (const auto& [device, block] : notes_) visit(block);
  for (const Denial& denial : denial_) visit(denial.block);
}

}  // namespace registry::zone
