// bridge/ctl/audit_line.h: one entry of the history as a line of the audit stream, and whether lines are what the
// registry wrote. A line is one JSON object: seq, at, actor, device (absent where it is about no single one), what,
// cause (absent where there is none), record, previous, hash.
//   record: the stored octets in base64 (bridge/ledger/FORMAT.md, kind 5); the members before it say the same for people.
//   hash: SHA-256(previous || record), hexadecimal; previous: the hash of the line before, zeros before the first.
// So a line that was changed, left out, added or moved shows without the registry. Cut off at its end the stream shows that
// only beside the ledger, or beside a hash that was kept elsewhere.
// Privacy: a history holds no EID or ICCID (workers/domain/changeset.h). Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {

// `previous` empty: before the first.
Json AuditLine(const ledger::HistoryRecord& record, const Bytes& previous);

// Held line by line, in their order. The first line may have any number.
class AuditCheck {
 public:
  // What is wrong with it, as one sentence without a line number; nullopt: nothing.
  std::optional<std::string> Take(std::string_view line);
  std::uint64_t lines() const { return lines_; }
  ledger::Seq first() const { return first_; }
  ledger::Seq last() const { return last_; }
  const Bytes& before_first() const {
    return before_first_;
  }                                            // the hash that the first line says is before it
  const Bytes& hash() const { return hash_; }  // of the last line

 private:
  std::uint64_t lines_ = 0;
  ledger::Seq first_ = 0, last_ = 0;
  Bytes before_first_, hash_;
};

}  // namespace registry::ctl
