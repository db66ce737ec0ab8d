#include "bridge/zone/publisher.h"

#include <poll.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "bridge/own_thread.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/arrivals.h"
#include "bridge/zone/secondary.h"
#include "bridge/zone/server.h"
#include "schemas/base/mutex.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLoadPage = 4096;
constexpr std::size_t kRefreshBatch = 500;  // signatures that are due, per version
constexpr std::size_t kOverdueBatch =
    20'000;  // the same when one has expired: the zone is bogus, versions may be long
constexpr std::size_t kSpanMax =
    10'000;  // changes of neighbouring versions that are told together, when they wait long
constexpr milliseconds kIdleWait{250};    // for new entries, when all is quiet
constexpr milliseconds kLaggingWait{20};  // the same while an unreachable secondary is asked on the side
constexpr milliseconds kHoldLimit{
    2000};  // how long a slow but reachable secondary holds the next version back
constexpr milliseconds kPassPause{2000};     // between two moves past a secondary that is ahead
constexpr milliseconds kRetryPause{200};     // after the ledger or `visible` failed
constexpr milliseconds kAlarmAfter{30'000};  // lag that is logged

// For the log. One that answers is not called away, however little its answers count.
std::string StateOf(const Snapshot::Lag& lag, bool late, bool current) {
  if (!lag.reachable && !lag.refusal.empty()) return " refuses our questions (" + lag.refusal + ")";
  if (!lag.reachable) return " cannot be reached";
  if (late) return " lags";
  return current ? " has caught up" : " can be reached again";
}

class LivePublisher : public Publisher {
 public:
  LivePublisher(Options options, ledger::Ledger& ledger, Visible visible, Log log, ZoneProfile profile,
                TsigKey key)
      : options_(std::move(options)),
        ledger_(ledger),
        log_(std::move(log)),
        clock_(options_.clock != nullptr ? *options_.clock : system_clock_),
        key_tags_(std::to_string(profile.signing.ksk.tag) + "/" + std::to_string(profile.signing.zsk.tag)),
        serials_(ledger),
        arrivals_(ledger, serials_, std::move(visible), log_, options_.batch_max),
        store_(std::move(profile), options_.journal_bytes_max, options_.journal_changes_max, clock_.Now()),
        responder_(store_, std::move(key), clock_, log_),
        server_(responder_, log_) {
    for (const SecondaryAddress& address : options_.secondaries) {
      secondaries_.emplace_back(address, store_.zone(), responder_.key(), clock_, options_.listen_address,
                                log_);
    }
    alarmed_.resize(secondaries_.size());
    too_far_.resize(secondaries_.size());
  }
  ~LivePublisher() override { LivePublisher::Stop(); }

  Status Start() override;
  void Stop() override;
  Snapshot snapshot() const override;

 private:
  Status Load();
  Status FindSuperseded();
  void Run();
  bool MayPublish(Steady::time_point now) const;
  milliseconds EntryWait() const;
  void Publish();
  void Serve(Batch batch);
  void Keep(Batch batch);
  void SayBound();
  void SayRefused(const std::vector<DeviceId>& devices) const;
  std::vector<domain::ZoneChange> WithoutSuperseded(std::vector<domain::ZoneChange> changes) const;
  void WatchSignatures();
  void PassSecondaries(Steady::time_point now);
  bool MayPass(std::size_t which, std::uint32_t newest);
  void CompleteArrived();
  void WatchSecondaries(milliseconds wait);
  void Alarm(Steady::time_point now);
  void Announce();
  void UpdateSnapshot();
  void Pause();
  void Say(int level, const std::string& line) const {
    if (log_) log_(level, line);
  }
  bool AllReachableCurrent() const;
  bool AllCurrent() const { return std::ranges::all_of(secondaries_, &Secondary::current); }

  const Options options_;
  ledger::Ledger& ledger_;
  const Log log_;
  const SystemClock system_clock_;
  const Clock& clock_;
  const std::string key_tags_;
  Serials serials_;
  Arrivals arrivals_;
  ZoneStore store_;
  Responder responder_;
  TransferServer server_;
  std::deque<Secondary> secondaries_;
  std::vector<bool> alarmed_;
  std::vector<std::optional<std::uint32_t>> too_far_;             // the serial that was refused and said
  std::unordered_map<DeviceId, std::uint64_t> superseded_below_;  // entries from before the start
  ledger::Seq superseded_until_ = 0;
  ledger::Seq read_ = 0;  // entries handed to the zone
  std::deque<Batch> in_flight_;
  std::size_t in_flight_changes_ = 0;
  bool bound_said_ = false, expiry_said_ = false;
  Steady::time_point announced_, next_pass_;
  mutable Mutex mutex_;
  CondVar wake_;
  Snapshot snapshot_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, wake_};
};

Status LivePublisher::Start() {
  if (auto opened = serials_.Open(key_tags_, options_.new_keys); !opened) return opened;
  read_ = serials_.cursor();
  if (auto loaded = Load(); !loaded) return loaded;
  if (auto found = FindSuperseded(); !found) return found;
  if (auto started = server_.Start(options_.listen_address, options_.listen_port); !started) return started;
  if (secondaries_.empty())
    Say(2, "zone: no secondary is configured, changes count as visible once they can be fetched");
  Say(1, "zone: " + options_.zone + " serial " + std::to_string(store_.serial()) + " with " +
             std::to_string(store_.devices()) + " devices, transfers on port " +
             std::to_string(server_.port()));
  UpdateSnapshot();
  arrivals_.Start();
  thread_.Start("zone", [this] { Run(); });
  return Done{};
}

Status LivePublisher::Load() {
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
  return Done{};
}

// The content loaded is the newest; entries that waited since before the start may be older and must not
// bring it back.
Status LivePublisher::FindSuperseded() {
  const auto last = ledger_.OutboxLast(ledger::Sink::kZone);
  if (!last) return last.error();
  superseded_until_ = *last;
  for (ledger::Seq seq = read_; seq < *last;) {
    const auto entries = ledger_.OutboxAfter(ledger::Sink::kZone, seq, kLoadPage, milliseconds(0));
    if (!entries) return entries.error();
    if (entries->empty()) break;
    for (const ledger::OutboxEntry& entry : *entries) {
      const auto* change = std::get_if<domain::ZoneChange>(&entry.item);
      if (change == nullptr) continue;
      auto& highest = superseded_below_[change->device];
      highest = std::max(highest, change->revision);
    }
    seq = entries->back().seq;
  }
  return Done{};
}

void LivePublisher::Stop() {
  if (!thread_.running()) return;
  thread_.Stop([this] { ledger_.WakeAll(); });
  arrivals_.Stop();
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

void LivePublisher::Run() {
  Announce();
  while (!thread_.stopping()) {
    WatchSecondaries(milliseconds(0));
    PassSecondaries(Steady::now());
    CompleteArrived();
    WatchSignatures();
    if (MayPublish(Steady::now())) {
      Publish();
    } else {
      WatchSecondaries(milliseconds(50));
    }
    Alarm(Steady::now());
    UpdateSnapshot();
  }
}

bool LivePublisher::AllReachableCurrent() const {
  return std::ranges::all_of(secondaries_, [](const Secondary& s) { return s.current() || !s.reachable(); });
}

// Self-clocking (design §7): a secondary's cost per transfer grows with the zone, so the next version goes
// out when the last one has arrived. A slow one cannot hold a revocation back for longer than kHoldLimit.
bool LivePublisher::MayPublish(Steady::time_point now) const {
  return AllReachableCurrent() || now - announced_ > kHoldLimit;
}

milliseconds LivePublisher::EntryWait() const {
  return AllCurrent() && in_flight_.empty() ? kIdleWait : kLaggingWait;
}

// One version of whatever waits: changes, signatures that are due, or both.
void LivePublisher::Publish() {
  const bool due = store_.RefreshDue(clock_.Now());
  const auto wait = due ? milliseconds(0) : EntryWait();
  auto entries = ledger_.OutboxAfter(ledger::Sink::kZone, read_, options_.batch_max, wait);
  if (!entries) {
    Say(3, "zone: the ledger cannot be read: " + entries.error().message);
    Pause();
  }
  Batch batch;
  batch.after = batch.last = read_;
  batch.changes.emplace();
  if (entries && !entries->empty()) {
    batch.last = entries->back().seq;
    for (const ledger::OutboxEntry& entry : *entries) {
      if (const auto* change = std::get_if<domain::ZoneChange>(&entry.item))
        batch.changes->push_back(*change);
    }
  }
  if (due || batch.last != read_) Serve(std::move(batch));
}

std::vector<domain::ZoneChange> LivePublisher::WithoutSuperseded(
    std::vector<domain::ZoneChange> changes) const {
  std::erase_if(changes, [this](const domain::ZoneChange& change) {
    const auto found = superseded_below_.find(change.device);
    return found != superseded_below_.end() && change.revision < found->second;
  });
  return changes;
}

void LivePublisher::Serve(Batch batch) {
  const auto serial = serials_.Next();
  if (!serial) {
    Say(3, "zone: no serial could be reserved: " + serial.error().message);
    return Pause();
  }
  const UtcTime now = clock_.Now();
  const std::size_t refresh = store_.FirstExpiry() <= now.seconds() ? kOverdueBatch : kRefreshBatch;
  const auto publish = [&](const std::vector<domain::ZoneChange>& wanted) {
    return store_.Publish(wanted, refresh, *serial, now);
  };
  auto published =
      superseded_below_.empty() ? publish(*batch.changes) : publish(WithoutSuperseded(*batch.changes));
  if (!published.changed) serials_.Return();
  SayRefused(published.refused);
  batch.refused = std::move(published.refused);
  if (batch.last != read_) {
    read_ = batch.last;
    if (read_ >= superseded_until_) superseded_below_.clear();
    batch.serial = store_.serial();
    batch.count = batch.changes->size();
    Keep(std::move(batch));
  }
  if (published.changed) Announce();
}

// A secondary that stays away must not end revocation and signing for the others, nor take all memory: above the
// bound only the place of the changes in the ledger is kept, and neighbouring versions become one.
void LivePublisher::Keep(Batch batch) {
  in_flight_changes_ += batch.count;
  if (in_flight_changes_ <= options_.in_flight_max) {
    in_flight_.push_back(std::move(batch));
    return;
  }
  SayBound();
  batch.changes.reset();
  if (!in_flight_.empty()) {
    Batch& before = in_flight_.back();
    const bool joins = !before.changes && before.refused.empty() && batch.refused.empty() &&
                       before.count + batch.count <= kSpanMax;
    if (joins) {
      before.serial = batch.serial;
      before.last = batch.last;
      before.count += batch.count;
      return;
    }
  }
  in_flight_.push_back(std::move(batch));
}

void LivePublisher::SayBound() {
  if (bound_said_) return;
  bound_said_ = true;
  std::string names;
  for (const Secondary& secondary : secondaries_) {
    if (!in_flight_.empty() && secondary.Serves(in_flight_.front().serial)) continue;
    names += (names.empty() ? "" : ", ") + secondary.name();
  }
  Say(3, "zone: more than " + std::to_string(options_.in_flight_max) +
             " changes are not visible because of " + names +
             "; the others go on being served, the changes are read again when it serves them");
}

void LivePublisher::SayRefused(const std::vector<DeviceId>& devices) const {
  for (const DeviceId& device : devices) {
    Say(3, "zone: content too large for a message, not published: " + device.text());
  }
}

// Signatures are made again when `signature_refresh` is left: where half of that is left, it has not been done for
// long.
void LivePublisher::WatchSignatures() {
  const UtcTime now = clock_.Now();
  if (const std::size_t bogus = store_.ExpediteFromAhead(now); bogus > 0) {
    Say(3, "zone: the clock went back: " + std::to_string(bogus) +
               " signatures begin in the future and validate nowhere, they are made again now");
  }
  const std::int64_t left = store_.FirstExpiry() - now.seconds();
  const bool late = left < options_.signature_refresh.count() / 2;
  if (late == expiry_said_) return;
  expiry_said_ = late;
  if (!late) return Say(1, "zone: signatures last long enough again");
  Say(3, left > 0
             ? "zone: the first signature expires in " + std::to_string(left) +
                   " s and has not been made again: the zone is about to be bogus"
             : std::string("zone: signatures have expired or begin in the future, and have not been made "
                           "again yet: the zone is bogus"));
}

// RFC 1982 §3.2: a secondary ignores what is not ahead of its own serial. One that is ahead of us has versions
// from after the moment a restored ledger stems from; the zone moves past it, and it takes the whole of ours.
void LivePublisher::PassSecondaries(Steady::time_point now) {
  if (now < next_pass_) return;
  const std::uint32_t newest = store_.serial();
  std::uint32_t highest = newest;
  for (std::size_t i = 0; i < secondaries_.size(); ++i) {
    const Secondary& secondary = secondaries_[i];
    if (!secondary.ahead() || !MayPass(i, newest)) continue;
    Say(2, "zone: secondary " + secondary.name() + " serves serial " + std::to_string(secondary.serial()) +
               ", ahead of our newest " + std::to_string(newest) +
               " (an older ledger restored?); moving our serial past it");
    if (SerialAhead(secondary.serial(), highest)) highest = secondary.serial();
  }
  if (highest == newest) return;
  next_pass_ = now + kPassPause;
  if (auto passed = serials_.Pass(highest); !passed) {
    return Say(3, "zone: the serial could not be moved: " + passed.error().message);
  }
  const auto serial = serials_.Next();
  if (!serial) return Say(3, "zone: no serial could be reserved: " + serial.error().message);
  store_.Renumber(*serial, clock_.Now());
  // What a secondary served before lies between their old serials and the newest, and does not hold them.
  for (Batch& batch : in_flight_) batch.serial = *serial;
  Announce();
}

// RFC 1982 §3.2: a step of 2^31 or more is none forward. Whoever serves our newest would ignore the version behind
// such a serial, for good: one odd answer must not take the zone there.
bool LivePublisher::MayPass(std::size_t which, std::uint32_t newest) {
  const std::uint32_t serial = secondaries_[which].serial();
  if (SerialAhead(serial + kReserve + 1, newest)) return true;
  if (too_far_[which] != serial) {
    Say(3, "zone: secondary " + secondaries_[which].name() + " serves serial " + std::to_string(serial) +
               ", too far ahead of our newest " + std::to_string(newest) + " to be passed: empty its zone");
  }
  too_far_[which] = serial;
  return false;
}

void LivePublisher::Announce() {
  announced_ = Steady::now();
  for (Secondary& secondary : secondaries_) secondary.Announce(store_.serial(), store_.soa(), announced_);
}

void LivePublisher::CompleteArrived() {
  while (!in_flight_.empty()) {
    Batch& batch = in_flight_.front();
    const auto serves = [&batch](const Secondary& secondary) { return secondary.Serves(batch.serial); };
    if (!std::ranges::all_of(secondaries_, serves)) return;
    const std::size_t count = batch.count;
    if (!arrivals_.Offer(batch)) return;
    in_flight_changes_ -= count;
    in_flight_.pop_front();
    if (in_flight_changes_ <= options_.in_flight_max / 2) bound_said_ = false;
  }
}

// Waits at most `wait` for an answer or for the next question to fall due.
void LivePublisher::WatchSecondaries(milliseconds wait) {
  std::vector<pollfd> polled;
  auto until = Steady::now() + wait;
  for (const Secondary& secondary : secondaries_) {
    if (secondary.fd() >= 0) polled.push_back({secondary.fd(), POLLIN, 0});
    until = std::min(until, secondary.next());
  }
  if (wait > milliseconds(0)) {
    const auto left = std::chrono::ceil<milliseconds>(until - Steady::now());
    poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(0, left.count())));
  }
  const auto now = Steady::now();
  for (Secondary& secondary : secondaries_) secondary.Turn(now);
}

void LivePublisher::Alarm(Steady::time_point now) {
  for (std::size_t i = 0; i < secondaries_.size(); ++i) {
    const Snapshot::Lag lag = secondaries_[i].lag(now);
    const bool late = lag.behind > kAlarmAfter || !lag.reachable;
    if (late == alarmed_[i]) continue;
    alarmed_[i] = late;
    const std::string serves =
        lag.serial == 0 ? "it has told no serial yet" : "it serves " + std::to_string(lag.serial);
    Say(late ? 2 : 1, "zone: secondary " + lag.name + StateOf(lag, late, secondaries_[i].current()) + ", " +
                          serves + ", newest is " + std::to_string(store_.serial()));
  }
}

void LivePublisher::UpdateSnapshot() {
  const auto last = ledger_.OutboxLast(ledger::Sink::kZone);
  const auto now = Steady::now();
  const MutexLock lock(mutex_);
  snapshot_.port = server_.port();
  snapshot_.serial = store_.serial();
  snapshot_.names = store_.devices();
  snapshot_.first_expiry = store_.FirstExpiry();
  snapshot_.pending = in_flight_changes_ + (last && *last > read_ ? *last - read_ : 0);
  snapshot_.secondaries.clear();
  for (const Secondary& secondary : secondaries_) snapshot_.secondaries.push_back(secondary.lag(now));
}

void LivePublisher::Pause() {
  MutexLock lock(mutex_);
  thread_.Rest(lock, kRetryPause);
}

}  // namespace

Result<std::unique_ptr<Publisher>> Publisher::Create(Options options, ledger::Ledger& ledger, Visible visible,
                                                     Log log) {
  auto profile = ProfileOf(options);
  if (!profile) return profile.error();
  auto key = LoadTsigKey(options.tsig_name, options.tsig_secret_file);
  if (!key) return key.error();
  if (options.batch_max == 0)
    return Error::Make(Code::kFailed, "zone_options_invalid", "batch_max must be positive");
  return std::unique_ptr<Publisher>(std::make_unique<LivePublisher>(
      std::move(options), ledger, std::move(visible), std::move(log), std::move(*profile), std::move(*key)));
}

}  // namespace registry::zone
