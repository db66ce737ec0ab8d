// bridge/app/acts_taken.h: how many acts on parties (party_acts.h) are in the history already. A start knows it from what is
// kept (bridge/ledger/kept_state.h), so that it need not read all that was ever written of no single device.
// Text of "party-acts.json": {"lines": 17, "entry": 90210, "committing": false}: line 17 became entry 90210, and nothing
//   was under way. With "lines": 0 none had been taken when entry 90210 was the last.
// The ledger decides: a text that is not there, that was left while a commit was under way, or whose entry is not that line
//   (a ledger from a backup) is not believed, and the history of no single device is read whole, once.
// Threads: one. Errors (2400): file_failed; those of the ledger.
#pragma once

#include <string>

#include "bridge/ledger/kept_state.h"
#include "bridge/ledger/ledger.h"

namespace registry::app {

// How an entry begins that a line became, "party act 17".
std::string ActName(std::uint64_t line);

class ActsTaken {
 public:
  // Both outlive it.
  ActsTaken(ledger::KeptState& kept, const ledger::LedgerReader& ledger) : kept_(kept), ledger_(ledger) {}
  // Looks once; afterwards it knows.
  Result<std::uint64_t> Lines();
  // Around a commit. It is begun only when that is kept: a line must not be taken twice.
  Status Begin();
  // `lines` are taken now. Where their entry is not found soon, the next start reads the history.
  Status End(std::uint64_t lines);

 private:
  Status Keep(bool committing) const;
  bool Recall();
  Status ReadHistory();

  ledger::KeptState& kept_;
  const ledger::LedgerReader& ledger_;
  bool known_ = false;
  std::uint64_t lines_ = 0;
  ledger::Seq entry_ = 0;   // of the last line; 0: not known
  ledger::Seq before_ = 0;  // the last entry when the commit began
};

}  // namespace registry::app
