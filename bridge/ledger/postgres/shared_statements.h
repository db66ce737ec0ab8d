// bridge/ledger/postgres/shared_statements.h: what is sent where several write to one ledger (members.h).
// Private to this folder. Owns: the texts, made once for a schema. Threads: any, immutable.
#pragma once

#include <string>

#include "bridge/ledger/postgres/statements.h"

namespace registry::ledger {

// Of one answer.
inline constexpr std::int64_t kChangesRead = 1000;

struct SharedStatements {
  explicit SharedStatements(const std::string& schema);

  static const Statement kRollback, kForgetPrepared;
  // As Statements::kTerminate, but for a process that waits for a synchronous standby: its end would make visible what no
  // standby has, and others would go on from there.
  static const Statement kTerminateUnlessItWaits;
  // Of the transaction: how long it waits for a lock, and may stand still (ms, ms; 0: for ever).
  static const Statement kBounds;
  // The row that every transaction takes first: epoch, number, began, acked. The same without taking it.
  Statement take_writer, see_writer;
  // Whether it is a member still (number): 1 or 0.
  Statement is_member;
  // From this number on, in order, kChangesRead at most: number, member, record.
  Statement changes_from;
  // number, member, record.
  Statement tell;
  // The next transaction. Of the active one (epoch, number, acked), of a member (epoch, number). They fail (22012) when the
  // number is not the next.
  Statement step, step_of_member;
  // Changes nothing (epoch): as Statements::confirm.
  Statement confirm;
  Statement say_acked;  // as Statements::say_acked
  Statement prune;      // changes up to this number
  // Ends the server's processes that hold up others while they wait for a client of theirs: all but the active one's, which
  // its lease judges (milliseconds).
  Statement end_waiting;
  // A new member (name, version): its number and epoch; no row while the active one takes none.
  Statement join;
  Statement say;  // a member lives (number): its number, or no row
  // The active one admits (epoch): the epoch.
  Statement admit;
  // Members of earlier epochs are none (epoch); locked first, behind what they write.
  Statement lock_earlier, end_earlier;
  Statement lock_member, end_member, list_members, forget_member;  // number, number, epoch, number
};

}  // namespace registry::ledger
