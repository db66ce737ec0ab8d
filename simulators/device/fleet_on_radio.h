// simulators/device/fleet_on_radio.h: the fleet as it is made: each device with its seats in the MNOs' networks, and what
// it does with what it hears. For fleet.cc (start, radio, control) and fleet_at_work.cc (a device's errands); others
// include fleet.h.
// Owns: devices, agents, connections, doors, threads. Borrows: the report. Threads: a device does one thing at a time,
// under its unit's lock; config_, units_ and seats_ are fixed after Begin.
// Errors: Begin's; what goes wrong later is an event or a frame.
#pragma once

#include <map>

#include "schemas/base/mutex.h"
#include "simulators/device/card_doors.h"
#include "simulators/device/device.h"
#include "simulators/device/fleet.h"
#include "simulators/device/telemetry_keeper.h"
#include "simulators/device/work_queue.h"
#include "simulators/link/text.h"
#include "simulators/ota/admin_agent.h"

namespace registry::sim {

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

// A device that verifies or talks is asked again then.
inline constexpr std::chrono::milliseconds kDeviceBusy{20};

class FleetOnRadio : public Fleet {
 public:
  FleetOnRadio(const DeviceConfig& config, Report& report)
      : config_(config), report_(report), doors_(report), queue_(config.threads) {}
  ~FleetOnRadio() override;
  Status Begin();
  void Control(const nlohmann::json& command) override;

 private:
  Status OpenDoors();
  void Dial(const std::string& mno);
  std::shared_ptr<Connection> Keep(const std::string& mno, std::shared_ptr<Connection> connection);
  void KeepPoweringOn(const std::string& mno);
  void OnFrame(nlohmann::json frame);
  template <class Task>
  void WhenFree(Unit* unit,
                Task task) NOT_PROVED;  // clang cannot see that the task wants the lock of its own unit
  void Handle(Unit& unit, const Seat& seat, const nlohmann::json& frame) REQUIRES(unit.mutex);
  void OnBootstrap(Unit& unit, const nlohmann::json& frame) REQUIRES(unit.mutex);
  void OnKeyGenerate(Unit& unit, const Seat& seat, const nlohmann::json& frame) REQUIRES(unit.mutex);
  void OnCertificate(Unit& unit, const nlohmann::json& frame) REQUIRES(unit.mutex);
  void OnPayload(Unit& unit, const Seat& seat, const nlohmann::json& frame, Device::Files files)
      REQUIRES(unit.mutex);
  void OnSms(Unit& unit, const Seat& seat, const nlohmann::json& frame) REQUIRES(unit.mutex);
  void LookAtCard(Unit& unit, const Seat& seat, const std::string& job) REQUIRES(unit.mutex);
  void ExpireSession(Unit& unit, const Seat& seat);
  void OpenAdminSession(Unit& unit, const Seat& seat);
  void OnCardRead(Unit& unit, const Seat& seat) REQUIRES(unit.mutex);
  void CutPower(Unit* unit, const nlohmann::json& after);
  void OnWipe(Unit& unit, const Seat& seat, const nlohmann::json& frame) REQUIRES(unit.mutex);
  void OnProfileDelete(Unit& unit, const Seat& seat, const nlohmann::json& frame) REQUIRES(unit.mutex);
  void JoinWifi(Unit& unit) REQUIRES(unit.mutex);
  void VerifyAfter(std::chrono::milliseconds delay, Unit& unit, Report::Clock::time_point begun,
                   std::chrono::milliseconds pause);
  void Verify(Unit& unit, Report::Clock::time_point begun, std::chrono::milliseconds pause)
      REQUIRES(unit.mutex);
  void SessionAfter(std::chrono::milliseconds delay, Unit& unit, Report::Clock::time_point begun,
                    std::chrono::milliseconds pause);
  void Session(Unit& unit, Report::Clock::time_point begun, std::chrono::milliseconds pause)
      REQUIRES(unit.mutex);
  void TellAfter(std::chrono::milliseconds delay, Unit& unit, Report::Clock::time_point begun,
                 std::chrono::milliseconds pause);
  void Tell(Unit& unit, Report::Clock::time_point begun, std::chrono::milliseconds pause)
      REQUIRES(unit.mutex);
  void TellAgain(Unit& unit) REQUIRES(unit.mutex);
  Status SendTelemetry(Unit& unit) REQUIRES(unit.mutex);
  void SayDone(Unit& unit, bool ok) REQUIRES(unit.mutex);
  void SessionAgain(Unit& unit) REQUIRES(unit.mutex);
  void SessionAsBefore(Unit& unit) REQUIRES(unit.mutex);
  void SetRadio(Unit* unit, const nlohmann::json& on);
  bool Send(const Seat& seat, nlohmann::json frame);
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

}  // namespace registry::sim
