#include "simulators/device/fleet.h"

#include <map>

#include "schemas/base/mutex.h"
#include "simulators/device/card_doors.h"
#include "simulators/device/device.h"
#include "simulators/device/telemetry_keeper.h"
#include "simulators/device/work_queue.h"
#include "simulators/link/text.h"
#include "simulators/ota/admin_agent.h"
#include "simulators/ota/parcel.h"

namespace registry::sim {
namespace {

using nlohmann::json;
using Clock = Report::Clock;
using std::chrono::milliseconds;

constexpr milliseconds kSendWithin{5000}, kDialWithin{1000}, kDialAgain{500};
constexpr milliseconds kVerifyAgainFirst{150}, kVerifyAgainMost{2000};
constexpr milliseconds kRemoteSessionMost{60000};  // of the card, from its first command
constexpr milliseconds kAdminSessionMost{5000};
constexpr milliseconds kDeviceBusy{20};  // a device that verifies or talks is asked again then

UtcTime Now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

// A refusal says what the ASP said; everything else its symbol.
std::string ReasonOf(const Status& status) {
  if (status) return "";
  return status.error().symbol == "refused" ? status.error().message : status.error().symbol;
}

struct Unit {
  InventoryDevice identity;
  Mutex mutex;  // one thing at a time per device
  std::unique_ptr<Device> device GUARDED_BY(mutex);
  bool radio_on GUARDED_BY(mutex) = true;
  std::uint64_t told GUARDED_BY(mutex) = 0;  // messages to its ASP's broker
  bool talking GUARDED_BY(mutex) = false;    // between an accepted payload and "done"
};

// The card of a device as software by others finds it: between two things the device does itself.
class CardOfUnit : public CardPort {
 public:
  explicit CardOfUnit(Unit& unit) : unit_(unit) {}
  Bytes Transmit(const Bytes& apdu) override {
    const MutexLock lock(unit_.mutex);
    return unit_.device->card().applet().Transmit(apdu);
  }
  void Reset() override {
    const MutexLock lock(unit_.mutex);
    unit_.device->card().applet().Reset();
  }

 private:
  Unit& unit_;
};

// A profile of a device, as its MNO's network knows it.
struct Seat {
  Unit* unit = nullptr;
  std::size_t profile = 0;
  std::string iccid, mno;
  // Null: its MNO has no keys for it. As the device, one thing at a time.
  std::unique_ptr<ota::CardAgent> agent = nullptr;
  std::unique_ptr<ota::AdminAgent> admin = nullptr;
};

class FleetOnRadio : public Fleet {
 public:
  FleetOnRadio(const DeviceConfig& config, Report& report)
      : config_(config), report_(report), doors_(report), queue_(config.threads) {}
  ~FleetOnRadio() override;
  Status Begin();
  void Control(const json& command) override;

 private:
  Status OpenDoors();
  void Dial(const std::string& mno);
  std::shared_ptr<Connection> Keep(const std::string& mno, std::shared_ptr<Connection> connection);
  void KeepPoweringOn(const std::string& mno);
  void OnFrame(json frame);
  template <class Task>
  void WhenFree(Unit* unit,
                Task task) NOT_PROVED;  // clang cannot see that the task wants the lock of its own unit
  void Handle(Unit& unit, const Seat& seat, const json& frame) REQUIRES(unit.mutex);
  void OnBootstrap(Unit& unit, const json& frame) REQUIRES(unit.mutex);
  void OnKeyGenerate(Unit& unit, const Seat& seat, const json& frame) REQUIRES(unit.mutex);
  void OnCertificate(Unit& unit, const json& frame) REQUIRES(unit.mutex);
  void OnPayload(Unit& unit, const Seat& seat, const json& frame, Device::Files files) REQUIRES(unit.mutex);
  void OnSms(Unit& unit, const Seat& seat, const json& frame) REQUIRES(unit.mutex);
  void LookAtCard(Unit& unit, const Seat& seat, const std::string& job) REQUIRES(unit.mutex);
  void ExpireSession(Unit& unit, const Seat& seat);
  void OpenAdminSession(Unit& unit, const Seat& seat);
  void OnCardRead(Unit& unit, const Seat& seat) REQUIRES(unit.mutex);
  void CutPower(Unit* unit, const json& after);
  void OnWipe(Unit& unit, const Seat& seat, const json& frame) REQUIRES(unit.mutex);
  void OnProfileDelete(Unit& unit, const Seat& seat, const json& frame) REQUIRES(unit.mutex);
  void JoinWifi(Unit& unit) REQUIRES(unit.mutex);
  void VerifyAfter(milliseconds delay, Unit& unit, Clock::time_point begun, milliseconds pause);
  void Verify(Unit& unit, Clock::time_point begun, milliseconds pause) REQUIRES(unit.mutex);
  void SessionAfter(milliseconds delay, Unit& unit, Clock::time_point begun, milliseconds pause);
  void Session(Unit& unit, Clock::time_point begun, milliseconds pause) REQUIRES(unit.mutex);
  void TellAfter(milliseconds delay, Unit& unit, Clock::time_point begun, milliseconds pause);
  void Tell(Unit& unit, Clock::time_point begun, milliseconds pause) REQUIRES(unit.mutex);
  void TellAgain(Unit& unit) REQUIRES(unit.mutex);
  Status SendTelemetry(Unit& unit) REQUIRES(unit.mutex);
  void SayDone(Unit& unit, bool ok) REQUIRES(unit.mutex);
  void SessionAgain(Unit& unit) REQUIRES(unit.mutex);
  void SessionAsBefore(Unit& unit) REQUIRES(unit.mutex);
  void SetRadio(Unit* unit, const json& on);
  bool Send(const Seat& seat, json frame);
  Unit* FindByUuid(const std::string& uuid);

  const DeviceConfig config_;
  Report& report_;
  TrustStore trust_;
  std::vector<std::unique_ptr<Unit>> units_;  // fixed after Begin, as the seats are
  std::map<std::string, Seat> seats_;         // by ICCID
  std::vector<std::unique_ptr<CardOfUnit>> cards_;
  CardDoors doors_;
  Mutex mutex_;
  std::map<std::string, Unit*> by_uuid_ GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<Connection>> connections_ GUARDED_BY(mutex_);  // by MNO
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<TelemetryKeeper> telemetry_;  // with config_.telemetry
  WorkQueue queue_;
};

FleetOnRadio::~FleetOnRadio() {
  doors_.Close();
  std::map<std::string, std::shared_ptr<Connection>> connections;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    connections.swap(connections_);
  }
  for (auto& [mno, connection] : connections) connection->Close();  // no work waits to send any more
  queue_.Stop();
  for (auto& [mno, connection] : connections) connection->Finish();
  if (telemetry_) telemetry_->Stop();
}

Status FleetOnRadio::Begin() {
  if (config_.telemetry) {
    telemetry_ =
        std::make_unique<TelemetryKeeper>([this](const std::string& device, const std::string& reason) {
          report_.Say({{"event", "telemetry_ended"}, {"device", device}, {"reason", reason}});
        });
  }
  for (const InventoryDevice& identity : config_.inventory) {
    auto unit = std::make_unique<Unit>();
    unit->identity = identity;
    const MutexLock lock(unit->mutex);
    unit->device = Device::Make(
        trust_, {config_.asp_address, config_.session_within, &config_.card_layout, config_.tls});
    if (!unit->device) return Error::Make(Code::kFailed, "applet_refused", "no card could be made");
    const auto seat = [&](std::size_t profile, const std::string& iccid, const std::string& mno,
                          const std::optional<ota::KeySet>& keys) REQUIRES(unit->mutex) {
      Seat& made = seats_[iccid];
      made.unit = unit.get();
      made.profile = profile;
      made.iccid = iccid;
      made.mno = mno;
      if (!keys) return;
      ota::CardFaults faults = config_.card_faults;
      faults.seed += seats_.size();
      made.agent = std::make_unique<ota::CardAgent>(unit->device->card(profile), *keys, faults);
      made.admin = std::make_unique<ota::AdminAgent>(*made.agent, iccid);
    };
    seat(0, identity.iccid, identity.mno, identity.ota_keys);
    if (!identity.spare_iccid.empty())
      seat(1, identity.spare_iccid, identity.spare_mno, identity.spare_ota_keys);
    units_.push_back(std::move(unit));
  }
  for (const auto& [mno, socket] : config_.radio_sockets) {
    queue_.Post([this, name = mno] { Dial(name); });
  }
  return OpenDoors();
}

Status FleetOnRadio::OpenDoors() {
  for (const auto& unit : units_) {
    const auto& [modem, vpcd] = std::tie(unit->identity.modem, unit->identity.vpcd);
    if (modem.empty() && vpcd.empty()) continue;
    cards_.push_back(std::make_unique<CardOfUnit>(*unit));
    Status open = modem.empty() ? Status(Done{}) : doors_.OpenModem(modem, *cards_.back());
    if (open && !vpcd.empty()) open = doors_.OpenReader(vpcd, *cards_.back());
    if (!open) return open;
  }
  return Done{};
}

void FleetOnRadio::Dial(const std::string& mno) {
  auto connection = sim::Dial(
      config_.radio_sockets.at(mno), kDialWithin,
      [this](const std::shared_ptr<Connection>&, json frame) { OnFrame(std::move(frame)); },
      [this, mno](const std::shared_ptr<Connection>&) {
        queue_.PostAfter(kDialAgain, [this, mno] { Dial(mno); });
      },
      config_.faults);
  if (!connection) {
    queue_.PostAfter(kDialAgain, [this, mno] { Dial(mno); });
    return;
  }
  if (const auto earlier = Keep(mno, *connection)) earlier->Finish();
  KeepPoweringOn(mno);
}

// What has to end instead: the connection before, or this one when the fleet stops.
std::shared_ptr<Connection> FleetOnRadio::Keep(const std::string& mno,
                                               std::shared_ptr<Connection> connection) {
  const MutexLock lock(mutex_);
  if (!stopping_) connections_[mno].swap(connection);
  return connection;
}

void FleetOnRadio::KeepPoweringOn(const std::string& mno) {
  bool waiting = false;
  for (auto& unit : units_) {
    if (unit->identity.mno != mno) continue;
    if (!unit->mutex.TryLock()) {  // it does something, so it is on
      waiting = true;
      continue;
    }
    const MutexLock lock(unit->mutex, std::adopt_lock);
    if (unit->device->booted()) continue;
    waiting = true;
    Send(seats_.at(unit->identity.iccid), {{"t", "power_on"}, {"eid", unit->identity.eid}});
  }
  if (waiting) {
    queue_.PostAfter(config_.power_on_every, [this, mno] { KeepPoweringOn(mno); });
  }
}

bool FleetOnRadio::Send(const Seat& seat, json frame) {
  frame["iccid"] = seat.iccid;
  std::shared_ptr<Connection> connection;
  {
    const MutexLock lock(mutex_);
    const auto found = connections_.find(seat.mno);
    if (found != connections_.end()) connection = found->second;
  }
  return connection && connection->Send(frame, kSendWithin);
}

void FleetOnRadio::OnFrame(json frame) {
  const auto found = seats_.find(Text(frame, "iccid"));
  if (found == seats_.end()) return;
  // What there is no room for is lost, as it may be on the air. Shared, since a task is copied.
  const auto kept = std::make_shared<const json>(std::move(frame));
  queue_.Offer([this, seat = &found->second, kept] {
    WhenFree(seat->unit, [this, seat, kept](Unit& free) REQUIRES(free.mutex) {
      if (free.radio_on) Handle(free, *seat, *kept);
    });
  });
}

// On a worker. A device that is busy, with a look-up or a session that may take seconds, must not hold a second worker:
// the task comes back later.
template <class Task>
void FleetOnRadio::WhenFree(Unit* unit, Task task) {
  if (!unit->mutex.TryLock()) {
    return queue_.PostAfter(kDeviceBusy, [this, unit, task] { WhenFree(unit, task); });
  }
  const MutexLock lock(unit->mutex, std::adopt_lock);
  task(*unit);
}

void FleetOnRadio::Handle(Unit& unit, const Seat& seat, const json& frame) {
  const std::string type = Text(frame, "t");
  if (type == "bootstrap") return OnBootstrap(unit, frame);
  if (type == "key_generate") return OnKeyGenerate(unit, seat, frame);
  if (type == "certificate") return OnCertificate(unit, frame);
  if (type == "payload") return OnPayload(unit, seat, frame, Device::Files::kToWrite);
  if (type == "sms" && seat.agent) return OnSms(unit, seat, frame);
  if (type == "report_ask") return LookAtCard(unit, seat, Text(frame, "job"));
  if (type == "card_read") return OnCardRead(unit, seat);
  if (type == "wipe") return OnWipe(unit, seat, frame);
  if (type == "profile_delete") return OnProfileDelete(unit, seat, frame);
}

void FleetOnRadio::OnBootstrap(Unit& unit, const json& frame) {
  const bool first = !unit.device->booted();
  const auto status = unit.device->Boot(frame.value("bootstrap", json()));
  if (!status) return report_.Say({{"event", "bootstrap_refused"}, {"reason", status.error().symbol}});
  if (!first) return;
  const MutexLock lock(mutex_);
  by_uuid_[unit.device->id()] = &unit;
}

void FleetOnRadio::OnKeyGenerate(Unit& unit, const Seat& seat, const json& frame) {
  const auto begun = Clock::now();
  const std::string job = Text(frame, "job");
  const auto csr = unit.device->GenerateKey(job, seat.profile);
  report_.Step(unit.device->id(), "key_generate", begun, csr ? "" : csr.error().symbol);
  if (csr) Send(seat, {{"t", "csr"}, {"job", job}, {"csr", *csr}});
}

void FleetOnRadio::OnCertificate(Unit& unit, const json& frame) {
  const auto begun = Clock::now();
  const auto der = FromBase64(Text(frame, "certificate"));
  report_.Step(unit.device->id(), "install", begun, ReasonOf(unit.device->Install(der.value_or(Bytes{}))));
}

void FleetOnRadio::OnPayload(Unit& unit, const Seat& seat, const json& frame, Device::Files files) {
  const auto begun = Clock::now();
  const std::string job = Text(frame, "job");
  const auto outcome = unit.device->TakePayload(job, frame, Now(), seat.profile, files);
  json answer = {{"t", "payload_result"}, {"job", job}, {"outcome", outcome.status ? "success" : "failed"}};
  answer["stage"] = outcome.status ? "executed" : "payload";
  answer["reason"] = ReasonOf(outcome.status);
  answer["retriable"] = outcome.retriable();
  if (!outcome.repeated) report_.Step(unit.device->id(), "payload_open", begun, ReasonOf(outcome.status));
  Send(seat, answer);
  if (outcome.status && !outcome.repeated && unit.device->has_wifi()) JoinWifi(unit);
  if (!outcome.status || outcome.repeated || unit.talking) return;
  if (!unit.device->bound()) return report_.Say({{"event", "released"}, {"device", unit.device->id()}});
  if (!unit.identity.checks) {
    return report_.Say({{"event", "done"}, {"device", unit.device->id()}, {"ok", true}, {"checked", false}});
  }
  unit.talking = true;
  VerifyAfter(milliseconds(0), unit, Clock::now(), kVerifyAgainFirst);
}

// As the modem hands a short message for the card on (ENVELOPE), and the card's own to the network.
void FleetOnRadio::OnSms(Unit& unit, const Seat& seat, const json& frame) {
  const auto user_data = FromHex(Text(frame, "ud"));
  if (!user_data) return;
  const bool was_in_session = seat.agent->in_session();
  const auto outcome = seat.agent->Take(*user_data, Clock::now());
  json report = {{"t", "sms_report"}, {"id", frame.value("id", json())}, {"cause", outcome.failure_cause}};
  if (!outcome.report.empty()) report["ud"] = ToHex(outcome.report);
  Send(seat, std::move(report));
  for (const Bytes& sent : outcome.submits) Send(seat, {{"t", "sms_submit"}, {"ud", ToHex(sent)}});
  if (outcome.carried_out) LookAtCard(unit, seat, "");
  if (outcome.opens_session) OpenAdminSession(unit, seat);
  if (!was_in_session && seat.agent->in_session()) ExpireSession(unit, seat);
}

// One that nobody goes on with must not keep the device from its files for ever.
void FleetOnRadio::ExpireSession(Unit& unit, const Seat& seat) {
  queue_.PostAfter(kRemoteSessionMost, [this, &unit, &seat] {
    WhenFree(&unit, [&seat](Unit&) { seat.agent->ExpireSession(); });
  });
}

// The card wants a connection of its own to its MNO: the modem makes one (BIP).
void FleetOnRadio::OpenAdminSession(Unit& unit, const Seat& seat) {
  const auto socket = config_.admin_sockets.find(seat.mno);
  if (socket == config_.admin_sockets.end()) return;
  queue_.Post([this, &unit, &seat, path = socket->second] {
    WhenFree(&unit, [this, &seat, path](Unit& free) REQUIRES(free.mutex) {
      if (!free.radio_on) return;
      (void)seat.admin->Run(path, kAdminSessionMost);  // one that broke off is asked for again
      LookAtCard(free, seat, "");
    });
  });
}

// What the MNO's platform has written there; of this job, when one is named.
void FleetOnRadio::LookAtCard(Unit& unit, const Seat& seat, const std::string& job) {
  const json frame = ota::FrameFromCard([&](std::uint8_t file) REQUIRES(unit.mutex) -> std::optional<Bytes> {
    auto content = unit.device->ReadFile(file, seat.profile);
    return content ? std::optional(std::move(*content)) : std::nullopt;
  });
  if (frame.is_null() || (!job.empty() && job != Text(frame, "job"))) return;
  if (Text(frame, "t") == "payload") return OnPayload(unit, seat, frame, Device::Files::kWritten);
  unit.device->Wiped(Text(frame, "job"), seat.profile);
  Send(seat, {{"t", "wiped"}, {"job", Text(frame, "job")}, {"outcome", "success"}});
}

// The network itself is not simulated: what is proved is that this device, and no other, can read the passphrase.
void FleetOnRadio::JoinWifi(Unit& unit) {
  const auto begun = Clock::now();
  const auto passphrase = unit.device->WifiPassphrase();
  report_.Step(unit.device->id(), "wifi", begun, passphrase ? std::string() : passphrase.error().symbol);
}

void FleetOnRadio::OnCardRead(Unit& unit, const Seat& seat) {
  const auto files = unit.device->ReadFiles(seat.profile);
  if (!files) return;
  json list = json::array();
  for (const auto& [id, content] : *files) list.push_back(wire::Encode(wire::Container{id, content}));
  Send(seat, {{"t", "card_files"}, {"files", std::move(list)}});
}

void FleetOnRadio::OnWipe(Unit& unit, const Seat& seat, const json& frame) {
  const auto status = unit.device->Wipe(Text(frame, "job"), seat.profile);
  json answer = {{"t", "wiped"}, {"job", Text(frame, "job")}, {"outcome", status ? "success" : "failed"}};
  Send(seat, answer);
}

// What is enabled and disabled is nobody's but the MNOs' to know: both applets answer at any time (device.h).
void FleetOnRadio::OnProfileDelete(Unit& unit, const Seat& seat, const json& frame) {
  const Status done = unit.device->DeleteProfile(seat.profile);
  report_.Say({{"event", "profile_delete"},
               {"device", unit.device->id()},
               {"profile", seat.profile},
               {"ok", done.ok()}});
  Send(seat, {{"t", "profile_done"},
              {"job", Text(frame, "job")},
              {"outcome", done ? "success" : "failed"},
              {"stage", "executed"},
              {"reason", ReasonOf(done)}});
}

void FleetOnRadio::VerifyAfter(milliseconds delay, Unit& unit, Clock::time_point begun, milliseconds pause) {
  queue_.PostAfter(delay, [this, &unit, begun, pause] {
    WhenFree(&unit, [this, begun, pause](Unit& free) REQUIRES(free.mutex) { Verify(free, begun, pause); });
  });
}

void FleetOnRadio::Verify(Unit& unit, Clock::time_point begun, milliseconds pause) {
  const auto status = unit.device->Verify(Now());
  if (!status && Clock::now() < begun + config_.verify_within) {
    return VerifyAfter(pause, unit, begun, std::min(pause * 2, kVerifyAgainMost));
  }
  report_.Step(unit.device->id(), "verify", begun, ReasonOf(status));
  if (status) return Session(unit, Clock::now(), kVerifyAgainFirst);
  SayDone(unit, false);
}

void FleetOnRadio::SayDone(Unit& unit, bool ok) {
  unit.talking = false;
  report_.Say({{"event", "done"}, {"device", unit.device->id()}, {"ok", ok}});
}

void FleetOnRadio::SessionAfter(milliseconds delay, Unit& unit, Clock::time_point begun, milliseconds pause) {
  queue_.PostAfter(delay, [this, &unit, begun, pause] {
    WhenFree(&unit, [this, begun, pause](Unit& free) REQUIRES(free.mutex) { Session(free, begun, pause); });
  });
}

// The payload can be faster than what tells the ASP that the device is its own.
void FleetOnRadio::Session(Unit& unit, Clock::time_point begun, milliseconds pause) {
  const auto status = unit.device->TalkToAsp();
  const bool early = ReasonOf(status) == "refused device_not_claimed";
  if (early && Clock::now() < begun + config_.verify_within)
    return SessionAfter(pause, unit, begun, std::min(pause * 2, kVerifyAgainMost));
  report_.Step(unit.device->id(), "session", begun, ReasonOf(status), false);
  if (status && telemetry_ && unit.device->has_broker()) return Tell(unit, Clock::now(), kVerifyAgainFirst);
  SayDone(unit, status.ok());
}

void FleetOnRadio::TellAfter(milliseconds delay, Unit& unit, Clock::time_point begun, milliseconds pause) {
  queue_.PostAfter(delay, [this, &unit, begun, pause] {
    WhenFree(&unit, [this, begun, pause](Unit& free) REQUIRES(free.mutex) { Tell(free, begun, pause); });
  });
}

// The broker hears of the device's activation from the registry, which may be later than this. A payload that has come
// meanwhile, perhaps of another ASP or of none, counts instead.
void FleetOnRadio::Tell(Unit& unit, Clock::time_point begun, milliseconds pause) {
  if (!unit.device->bound()) {
    unit.talking = false;
    return report_.Say({{"event", "released"}, {"device", unit.device->id()}});
  }
  if (!unit.device->verified()) return Verify(unit, Clock::now(), kVerifyAgainFirst);
  const auto status = SendTelemetry(unit);
  const bool early = ReasonOf(status) == "refused not_authorized";
  if (early && Clock::now() < begun + config_.verify_within)
    return TellAfter(pause, unit, begun, std::min(pause * 2, kVerifyAgainMost));
  report_.Step(unit.device->id(), "telemetry", begun, ReasonOf(status), false);
  SayDone(unit, status.ok());
}

void FleetOnRadio::TellAgain(Unit& unit) {
  const auto begun = Clock::now();
  report_.Step(unit.device->id(), "telemetry", begun, ReasonOf(SendTelemetry(unit)), true);
}

Status FleetOnRadio::SendTelemetry(Unit& unit) {
  auto opened = unit.device->OpenTelemetry();
  if (!opened) return opened.error();
  const json message = {{"device", unit.device->id()}, {"number", ++unit.told}};
  if (auto sent = (*opened)->Send(message.dump(), config_.session_within); !sent) return sent;
  if (telemetry_ && !telemetry_->Keep(unit.device->id(), std::move(*opened)))
    return Error::Make(Code::kPolicy, "broker_unreachable", "no room for one more session");
  return Done{};
}

// With a payload that came a moment ago the device knows where to go once it has verified it.
void FleetOnRadio::SessionAgain(Unit& unit) {
  const auto begun = Clock::now();
  Status status = unit.device->verified() ? Status(Done{}) : unit.device->Verify(Now());
  if (status) status = unit.device->TalkToAsp();
  report_.Step(unit.device->id(), "session", begun, ReasonOf(status), true);
}

void FleetOnRadio::SessionAsBefore(Unit& unit) {
  const auto begun = Clock::now();
  report_.Step(unit.device->id(), "former_session", begun, ReasonOf(unit.device->TalkAsBefore()), true);
}

Unit* FleetOnRadio::FindByUuid(const std::string& uuid) {
  const MutexLock lock(mutex_);
  const auto found = by_uuid_.find(uuid);
  return found != by_uuid_.end() ? found->second : nullptr;
}

// Answered once it is so: what is asked for next may count on it.
void FleetOnRadio::SetRadio(Unit* unit, const json& on) {
  if (!on.is_boolean()) return report_.Say({{"event", "control_refused"}, {"reason", "on_malformed"}});
  queue_.Post([this, unit, value = on.get<bool>()] {
    WhenFree(unit, [this, value](Unit& free) REQUIRES(free.mutex) {
      free.radio_on = value;
      report_.Say({{"event", "radio"}, {"device", free.device->id()}, {"on", value}});
    });
  });
}

void FleetOnRadio::CutPower(Unit* unit, const json& after) {
  if (!after.is_number_integer() || after < 0)
    return report_.Say({{"event", "control_refused"}, {"reason", "after_malformed"}});
  queue_.Post([this, unit, commands = after.get<std::size_t>()] {
    WhenFree(unit, [this, commands](Unit& free) REQUIRES(free.mutex) {
      free.device->card().ota().CutPowerAfter(commands);
      report_.Say({{"event", "cut"}, {"device", free.device->id()}, {"after", commands}});
    });
  });
}

void FleetOnRadio::Control(const json& command) {
  const std::string verb = Text(command, "cmd");
  Unit* unit = FindByUuid(Text(command, "device"));
  if (unit == nullptr) return report_.Say({{"event", "control_refused"}, {"reason", "device_unknown"}});
  if (verb == "session") {
    const bool before = command.value("former", json(false)) == true;
    return queue_.Post([this, unit, before] {
      WhenFree(unit, [this, before](Unit& free)
                         REQUIRES(free.mutex) { before ? SessionAsBefore(free) : SessionAgain(free); });
    });
  }
  if (verb == "telemetry") {
    return queue_.Post(
        [this, unit] { WhenFree(unit, [this](Unit& free) REQUIRES(free.mutex) { TellAgain(free); }); });
  }
  if (verb == "radio") return SetRadio(unit, command.value("on", json(true)));
  if (verb == "cut") return CutPower(unit, command.value("after", json()));
  report_.Say({{"event", "control_refused"}, {"reason", "command_unknown"}});
}

}  // namespace

Result<std::unique_ptr<Fleet>> Fleet::Start(const DeviceConfig& config, Report& report) {
  auto fleet = std::make_unique<FleetOnRadio>(config, report);
  if (auto begun = fleet->Begin(); !begun) return begun.error();
  return std::unique_ptr<Fleet>(std::move(fleet));
}

}  // namespace registry::sim
