#include "bridge/update/publisher.h"

#include <atomic>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "bridge/say_once.h"
#include "bridge/update/served_watch.h"
#include "bridge/update/writer.h"
#include "bridge/zone/arrivals.h"
#include "bridge/zone/device_content.h"
#include "bridge/zone/in_flight.h"
#include "bridge/zone/revocation_watch.h"
#include "bridge/zone/superseded.h"
#include "bridge/zone/waiting.h"

namespace registry::update {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr milliseconds kIdleWait{250}, kArrivalWait{20}, kVersionRest{30'000}, kAheadRest{200};
constexpr std::size_t kSweepPage = 50, kFindPage = 4096;
constexpr std::size_t kHeldMax = 1000;        // above it nothing more is published until some are done
constexpr std::size_t kHeldFound = kHeldMax;  // never more than were held before
constexpr std::chrono::seconds kFindAgain{10};
constexpr int kHeldPause = 10;   // times sweep_every, between two tries of what is held
constexpr int kSweepPause = 60;  // times sweep_every, between two rounds

std::vector<domain::ZoneChange> Newest(const std::vector<domain::ZoneChange>& changes) {
  std::vector<domain::ZoneChange> newest;
  for (const domain::ZoneChange* const change : zone::LastPerDevice(changes)) newest.push_back(*change);
  return newest;
}

// First the signing server, then the secondaries, as a snapshot has them.
std::vector<std::string> ServersOf(const zone::Options& options) {
  std::vector<std::string> names{kServerName};
  for (const zone::SecondaryAddress& secondary : options.secondaries) names.push_back(secondary.name);
  return names;
}

class UpdatePublisher : public zone::Publisher {
 public:
  UpdatePublisher(Options options, ledger::Ledger& ledger, zone::Visible visible, LogLine log,
                  zone::Name name, zone::TsigKeys keys)
      : options_(std::move(options)),
        ledger_(ledger),
        log_(std::move(log)),
        clock_(options_.zone.clock != nullptr ? *options_.zone.clock : system_clock_),
        keys_(std::move(keys)),
        cursor_(ledger),
        arrivals_(ledger, cursor_, std::move(visible), log_, options_.zone.batch_max),
        name_(name),
        served_(options_.zone, keys_, name, clock_, log_),
        server_(name,
                Dialogue(options_.address, options_.port,
                         zone::KeysOf({kServerName, options_.address, options_.port}, options_.zone, keys_),
                         clock_, [this] { return thread_.stopping(); })),
        writer_({name, options_.owner, options_.zone.tlsa_ttl, options_.zone.apex_ttl,
                 zone::AuthorityTlsa(options_.zone.apex_certificates)},
                server_, [this](milliseconds time) { return Rest(time); }),
        revocations_(ledger, clock_, ServersOf(options_.zone), options_.zone.revocation_served,
                     Steady::now()),
        waiting_(ledger, options_.zone.batch_max),
        in_flight_(options_.zone.in_flight_max) {}
  ~UpdatePublisher() override { UpdatePublisher::Stop(); }

  Status Start() override;
  void Stop() override;
  zone::Snapshot snapshot() const override;

 private:
  void Run();
  void Turn();
  Status Publish();
  Status Sweep();
  Status DeleteHeld();
  Status FindHeld();
  Status LookAtVersion();
  Status NoteBlocked(const std::vector<domain::ZoneChange>& changes, const Written& written);
  void Keep(zone::Batch batch, Written written);
  void LookAtRevocations();
  void CompleteArrived();
  Status AskBecauseAhead();
  void Note(const Status& done);
  void SayKey();
  bool Idle() const;
  bool Untold(const domain::ZoneChange& change) const;
  bool Rest(milliseconds time);
  void UpdateSnapshot();

  const Options options_;
  ledger::Ledger& ledger_;
  const LogLine log_;
  const SystemClock system_clock_;
  const Clock& clock_;
  const zone::TsigKeys keys_;
  zone::Serials cursor_;  // the serials are the signing server's; what is stored of ours stays
  zone::Arrivals arrivals_;
  const zone::Name name_;
  ServedWatch served_;
  // What follows is the thread's own, once it runs.
  SigningServer server_;
  Writer writer_;
  zone::Superseded superseded_;
  zone::RevocationWatch revocations_;
  zone::Waiting waiting_;
  zone::InFlight in_flight_;
  bool former_key_ = false;                            // the signing server knows that one, and it was said
  std::optional<zone::Batch> current_;                 // taken, and not yet served by the signing server
  std::unordered_map<DeviceId, std::uint64_t> swept_;  // revisions of the last page
  std::unordered_set<DeviceId> blocked_;
  std::map<DeviceId, domain::ZoneChange> held_;  // deletions among them: the sweep does not know these
  bool all_found_ = false;                       // those that were held before the start
  std::optional<DeviceId> find_after_;
  Steady::time_point find_due_;
  std::optional<DeviceId> sweep_after_;
  Version version_;
  bool apex_written_ = false, bound_said_ = false;
  SayOnce said_, said_blocked_, said_ahead_;
  Steady::time_point held_due_, ahead_due_, try_again_, sweep_due_, version_due_, away_since_;
  milliseconds pause_{0};  // between tries; zero: the last one was well
  std::string trouble_ = "not asked yet";
  std::int64_t names_ = 0, names_swept_ = 0;
  mutable Mutex mutex_;
  CondVar wake_;
  zone::Snapshot snapshot_ GUARDED_BY(mutex_);
  std::vector<milliseconds> revocations_wait_ GUARDED_BY(mutex_);  // at each of the secondaries
  OwnThread thread_{mutex_, wake_};
};

Status UpdatePublisher::Start() {
  if (auto opened = cursor_.Open(); !opened) return opened;
  waiting_.StartBehind(cursor_.cursor());
  if (auto found = superseded_.Find(ledger_, cursor_.cursor()); !found) return found;
  log_.Info("zone: " + options_.zone.zone + " is held and signed by " + options_.address + " port " +
            std::to_string(options_.port) + ", changes go there");
  away_since_ = Steady::now();
  UpdateSnapshot();
  arrivals_.Start();
  served_.Start();
  thread_.Start("zone", [this] { Run(); });
  return Done{};
}

void UpdatePublisher::Stop() {
  if (!thread_.running()) return;
  thread_.Stop([this] { ledger_.WakeAll(); });
  arrivals_.Stop();
  served_.Stop();
}

zone::Snapshot UpdatePublisher::snapshot() const {
  zone::Snapshot copy;
  std::vector<milliseconds> waits_of_secondaries;
  {
    const MutexLock lock(mutex_);
    copy = snapshot_;
    waits_of_secondaries = revocations_wait_;
  }
  copy.pending += arrivals_.pending();
  std::size_t place = 0;  // asked before the start, nothing waits yet
  for (zone::Snapshot::Lag& lag : served_.lags()) {
    if (place < waits_of_secondaries.size()) lag.revocation_waits = waits_of_secondaries[place];
    ++place;
    copy.secondaries.push_back(std::move(lag));
  }
  return copy;
}

void UpdatePublisher::Run() {
  while (!thread_.stopping()) {
    CompleteArrived();
    Turn();
    UpdateSnapshot();
  }
}

// Waits in one of two places: for the next try when the server is in trouble, for entries of the outbox when not.
void UpdatePublisher::Turn() {
  const auto now = Steady::now();
  if (now < try_again_) {
    Rest(std::min(kArrivalWait, std::chrono::ceil<milliseconds>(try_again_ - now)));
    return;
  }
  if (!apex_written_) {
    const Status written = writer_.WriteApex();
    apex_written_ = written.ok();
    if (Note(written); !written) return;
  }
  if (!held_.empty() && now >= held_due_) return Note(DeleteHeld());
  if (!current_) {
    if (auto read = waiting_.Read(in_flight_.empty() ? kIdleWait : kArrivalWait); !read) {
      log_.Error("zone: the ledger cannot be read: " + read.error().message);
      Rest(zone::kRetryPause);
      return;
    }
    if (!waiting_.empty()) current_ = waiting_.Take();
  }
  if (current_) return Note(Publish());
  if (now >= version_due_) return Note(LookAtVersion());
  if (now >= ahead_due_ && !served_.ahead().empty()) return Note(AskBecauseAhead());
  if (!all_found_ && now >= find_due_ && held_.size() < kHeldFound && Idle()) return Note(FindHeld());
  if (now >= sweep_due_ && Idle()) Note(Sweep());
}

Status UpdatePublisher::Publish() {
  std::vector<domain::ZoneChange> changes = superseded_.Without(*current_->changes);
  std::erase_if(changes, [this](const domain::ZoneChange& change) {
    const auto swept = swept_.find(change.device);
    return swept != swept_.end() && change.revision < swept->second;
  });
  changes = Newest(changes);
  auto written = writer_.Write(changes);
  if (!written) return written.error();
  if (auto version = LookAtVersion(); !version) return version;
  if (auto held = NoteBlocked(changes, *written); !held) return held;
  superseded_.Passed(current_->last);
  zone::Batch batch = std::move(*current_);
  current_.reset();
  batch.count = batch.changes->size();
  Keep(std::move(batch), std::move(*written));
  return Done{};
}

void UpdatePublisher::Keep(zone::Batch batch, Written written) {
  names_ += written.names_more;
  batch.serial = version_.serial;
  for (const auto& blocked : written.blocked) batch.refused.push_back(blocked.first);
  served_.Want(batch.serial);
  // What was put aside is not revoked.
  std::vector<domain::ZoneChange> revoked;
  for (const domain::ZoneChange& change : *batch.changes) {
    if (change.tlsa.empty() && !written.blocked.contains(change.device)) revoked.push_back(change);
  }
  revocations_.Published(revoked, batch.serial, Steady::now());
  if (in_flight_.Keep(std::move(batch)) || bound_said_) return;
  bound_said_ = true;
  log_.Error("zone: more than " + std::to_string(options_.zone.in_flight_max) +
             " changes are not visible because of a secondary; they are read again when it serves them");
}

Status UpdatePublisher::LookAtVersion() {
  const auto version = server_.AskVersion();
  if (!version) return version.error();
  if (version->signed_until == 0) return UpdateFailed("it does not sign the zone");
  version_ = *version;
  served_.Signs(version_.serial);
  version_due_ = Steady::now() + kVersionRest;
  return Done{};
}

bool UpdatePublisher::Idle() const {
  const auto last = ledger_.OutboxLast(ledger::Sink::kZone);
  return in_flight_.empty() && arrivals_.pending() == 0 && last && *last <= waiting_.batch().after;
}

// What was blocked is said when it begins; then their number, once a minute. Fails, with nothing noted, when there are
//   too many deletions to keep: the batch stays then, and the cursor before it.
Status UpdatePublisher::NoteBlocked(const std::vector<domain::ZoneChange>& changes, const Written& written) {
  std::map<DeviceId, domain::ZoneChange> held = held_;
  for (const domain::ZoneChange& change : changes) {
    held.erase(change.device);
    if (written.blocked.contains(change.device) && change.tlsa.empty() && change.note.empty())
      held.emplace(change.device, change);
  }
  if (held.size() > kHeldMax && held.size() > held_.size())
    return UpdateFailed("more than " + std::to_string(kHeldMax) + " names cannot be deleted");
  if (held_.empty()) held_due_ = Steady::now() + options_.sweep_every * kHeldPause;
  held_ = std::move(held);
  for (const domain::ZoneChange& change : changes) {
    const auto blocked = written.blocked.find(change.device);
    if (blocked == written.blocked.end()) {
      blocked_.erase(change.device);
    } else if (blocked_.insert(change.device).second) {
      log_.Error("zone: not published, " + blocked->second + ": " +
                 zone::NameToText(NameOf(change.device, name_)));
    }
  }
  if (!blocked_.empty() && said_blocked_.Due("blocked", Steady::now()))
    log_.Warning(
        "zone: names that are not as the ledger says, because the signing server has something else "
        "there: " +
        std::to_string(blocked_.size()));
  return Done{};
}

// Deletions that were blocked. Their entries are passed already, so they are told with the place of what was last taken.
Status UpdatePublisher::DeleteHeld() {
  held_due_ = Steady::now() + options_.sweep_every * kHeldPause;
  std::vector<domain::ZoneChange> changes;
  for (const auto& held : held_) changes.push_back(held.second);
  auto written = writer_.Write(changes);
  if (!written) return written.error();
  // With no room to keep what is done until it is told, the next try finds it done.
  if (!in_flight_.eased()) return Done{};
  if (auto version = LookAtVersion(); !version) return version;
  if (auto noted = NoteBlocked(changes, *written); !noted) return noted;
  std::erase_if(changes, [&](const domain::ZoneChange& change) { return blocked_.contains(change.device); });
  if (changes.empty()) return Done{};
  zone::Batch batch;
  batch.after = batch.last = current_ ? current_->after : waiting_.batch().after;
  batch.count = changes.size();
  batch.changes = std::move(changes);
  Keep(std::move(batch), std::move(*written));
  return Done{};
}

// Deletions that were put aside before the start, a page of devices at a time. The ledger still waits for them and has no
// content for their names; nothing else is on its way while this is asked.
Status UpdatePublisher::FindHeld() {
  const auto page = ledger_.DevicesAfter(find_after_, kFindPage);
  if (!page) {
    log_.Error("zone: the ledger cannot be read: " + page.error().message);
    find_due_ = Steady::now() + kFindAgain;
    return Done{};
  }
  const std::size_t before = held_.size();
  for (const domain::Device& device : *page) {
    const std::optional<DeviceId> previous = std::exchange(find_after_, device.id);
    if (device.zone.visible >= device.zone.wanted) continue;
    const auto content = ledger_.ZoneAfter(previous, 1);
    if (!content) {
      log_.Error("zone: the ledger cannot be read: " + content.error().message);
      find_after_ = previous;
      find_due_ = Steady::now() + kFindAgain;
      return Done{};
    }
    if (content->empty() || content->front().device != device.id)
      held_.emplace(device.id, domain::ZoneChange{device.id, device.zone.wanted, {}, {}});
    if (held_.size() >= kHeldFound) break;  // the rest when some are done
  }
  all_found_ = page->empty();
  if (held_.size() == before) return Done{};
  held_due_ = Steady::now();
  log_.Warning("zone: deletions that were put aside before the start are tried again: " +
               std::to_string(held_.size() - before));
  return Done{};
}

// A page of names is compared with the ledger and put right. What it finds undone is what a foreign record has blocked,
//   or what somebody has changed by hand.
Status UpdatePublisher::Sweep() {
  auto page = ledger_.ZoneAfter(sweep_after_, kSweepPage);
  sweep_due_ = Steady::now() + options_.sweep_every * (page && page->empty() ? kSweepPause : 1);
  if (!page) {
    log_.Error("zone: the ledger cannot be read: " + page.error().message);
    return Done{};
  }
  if (page->empty()) {
    sweep_after_.reset();
    names_ = std::exchange(names_swept_, 0);
    apex_written_ = false;
    return Done{};
  }
  swept_.clear();
  for (const domain::ZoneChange& change : *page) swept_[change.device] = change.revision;
  auto written = writer_.Write(*page);
  if (!written) return written.error();
  sweep_after_ = page->back().device;
  names_swept_ += static_cast<std::int64_t>(page->size() - written->blocked.size());
  if (auto held = NoteBlocked(*page, *written); !held) return held;
  if (!written->changed.empty())
    log_.Warning("zone: " + std::to_string(written->changed.size()) +
                 " names were not as the ledger says, and are put right");
  std::erase_if(*page, [&](const domain::ZoneChange& change) {
    return blocked_.contains(change.device) || (!written->changed.contains(change.device) && !Untold(change));
  });
  if (page->empty()) return Done{};
  if (auto version = LookAtVersion(); !version) return version;
  zone::Batch batch;
  batch.after = batch.last = waiting_.batch().after;
  batch.count = page->size();
  batch.changes = std::move(*page);
  Keep(std::move(batch), std::move(*written));
  return Done{};
}

// It was put right before a crash, perhaps, and nobody was told.
bool UpdatePublisher::Untold(const domain::ZoneChange& change) const {
  const auto device = ledger_.LoadDevice(change.device);
  return device && *device && (*device)->zone.visible < change.revision;
}

void UpdatePublisher::LookAtRevocations() {
  revocations_.Look(
      [this](std::size_t server, std::uint32_t serial) -> std::optional<bool> {
        return server == 0 ? !zone::SerialAhead(serial, version_.serial) : served_.Serves(server - 1, serial);
      },
      Steady::now());
}

void UpdatePublisher::CompleteArrived() {
  LookAtRevocations();
  while (!in_flight_.empty()) {
    zone::Batch& batch = in_flight_.front();
    if (!served_.AllServe(batch.serial)) return;
    const std::size_t count = batch.count;
    if (!arrivals_.Offer(batch)) return;
    in_flight_.DropFirst(count);
    if (in_flight_.eased()) bound_said_ = false;
  }
}

// A secondary is ahead of what the signing server said last. It may have said it before it signed again.
Status UpdatePublisher::AskBecauseAhead() {
  ahead_due_ = Steady::now() + kAheadRest;
  const auto ahead = served_.ahead();
  if (auto version = LookAtVersion(); !version) return version;
  for (const ServedWatch::Ahead& server : ahead) {
    if (!zone::SerialAhead(server.serial, version_.serial)) continue;
    const std::string line = "zone: " + server.name + " has a later serial than the signing server";
    if (said_ahead_.Due(line, Steady::now()))
      log_.Warning(line + ", " + std::to_string(server.serial) + " and " + std::to_string(version_.serial) +
                   ": it does not count as serving; was the signing server set back?");
  }
  return Done{};
}

void UpdatePublisher::Note(const Status& done) {
  if (done) {
    if (pause_ != milliseconds(0)) log_.Info("zone: the signing server takes changes again");
    pause_ = milliseconds(0);
    trouble_.clear();
    said_.Forget();
    SayKey();
    return;
  }
  if (thread_.stopping()) return;
  if (trouble_.empty()) away_since_ = Steady::now();
  trouble_ = done.error().message;
  pause_ = pause_ == milliseconds(0) ? options_.retry_first : std::min(2 * pause_, options_.retry_last);
  try_again_ = Steady::now() + pause_;
  const std::string line = "zone: nothing is published for now, the signing server " + options_.address +
                           " port " + std::to_string(options_.port) + ": " + trouble_;
  if (said_.Due(line, Steady::now())) log_.Error(line);
}

// The operator's way of a new key ends only when the former one is forgotten.
void UpdatePublisher::SayKey() {
  if (former_key_ == server_.with_former_key()) return;
  former_key_ = server_.with_former_key();
  const zone::SecondaryKeys keys = zone::KeysOf({kServerName, {}}, options_.zone, keys_);
  if (former_key_)
    log_.Warning("zone: the signing server knows its former key " + zone::NameToText(keys.former->name) +
                 " alone; give it " + zone::NameToText(keys.now->name));
}

bool UpdatePublisher::Rest(milliseconds time) {
  MutexLock lock(mutex_);
  return thread_.Rest(lock, time);
}

void UpdatePublisher::UpdateSnapshot() {
  const auto last = ledger_.OutboxLast(ledger::Sink::kZone);
  const ledger::Seq read = waiting_.batch().after;
  zone::Snapshot::Lag server{kServerName, version_.serial, trouble_.empty(), {}, trouble_};
  if (!trouble_.empty())
    server.behind = std::chrono::duration_cast<milliseconds>(Steady::now() - away_since_);
  if (trouble_.empty() && !blocked_.empty())
    server.refusal = std::to_string(blocked_.size()) + " names have records that are not the registry's";
  revocations_.Pending((current_ ? *current_ : waiting_.batch()).revokes_since);
  server.revocation_waits = revocations_.waits(0, Steady::now());
  std::vector<milliseconds> waits;
  for (std::size_t i = 1; i <= options_.zone.secondaries.size(); ++i)
    waits.push_back(revocations_.waits(i, Steady::now()));
  const MutexLock lock(mutex_);
  revocations_wait_ = std::move(waits);
  snapshot_.serial = version_.serial;
  snapshot_.names = static_cast<std::uint64_t>(std::max<std::int64_t>(names_, 0));
  snapshot_.first_expiry = version_.signed_until;
  snapshot_.pending = in_flight_.changes() + blocked_.size() + (current_ ? current_->changes->size() : 0) +
                      (last && *last > read ? *last - read : 0);
  snapshot_.secondaries = {std::move(server)};
}

}  // namespace

Result<std::unique_ptr<zone::Publisher>> CreatePublisher(Options options, ledger::Ledger& ledger,
                                                         zone::Visible visible, LogLine log) {
  auto keys = zone::LoadTsigKeys(options.zone);
  if (!keys) return keys.error();
  const auto name = zone::NameFromText(options.zone.zone);
  if (!name || options.zone.batch_max == 0 || options.address.empty() || options.owner.empty())
    return Error::Make(Code::kFailed, "zone_options_invalid", "a zone, an address and an owner are needed");
  return std::unique_ptr<zone::Publisher>(std::make_unique<UpdatePublisher>(
      std::move(options), ledger, std::move(visible), std::move(log), *name, std::move(*keys)));
}

}  // namespace registry::update
