// bridge/app/ledger_config.h: where the configuration says that the ledger is: in a folder of RocksDB's, or in PostgreSQL
// (CONFIG.md, [ledger]). Plain values.
#pragma once

#include <string>

namespace registry::app {

class Section;

struct LedgerConfig {
  bool in_postgres = false;
  // Of PostgreSQL.
  std::string connection;     // libpq's keywords or URI, without a password
  std::string password_file;  // empty: none is needed
  std::string schema;
  std::string mark_file;  // of what the server acknowledged
  int retry_seconds = 30;
  // Several nodes on it, of which one writes and the others stand by.
  bool standby = false;
  int lease_seconds = 8;
  bool shared = false;  // those that stand by decide commands meanwhile
  std::string node;     // this one's name; empty: that of its host

  bool operator==(const LedgerConfig&) const = default;
};

// `folder` becomes that of RocksDB, and stays empty where the ledger has none.
LedgerConfig ReadLedgerConfig(Section& section, std::string& folder);
// Or empty.
bool IsNodeName(const std::string& name);
std::string NodeName(const LedgerConfig& config);

}  // namespace registry::app
