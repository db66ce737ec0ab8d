// simulators/device/fleet.h: many devices on few threads: the radio on one side, a Device per ICCID on the
// other. After an accepted payload a device verifies in the DNS, again and again until its deadline (a name
// may have been asked for a moment too early and its absence be cached), then talks to its ASP, then is done. One that
// checks nothing is done with the payload.
// Owns: devices, radio connections, worker threads. Threads: calls from any thread; the report is called from
//   workers.
// Errors: a radio that cannot be dialled is dialled again; everything else is a step in the report.
// Limits: frames beyond WorkQueue::kWaitingMax are lost. A device does one thing at a time and holds one worker at most.
// Fault model: of the radio, DeviceConfig::faults; nothing else is lost or late here.
#pragma once

#include <memory>
#include <string>

#include "simulators/console/report.h"
#include "simulators/device/config.h"

namespace registry::sim {

class Fleet {
 public:
  virtual ~Fleet() = default;
  static Result<std::unique_ptr<Fleet>> Start(const DeviceConfig& config, Report& report);
  // {"cmd":"session","device":UUID}: one more session with the ASP; with "former":true one as before the last
  //   payload (Device::TalkAsBefore).
  // {"cmd":"telemetry","device":UUID}: one more session with the ASP's broker, in place of the one that is open.
  // {"cmd":"radio","device":UUID,"on":false}: the device stops hearing its network, as a stolen one does; answered by
  //   {"event":"radio","device":UUID,"on":false}, after which no frame is heard any more.
  // {"cmd":"cut","device":UUID,"after":N}: its first card loses power once it has carried out N more of its issuer's
  //   commands; answered by {"event":"cut","device":UUID,"after":N}. The device switches it on again and says what it finds.
  virtual void Control(const nlohmann::json& command) = 0;
};

}  // namespace registry::sim
