#include "bridge/zone/signed_zone.h"

#include <algorithm>
#include <limits>
#include <thread>

#include "bridge/zone/device_content.h"
#include "schemas/base/check.h"
#include "schemas/base/thread_name.h"

namespace registry::zone {
namespace {

constexpr std::size_t kTasksPerRun = 8192;  // bounds the unsigned copies held while a large zone is signed
constexpr std::size_t kLooksPerSignature = 64;  // cells looked at per signature made anew, when few need one
// Some 5 ms of signing. Below it a thread saves less than its start and the wait for a busy core cost.
constexpr std::size_t kTasksPerThread = 256;

const Bytes kDeviceLabel = DeviceLabel();

bool Empty(const domain::ZoneChange& change) { return change.tlsa.empty() && change.note.empty(); }

}  // namespace

SignedZone::SignedZone(ZoneProfile profile, UtcTime now)
    : profile_(std::move(profile)),
      hasher_(profile_.signing.zone),
      expiry_(std::max<std::chrono::seconds>(std::chrono::seconds(1), profile_.refresh / 512)) {
  MakeSealers();
  AddStatic(now);
  SetKeySets(profile_.key_sets, now);
}

void SignedZone::MakeSealers() {
  sealers_.clear();
  for (std::size_t i = 0; i < std::max<std::size_t>(1, profile_.threads); ++i)
    sealers_.emplace_back(profile_.signing);
  signers_.clear();
  for (const ZoneKey& key : profile_.signing.zsks) signers_.push_back(key.tag);
}

void SignedZone::AddStatic(UtcTime now) {
  std::map<std::string, std::vector<std::uint16_t>> types;  // by prefix
  std::vector<Task> tasks;
  for (const StaticSet& set : profile_.sets) {
    BlockPtr& block = static_.emplace_back();
    tasks.push_back({&block, Render(set.prefix, set.type, set.ttl, set.rdatas), nullptr});
    types[std::string(AsText(set.prefix))].push_back(set.type);
    // RFC 5155 §7.1 step 4: names between the zone and this one exist, too.
    for (std::size_t at = 0; at < set.prefix.size(); at += 1u + set.prefix[at]) {
      types[std::string(AsText(set.prefix).substr(at))];
    }
  }
  apex_types_ = types[{}];
  apex_types_.insert(apex_types_.end(), {kTypeSoa, kTypeRrsig});
  types.erase(std::string());  // with the key sets
  for (auto& [prefix, present] : types) {
    if (!present.empty()) present.push_back(kTypeRrsig);
    SetTypes(AsBytes(prefix), present);
  }
  Run(tasks, now);
}

void SignedZone::SetKeySets(const std::vector<StaticSet>& key_sets, UtcTime now) {
  for (auto& [type, block] : key_sets_) Drop(block);
  key_sets_.clear();
  std::vector<Task> tasks;
  std::vector<std::uint16_t> types = apex_types_;
  for (const StaticSet& set : key_sets) {
    tasks.push_back({&key_sets_[set.type], Render({}, set.type, set.ttl, set.rdatas), nullptr});
    types.push_back(set.type);
  }
  SetTypes({}, std::move(types));
  Run(tasks, now);
}

void SignedZone::Rekey(SigningProfile signing, const std::vector<StaticSet>& key_sets, UtcTime now) {
  const bool same_zsks =
      std::ranges::equal(signing.zsks, profile_.signing.zsks, {}, &ZoneKey::dnskey, &ZoneKey::dnskey);
  profile_.signing = std::move(signing);
  MakeSealers();
  SetKeySets(key_sets, now);
  if (same_zsks) return;
  std::vector<Task> tasks;
  for (BlockPtr& block : static_) TakeOver(&block, block, tasks);
  Run(tasks, now);
  rekeying_ = true;
  rekeyed_device_.reset();
  rekeyed_denial_.reset();
}

void SignedZone::Adopt(StoredBlocks blocks, BlockPtr soa, std::uint32_t serial, UtcTime now) {
  std::vector<Bytes> dnskeys;
  for (const StaticSet& set : profile_.key_sets) {
    if (set.type == kTypeDnskey) dnskeys = set.rdatas;
  }
  former_.emplace(std::move(blocks), *soa, profile_.signing, dnskeys, now);
  for (BlockPtr& block : static_) Readopt(block);
  for (auto& [type, block] : key_sets_) Readopt(block);
  soa_ = std::move(soa);
  serial_ = serial;
}

// It was signed when this object was made, and nobody has seen that. Of another ZSK it is not taken back: a walk passes
// it by.
void SignedZone::Readopt(BlockPtr& block) {
  BlockPtr before = former_->Take(zone::DataOf(*block));
  if (before == nullptr || !before->SignedBy(block->signers())) {
    if (before != nullptr) pending_.removed.push_back(std::move(before));
    return;
  }
  std::erase(pending_.added, block);
  expiry_.Remove(*block);
  octets_ -= block->size();
  Place(block, std::move(before));
}

bool SignedZone::EndAdoption(UtcTime now) {
  SealDenial(now);
  for (BlockPtr& block : former_->Rest()) pending_.removed.push_back(std::move(block));
  const bool same_soa =
      soa_->DataIs(SoaOf(serial_).wire) && former_->Usable(*soa_) && soa_->SignedBy(signers_);
  former_.reset();
  return Dirty() || !same_soa;
}

// What needs no signature is placed and leaves the list.
void SignedZone::TakeFormer(std::vector<Task>& tasks) {
  std::erase_if(tasks, [this](Task& task) {
    BlockPtr before = former_->Take(task.data);
    if (before == nullptr) return false;
    rekeying_ = rekeying_ || !before->SignedBy(signers_);
    signed_at_ = std::max(signed_at_, before->inception() + profile_.signing.inception_offset.count());
    Place(At(task.spot), std::move(before));
    return true;
  });
}

SignedZone::Spot SignedZone::SpotOf(const Block& block) {
  for (BlockPtr& one : static_) {
    if (one.get() == &block) return &one;
  }
  const auto key_set = key_sets_.find(block.type());
  if (key_set != key_sets_.end()) return &key_set->second;
  if (const auto hash = block.hash()) return *hash;
  return DeviceSpot{*block.device(), block.type() == kTypeTxt};
}

BlockPtr& SignedZone::At(const Spot& spot) {
  if (BlockPtr* const* at = std::get_if<BlockPtr*>(&spot)) return **at;
  if (const Hash* hash = std::get_if<Hash>(&spot)) return denial_.find(*hash)->block;
  const auto& [device, note] = std::get<DeviceSpot>(spot);
  return note ? notes_.find(device)->second : devices_.find(device)->second.tlsa;
}

void SignedZone::Place(BlockPtr& at, BlockPtr block) {
  at = std::move(block);
  expiry_.Add(*at);
  octets_ += at->size();
}

// If other keys have signed it.
void SignedZone::TakeOver(const Spot& spot, BlockPtr& block, std::vector<Task>& tasks) {
  if (!block || block->SignedBy(signers_)) return;
  tasks.push_back({spot, zone::DataOf(*block), nullptr});
  Drop(block);
}

// First the devices, then the denial, each in its order. What comes between meanwhile is signed with the new key.
void SignedZone::StageRekeyed(std::size_t limit, UtcTime now) {
  if (!rekeying_) return;
  std::vector<Task> tasks;
  std::size_t left = limit * kLooksPerSignature;
  const auto stop = [&] { return tasks.size() >= limit || left-- == 0; };
  if (TakeOverDevices(stop, tasks)) {
    auto denial = rekeyed_denial_ ? denial_.upper_bound(*rekeyed_denial_) : denial_.begin();
    for (; denial != denial_.end() && !stop(); ++denial) {
      TakeOver(denial->hash, denial->block, tasks);
      rekeyed_denial_ = denial->hash;
    }
    rekeying_ = denial != denial_.end();
  }
  Run(tasks, now);
}

// True when the walk is past the last of them. Every note is of a device in devices_.
bool SignedZone::TakeOverDevices(const std::function<bool()>& stop, std::vector<Task>& tasks) {
  auto device = rekeyed_device_ ? devices_.upper_bound(*rekeyed_device_) : devices_.begin();
  auto note = rekeyed_device_ ? notes_.upper_bound(*rekeyed_device_) : notes_.begin();
  for (; device != devices_.end() && !stop(); ++device) {
    TakeOver(DeviceSpot{device->first, false}, device->second.tlsa, tasks);
    if (note != notes_.end() && note->first == device->first) {
      TakeOver(DeviceSpot{note->first, true}, note->second, tasks);
      ++note;
    }
    rekeyed_device_ = device->first;
  }
  return device == devices_.end();
}

bool SignedZone::Fits(const domain::ZoneChange& change) const {
  std::size_t octets = change.note.size() + change.note.size() / 255 + 128;
  bool rdata_fits = octets < kRrsetOctetsMax;
  for (const domain::TlsaRecord& record : change.tlsa) {
    octets += 128 + record.data.size();
    rdata_fits = rdata_fits && !record.data.empty();
  }
  return rdata_fits && octets < kRrsetOctetsMax;
}

std::vector<DeviceId> SignedZone::Stage(std::span<const domain::ZoneChange> changes, UtcTime now) {
  std::vector<DeviceId> refused;
  std::vector<Task> tasks;
  for (const domain::ZoneChange* change : LastPerDevice(changes)) {
    if (Fits(*change)) {
      Update(*change, tasks);
    } else {
      refused.push_back(change->device);
    }
    if (tasks.size() >= kTasksPerRun) Run(tasks, now);
  }
  Run(tasks, now);
  return refused;
}

void SignedZone::Update(const domain::ZoneChange& change, std::vector<Task>& tasks) {
  auto found = devices_.find(change.device);
  if (found == devices_.end()) {
    if (Empty(change)) return;
    found = devices_.try_emplace(change.device).first;
    if (devices_.size() == 1) SetTypes(kDeviceLabel, std::vector<std::uint16_t>{});
  } else if (change.revision < found->second.revision) {
    return;
  }
  DeviceName& name = found->second;
  name.revision = change.revision;
  const Bytes prefix = DevicePrefix(change.device);
  std::optional<Unsigned> tlsa, txt;
  std::vector<std::uint16_t> types;
  if (!change.tlsa.empty()) {
    std::vector<Bytes> rdatas;
    for (const domain::TlsaRecord& record : change.tlsa) rdatas.push_back(TlsaRdata(record));
    tlsa = Render(prefix, kTypeTlsa, profile_.tlsa_ttl, std::move(rdatas));
    types.push_back(kTypeTlsa);
  }
  if (!change.note.empty()) {
    txt = Render(prefix, kTypeTxt, profile_.tlsa_ttl, {TxtRdata(change.note)});
    types.push_back(kTypeTxt);
  }
  Replace(DeviceSpot{change.device, false}, name.tlsa, std::move(tlsa), tasks);
  SetNote(change.device, std::move(txt), tasks);
  if (!types.empty()) {
    types.push_back(kTypeRrsig);
    SetTypes(prefix, std::move(types));
    return;
  }
  SetTypes(prefix, std::nullopt);
  devices_.erase(found);
  if (devices_.empty()) SetTypes(kDeviceLabel, std::nullopt);
}

void SignedZone::SetNote(const DeviceId& device, std::optional<Unsigned> wanted, std::vector<Task>& tasks) {
  auto found = notes_.find(device);
  if (found == notes_.end()) {
    if (!wanted) return;
    found = notes_.try_emplace(device).first;
  }
  const bool ends = !wanted;
  Replace(DeviceSpot{device, true}, found->second, std::move(wanted), tasks);
  if (ends) notes_.erase(found);
}

void SignedZone::Replace(const Spot& spot, BlockPtr& block, std::optional<Unsigned> wanted,
                         std::vector<Task>& tasks) {
  if (block && wanted && block->DataIs(wanted->wire)) return;
  Drop(block);
  if (wanted) tasks.push_back({spot, std::move(*wanted), nullptr});
}

void SignedZone::Drop(BlockPtr& block) {
  if (!block) return;
  expiry_.Remove(*block);
  octets_ -= block->size();
  pending_.removed.push_back(std::move(block));
}

void SignedZone::Run(std::vector<Task>& tasks, UtcTime now) {
  if (former_) TakeFormer(tasks);
  if (tasks.empty()) return;
  signed_at_ = std::max(signed_at_, now.seconds());
  const std::size_t threads = std::min(sealers_.size(), 1 + tasks.size() / kTasksPerThread);
  const auto work = [&](std::size_t first) {
    for (std::size_t i = first; i < tasks.size(); i += threads) {
      tasks[i].sealed = sealers_[first].Seal(tasks[i].data, now);
    }
  };
  std::vector<std::jthread> pool;
  for (std::size_t i = 1; i < threads; ++i)
    pool.emplace_back(UnderName("zone-sign", [&work, i] { work(i); }));
  work(0);
  pool.clear();
  for (Task& task : tasks) {
    Place(At(task.spot), task.sealed);
    pending_.added.push_back(std::move(task.sealed));
  }
  tasks.clear();
}

// RFC 5155 §7.1: every name that exists has one NSEC3; nullopt ends the name.
void SignedZone::SetTypes(const Bytes& prefix, std::optional<std::vector<std::uint16_t>> types) {
  const Hash hash = hasher_.Of(prefix);
  auto found = denial_.find(hash);
  if (!types) {
    if (found == denial_.end()) return;
    MarkBefore(found);
    Drop(found->block);
    denial_.erase(found);
    return;
  }
  const std::uint16_t id = TypesId(std::move(*types));
  if (found == denial_.end()) {
    found = denial_.insert(Denial{hash, id, false, nullptr}).first;
    MarkBefore(found);
  } else if (found->types == id) {
    return;
  }
  found->types = id;
  Mark(*found);
}

std::uint16_t SignedZone::TypesId(std::vector<std::uint16_t> types) {
  Bytes bitmap = TypeBitmap(std::move(types));
  const auto found = std::ranges::find(bitmaps_, bitmap);
  const auto id = static_cast<std::size_t>(found - bitmaps_.begin());
  REG_CHECK(id <= std::numeric_limits<std::uint16_t>::max());
  if (found == bitmaps_.end()) bitmaps_.push_back(std::move(bitmap));
  return static_cast<std::uint16_t>(id);
}

void SignedZone::Mark(const Denial& denial) {
  if (!denial.stale) stale_denial_.push_back(denial.hash);
  denial.stale = true;
}

void SignedZone::MarkBefore(DenialSet::iterator at) {
  Mark(at == denial_.begin() ? *denial_.rbegin() : *std::prev(at));
}

void SignedZone::SealDenial(UtcTime now) {
  std::sort(stale_denial_.begin(), stale_denial_.end());
  stale_denial_.erase(std::unique(stale_denial_.begin(), stale_denial_.end()), stale_denial_.end());
  std::vector<Task> tasks;
  for (const Hash& hash : stale_denial_) {
    const auto found = denial_.find(hash);
    if (found == denial_.end()) continue;
    const auto next = std::next(found);
    const Hash& next_hash = next == denial_.end() ? denial_.begin()->hash : next->hash;
    found->stale = false;
    Replace(hash, found->block,
            Render(Nsec3Prefix(hash), kTypeNsec3, profile_.denial_ttl,
                   {Nsec3Rdata(next_hash, bitmaps_[found->types])}),
            tasks);
    if (tasks.size() >= kTasksPerRun) Run(tasks, now);
  }
  Run(tasks, now);
  stale_denial_.clear();
}

void SignedZone::StageRefresh(std::size_t limit, UtcTime now) {
  std::vector<Task> tasks;
  for (const Block* due : expiry_.Before(now.seconds() + profile_.refresh.count(), limit)) {
    Spot spot = SpotOf(*due);
    tasks.push_back({spot, DataOf(*due), nullptr});
    Drop(At(spot));
  }
  Run(tasks, now);
}

bool SignedZone::RefreshDue(UtcTime now) const {
  const auto first = expiry_.First();
  const std::int64_t limit = now.seconds() + profile_.refresh.count();
  return (first && *first < limit) ||
         (soa_ && (soa_->expires() < limit || soa_->inception() > now.seconds()));
}

std::size_t SignedZone::ExpediteFromAhead(UtcTime now) {
  if (now.seconds() >= signed_at_ - profile_.signing.inception_offset.count()) return 0;
  signed_at_ = now.seconds();
  std::size_t count = soa_ && soa_->inception() > now.seconds() ? 1 : 0;
  for (const Block* block : expiry_.All()) {
    if (block->inception() <= now.seconds()) continue;
    expiry_.Expedite(*block);
    ++count;
  }
  return count;
}

std::int64_t SignedZone::FirstExpiry() const {
  const std::int64_t soa = soa_ ? soa_->expires() : std::numeric_limits<std::int64_t>::max();
  return std::min(soa, expiry_.First().value_or(soa));
}

bool SignedZone::Dirty() const {
  return !stale_denial_.empty() || !pending_.removed.empty() || !pending_.added.empty();
}

Unsigned SignedZone::SoaOf(std::uint32_t serial) const {
  Bytes rdata = profile_.soa_head;
  PutU32(rdata, serial);
  Put(rdata, profile_.soa_tail);
  return Render({}, kTypeSoa, profile_.soa_ttl, {std::move(rdata)});
}

BlockPtr SignedZone::SealSoa(std::uint32_t serial, UtcTime now) {
  return sealers_.front().Seal(SoaOf(serial), now);
}

Delta SignedZone::Seal(std::uint32_t serial, UtcTime now) {
  SealDenial(now);
  Delta delta = std::move(pending_);
  pending_ = {};
  Cancel(delta);
  delta.from = serial_;
  delta.soa_from = soa_;
  soa_ = SealSoa(serial, now);
  signed_at_ = std::max(signed_at_, now.seconds());
  serial_ = serial;
  delta.to = serial;
  delta.soa_to = soa_;
  return delta;
}

std::vector<BlockPtr> SignedZone::Contents() const {
  std::vector<BlockPtr> blocks;
  blocks.reserve(blocks_at_most());
  ForEach([&blocks](const BlockPtr& block) { blocks.push_back(block); });
  return blocks;
}

}  // namespace registry::zone
