// bridge/zone/store.h: the zone as it is served now: content, SOA and journal, changed by one thread and read
// by another. A version is visible to readers whole or not at all. Threads: Load, Publish and Renumber from
// the publishing thread only; the rest from any.
// Waiting: SOA and an IXFR from the journal wait for no signing. A whole zone (AXFR, or an IXFR the journal cannot
// answer) waits while a version is being signed, 0.1 s for a batch of 1000, and holds the next one up while it is
// collected; one thread answers all secondaries, so what is asked behind it waits as long. All whole transfers of one
// version share one list.
// Spec: RFC 1995 §2, §4; RFC 5936 §2.2; RFC 1982.
#pragma once

#include <atomic>

#include "bridge/zone/journal.h"
#include "bridge/zone/signed_zone.h"
#include "bridge/zone/zone_file.h"
#include "schemas/base/mutex.h"

namespace registry::zone {

// A run of records to be put into an answer.
struct Piece {
  using Part = Block::Part;
  Part part = Part::kAll;
  BlockPtr block;

  void AppendTo(Bytes& out) const { block->AppendTo(out, part); }
  std::size_t size() const { return block->size_of(part); }  // octets
  std::uint16_t records() const;
};

// The records of an answer, in order. Immutable and shared: copies cost nothing, and all whole transfers of a version are
// of one list.
class Pieces {
 public:
  using List = std::vector<Piece>;

  Pieces(List pieces = {}) : list_(std::make_shared<const List>(std::move(pieces))) {}  // NOLINT: it is one
  explicit Pieces(std::shared_ptr<const List> list) : list_(std::move(list)) {}
  std::size_t size() const { return list_->size(); }
  const Piece& operator[](std::size_t at) const { return (*list_)[at]; }
  List::const_iterator begin() const { return list_->begin(); }
  List::const_iterator end() const { return list_->end(); }
  const std::shared_ptr<const List>& list() const { return list_; }

 private:
  std::shared_ptr<const List> list_;
};

struct Transfer {
  enum class Kind { kCurrent, kIncremental, kFull } kind = Kind::kFull;
  Pieces pieces;
};

class ZoneStore {
 public:
  ZoneStore(ZoneProfile profile, std::size_t journal_octets_max, std::size_t journal_changes_max,
            UtcTime now);

  // Every version is kept there from here on, before it is served. It outlives the store.
  void KeepIn(ZoneFile& file) { file_ = &file; }
  // Before Load: what was kept. What still holds of it needs no signature.
  void Adopt(StoredZone stored, UtcTime now);
  // Before anything is served: content that makes up the first version, in any number of parts.
  std::vector<DeviceId> Load(std::span<const domain::ZoneChange> changes, UtcTime now);
  // True: the zone is the one that was adopted, and is served under its serial. Else FinishLoad comes next.
  bool FinishLoadAsAdopted(UtcTime now);
  // False: the zone is the one that was adopted and is served under its serial; `serial` was not used.
  bool FinishLoad(std::uint32_t serial, UtcTime now);
  struct Published {
    bool changed = false;  // false: the zone was so already, the serial was not used
    std::vector<DeviceId> refused;
  };
  // Changes, and at most `refresh_limit` signatures that are due, as one version: a version costs every secondary
  // a transfer, whatever is in it.
  Published Publish(std::span<const domain::ZoneChange> changes, std::size_t refresh_limit,
                    std::uint32_t serial, UtcTime now, std::size_t rekey_limit = 0);
  // The same content as a version of its own, with other keys in it. While Rekeying, signatures of another ZSK are left,
  // and each Publish replaces at most `rekey_limit` of them.
  void Rekey(SigningProfile signing, const std::vector<StaticSet>& key_sets, std::uint32_t serial,
             UtcTime now);
  bool Rekeying() const;
  // Content that was made apart, in place of what is there, as a version of its own. No difference leads to it.
  void Replace(SignedZone content, std::uint32_t serial, UtcTime now);
  // The same content as a version of its own under a serial any number of steps on.
  void Renumber(std::uint32_t serial, UtcTime now);
  // A signature was given up on (key_patience.h): the version it belongs to, and every later one, is not served.
  bool spoilt() const { return patience_->missed(); }
  bool RefreshDue(UtcTime now) const;
  std::size_t ExpediteFromAhead(UtcTime now);  // as SignedZone's
  std::int64_t FirstExpiry() const;

  const Name& zone() const { return zone_; }
  std::uint32_t serial() const;
  BlockPtr soa() const;
  std::uint64_t devices() const { return devices_; }
  Transfer Full() const;
  Transfer Since(std::uint32_t serial) const;

 private:
  void Serve(Delta delta, bool anew = false) REQUIRES(content_mutex_);
  ZoneImage Image() const REQUIRES(content_mutex_);

  Name zone_;
  const std::shared_ptr<KeyPatience> patience_;
  ZoneFile* file_ = nullptr;
  mutable std::weak_ptr<const Pieces::List> whole_ GUARDED_BY(content_mutex_);  // as long as anybody sends it
  std::optional<bool> adopted_whole_;  // while it starts; whether what was adopted had lost nothing
  mutable Mutex content_mutex_ ACQUIRED_BEFORE(served_mutex_);
  SignedZone content_ GUARDED_BY(content_mutex_);
  mutable Mutex served_mutex_;
  BlockPtr soa_ GUARDED_BY(served_mutex_);
  std::uint32_t serial_ GUARDED_BY(served_mutex_) = 0;
  Journal journal_ GUARDED_BY(served_mutex_);
  std::atomic<std::uint64_t> devices_{0};
  std::atomic<std::size_t> octets_{0};
};

}  // namespace registry::zone
