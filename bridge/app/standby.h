// bridge/app/standby.h: a registryd that waits until the ledger is its own to open: it looks at the lease, says there that
// it waits and whether it reaches the broker, and answers for health and metrics. Nothing of the registry runs
// meanwhile, but that it decides commands where the nodes share that (`ledger.shared`, member.h).
// Where zone.other_primaries says who may be active, it keeps a copy of the zone (bridge/zone/follower.h), from when it has
// seen that another one has the ledger. Without one there is nobody to copy from, and the ledger is its own at once.
// Owns: two threads, one connection to the ledger's server, the HTTP server, and what follows the zone. The destructor ends
//   them: at once while the server answers, else when it has been waited for, 8 s at most. With a copy it also waits as
//   ZoneFollower::Stop says; a large zone's memory takes some seconds. One that decides has left within some seconds, too,
//   and has before may_open() is true.
// Threads: Start, TakeParties and the destructor from one, the rest from any.
// Errors: http_failed, config_invalid. What is the matter with the server or the tables is said in the log, and waited for.
#pragma once

#include <memory>
#include <string>

#include "bridge/app/config.h"
#include "bridge/app/log.h"

namespace registry::app {

class Standby {
 public:
  static Result<std::unique_ptr<Standby>> Start(const Config& config, Log& log);
  virtual ~Standby() = default;
  virtual bool may_open() const = 0;     // nobody has the ledger; it looks no longer
  virtual bool saw_another() const = 0;  // had it, since Start
  virtual std::string says() const = 0;  // a line for people
  virtual std::uint16_t http_port() const = 0;
  // The configuration's file, for a node that decides (party_reload.h); one that is wrong changes nothing, and is said.
  virtual void TakeParties() = 0;
};

}  // namespace registry::app
