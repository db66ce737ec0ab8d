#include "bridge/app/ledger_place.h"

#include "bridge/ledger/rocksdb/open.h"
#include "bridge/secret_file.h"

namespace registry::app {
namespace {

constexpr std::size_t kPasswordMax = 1024;

// One line; what ends it does not belong to it.
Secret FirstLineOf(const Secret& file) {
  Secret line(file);
  line.Shorten(std::min(file.text().find_first_of("\r\n"), file.size()));
  return line;
}

}  // namespace

std::string LedgerPlace::text() const { return postgres ? "PostgreSQL, schema " + postgres->schema : folder; }

Result<LedgerPlace> LedgerPlaceOf(const LedgerConfig& config, const std::string& folder) {
  LedgerPlace place;
  place.folder = folder;
  if (!config.in_postgres) return place;
  ledger::PostgresOptions options;
  options.connection = config.connection;
  options.schema = config.schema;
  options.mark_file = config.mark_file;
  options.retry_for = std::chrono::seconds(config.retry_seconds);
  if (!config.password_file.empty()) {
    const auto password = ReadSecret(config.password_file, kPasswordMax);
    if (!password.ok()) return Error::Make(Code::kFailed, "config_invalid", password.why);
    options.password = FirstLineOf(password.secret);
  }
  place.postgres = std::move(options);
  return place;
}

Result<std::unique_ptr<ledger::Ledger>> OpenLedger(LedgerPlace place, const LogLine& log) {
  if (place.postgres) {
    place.postgres->log = log;
    return ledger::OpenPostgresLedger(*place.postgres);
  }
  ledger::RocksDbOptions options;
  options.folder = place.folder;
  options.log = log;
  return ledger::OpenRocksDbLedger(options);
}

Result<std::unique_ptr<ledger::LedgerReader>> OpenLedgerReader(const LedgerPlace& place,
                                                               const std::string& scratch) {
  if (place.postgres) return ledger::OpenPostgresReader(*place.postgres);
  return ledger::OpenRocksDbReader(place.folder, scratch);
}

Status CheckLedgerPlace(const LedgerPlace& place) {
  if (place.postgres) return ledger::CheckPostgresOptions(*place.postgres);
  return ledger::CheckRocksDbFolder(place.folder);
}

}  // namespace registry::app
