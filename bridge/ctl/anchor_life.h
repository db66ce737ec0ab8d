// bridge/ctl/anchor_life.h: a trust anchor from the day it is known to the day nobody believes it (RFC 5011 §4.2), one step
// after the other. The operator takes each step; nothing here watches the DNS.
//   add    → coming   it is known. Before devices are given it, a hold-down of 30 days passes (§2.4.1), or of its TTL
//                     where that is longer
//   trust  → valid    the hold-down is over: registry.trust_anchors has it, and the next start of registryd gives it
//   revoke → leaving  payloads have it no more. Refused while a device has not confirmed another anchor: it could prove
//                     nothing when the key is gone
//   remove → removed  30 days later (§2.4.2). Refused while a device may still believe it. A coming one goes at once
// Each step is a line of interface/parties.jsonl, which registryd puts into the history.
// Threads: any; whoever changes the folder waits for the others (folder_lock.h). A step is decided, then written: the
//   states and registry.toml, which decides. A step that was interrupted is done, or can be repeated.
// Errors (2400): anchor_refused: the step may not be taken, and why; folder_locked, config_invalid, file_failed; the
//   ledger's.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "bridge/app/config.h"
#include "bridge/ctl/anchor_reach.h"
#include "bridge/ctl/anchor_set.h"

namespace registry::ctl {

inline constexpr std::chrono::days kHoldDown{30};  // RFC 5011 §2.4.1, §2.4.2

struct AnchorStep {
  enum class Verb { kAdd, kTrust, kRevoke, kRemove };
  Verb verb = Verb::kAdd;
  std::string anchor;                       // the record, or, of one that is known, its key tag
  std::chrono::days hold_down = kHoldDown;  // of kAdd and kRevoke
  bool force =
      false;  // kRevoke, kRemove: though devices need it, or believe it, or the hold-down is not over
  UtcTime now = {};
};

// The set as it is to be, and a sentence of what became of which anchor.
struct AnchorsChanged {
  AnchorSet set;
  std::string event;  // "anchor-added", …
  std::string said;
};
// Pure. `believed` is asked for kRevoke and kRemove alone.
using AskDevices = std::function<Result<BelievedAnchors>()>;
Result<AnchorsChanged> Decide(const AnchorStep& step, AnchorSet set, const AskDevices& believed);

// Where the states are kept: beside parties.jsonl, whose folder is in every backup.
std::string AnchorStatesOf(const app::Config& config);
// Decided and written, over this registry.toml.
Result<AnchorsChanged> TakeStep(const std::string& config_file, const AnchorStep& step,
                                const std::string& reason, bool dry_run, const AskDevices& believed);

}  // namespace registry::ctl
