#include "bridge/app/member.h"

#include <algorithm>
#include <cstdlib>

#include "bridge/app/ingest_options.h"
#include "bridge/app/mqtt_options.h"
#include "bridge/app/party_reload.h"

namespace registry::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kBeatAtMost{1000}, kBeatAtLeast{250};
constexpr milliseconds kHearOutWithin{1500}, kFarewellWithin{500};
// What keeps a node from deciding seldom ends by itself.
constexpr seconds kTriesAgainAfter{30};
constexpr int kMissedMost = 3;
constexpr seconds kFirstConnectionWithin{60};

Error NoMember(const std::string& why) {
  return Error::Make(Code::kFailed, std::string(ledger::kLedgerInUse), why);
}

}  // namespace

Member::Member(Config config, Log& log)
    : log_(log),
      node_log_(log.For("node")),
      every_(std::clamp(milliseconds(seconds(config.ledger.lease_seconds)) / 8, kBeatAtLeast, kBeatAtMost)),
      metrics_(REGISTRY_VERSION, log.For("ingest")),
      config_(std::move(config)) {
  thread_.Start("member", [this] { Run(); });
}

Member::~Member() { Stop(Why::kAsked); }

void Member::Saw(bool admits, bool reaches_broker) {
  const MutexLock lock(mutex_);
  admits_ = admits;
  if (reaches_broker) left_for_broker_ = false;
}

PartyReload Member::Change(const Config& read) {
  const MutexLock lock(mutex_);
  PartyReload taken = TakeParties(config_, read);
  config_ = taken.config;
  if (seat_) seat_->Change(PartyTermsOf(config_));
  reread_ = asked_ = true;
  changed_.NotifyAll();
  return taken;
}

std::string Member::says() const {
  const MutexLock lock(mutex_);
  return says_;
}

std::optional<Sample> Member::sample() const {
  const MutexLock lock(mutex_);
  if (!seat_ || !session_) return std::nullopt;
  Sample sample;
  seat_->Fill(sample);
  sample.mqtt_connected = session_->connected();
  sample.mqtt_trouble = session_->trouble();
  sample.mqtt_reconnects = session_->reconnects();
  const mqtt::Session::Traffic traffic = session_->traffic();
  sample.heard = traffic.heard;
  sample.said = traffic.said;
  return sample;
}

void Member::Run() {
  MutexLock lock(mutex_);
  while (!thread_.stopping()) {
    lock.Unlock();
    if (Seated()) Beat();
    if (!Seated()) TrySit();
    lock.Lock();
    thread_.WaitFor(lock, every_, [this]() REQUIRES(mutex_) { return asked_; });
    asked_ = false;
  }
}

bool Member::Seated() {
  const MutexLock lock(mutex_);
  return seat_ != nullptr;
}

void Member::NotBefore(seconds rest) { not_before_ = Steady::now() + rest; }

void Member::Say(int level, const std::string& why) {
  if (complaints_.Due(why, SayOnce::Steady::now())) node_log_(level, why);
  const MutexLock lock(mutex_);
  says_ = why;
}

void Member::TrySit() {
  {
    const MutexLock lock(mutex_);
    if (!admits_) {
      says_.clear();
      return;
    }
    if (left_for_broker_ || (Steady::now() < not_before_ && !reread_)) return;
  }
  const auto why_not = Sit();
  if (why_not && why_not->empty()) {
    complaints_.Forget();
    return Say(Level::kInfo, "decides commands beside the active one");
  }
  // An active one that has only begun takes none yet.
  const bool soon = !why_not && why_not.error().symbol == ledger::kLedgerInUse;
  const bool of_ledger = soon || (!why_not && why_not.error().symbol == ledger::kLedgerFailed);
  NotBefore(of_ledger ? seconds(0) : kTriesAgainAfter);
  if (soon) return Say(Level::kInfo, "does not decide: the active one takes no members yet");
  Say(Level::kWarning,
      "does not decide: " + (why_not ? *why_not : why_not.error().symbol + ": " + why_not.error().message));
}

Result<std::string> Member::Sit() {
  MutexLock lock(mutex_);
  const Config config = config_;
  reread_ = false;
  lock.Unlock();
  if (!material_) {
    auto material = Material::Load(config);
    if (!material) return material.error();
    material_.emplace(std::move(*material));
  }
  const auto session = OpenSession(config);
  auto seat = Membership::Join(config, {*material_, log_, clock_, metrics_, *session});
  if (!seat) return seat.error();
  terms_ = DecidingTermsOf(config, *material_);
  const auto differing = (*seat)->DiffersFrom(terms_);
  if (!differing) return differing.error();
  if (!differing->empty()) return "the active one decides by other terms: " + *differing;
  if (auto started = (*seat)->Start(config); !started) return started.error();
  // Its lease is proved before the session asks for it.
  if (auto beaten = (*seat)->Beat(); !beaten) return beaten.error();
  lock.Lock();
  if (ends_) return NoMember("this node ends");
  seat_ = std::move(*seat);
  node_ = seat_->node();
  seat_->Change(PartyTermsOf(config_));  // which may have been read again meanwhile
  lost_ = false;
  const bool fresh = session_ == nullptr;
  if (fresh) {
    was_connected_ = false;
    without_since_.reset();
  }
  session_ = session;
  changed_.NotifyAll();
  lock.Unlock();
  if (fresh) session->Start();
  return std::string();
}

std::shared_ptr<mqtt::Session> Member::OpenSession(const Config& config) {
  {
    const MutexLock lock(mutex_);
    if (session_) return session_;
  }
  mqtt::SessionOptions options = MqttOptions(config, log_.For("mqtt"));
  options.may_connect = [this] { return MayConnect(); };
  options.may_stay = [this] { return MayStay(); };
  return std::make_shared<mqtt::Session>(std::move(options),
                                         [this](const ingest::InboundMessage& message) { Hear(message); });
}

void Member::Beat() {
  MutexLock lock(mutex_);
  const std::shared_ptr<Membership> seat = seat_;
  const bool lost = lost_;
  const bool reread = std::exchange(reread_, false);
  if (reread) terms_ = DecidingTermsOf(config_, *material_);
  lock.Unlock();
  const Status beaten = lost ? Status(NoMember("its intake takes nothing more")) : seat->Beat();
  const auto differing = beaten ? seat->DiffersFrom(terms_) : Result<std::string>(beaten.error());
  if (!differing) return Missed(differing.error());
  missed_ = 0;
  if (differing->empty()) return LeaveWithoutBroker(Steady::now());
  Say(Level::kWarning, "does not decide: the active one decides by other terms: " + *differing);
  NotBefore(kTriesAgainAfter);
  Leave(kExitLeaseOver, true);
}

// The broker would go on giving it its share, which nobody would hear. Once it has left, an heir does.
void Member::LeaveWithoutBroker(Steady::time_point now) {
  MutexLock lock(mutex_);
  const bool connected = session_ && session_->connected();
  const milliseconds lease = seconds(config_.ledger.lease_seconds);
  if (connected) was_connected_ = true;
  if (connected || !without_since_) without_since_ = now;
  if (now - *without_since_ <
      (was_connected_ ? lease / 2 : std::max<milliseconds>(lease, kFirstConnectionWithin)))
    return;
  left_for_broker_ = true;
  lock.Unlock();
  Say(Level::kWarning, "does not decide: this node does not reach the broker");
  Leave(kExitLeaseOver, false);
}

// While the server is away nothing is lost by waiting; when others reach it, this ledger has failed for good.
void Member::Missed(const Error& why) {
  MutexLock lock(mutex_);
  const bool waits = why.symbol != ledger::kLedgerInUse && (!admits_ || ++missed_ < kMissedMost);
  lock.Unlock();
  if (waits) return;
  missed_ = 0;
  Say(Level::kWarning, "is a member no longer: " + why.message);
  Unseat();
}

// While another one hears, the session ends with nothing left in it. Else it stays, and keeps what comes until this node,
// or an heir, is back. What was heard is decided and answered before it is closed.
void Member::Leave(int unkept, bool hears_out) {
  MutexLock lock(mutex_);
  unkept_ = unkept;
  const std::shared_ptr<mqtt::Session> session = session_;
  std::shared_ptr<Membership> seat = seat_;
  lock.Unlock();
  changed_.NotifyAll();
  if (session && hears_out) {
    const MutexLock ending(ending_);
    session->HearOut(kHearOutWithin);
  }
  if (seat) seat->Stop();
  seat.reset();
  if (session) EndSession(*session);
  Unseat();
  lock.Lock();
  session_.reset();
  unkept_.reset();
}

void Member::EndSession(mqtt::Session& session) {
  const MutexLock ending(ending_);
  session.Stop(kFarewellWithin);
}

void Member::Unseat() {
  MutexLock lock(mutex_);
  std::shared_ptr<Membership> seat = std::move(seat_);
  seat_.reset();
  lock.Unlock();
  if (!seat) return;
  seat->Stop();
  lock.Lock();
  while (hearing_ > 0) changed_.Wait(lock);
  lock.Unlock();
  seat.reset();
}

// All that stand by see within a second that nobody has the ledger, and one of them has it soon: what the others hear then
// is kept nowhere, so they hear nothing more before they do anything else.
void Member::Stop(Why why) {
  if (!thread_.running()) return;
  const int unkept = why == Why::kToTakeOver ? kExitLeaseOver : EXIT_SUCCESS;
  MutexLock lock(mutex_);
  ends_ = unkept;
  const bool another_hears = admits_ && why == Why::kAsked;
  const std::shared_ptr<mqtt::Session> session = session_;
  lock.Unlock();
  changed_.NotifyAll();
  if (session && why == Why::kToTakeOver) EndSession(*session);
  thread_.Stop();
  Leave(unkept, another_hears);
}

// Paho's thread: the PUBACK leaves when this returns.
void Member::Hear(const ingest::InboundMessage& message) {
  for (bool kept = false; !kept;) {
    auto seat = AwaitSeat();
    kept = seat->Receive(message);
    seat.reset();  // the last one to have it is the member's thread
    const MutexLock lock(mutex_);
    --hearing_;
    if (!kept) lost_ = asked_ = true;
    changed_.NotifyAll();
  }
}

std::shared_ptr<Membership> Member::AwaitSeat() {
  MutexLock lock(mutex_);
  while (!seat_ || lost_) {
    if (ends_ || unkept_) {
      node_log_.Error("ends before a message is acknowledged that is kept nowhere");
      std::_Exit(ends_ ? *ends_ : *unkept_);
    }
    changed_.Wait(lock);
  }
  ++hearing_;
  return seat_;
}

bool Member::MayConnect() {
  MutexLock lock(mutex_);
  const std::shared_ptr<Node> node = seat_ && !lost_ ? node_ : nullptr;
  lock.Unlock();
  return node && node->MayConnect([this] {
    const MutexLock asking(mutex_);
    asked_ = true;
    changed_.NotifyAll();
  });
}

// Also for a while after a membership has ended: what is heard waits for the next one.
bool Member::MayStay() const {
  MutexLock lock(mutex_);
  const std::shared_ptr<Node> node = node_;
  lock.Unlock();
  return node && node->MayStay();
}

}  // namespace registry::app
