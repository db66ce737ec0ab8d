#include "bridge/zone/signed_zone.h"

#include <algorithm>
#include <limits>
#include <thread>
#include <unordered_map>

#include "schemas/base/thread_name.h"

namespace registry::zone {
namespace {

constexpr std::size_t kTasksPerRun = 8192;  // bounds the unsigned copies held while a large zone is signed
constexpr std::size_t kLooksPerSignature = 64;  // cells looked at per signature made anew, when few need one
constexpr std::size_t kTasksPerThread = 64;     // below this a thread costs more than it saves

const Bytes kDeviceLabel = [] {
  Bytes label{7};
  Put(label, AsBytes("_device"));
  return label;
}();

Bytes TlsaRdata(const domain::TlsaRecord& record) {
  Bytes rdata{record.usage, record.selector, record.matching};
  Put(rdata, record.data);
  return rdata;
}

// RFC 1035 §3.3.14: character strings of at most 255 octets.
Bytes TxtRdata(std::string_view text) {
  Bytes rdata;
  for (std::size_t at = 0; at == 0 || at < text.size(); at += 255) {
    const std::string_view part = text.substr(at, 255);
    rdata.push_back(static_cast<std::uint8_t>(part.size()));
    Put(rdata, AsBytes(part));
  }
  return rdata;
}

// The last word on every device, in a stable order.
std::vector<const domain::ZoneChange*> LastPerDevice(std::span<const domain::ZoneChange> changes) {
  std::vector<const domain::ZoneChange*> last;
  std::unordered_map<DeviceId, std::size_t> places;
  places.reserve(changes.size());
  for (const domain::ZoneChange& change : changes) {
    const auto [place, fresh] = places.emplace(change.device, last.size());
    if (fresh) {
      last.push_back(&change);
    } else if (change.revision >= last[place->second]->revision) {
      last[place->second] = &change;
    }
  }
  return last;
}

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
}

void SignedZone::AddStatic(UtcTime now) {
  std::map<std::string, std::vector<std::uint16_t>> types;  // by prefix
  std::vector<Task> tasks;
  for (const StaticSet& set : profile_.sets) {
    Cell& cell = static_.emplace_back();
    tasks.push_back({&cell, Render(set.prefix, set.type, set.ttl, set.rdatas), nullptr});
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
  for (auto& [type, cell] : key_sets_) Drop(cell);
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
  const bool same_zsk = signing.zsk.dnskey == profile_.signing.zsk.dnskey;
  profile_.signing = std::move(signing);
  MakeSealers();
  SetKeySets(key_sets, now);
  if (same_zsk) return;
  std::vector<Task> tasks;
  for (Cell& cell : static_) TakeOver(cell, tasks);
  Run(tasks, now);
  rekeying_ = true;
  rekeyed_device_.reset();
  rekeyed_denial_.reset();
}

// True when another key has signed it.
bool SignedZone::TakeOver(Cell& cell, std::vector<Task>& tasks) {
  if (!cell.block || cell.block->signer == profile_.signing.zsk.tag) return false;
  tasks.push_back({&cell, zone::DataOf(*cell.block), nullptr});
  Drop(cell);
  return true;
}

// First the devices, then the denial, each in its order. What comes between meanwhile is signed with the new key.
void SignedZone::StageRekeyed(std::size_t limit, UtcTime now) {
  if (!rekeying_) return;
  std::vector<Task> tasks;
  std::size_t left = limit * kLooksPerSignature;
  const auto stop = [&] { return tasks.size() >= limit || left-- == 0; };
  auto device = rekeyed_device_ ? devices_.upper_bound(*rekeyed_device_) : devices_.begin();
  for (; device != devices_.end() && !stop(); ++device) {
    TakeOver(device->second.tlsa, tasks);
    TakeOver(device->second.txt, tasks);
    rekeyed_device_ = device->first;
  }
  if (device == devices_.end()) {
    auto denial = rekeyed_denial_ ? denial_.upper_bound(*rekeyed_denial_) : denial_.begin();
    for (; denial != denial_.end() && !stop(); ++denial) {
      TakeOver(denial->second.cell, tasks);
      rekeyed_denial_ = denial->first;
    }
    rekeying_ = denial != denial_.end();
  }
  Run(tasks, now);
}

Bytes SignedZone::DevicePrefix(const DeviceId& device) const {
  const std::string text = device.text();
  Bytes prefix{static_cast<std::uint8_t>(text.size())};
  prefix.reserve(1 + text.size() + kDeviceLabel.size());
  Put(prefix, AsBytes(text));
  Put(prefix, kDeviceLabel);
  return prefix;
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
  Replace(name.tlsa, std::move(tlsa), tasks);
  Replace(name.txt, std::move(txt), tasks);
  if (!types.empty()) {
    types.push_back(kTypeRrsig);
    SetTypes(prefix, std::move(types));
    return;
  }
  SetTypes(prefix, std::nullopt);
  devices_.erase(found);
  if (devices_.empty()) SetTypes(kDeviceLabel, std::nullopt);
}

void SignedZone::Replace(Cell& cell, std::optional<Unsigned> wanted, std::vector<Task>& tasks) {
  if (cell.block && wanted && std::ranges::equal(cell.block->data(), wanted->wire)) return;
  Drop(cell);
  if (wanted) tasks.push_back({&cell, std::move(*wanted), nullptr});
}

void SignedZone::Drop(Cell& cell) {
  if (!cell.block) return;
  expiry_.Remove(cell);
  octets_ -= cell.block->wire.size();
  pending_.removed.push_back(std::move(cell.block));
  cell.block = nullptr;
}

void SignedZone::Run(std::vector<Task>& tasks, UtcTime now) {
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
    task.cell->block = task.sealed;
    expiry_.Add(*task.cell);
    octets_ += task.sealed->wire.size();
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
    Drop(found->second.cell);
    denial_.erase(found);
    return;
  }
  if (found == denial_.end()) {
    found = denial_.try_emplace(hash).first;
    MarkBefore(found);
  } else if (found->second.types == *types) {
    return;
  }
  found->second.types = std::move(*types);
  stale_denial_.push_back(hash);
}

void SignedZone::MarkBefore(std::map<Hash, Denial>::iterator at) {
  stale_denial_.push_back(at == denial_.begin() ? denial_.rbegin()->first : std::prev(at)->first);
}

void SignedZone::SealDenial(UtcTime now) {
  std::sort(stale_denial_.begin(), stale_denial_.end());
  stale_denial_.erase(std::unique(stale_denial_.begin(), stale_denial_.end()), stale_denial_.end());
  std::vector<Task> tasks;
  for (const Hash& hash : stale_denial_) {
    const auto found = denial_.find(hash);
    if (found == denial_.end()) continue;
    const auto next = std::next(found);
    const Hash& next_hash = next == denial_.end() ? denial_.begin()->first : next->first;
    Replace(found->second.cell,
            Render(Nsec3Prefix(hash), kTypeNsec3, profile_.denial_ttl,
                   {Nsec3Rdata(next_hash, TypeBitmap(found->second.types))}),
            tasks);
    if (tasks.size() >= kTasksPerRun) Run(tasks, now);
  }
  Run(tasks, now);
  stale_denial_.clear();
}

void SignedZone::StageRefresh(std::size_t limit, UtcTime now) {
  std::vector<Task> tasks;
  for (Cell* cell : expiry_.Before(now.seconds() + profile_.refresh.count(), limit)) {
    tasks.push_back({cell, DataOf(*cell->block), nullptr});
    Drop(*cell);
  }
  Run(tasks, now);
}

bool SignedZone::RefreshDue(UtcTime now) const {
  const auto first = expiry_.First();
  const std::int64_t limit = now.seconds() + profile_.refresh.count();
  return (first && *first < limit) || (soa_ && (soa_->expires < limit || soa_->inception() > now.seconds()));
}

std::size_t SignedZone::ExpediteFromAhead(UtcTime now) {
  if (now.seconds() >= signed_at_ - profile_.signing.inception_offset.count()) return 0;
  signed_at_ = now.seconds();
  std::size_t count = soa_ && soa_->inception() > now.seconds() ? 1 : 0;
  for (Cell* cell : expiry_.All()) {
    if (cell->block->inception() <= now.seconds()) continue;
    expiry_.Expedite(*cell);
    ++count;
  }
  return count;
}

std::int64_t SignedZone::FirstExpiry() const {
  const std::int64_t soa = soa_ ? soa_->expires : std::numeric_limits<std::int64_t>::max();
  return std::min(soa, expiry_.First().value_or(soa));
}

bool SignedZone::Dirty() const {
  return !stale_denial_.empty() || !pending_.removed.empty() || !pending_.added.empty();
}

BlockPtr SignedZone::SealSoa(std::uint32_t serial, UtcTime now) {
  Bytes rdata = profile_.soa_head;
  PutU32(rdata, serial);
  Put(rdata, profile_.soa_tail);
  return sealers_.front().Seal(Render({}, kTypeSoa, profile_.soa_ttl, {std::move(rdata)}), now);
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
  blocks.reserve(static_.size() + key_sets_.size() + devices_.size() * 2 + denial_.size());
  for (const Cell& cell : static_) blocks.push_back(cell.block);
  for (const auto& [type, cell] : key_sets_) blocks.push_back(cell.block);
  for (const auto& [device, name] : devices_) {
    for (const Cell* cell : {&name.tlsa, &name.txt}) {
      if (cell->block) blocks.push_back(cell->block);
    }
  }
  for (const auto& [hash, denial] : denial_) blocks.push_back(denial.cell.block);
  return blocks;
}

}  // namespace registry::zone
