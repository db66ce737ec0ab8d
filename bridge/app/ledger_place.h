// bridge/app/ledger_place.h: where a ledger is, and how it is opened there: the one place that knows every backend that
// keeps something.
// Errors: config_invalid where the password's file cannot be read; else the backend's (bridge/ledger/rocksdb/open.h,
//   bridge/ledger/postgres/open.h). Threads: any.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bridge/app/ledger_config.h"
#include "bridge/ledger/postgres/open.h"

namespace registry::app {

struct LedgerPlace {
  std::string folder;                               // of RocksDB, or
  std::optional<ledger::PostgresOptions> postgres;  // this

  // For sentences.
  std::string text() const;
};

Result<LedgerPlace> LedgerPlaceOf(const LedgerConfig& config, const std::string& folder);

Result<std::unique_ptr<ledger::Ledger>> OpenLedger(LedgerPlace place, const LogLine& log);
// Of a running registry, too. `scratch` as for OpenRocksDbReader.
Result<std::unique_ptr<ledger::LedgerReader>> OpenLedgerReader(const LedgerPlace& place,
                                                               const std::string& scratch);
// What can be said without opening it, or a connection: is one there in a folder, its owner's alone; is it a connection
// that may be used.
Status CheckLedgerPlace(const LedgerPlace& place);

}  // namespace registry::app
