// bridge/ledger/kept_state.h: small things that a registry keeps beside its ledger, each a text under a name: whoever goes
// on with the ledger, on this machine or another, finds them there.
// A text is the old one or the new one, also after a crash, and stays once Write has come back.
// Names: a file's, of a-z, 0-9, - and a point. Limits: texts of some KiB.
// Threads: any; of one name one at a time. Errors: file_failed, or those of the ledger's backend; kLedgerInUse: another
// registry has the ledger now.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schemas/base/result.h"

namespace registry::ledger {

class KeptState {
 public:
  virtual ~KeptState() = default;
  virtual Result<std::optional<std::string>> Read(const std::string& name) const = 0;
  virtual Status Write(const std::string& name, std::string_view text) = 0;
};

}  // namespace registry::ledger
