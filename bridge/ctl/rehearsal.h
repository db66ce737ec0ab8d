// bridge/ctl/rehearsal.h: what a command of the operator's party would come to, decided as registryd decides it, over the
// ledger as it is at this moment, and then dropped: nothing is written, sent or asked of anybody. registryd may run or not.
// Reads the configuration, the keys that it names (payloads are composed too) and the ledger, so it takes registryd's user.
// What is committed behind its back is not seen: the command itself may still be answered otherwise.
// Errors: a sentence on stderr, then CLI::RuntimeError with status 1, as the command's own refusal (ledger_source.h).
// Owns what it loaded. Threads: the main one.
#pragma once

#include <memory>
#include <string_view>

#include "bridge/ctl/ask.h"
#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {

class Rehearsal {
 public:
  explicit Rehearsal(const AskOptions& from);
  ~Rehearsal();
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;
  // `reply`, and what would change: devices with state and holds before and after, what MNOs would be asked for, which work
  // would be called off, who would be told, what DNS would hold, which certificates would be revoked, and the history.
  Json Decide(std::string_view command, const Json& data) const;
  // An order.start: how many devices would be done, refused (by symbol), failed or skipped, each decided by itself.
  Json DecideEach(const Json& order) const;

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace registry::ctl
