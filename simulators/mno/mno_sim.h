// simulators/mno/mno_sim.h: a mobile network operator at its interfaces: MQTT to the registry, radio to the
// devices, desks of the ASPs. Its inside (SM-DP+, eIM, core network) is not simulated.
// It registers its inventory, hands on authorisation codes, tells a device its bootstrap part, reports attachment,
// and carries the registry's actions to the device and the device's answers back (frames.h), or over the air to the card
// (over_the_air.h).
// Owns: the MQTT client, the radio listener, the desks, and a thread that repeats over the radio.
// Threads: everything arrives on the threads of link and mqtt; one mutex guards the state. Reports go to `report`,
//   which outlives it.
// Fault model: of the radio, MnoConfig::faults (lost, repeated, late; link/frames.h), towards its devices; a device that
//   does not answer in radio_patience is reported unreachable. Towards the registry it is honest and does every job, unless
//   it is told not to (mqtt/protocol_faults.h): no job is refused, lost or done twice, but for a wipe after its deadline.
//   What goes wrong on the way to a card is simulators/ota's. What a hostile MNO does is tested by playing one
//   (tests/security).
// Privacy: EID and ICCID stay between the MNO, its devices and the registry; reports name devices by UUID only,
//   since they end up in log files.
#pragma once

#include <memory>

#include "simulators/console/report.h"
#include "simulators/mno/config.h"

namespace registry::sim {

class MnoSim {
 public:
  static Result<std::unique_ptr<MnoSim>> Start(MnoConfig config, Report& report);
  virtual ~MnoSim() = default;
  // {"cmd":"register","count":N}: N more eSIMs of the inventory, beyond register_first.
  // {"cmd":"register","due_us":[T,...]}: one more for each T, which is when it was meant to begin, in microseconds of the
  //   machine's monotonic clock (CLOCK_MONOTONIC): its step "register" counts from then, so that waiting counts too.
  // {"cmd":"read_card","device":UUID}: reads the pilot's files over the air, and says what they are.
  //   {"cmd":"deliver", …} and {"cmd":"replay", …}: a payload carried before, once more (by_hand.h).
  virtual void Control(const nlohmann::json& command) = 0;
};

}  // namespace registry::sim
