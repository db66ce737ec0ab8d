// bridge/app/carry_over.h: what was once published about trust is not undone by an older ledger that was restored.
// Every entry of the CRL that was published last (RFC 5280 §3.3: it stays until its certificate has ended) is taken into
// the ledger where the ledger does not know it, and a device whose live certificate it names is deactivated there with
// all that follows: afterwards ledger, zone and CRL agree again. One warning counts both.
// Use: at the start, before the zone is loaded and before the file is written over. What a crash leaves is done by the
//   next start. Threads: the caller's, while nobody else commits.
// Errors: the ledger's. A CRL that is not there, of another CA or broken is a warning that says why.
#pragma once

#include <functional>
#include <string>

#include "bridge/clock.h"
#include "bridge/ledger/ledger.h"
#include "bridge/log_line.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::app {

struct PublishedTrust {
  const std::string& crl_file;
  const domain::Signer& signer;  // the issuing key
  const domain::Policy& policy;
};
Status CarryOver(const PublishedTrust& published, ledger::Ledger& ledger, const Clock& clock,
                 const LogLine& log);

}  // namespace registry::app
