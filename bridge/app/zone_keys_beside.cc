#include "bridge/app/zone_keys_beside.h"

#include "bridge/app/zone_keys_kept.h"
#include "bridge/ledger/postgres/kept.h"
#include "bridge/signing/code_key.h"

namespace registry::app {

zone::KeysBeside ZoneKeysBeside(const Config& config, ledger::PostgresOptions options) {
  if (!config.ledger.in_postgres || config.dns.key_set.empty()) return {};
  return [codes_file = config.code_key_file, set_file = config.dns.key_set,
          options = std::move(options)]() -> Result<std::vector<Bytes>> {
    const auto codes = signing::LoadCodeKey(codes_file);
    if (!codes) return codes.error();
    const auto kept = ledger::ReadPostgresKept(options);
    return ZoneKeysKept(*kept, signing::DerivedKey(*codes, kZoneKeysUse), set_file, {}).EntryKeys();
  };
}

}  // namespace registry::app
