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
#include "bridge/app/node.h"

namespace registry::app {

struct Ports {
  std::uint16_t zone = 0, http = 0, console = 0, zone_tls = 0;  // console, zone_tls 0: there is none
};

class Registry {
 public:
  // `took_over`: after another node had the ledger (standby.h).
  // `end` is told, where it fails, what became of the ledger meanwhile.
  static Result<std::unique_ptr<Registry>> Open(const Config& config, Log& log, bool took_over = false,
                                                LedgerEnd* end = nullptr);
  virtual ~Registry() = default;  // stops
  virtual Result<Ports> Start() = 0;
  virtual void Stop() = 0;
  // Reads the configuration's file again and takes the parties (party_reload.h); a file that is wrong changes nothing, and
  // is said in the log. From the thread that starts and stops.
  virtual void TakeParties() = 0;
  // Those for transfers over TLS, as their files are now; what cannot be used is said in the log and changes nothing.
  virtual void ReadCertificatesAgain() = 0;
  virtual Pulse pulse() const = 0;  // never waits for a disk
  // Why pulse() is kRefused, or becomes it. After kNotAsLeft the next start would go on with what is there.
  virtual LedgerEnd ledger_end() const = 0;
  // It should be stopped, so that another node serves (node.h).
  virtual bool gives_way() const = 0;
};

}  // namespace registry::app
