#include <utility>

#include "schemas/wire/codec.h"
#include "simulators/device/fleet_on_radio.h"
#include "simulators/ota/parcel.h"

namespace registry::sim {
namespace {

using nlohmann::json;
using Clock = Report::Clock;
using std::chrono::milliseconds;

constexpr milliseconds kVerifyAgainFirst{150}, kVerifyAgainMost{2000};
constexpr milliseconds kRemoteSessionMost{60000};  // of the card, from its first command
constexpr milliseconds kAdminSessionMost{5000};

UtcTime Now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

// A refusal says what the ASP said; everything else its symbol.
std::string ReasonOf(const Status& status) {
  if (status) return "";
  return status.error().symbol == "refused" ? status.error().message : status.error().symbol;
}

}  // namespace

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
      if (seat.agent->in_session()) ExpireSession(free, seat);
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
  if (telemetry_) telemetry_->LetGo(unit.device->id());
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

}  // namespace registry::sim
