#include "simulators/device/fleet.h"

#include <tuple>

#include "simulators/device/fleet_on_radio.h"

namespace registry::sim {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kSendWithin{5000}, kDialWithin{1000}, kDialAgain{500};

}  // namespace

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

Result<std::unique_ptr<Fleet>> Fleet::Start(const DeviceConfig& config, Report& report) {
  auto fleet = std::make_unique<FleetOnRadio>(config, report);
  if (auto begun = fleet->Begin(); !begun) return begun.error();
  return std::unique_ptr<Fleet>(std::move(fleet));
}

}  // namespace registry::sim
