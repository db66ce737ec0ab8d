// bridge/ctl/party_holdings.h: what the registry still has of a party, which keeps it from being removed. Counted from the
// ledger's indexes; no device is read, but for those in a transfer of the party's.
// Errors: as ledger_source.h. Threads: the main one.
#pragma once

#include <string>

#include "bridge/ledger/ledger.h"

namespace registry::ctl {

struct PartyHoldings {
  std::size_t devices = 0;            // sponsored or claimed, deleted ones left out
  std::size_t transfers_pending = 0;  // by which it would lose or gain a device
  std::size_t orders_open = 0;        // its own, running or paused
  std::size_t jobs = 0;               // that wait for it, sent or not
  bool none() const { return devices + transfers_pending + orders_open + jobs == 0; }
};
PartyHoldings HoldingsOf(const ledger::LedgerReader& ledger, const PartyId& party);
// "3 devices and 1 pending transfer", and what to do about it.
std::string InWords(const PartyHoldings& holdings);

}  // namespace registry::ctl
