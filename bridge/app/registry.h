// bridge/app/registry.h: the whole registry, wired: the only room that knows all rooms.
// Owns: everything, in the order of the data: ledger, intake, zone, pipeline, relay, mqtt, and beside them
//   CRL and HTTP.
// Start: ledger, intake, zone, pipeline (what the last run left over), relay, mqtt. Stop: the zone's
//   consequences, then the pipeline finishes what it took, then the relay says it, then the session ends. A
//   message that arrives meanwhile is acknowledged into the intake and belongs to the next start. Nothing
//   acknowledged is lost.
// Threads: Open, Start, Stop from one thread; the rest from any.
// Errors: the first room that refuses, with its own symbol. pulse() kRefused: the ledger's disk refused;
//   only a new process may go on, since the ledger must read what is really there. kStalled: it does not answer.
#pragma once

#include <memory>

#include "bridge/app/config.h"
#include "bridge/app/heartbeat.h"
#include "bridge/app/log.h"

namespace registry::app {

struct Ports {
  std::uint16_t zone = 0, http = 0, console = 0;  // console 0: there is none
};

class Registry {
 public:
  static Result<std::unique_ptr<Registry>> Open(const Config& config, Log& log);
  virtual ~Registry() = default;  // stops
  virtual Result<Ports> Start() = 0;
  virtual void Stop() = 0;
  // Reads the configuration's file again and takes the parties (party_reload.h); a file that is wrong changes nothing, and
  // is said in the log. From the thread that starts and stops.
  virtual void TakeParties() = 0;
  virtual Pulse pulse() const = 0;  // never waits for a disk
};

}  // namespace registry::app
