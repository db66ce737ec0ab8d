#include "bridge/app/standby.h"

#include <algorithm>
#include <atomic>

#include "bridge/app/http.h"
#include "bridge/app/ledger_place.h"
#include "bridge/app/member.h"
#include "bridge/app/metrics.h"
#include "bridge/app/mqtt_options.h"
#include "bridge/app/party_reload.h"
#include "bridge/app/status.h"
#include "bridge/app/stop_guard.h"
#include "bridge/app/zone_keys_beside.h"
#include "bridge/app/zone_options.h"
#include "bridge/ledger/postgres/nodes.h"
#include "bridge/mqtt/dial.h"
#include "bridge/say_once.h"
#include "bridge/zone/follower.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {
namespace {

using ledger::PostgresStandby;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kDialEvery{5}, kTakesOverWithin{25};
constexpr milliseconds kLookAtMost{1000}, kLookAtLeast{250};

class Waiting : public Standby {
 public:
  Waiting(const Config& config, ledger::PostgresOptions options, Log& log)
      : broker_(MqttOptions(config, {})),
        every_(std::clamp(milliseconds(seconds(config.ledger.lease_seconds)) / 8, kLookAtLeast, kLookAtMost)),
        keys_beside_(ZoneKeysBeside(config, options)),
        standby_(std::move(options)),
        log_(log.For("node")),
        zone_log_(log.For("zone")),
        app_log_(log.For("app")),
        file_(config.file),
        name_(NodeName(config.ledger)),
        guard_(log, kTakesOverWithin, kExitLeaseOver),
        member_(config.ledger.shared ? std::make_unique<Member>(config, log) : nullptr),
        copies_(!config.dns.other_primaries.empty() && !config.dns.by_update()) {
    if (!copies_) return;
    zone_ = ZoneOptions(config, {});
    primaries_ = config.dns.other_primaries;
    // All nodes have one port for TLS, as secondaries are told (ctl/secondary_config.h).
    for (auto& primary : primaries_) {
      if (config.dns.tls.on()) primary.second = config.dns.tls.port;
    }
  }
  // What starts the follower ends before it.
  ~Waiting() override {
    http_.reset();
    looking_.Stop();
  }
  Status StartThreads(const Config& config, Log& log);
  bool may_open() const override { return may_open_; }
  bool saw_another() const override { return saw_another_; }
  std::string says() const override;
  void TakeParties() override;
  std::uint16_t http_port() const override { return http_->port(); }

 private:
  void Look();
  void FollowZone();
  void Dial();
  void TellMember(PostgresStandby::Found found);
  void Note(PostgresStandby::Found found);
  NodeSample sample() const;
  bool decides() const { return member_ && member_->sample(); }
  std::string MetricsText() const;
  std::optional<ZoneCopySample> copy() const;

  const mqtt::SessionOptions broker_;
  const milliseconds every_;
  const zone::KeysBeside keys_beside_;
  PostgresStandby standby_;  // of its thread
  const LogLine log_, zone_log_, app_log_;
  const std::string file_, name_;
  StopGuard guard_;                       // while the member leaves before a take-over
  const std::unique_ptr<Member> member_;  // null: it does not decide
  const bool copies_;                     // the zone
  std::optional<zone::Options> zone_;     // until that begins
  std::vector<std::pair<std::string, std::uint16_t>> primaries_;
  SayOnce complaints_;  // of its thread, as the next
  std::string said_;
  std::atomic<std::uint64_t> reloads_{0}, reloads_refused_{0};
  std::atomic<bool> may_open_{false}, saw_another_{false}, reaches_broker_{false}, away_{false};
  mutable Mutex mutex_;
  CondVar wake_;
  std::string says_ GUARDED_BY(mutex_) = "standby: looks at the ledger";
  double stood_still_ GUARDED_BY(mutex_) = 0;
  OwnThread dialling_{mutex_, wake_}, looking_{mutex_, wake_};
  // Null: the zone is not copied, or not yet.
  std::unique_ptr<zone::ZoneFollower> follower_ GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> http_;  // ends first: it asks for the rest
};

Status Waiting::StartThreads(const Config& config, Log& log) {
  HttpServer::Pages pages;
  pages["/metrics"] = [this] { return Page{200, "text/plain; version=0.0.4; charset=utf-8", MetricsText()}; };
  pages["/healthz"] = [this] { return StandbyHealthPage(!away_, decides(), says()); };
  pages["/readyz"] = [this] {
    const auto deciding = member_ ? member_->sample() : std::nullopt;
    return deciding ? DecidingReadyPage(*deciding, says()) : StandbyReadyPage(says());
  };
  auto http = HttpServer::Start(config.http_address, config.http_port, std::move(pages), log.For("http"));
  if (!http) return http.error();
  http_ = std::move(*http);
  looking_.Start("standby", [this] { Look(); });
  dialling_.Start("standby-broker", [this] { Dial(); });
  return Done{};
}

// Without a copy a take-over signs more anew, and is one all the same.
void Waiting::FollowZone() {
  if (!zone_) return;
  auto follower = zone::ZoneFollower::Start(std::move(*zone_), primaries_, zone_log_, keys_beside_);
  zone_.reset();
  if (!follower) return zone_log_.Warning("zone: no copy of it is kept: " + follower.error().message);
  const MutexLock lock(mutex_);
  follower_ = std::move(*follower);
}

void Waiting::Look() {
  for (bool first = true; !looking_.stopping(); first = false) {
    if (!first) {
      MutexLock lock(mutex_);
      if (!looking_.Rest(lock, every_)) return;
    }
    const auto found = standby_.Look(reaches_broker_);
    Note(found);
    if (saw_another_) FollowZone();
    if (member_) TellMember(found);
    if (found != PostgresStandby::Found::kFree) continue;
    if (member_) {
      guard_.Arm();
      member_->Stop(Member::Why::kToTakeOver);
      guard_.Disarm();
    }
    may_open_ = true;
    return;
  }
}

// Under one name two nodes would take the session at the broker from each other.
void Waiting::TellMember(PostgresStandby::Found found) {
  const bool namesake = found == PostgresStandby::Found::kHeld && standby_.seen().node == name_;
  const std::string says =
      "standby: the active one has this node's name (node.name), so this one does not decide";
  if (namesake && complaints_.Due(says, SayOnce::Steady::now())) log_.Warning(says);
  member_->Saw(found == PostgresStandby::Found::kHeld && standby_.seen().shared && !namesake,
               reaches_broker_);
}

void Waiting::Note(PostgresStandby::Found found) {
  using Found = PostgresStandby::Found;
  const auto& seen = standby_.seen();
  std::string says = "standby: ";
  if (found == Found::kAway) {
    says += standby_.why();
    if (complaints_.Due(says, SayOnce::Steady::now())) log_.Warning(says);
  } else if (found == Found::kFree) {
    says += standby_.ended_one() ? "the lease of " + seen.node + " is over, its connection was ended"
                                 : "nobody has the ledger";
    log_.Info(says);
  } else if (found == Found::kLeft) {
    says += "nobody has the ledger; another node reaches the broker, as this one does not, and is to take it";
    if (says != said_) log_.Info(says);
  } else {
    says += (seen.node.empty() ? "another" : seen.node) + " has the ledger";
    saw_another_ = true;
    if (says != said_) log_.Info(says);
  }
  said_ = says;
  away_ = found == Found::kAway;
  const MutexLock lock(mutex_);
  says_ = std::move(says);
  stood_still_ = std::chrono::duration<double>(standby_.stood_still()).count();
}

void Waiting::Dial() {
  MutexLock lock(mutex_);
  do {
    lock.Unlock();
    reaches_broker_ = mqtt::Dial(broker_, [this] { return dialling_.stopping(); }).fault.empty();
    lock.Lock();
  } while (dialling_.Rest(lock, kDialEvery));
}

std::string Waiting::says() const {
  const std::string deciding = member_ ? member_->says() : "";
  const MutexLock lock(mutex_);
  return says_ + (deciding.empty() ? "" : "; " + deciding);
}

std::string Waiting::MetricsText() const {
  auto deciding = member_ ? member_->sample() : std::nullopt;
  NodeSample node = sample();
  if (!deciding) return StandbyText(REGISTRY_VERSION, node, copy());
  node.deciding = true;
  deciding->node = node;
  return member_->MetricsText(*deciding, copy());
}

void Waiting::TakeParties() {
  if (!member_) return;
  const auto read = ReadPartiesAgain(file_, app_log_);
  if (!read) {
    ++reloads_refused_;
    return;
  }
  SayTaken(member_->Change(*read), app_log_);
  ++reloads_;
}

NodeSample Waiting::sample() const {
  NodeSample sample;
  sample.one_of_several = true;
  sample.shared = member_ != nullptr;
  sample.reloads = reloads_;
  sample.reloads_refused = reloads_refused_;
  const MutexLock lock(mutex_);
  sample.lease_age = stood_still_;
  return sample;
}

std::optional<ZoneCopySample> Waiting::copy() const {
  if (!copies_) return std::nullopt;
  const MutexLock lock(mutex_);
  if (follower_ == nullptr) return ZoneCopySample{};
  const auto sample = follower_->sample();
  return ZoneCopySample{sample.follows, sample.serial};
}

}  // namespace

Result<std::unique_ptr<Standby>> Standby::Start(const Config& config, Log& log) {
  auto place = LedgerPlaceOf(config.ledger, config.ledger_folder);
  if (!place) return place.error();
  ledger::PostgresOptions options = *place->postgres;
  options.node = {NodeName(config.ledger), REGISTRY_VERSION, nullptr};
  options.answer_within = seconds(1);
  options.retry_for = seconds(1);
  auto waiting = std::make_unique<Waiting>(config, std::move(options), log);
  if (auto started = waiting->StartThreads(config, log); !started) return started.error();
  return std::unique_ptr<Standby>(std::move(waiting));
}

}  // namespace registry::app
