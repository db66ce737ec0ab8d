#include "bridge/zone/publisher.h"

#include "bridge/say_once.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/arrivals.h"
#include "bridge/zone/in_flight.h"
#include "bridge/zone/key_roller.h"
#include "bridge/zone/key_set_order.h"
#include "bridge/zone/rebuild_request.h"
#include "bridge/zone/revocation_watch.h"
#include "bridge/zone/secondaries.h"
#include "bridge/zone/signature_watch.h"
#include "bridge/zone/superseded.h"
#include "bridge/zone/transfers.h"
#include "bridge/zone/version_interval.h"
#include "bridge/zone/waiting.h"
#include "schemas/base/own_thread.h"
#include "workers/domain/key_unavailable.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLoadPage = 4096;
constexpr std::size_t kRefreshBatch = 500;     // signatures that are due, per version
constexpr std::size_t kOverdueBatch = 20'000;  // when one has expired, and the zone is bogus
constexpr milliseconds kIdleWait{250};         // for new entries, when all is quiet
constexpr milliseconds kLaggingWait{20};       // the same while an unreachable secondary is asked on the side
constexpr milliseconds kAnswerWait{50};        // for secondaries or interval, while no version may leave
constexpr milliseconds kHoldLimit{2000};       // a slow but reachable secondary holds the next version back
constexpr std::chrono::seconds kKeysWithin{30};  // at a start, for keys that go away meanwhile
constexpr milliseconds kRekeyedPause{1000};      // between versions with signatures of another ZSK made anew
constexpr std::chrono::seconds kRebuildLook{1}, kRebuildAgain{60};  // after a failure
constexpr milliseconds kPassPause{2000};  // between two moves past a secondary that is ahead

class LivePublisher : public Publisher {
 public:
  LivePublisher(Options options, ledger::Ledger& ledger, Visible visible, LogLine log, ZoneProfile profile,
                TsigKeys keys)
      : options_(std::move(options)),
        ledger_(ledger),
        log_(std::move(log)),
        clock_(options_.clock != nullptr ? *options_.clock : system_clock_),
        sources_(profile.signing.Sources()),
        patience_(profile.signing.patience),
        serials_(ledger),
        parent_(options_.parents, profile.signing.zone, options_.parent_every, log_),
        keys_(options_, parent_, log_),
        arrivals_(ledger, serials_, std::move(visible), log_, options_.batch_max),
        file_(options_.zone_file, profile.signing.zone, log_),
        store_(std::move(profile), options_.journal_bytes_max, options_.journal_changes_max, clock_.Now()),
        transfers_(options_, store_, std::move(keys), clock_, log_),
        secondaries_(options_, store_.zone(), transfers_.keys(), clock_, log_),
        signatures_(store_, options_.signature_refresh, log_),
        revocations_(ledger_, clock_, secondaries_.names(), options_.revocation_served, Steady::now()),
        waiting_(ledger_, options_.batch_max),
        in_flight_(options_.in_flight_max) {}
  ~LivePublisher() override { LivePublisher::Stop(); }

  Status Start() override;
  void Stop() override;
  Snapshot snapshot() const override;
  Status ReadTlsAgain() override { return transfers_.ReadTlsAgain(); }

 private:
  Status OpenKeys();
  Status Load();
  Status AdoptKept();
  Status EachPage(const std::function<void(std::span<const domain::ZoneChange>)>& take) const;
  void LookAtRebuild(Steady::time_point now);
  void TakeAwayRequest();
  Result<bool> Rebuild();
  void Run();
  bool MayPublish(Steady::time_point now) const;
  milliseconds EntryWait() const;
  Steady::duration Rest(Steady::time_point now);
  void Publish(UtcTime looked_at);
  bool ReadWaiting(milliseconds wait);
  void Serve();
  ZoneStore::Published Sign(const Batch& batch, std::uint32_t serial, UtcTime now);
  void Keep(Batch batch);
  void SayBound();
  bool KeysReady();
  void SayRefused(const std::vector<DeviceId>& devices) const;
  void PassSecondaries(Steady::time_point now);
  void LookAtKeys(Steady::time_point now);
  void Rekey();
  void CompleteArrived();
  void Announce(bool revokes);
  void UpdateSnapshot();
  void Pause();
  bool RekeyedDue(Steady::time_point now) const { return store_.Rekeying() && now >= next_rekeyed_; }

  const Options options_;
  ledger::Ledger& ledger_;
  const LogLine log_;
  const SystemClock system_clock_;
  const Clock& clock_;
  std::vector<keys::KeySourcePtr> sources_;  // of the keys that sign
  const std::shared_ptr<KeyPatience> patience_;
  Serials serials_;
  ParentWatch parent_;
  KeyRoller keys_;
  Arrivals arrivals_;
  ZoneFile file_;
  ZoneStore store_;
  Transfers transfers_;
  // What follows is the publishing thread's own, once it runs.
  Secondaries secondaries_;
  SignatureWatch signatures_;
  Superseded superseded_;
  VersionInterval interval_;
  RevocationWatch revocations_;
  Waiting waiting_;
  InFlight in_flight_;
  bool bound_said_ = false;
  SayOnce keys_said_;
  Steady::time_point next_pass_, next_rekeyed_, next_rebuild_look_;
  bool rebuilt_at_start_ = false, rebuild_stuck_ = false;
  std::optional<KeyMaterial> rekey_;          // the zone is to be signed with these, and is not yet
  std::optional<std::uint32_t> keys_serial_;  // the version since which the zone is as the key set wants it
  mutable Mutex mutex_;
  CondVar wake_;
  Snapshot snapshot_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, wake_};
};

Status LivePublisher::Start() {
  if (auto opened = OpenKeys(); !opened) return opened;
  waiting_.StartBehind(serials_.cursor());
  if (auto loaded = Load(); !loaded) return loaded;
  if (auto found = superseded_.Find(ledger_, serials_.cursor()); !found) return found;
  if (auto started = transfers_.Start(); !started) return started;
  if (secondaries_.empty())
    log_.Warning("zone: no secondary is configured, changes count as visible once they can be fetched");
  log_.Info("zone: " + options_.zone + " serial " + std::to_string(store_.serial()) + " with " +
            std::to_string(store_.devices()) + " devices, transfers on " + transfers_.PortsText());
  UpdateSnapshot();
  arrivals_.Start();
  parent_.Start();
  thread_.Start("zone", [this] { Run(); });
  return Done{};
}

Status LivePublisher::OpenKeys() {
  if (auto opened = keys_.Open(clock_.Now()); !opened) return opened;
  const KeySet& set = keys_.set();
  return serials_.Open(TagsOf(set), options_.new_keys,
                       [&set](std::uint16_t tag) { return HasSigned(set, tag); });
}

// A ledger that was restored from a backup may be behind what was kept: no serial of that is given to another content. Where
// another registry has had the zone since (README.md, "A take-over"), what was kept is not served as the newest again.
Status LivePublisher::AdoptKept() {
  store_.KeepIn(file_);
  rebuilt_at_start_ = RebuildRequested(RebuildFileOf(options_)).has_value();
  if (rebuilt_at_start_) file_.Discard();
  auto kept = file_.Read(options_.journal_bytes_max, options_.journal_changes_max);
  if (!kept) return Done{};
  if (kept->copied || !serials_.MayBeLast(kept->serial)) kept->torn = true;
  if (auto passed = serials_.Pass(kept->serial); !passed) return passed;
  store_.Adopt(std::move(*kept), clock_.Now());
  return Done{};
}

Status LivePublisher::Load() {
  patience_->EndIn(kKeysWithin);
  if (auto adopted = AdoptKept(); !adopted) return adopted;
  if (auto read = EachPage([this](const auto& page) { SayRefused(store_.Load(page, clock_.Now())); }); !read)
    return read;
  if (!store_.FinishLoadAsAdopted(clock_.Now())) {
    const auto serial = serials_.Next();
    if (!serial) return serial.error();
    store_.FinishLoad(*serial, clock_.Now());
  }
  if (store_.spoilt())
    return Error::Make(Code::kFailed, domain::kKeyUnavailable, "a key of the zone went away at the start");
  patience_->Endless();
  if (rebuilt_at_start_) TakeAwayRequest();
  return Done{};
}

Status LivePublisher::EachPage(const std::function<void(std::span<const domain::ZoneChange>)>& take) const {
  std::optional<DeviceId> after;
  while (!thread_.stopping()) {
    const auto page = ledger_.ZoneAfter(after, kLoadPage);
    if (!page) return page.error();
    if (page->empty()) return Done{};
    after = page->back().device;
    take(*page);
  }
  return Done{};
}

void LivePublisher::Stop() {
  if (!thread_.running()) return;
  thread_.Stop([this] {
    patience_->GiveUp();
    ledger_.WakeAll();
  });
  arrivals_.Stop();
  parent_.Stop();
  transfers_.Stop();
  file_.Stop();
}

Snapshot LivePublisher::snapshot() const {
  Snapshot copy;
  {
    const MutexLock lock(mutex_);
    copy = snapshot_;
  }
  copy.pending += arrivals_.pending();
  transfers_.CountInto(copy);
  return copy;
}

// One turn hears what the secondaries have said, tells on what all of them serve, and makes at most one version. It waits
// in one of two places: for entries of the outbox when a version may leave, for the secondaries' answers when not. Both
// waits are short, since each has to look at what the other waits for.
void LivePublisher::Run() {
  Announce(false);
  while (!thread_.stopping()) {
    secondaries_.Watch(milliseconds(0));
    PassSecondaries(Steady::now());
    CompleteArrived();
    const UtcTime now = clock_.Now();
    signatures_.Look(now);
    LookAtKeys(Steady::now());
    LookAtRebuild(Steady::now());
    const Steady::duration rest = Rest(Steady::now());
    if (rest == Steady::duration::zero()) {
      Publish(now);
    } else {
      secondaries_.Watch(std::min(kAnswerWait, std::chrono::ceil<milliseconds>(rest)));
    }
    secondaries_.SayLags(store_.serial(), Steady::now());
    UpdateSnapshot();
  }
}

// Self-clocking (design §7): a secondary's cost per transfer grows with the zone, so the next version goes
// out when the last one has arrived. A slow one cannot hold a revocation back for longer than kHoldLimit.
bool LivePublisher::MayPublish(Steady::time_point now) const {
  return secondaries_.AllReachableCurrent() || now - interval_.begun() > kHoldLimit;
}

// What waits is read meanwhile, since a revocation may jump the interval. Not every entry wakes this thread.
Steady::duration LivePublisher::Rest(Steady::time_point now) {
  if (!MayPublish(now)) return kAnswerWait;
  const Steady::duration usual = secondaries_.UsualDelay();
  if (interval_.Rest(now, usual, false) > Steady::duration::zero()) ReadWaiting(milliseconds(0));
  return interval_.Rest(now, usual, waiting_.revokes());
}

milliseconds LivePublisher::EntryWait() const {
  return secondaries_.AllCurrent() && in_flight_.empty() ? kIdleWait : kLaggingWait;
}

// One version of whatever waits: changes, signatures that are due (of what the alarm has looked at, too), or both.
void LivePublisher::Publish(UtcTime looked_at) {
  const bool due = store_.RefreshDue(looked_at) || RekeyedDue(Steady::now());
  if (!ReadWaiting(due ? milliseconds(0) : EntryWait())) Pause();
  if (due || !waiting_.empty()) Serve();
}

// False when the ledger cannot be read, which is said.
bool LivePublisher::ReadWaiting(milliseconds wait) {
  const Status read = waiting_.Read(wait);
  if (!read) log_.Error("zone: the ledger cannot be read: " + read.error().message);
  return read.ok();
}

// A version that is begun holds whole transfers up until it is signed, so none is begun without its keys: what waits stays
// in the outbox, and what is served goes on being served.
bool LivePublisher::KeysReady() {
  for (const keys::KeySourcePtr& key : sources_) {
    const Status ready = key->Ready();
    if (ready) continue;
    const std::string line = "zone: nothing is signed for now: " + ready.error().message;
    if (keys_said_.Due(line, Steady::now())) log_.Error(line);
    return false;
  }
  keys_said_.Forget();
  return true;
}

void LivePublisher::Serve() {
  if (!KeysReady()) return Pause();
  const auto serial = serials_.Next();
  if (!serial) {
    log_.Error("zone: no serial could be reserved: " + serial.error().message);
    return Pause();
  }
  const bool revokes = waiting_.revokes();
  Batch batch = waiting_.Take();
  auto published = Sign(batch, *serial, clock_.Now());
  if (store_.spoilt()) return;  // it ends
  if (!published.changed) serials_.Return();
  SayRefused(published.refused);
  batch.refused = std::move(published.refused);
  if (batch.last != batch.after) {
    superseded_.Passed(batch.last);
    batch.serial = store_.serial();
    batch.count = batch.changes->size();
    revocations_.Published(*batch.changes, batch.serial, Steady::now());
    Keep(std::move(batch));
  }
  if (published.changed) Announce(revokes);
}

ZoneStore::Published LivePublisher::Sign(const Batch& batch, std::uint32_t serial, UtcTime now) {
  const std::size_t refresh = store_.FirstExpiry() <= now.seconds() ? kOverdueBatch : kRefreshBatch;
  std::size_t rekeyed = 0;
  if (RekeyedDue(Steady::now())) {
    rekeyed = kRefreshBatch;
    next_rekeyed_ = Steady::now() + kRekeyedPause;
  }
  if (superseded_.empty()) return store_.Publish(*batch.changes, refresh, serial, now, rekeyed);
  return store_.Publish(superseded_.Without(*batch.changes), refresh, serial, now, rekeyed);
}

void LivePublisher::Keep(Batch batch) {
  if (!in_flight_.Keep(std::move(batch))) SayBound();
}

void LivePublisher::SayBound() {
  if (bound_said_) return;
  bound_said_ = true;
  log_.Error("zone: more than " + std::to_string(options_.in_flight_max) +
             " changes are not visible because of " +
             secondaries_.NamesNotServing(in_flight_.front().serial) +
             "; the others go on being served, the changes are read again when it serves them");
}

void LivePublisher::SayRefused(const std::vector<DeviceId>& devices) const {
  for (const DeviceId& device : devices) {
    log_.Error("zone: content too large for a message, not published: " + device.text());
  }
}

// A secondary that is ahead takes nothing of ours until the zone has moved past it; then it takes the whole of it.
void LivePublisher::PassSecondaries(Steady::time_point now) {
  if (now < next_pass_) return;
  const auto highest = secondaries_.HighestToPass(store_.serial());
  if (!highest) return;
  next_pass_ = now + kPassPause;
  if (!KeysReady()) return;
  if (auto passed = serials_.Pass(*highest); !passed) {
    return log_.Error("zone: the serial could not be moved: " + passed.error().message);
  }
  const auto serial = serials_.Next();
  if (!serial) return log_.Error("zone: no serial could be reserved: " + serial.error().message);
  store_.Renumber(*serial, clock_.Now());
  if (store_.spoilt()) return;
  // What a secondary served before lies between their old serials and the newest, and does not hold them.
  in_flight_.Renumber(*serial);
  revocations_.Renumber(*serial);
  keys_serial_.reset();
  Announce(false);
}

// Every version after one that is as the key set wants it is so, too, until the next step.
void LivePublisher::LookAtKeys(Steady::time_point now) {
  if (rekey_) return Rekey();
  if (store_.Rekeying()) {
    keys_serial_.reset();
  } else if (!keys_serial_) {
    keys_serial_ = store_.serial();
  }
  const bool served = keys_serial_ && secondaries_.AllServe(*keys_serial_);
  rekey_ = keys_.Look({clock_.Now(), now, served, !store_.Rekeying()});
  if (rekey_) Rekey();
}

void LivePublisher::Rekey() {
  SigningProfile signing = SigningOf(*rekey_, options_);
  signing.patience = patience_;
  sources_ = signing.Sources();
  if (!KeysReady()) return;
  if (auto named = serials_.SignWith(rekey_->tags); !named)
    return log_.Error("zone: the keys could not be noted in the ledger: " + named.error().message);
  const auto serial = serials_.Next();
  if (!serial) return log_.Error("zone: no serial could be reserved: " + serial.error().message);
  store_.Rekey(std::move(signing), KeySetsAtApex(*rekey_, options_), *serial, clock_.Now());
  if (store_.spoilt()) return;
  rekey_.reset();
  keys_serial_.reset();
  Announce(false);
}

// Not while changes that were read wait for a version: what the ledger says now may be ahead of them.
void LivePublisher::LookAtRebuild(Steady::time_point now) {
  if (rebuild_stuck_ || now < next_rebuild_look_ || rekey_ || !waiting_.empty()) return;
  next_rebuild_look_ = now + kRebuildLook;
  const auto reason = RebuildRequested(RebuildFileOf(options_));
  if (!reason || !KeysReady()) return;
  const auto rebuilt = Rebuild();
  if (!rebuilt) {
    next_rebuild_look_ = now + kRebuildAgain;
    return log_.Error("zone: it could not be made anew from the ledger: " + rebuilt.error().message);
  }
  if (!*rebuilt) return;
  TakeAwayRequest();
  log_.Warning("zone: made anew from the ledger at the operator's word, serial " +
               std::to_string(store_.serial()) + " with " + std::to_string(store_.devices()) +
               " devices; every secondary takes the whole of it. Reason: " + *reason);
  Announce(false);
}

// A request that stays would be followed again and again, each time with a whole transfer to every secondary.
void LivePublisher::TakeAwayRequest() {
  const auto gone = RebuildDone(RebuildFileOf(options_), ledger_, store_.serial(), clock_.Now());
  rebuild_stuck_ = !gone && RebuildRequested(RebuildFileOf(options_));
  if (gone) return;
  log_.Error("zone: " + gone.error().message +
             (rebuild_stuck_ ? ": no request to make it anew is followed until the next start"
                             : ": it was made anew, and the history does not say so"));
}

// False: it was stopped before, and the request waits for the next start.
Result<bool> LivePublisher::Rebuild() {
  // Not those of the file, which somebody may have put back meanwhile: caches hold the keys that were served.
  auto material = MaterialOf(keys_.set(), options_);
  if (!material) return material.error();
  auto profile = ProfileOf(options_, *material);
  if (!profile) return profile.error();
  profile->signing.patience = patience_;
  SignedZone content(std::move(*profile), clock_.Now());
  if (auto read = EachPage([&](const auto& page) { SayRefused(content.Stage(page, clock_.Now())); }); !read)
    return read.error();
  if (thread_.stopping()) return false;
  // As at a start: what waits in the outbox led to this content, and must not bring back what it has left behind.
  if (auto found = superseded_.Find(ledger_, waiting_.batch().after); !found) return found.error();
  const auto serial = serials_.Next();
  if (!serial) return serial.error();
  store_.Replace(std::move(content), *serial, clock_.Now());
  if (store_.spoilt())
    return Error::Make(Code::kFailed, domain::kKeyUnavailable, "a key of the zone went away");
  keys_serial_.reset();
  return true;
}

void LivePublisher::Announce(bool revokes) {
  const Steady::time_point now = Steady::now();
  interval_.Announced(now, secondaries_.UsualDelay(), revokes);
  secondaries_.Announce(store_.serial(), store_.soa(), now);
}

void LivePublisher::CompleteArrived() {
  secondaries_.LookAt(revocations_, Steady::now());
  while (!in_flight_.empty()) {
    Batch& batch = in_flight_.front();
    if (!secondaries_.Served(batch.serial)) return;
    const std::size_t count = batch.count;
    if (!arrivals_.Offer(batch)) return;
    in_flight_.DropFirst(count);
    if (in_flight_.eased()) bound_said_ = false;
  }
}

void LivePublisher::UpdateSnapshot() {
  const auto last = ledger_.OutboxLast(ledger::Sink::kZone);
  const ledger::Seq read = waiting_.batch().after;  // entries handed to the zone
  revocations_.Pending(waiting_.batch().revokes_since);
  auto lags = secondaries_.lags(revocations_, Steady::now());
  const MutexLock lock(mutex_);
  snapshot_.serial = store_.serial();
  snapshot_.names = store_.devices();
  snapshot_.first_expiry = store_.FirstExpiry();
  snapshot_.pending = in_flight_.changes() + (last && *last > read ? *last - read : 0);
  snapshot_.secondaries = std::move(lags);
  snapshot_.rolls = keys_.rolls();
  snapshot_.ds_due = keys_.ds_due();
}

void LivePublisher::Pause() {
  MutexLock lock(mutex_);
  thread_.Rest(lock, kRetryPause);
}

}  // namespace

Result<std::unique_ptr<Publisher>> Publisher::Create(Options options, ledger::Ledger& ledger, Visible visible,
                                                     LogLine log) {
  auto profile = ProfileOf(options);
  if (!profile) return profile.error();
  // The apex is signed when the zone is made, so before anything is started.
  profile->signing.patience->EndIn(kKeysWithin);
  profile->signing.patience->SayTo(log);
  auto keys = LoadTsigKeys(options);
  if (!keys) return keys.error();
  if (options.batch_max == 0)
    return Error::Make(Code::kFailed, "zone_options_invalid", "batch_max must be positive");
  return std::unique_ptr<Publisher>(std::make_unique<LivePublisher>(
      std::move(options), ledger, std::move(visible), std::move(log), std::move(*profile), std::move(*keys)));
}

}  // namespace registry::zone
