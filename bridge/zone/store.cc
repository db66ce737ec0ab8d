#include "bridge/zone/store.h"

#include <unordered_map>
#include <unordered_set>

namespace registry::zone {
namespace {

using Part = Piece::Part;

std::string DataText(const Block& block) { return std::string(AsText(block.data())); }

// RFC 1995 §4: what is in both versions is in neither list. Who signs again leaves the data alone, so that only the
// old and the new RRSIG are told: half of the octets, and no record a secondary deletes to add it again.
std::unordered_set<const Block*> SignedAgain(const Delta& delta) {
  std::unordered_map<std::string, const Block*> removed;
  for (const BlockPtr& block : delta.removed) removed.emplace(DataText(*block), block.get());
  std::unordered_set<const Block*> both;
  for (const BlockPtr& block : delta.added) {
    const auto before = removed.find(DataText(*block));
    if (before == removed.end()) continue;
    both.insert(before->second);
    both.insert(block.get());
  }
  return both;
}

// RFC 1995 §4: the newest SOA, the old SOA and what goes, the new SOA and what comes, the newest SOA.
std::vector<Piece> DifferenceOf(const Delta& delta) {
  const auto both = SignedAgain(delta);
  std::vector<Piece> pieces;
  pieces.reserve(delta.removed.size() + delta.added.size() + 4);
  const auto put = [&](const std::vector<BlockPtr>& blocks) {
    for (const BlockPtr& block : blocks) {
      pieces.push_back({both.contains(block.get()) ? Part::kSignature : Part::kAll, block});
    }
  };
  pieces.push_back({Part::kData, delta.soa_to});
  pieces.push_back({Part::kAll, delta.soa_from});
  put(delta.removed);
  pieces.push_back({Part::kAll, delta.soa_to});
  put(delta.added);
  pieces.push_back({Part::kData, delta.soa_to});
  return pieces;
}

}  // namespace

std::uint16_t Piece::records() const {
  const BlockShape& shape = block->shape();
  if (part == Part::kSignature) return shape.signature_count;
  return static_cast<std::uint16_t>(shape.data_count + (part == Part::kAll ? shape.signature_count : 0));
}

ZoneStore::ZoneStore(ZoneProfile profile, std::size_t journal_octets_max, std::size_t journal_changes_max,
                     UtcTime now)
    : zone_(profile.signing.zone),
      patience_(profile.signing.patience),
      content_(std::move(profile), now),
      journal_(journal_octets_max, journal_changes_max) {}

std::vector<DeviceId> ZoneStore::Load(std::span<const domain::ZoneChange> changes, UtcTime now) {
  const MutexLock lock(content_mutex_);
  return content_.Stage(changes, now);
}

void ZoneStore::Adopt(StoredZone stored, UtcTime now) {
  const MutexLock lock(content_mutex_);
  adopted_whole_ = !stored.torn;
  content_.Adopt(std::move(stored.blocks), stored.soa, stored.serial, now);
  const MutexLock served(served_mutex_);
  journal_ = std::move(stored.journal);
  soa_ = std::move(stored.soa);
  serial_ = stored.serial;
}

// What follows a version that was lost may have been served under serials that are not known: then this one is new.
bool ZoneStore::FinishLoadAsAdopted(UtcTime now) {
  const MutexLock lock(content_mutex_);
  const bool same = adopted_whole_ && !content_.EndAdoption(now) && *adopted_whole_;
  adopted_whole_.reset();
  if (!same) return false;
  devices_ = content_.devices();
  octets_ = content_.octets();
  return true;
}

bool ZoneStore::FinishLoad(std::uint32_t serial, UtcTime now) {
  if (FinishLoadAsAdopted(now)) return false;
  const MutexLock lock(content_mutex_);
  Serve(content_.Seal(serial, now));
  return true;
}

ZoneStore::Published ZoneStore::Publish(std::span<const domain::ZoneChange> changes,
                                        std::size_t refresh_limit, std::uint32_t serial, UtcTime now,
                                        std::size_t rekey_limit) {
  const MutexLock lock(content_mutex_);
  Published published;
  published.refused = content_.Stage(changes, now);
  // After the changes: what they replace need not be signed again. The SOA is signed with every version.
  const bool due = refresh_limit > 0 && content_.RefreshDue(now);
  if (due) content_.StageRefresh(refresh_limit, now);
  if (rekey_limit > 0) content_.StageRekeyed(rekey_limit, now);
  published.changed = due || content_.Dirty();
  if (published.changed) Serve(content_.Seal(serial, now));
  if (spoilt()) published.changed = false;
  return published;
}

void ZoneStore::Rekey(SigningProfile signing, const std::vector<StaticSet>& key_sets, std::uint32_t serial,
                      UtcTime now) {
  const MutexLock lock(content_mutex_);
  content_.Rekey(std::move(signing), key_sets, now);
  Serve(content_.Seal(serial, now));
}

bool ZoneStore::Rekeying() const {
  const MutexLock lock(content_mutex_);
  return content_.Rekeying();
}

// Signed before anybody has to wait for it.
void ZoneStore::Replace(SignedZone content, std::uint32_t serial, UtcTime now) {
  Delta whole = content.Seal(serial, now);
  const MutexLock lock(content_mutex_);
  if (spoilt()) return;
  {
    const MutexLock served(served_mutex_);
    journal_.Clear();
  }
  // A start must not take over what the operator has had thrown away.
  if (file_ != nullptr) file_->Discard();
  content_ = std::move(content);
  Serve(std::move(whole));
}

void ZoneStore::Renumber(std::uint32_t serial, UtcTime now) {
  const MutexLock lock(content_mutex_);
  Serve(content_.Seal(serial, now), true);
}

bool ZoneStore::RefreshDue(UtcTime now) const {
  const MutexLock lock(content_mutex_);
  return content_.RefreshDue(now);
}

std::size_t ZoneStore::ExpediteFromAhead(UtcTime now) {
  const MutexLock lock(content_mutex_);
  return content_.ExpediteFromAhead(now);
}

std::int64_t ZoneStore::FirstExpiry() const {
  const MutexLock lock(content_mutex_);
  return content_.FirstExpiry();
}

// `anew`: no difference is told over it.
void ZoneStore::Serve(Delta delta, bool anew) {
  if (spoilt()) return;
  const bool first = delta.soa_from == nullptr;
  const auto shared = std::make_shared<const Delta>(std::move(delta));
  if (file_ != nullptr && !first) file_->Append(*shared, anew);
  {
    const MutexLock lock(served_mutex_);
    soa_ = shared->soa_to;
    serial_ = shared->to;
    if (anew) {
      journal_.Clear();
    } else if (!first) {
      journal_.Append(shared);
    }
  }
  devices_ = content_.devices();
  octets_ = content_.octets();
  if (file_ != nullptr && file_->RewriteDue()) file_->Rewrite(Image());
}

ZoneImage ZoneStore::Image() const {
  const MutexLock lock(served_mutex_);
  return {content_.Contents(), soa_, serial_, journal_.All()};
}

std::uint32_t ZoneStore::serial() const {
  const MutexLock lock(served_mutex_);
  return serial_;
}

BlockPtr ZoneStore::soa() const {
  const MutexLock lock(served_mutex_);
  return soa_;
}

// RFC 5936 §2.2: the SOA, every other record once, the SOA again. A list of its own for each of many secondaries that come
// at once would take 64 octets a name for each, and hold up whoever asks behind them.
Transfer ZoneStore::Full() const {
  const MutexLock lock(content_mutex_);
  if (spoilt()) return {Transfer::Kind::kCurrent, Pieces::List{{Piece::Part::kData, this->soa()}}};
  const BlockPtr& soa = content_.soa();
  auto whole = whole_.lock();
  if (whole == nullptr || whole->front().block != soa) {
    Pieces::List pieces;
    pieces.reserve(content_.blocks_at_most() + 2);
    pieces.push_back({Piece::Part::kAll, soa});
    content_.ForEach([&pieces](const BlockPtr& block) { pieces.push_back({Piece::Part::kAll, block}); });
    pieces.push_back({Piece::Part::kData, soa});
    whole = std::make_shared<const Pieces::List>(std::move(pieces));
    whole_ = whole;
  }
  return {Transfer::Kind::kFull, Pieces(std::move(whole))};
}

Transfer ZoneStore::Since(std::uint32_t serial) const {
  std::vector<DeltaPtr> versions;
  {
    const MutexLock lock(served_mutex_);
    // RFC 1995 §2: a client that has this version, or claims a newer one, is told the SOA only.
    if (!SerialAhead(serial_, serial))
      return {Transfer::Kind::kCurrent, Pieces::List{{Piece::Part::kData, soa_}}};
    versions = journal_.After(serial);
  }
  if (versions.empty()) return Full();
  Transfer transfer{Transfer::Kind::kIncremental, DifferenceOf(Condense(versions))};
  std::size_t octets = 0;
  for (const Piece& piece : transfer.pieces) octets += piece.size();
  // RFC 1995 §2: allowed, and cheaper for both.
  return octets > octets_ ? Full() : std::move(transfer);
}

}  // namespace registry::zone
