// tests/unit/bridge/ledger/dump.h: everything a ledger can be asked, as text, so that two ledgers can be compared.
#pragma once

#include <string>

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

// `parties` and `numbers` (samples) name what to ask for where the port has no way to list.
std::string Dump(const LedgerReader& reader, const std::vector<std::string>& parties, std::uint64_t numbers);

}  // namespace registry::ledger
