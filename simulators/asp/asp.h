// simulators/asp/asp.h: an ASP towards the registry: publishes its endpoint, claims the devices whose
// authorisation codes come over the desk, hears of their activation, commands deactivation and the like, and
// keeps its feed without gaps.
// Owns: the MQTT client, the desk's listener, one thread for acknowledgements and gaps. Threads: calls from
//   any thread.
// Errors: at the start as Results; later as steps in the report.
// Fault model: none of its own. The broker and the registry may be away, lose and repeat: commands are repeated until
//   answered, a gap in the feed is asked for, and a claim rejected for the moment is made again (mqtt/client.h,
//   mqtt/feed_position.h, mqtt/again.h). It never tells lies and never misses its desk, unless it is told to
//   (mqtt/protocol_faults.h). What a hostile ASP does is tested by playing one (tests/security).
#pragma once

#include <memory>

#include "clients/verdict/own_devices.h"
#include "simulators/asp/config.h"
#include "simulators/console/report.h"

namespace registry::sim {

class Asp {
 public:
  // `own` is told of claims and notifications, and outlives the ASP.
  static Result<std::unique_ptr<Asp>> Start(const AspConfig& config, clients::OwnDevices& own,
                                            Report& report);
  virtual ~Asp() = default;
  // {"cmd":"deactivate"|"reactivate"|"delete","device":UUID,"reason":optional}
  virtual void Control(const nlohmann::json& command) = 0;
};

}  // namespace registry::sim
