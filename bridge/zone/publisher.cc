#include "bridge/zone/publisher.h"

#include "bridge/say_once.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/arrivals.h"
#include "bridge/zone/in_flight.h"
#include "bridge/zone/key_roller.h"
#include "bridge/zone/secondaries.h"
#include "bridge/zone/server.h"
#include "bridge/zone/signature_watch.h"
#include "bridge/zone/superseded.h"
#include "bridge/zone/version_interval.h"
#include "bridge/zone/waiting.h"
#include "schemas/base/own_thread.h"
#include "workers/domain/key_unavailable.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLoadPage = 4096;
constexpr std::size_t kRefreshBatch = 500;  // signatures that are due, per version
// The same when one has expired: the zone is bogus, versions may be long.
constexpr std::size_t kOverdueBatch = 20'000;
constexpr milliseconds kIdleWait{250};    // for new entries, when all is quiet
constexpr milliseconds kLaggingWait{20};  // the same while an unreachable secondary is asked on the side
constexpr milliseconds kAnswerWait{
    50};  // for the secondaries or the interval, while the next version may not leave
constexpr milliseconds kHoldLimit{
    2000};  // how long a slow but reachable secondary holds the next version back
constexpr std::chrono::seconds kKeysWithin{
    30};                                     // at a start, for keys that go away while everything is signed
constexpr milliseconds kRekeyedPause{1000};  // between versions with signatures of another ZSK made anew
constexpr milliseconds kPassPause{2000};     // between two moves past a secondary that is ahead

std::vector<keys::KeySourcePtr> SourcesOf(const SigningProfile& signing) {
  std::vector<keys::KeySourcePtr> sources{signing.zsk.source};
  for (const ZoneKey& ksk : signing.ksks) sources.push_back(ksk.source);
  return sources;
}

class LivePublisher : public Publisher {
 public:
  LivePublisher(Options options, ledger::Ledger& ledger, Visible visible, LogLine log, ZoneProfile profile,
                TsigKeys keys)
      : options_(std::move(options)),
        ledger_(ledger),
        log_(std::move(log)),
        clock_(options_.clock != nullptr ? *options_.clock : system_clock_),
        sources_(SourcesOf(profile.signing)),
        patience_(profile.signing.patience),
        serials_(ledger),
        parent_(options_.parents, profile.signing.zone, options_.parent_every, log_),
        keys_(options_, parent_, log_),
        arrivals_(ledger, serials_, std::move(visible), log_, options_.batch_max),
        store_(std::move(profile), options_.journal_bytes_max, options_.journal_changes_max, clock_.Now()),
        responder_(store_, std::move(keys), clock_, log_),
        server_(responder_, log_),
        secondaries_(options_, store_.zone(), responder_.keys(), clock_, log_),
        signatures_(store_, options_.signature_refresh, log_),
        waiting_(ledger_, options_.batch_max),
        in_flight_(options_.in_flight_max) {}
  ~LivePublisher() override { LivePublisher::Stop(); }

  Status Start() override;
  void Stop() override;
  Snapshot snapshot() const override;

 private:
  Status OpenKeys();
  Status Load();
  void Run();
  bool MayPublish(Steady::time_point now) const;
  milliseconds EntryWait() const;
  Steady::duration Rest(Steady::time_point now);
  void Publish();
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
  ZoneStore store_;
  Responder responder_;
  TransferServer server_;
  // What follows is the publishing thread's own, once it runs.
  Secondaries secondaries_;
  SignatureWatch signatures_;
  Superseded superseded_;
  VersionInterval interval_;
  Waiting waiting_;
  InFlight in_flight_;
  bool bound_said_ = false;
  SayOnce keys_said_;
  Steady::time_point next_pass_, next_rekeyed_;
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
  if (auto started = server_.Start(options_.listen_address, options_.listen_port); !started) return started;
  if (secondaries_.empty())
    log_.Warning("zone: no secondary is configured, changes count as visible once they can be fetched");
  log_.Info("zone: " + options_.zone + " serial " + std::to_string(store_.serial()) + " with " +
            std::to_string(store_.devices()) + " devices, transfers on port " +
            std::to_string(server_.port()));
  UpdateSnapshot();
  arrivals_.Start();
  parent_.Start();
  thread_.Start("zone", [this] { Run(); });
  return Done{};
}

Status LivePublisher::OpenKeys() {
  if (auto opened = keys_.Open(clock_.Now()); !opened) return opened;
  const KeySet& set = keys_.set();
  const auto known = [&set](std::uint16_t tag) { return set.Knows(tag); };
  const std::string tags = std::to_string(set.Anchor().tag) + "/" + std::to_string(set.Signer().tag);
  return serials_.Open(tags, options_.new_keys, known);
}

Status LivePublisher::Load() {
  patience_->EndIn(kKeysWithin);
  std::optional<DeviceId> after;
  while (true) {
    const auto page = ledger_.ZoneAfter(after, kLoadPage);
    if (!page) return page.error();
    if (page->empty()) break;
    after = page->back().device;
    SayRefused(store_.Load(*page, clock_.Now()));
  }
  const auto serial = serials_.Next();
  if (!serial) return serial.error();
  store_.FinishLoad(*serial, clock_.Now());
  if (store_.spoilt())
    return Error::Make(Code::kFailed, domain::kKeyUnavailable, "a key of the zone went away at the start");
  patience_->Endless();
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
  server_.Stop();
}

Snapshot LivePublisher::snapshot() const {
  Snapshot copy;
  {
    const MutexLock lock(mutex_);
    copy = snapshot_;
  }
  copy.pending += arrivals_.pending();
  copy.axfr = responder_.counters().axfr;
  copy.ixfr = responder_.counters().ixfr;
  copy.refused = responder_.counters().refused;
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
    signatures_.Look(clock_.Now());
    LookAtKeys(Steady::now());
    const Steady::duration rest = Rest(Steady::now());
    if (rest == Steady::duration::zero()) {
      Publish();
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

// What waits is read meanwhile, since a revocation may jump the interval. Not every entry wakes this thread: it looks
// after each kAnswerWait.
Steady::duration LivePublisher::Rest(Steady::time_point now) {
  if (!MayPublish(now)) return kAnswerWait;
  const Steady::duration usual = secondaries_.UsualDelay();
  if (interval_.Rest(now, usual, false) > Steady::duration::zero()) ReadWaiting(milliseconds(0));
  return interval_.Rest(now, usual, waiting_.revokes());
}

milliseconds LivePublisher::EntryWait() const {
  return secondaries_.AllCurrent() && in_flight_.empty() ? kIdleWait : kLaggingWait;
}

// One version of whatever waits: changes, signatures that are due, or both.
void LivePublisher::Publish() {
  const bool due = store_.RefreshDue(clock_.Now()) || RekeyedDue(Steady::now());
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
  rekey_ = keys_.Look({clock_.Now(), now, keys_serial_ && secondaries_.AllServe(*keys_serial_)});
  if (rekey_) Rekey();
}

void LivePublisher::Rekey() {
  SigningProfile signing = SigningOf(*rekey_, options_);
  signing.patience = patience_;
  sources_ = SourcesOf(signing);
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

void LivePublisher::Announce(bool revokes) {
  const Steady::time_point now = Steady::now();
  interval_.Announced(now, secondaries_.UsualDelay(), revokes);
  secondaries_.Announce(store_.serial(), store_.soa(), now);
}

void LivePublisher::CompleteArrived() {
  while (!in_flight_.empty()) {
    Batch& batch = in_flight_.front();
    if (!secondaries_.AllServe(batch.serial)) return;
    const std::size_t count = batch.count;
    if (!arrivals_.Offer(batch)) return;
    in_flight_.DropFirst(count);
    if (in_flight_.eased()) bound_said_ = false;
  }
}

void LivePublisher::UpdateSnapshot() {
  const auto last = ledger_.OutboxLast(ledger::Sink::kZone);
  const ledger::Seq read = waiting_.batch().after;  // entries handed to the zone
  auto lags = secondaries_.lags(Steady::now());
  const MutexLock lock(mutex_);
  snapshot_.port = server_.port();
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
