// bridge/ledger/postgres/statements.h: every statement that the backend sends, and arrays as parameters. A family
// (FORMAT.md) is a table of its name with two columns, key and record, both bytea: octets sort there as they do in RocksDB.
// Private to this folder. Owns: the texts, made once for a schema. Threads: any, immutable.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/ledger/keyed/store.h"
#include "bridge/ledger/postgres/connection.h"

namespace registry::ledger {

class Statements {
 public:
  struct OfColumn {
    Statement get;          // key → record
    Statement get_all;      // keys → key, record
    Statement scan;         // from, to, limit → key, record
    Statement scan_to_end;  // from, limit
    Statement last;         // → key, record
    Statement put;          // keys, records
    Statement append;       // the same, of keys that are not there
    Statement erase;        // keys
    Statement erase_range;  // from, to
  };

  explicit Statements(const std::string& schema);
  const OfColumn& Of(Column column) const { return columns_[static_cast<std::size_t>(column)]; }

  static const Statement kBegin, kBeginMoment, kCommit, kNoSync;
  // Whether the advisory lock of this ledger is ours now, and since when this process of the server lives; who has the lock:
  // process, application, address; ends a process, should it be the one that lives since then.
  Statement lock, holder;
  static const Statement kTerminate;
  // A new writer (node's name, version, lease in ms or 0): its number, and that of the last transaction. The same without
  // becoming one, and the number it began with.
  Statement begin_writer, look_at_writer;
  // Of nodes.cc, in the order in which it reads them. The lease: who has it, and what the server sees of it now.
  Statement look_at_lease, list_standbys, list_deciding;
  // A node says that it stands by (name, version, whether it reaches the broker), and that it does no longer (name).
  Statement say_standby, forget_standby;
  // Changes nothing, and comes back when it and all before it are as safe as the server's settings ask: no row when another
  // has written.
  Statement confirm;
  // The next transaction of this writer, and up to which it knows all to be safe: fails (22012) when another has written, or
  // the number is not the next.
  Statement step;
  // Up to which this writer knew all to be safe, of a ledger that has lost some of it (epoch, number).
  Statement say_acked;
  // A person gives up what is missing (epoch).
  Statement give_up;
  // So far beyond what was there that every mark of a node is behind (epoch, how far).
  Statement pass_marks;

 private:
  void MakeNodeStatements(const std::string& schema, const std::string& holders);

  std::array<OfColumn, kColumnNames.size()> columns_;
};

// As an identifier in SQL.
std::string Quoted(std::string_view name);
// bytea[] in the binary form of the protocol.
std::string ArrayOf(const std::vector<std::string_view>& elements);

}  // namespace registry::ledger
