// bridge/ctl/ledger_lines.h: a ledger as lines of JSON, and back (bridge/app/BACKUP.md). Records are as FORMAT.md of
// bridge/ledger has them, whatever the backend: each has its own checksum, and the history its chain.
//   first line  {"lines":1,"of":"iot-registry ledger","software":"registryctl 1.2.3","made":"2026-11-30T10:00:00Z"}
//   record      {"family":"devices","key":"<hex>","record":"<base64>"}
//   last line   {"end":{"ledger":…,"format":5,"history":…,"history_hash":"<hex>","counts":{"devices":…,…},
//               "sha256":"<hex>"}}, the last over all lines before
// An import makes a new ledger, whole or not at all. Begin again after whatever ended it; in PostgreSQL it goes on then.
// Threads: one. Errors (2400): import_invalid, with the number of the line, or with what the import is not; file_failed;
// those of bridge/ledger/keyed/records.h. Limits: a line of kLineMax octets.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>

#include "bridge/app/ledger_place.h"
#include "bridge/ledger/keyed/records.h"
#include "schemas/base/utc_time.h"

namespace registry::ctl {

inline constexpr int kLinesFormat = 1;  // another one is refused
inline constexpr std::size_t kLineMax = std::size_t{64} << 20;

struct LedgerCounts {
  ledger::LedgerPoint point;
  std::map<std::string, std::uint64_t> records;  // by family
  std::uint64_t all() const;
};

struct ExportSource {
  app::LedgerPlace place;
  std::string scratch;
  std::string software;
  UtcTime now;
};
// Beside a running registry, or of a stopped one. Complete only when the last line is there.
Result<LedgerCounts> ExportLines(const ExportSource& source, std::ostream& to);

// Into a folder that is not there or empty, or into PostgreSQL where no ledger has begun; there one that was cut short goes
// on. It is verified (`ledger verify`) before it is a ledger.
Result<LedgerCounts> ImportLines(std::istream& from, const app::LedgerPlace& to, const std::string& scratch);

}  // namespace registry::ctl
