// bridge/ingest/intake.h: what the broker has been told we have (PUBACK), until the ledger has it.
// Append writes one record with write(2) and returns: it survives the death of this process (page cache), not power
// loss; the sender's repetition covers that (README, "The journey of one message").
// Owns: a folder of segment files `intake-<number>`. A segment is deleted once every record in it is done.
// Open reads every record left over, in order, for the pipeline to process again (commands are idempotent by identity).
// A torn record at the end of a segment was never acknowledged; it is counted. Octets that are not what was written are
// said in the log with file and offset and counted, the records behind them are read, and the file stays as
// `intake-<number>.damaged` once those are done (until then under its own name, for a next start to read). Nothing
// deletes a damaged file. With a key every payload is sealed on disk (intake_seal.h); what another key has sealed is damage.
// The folder is this user's alone (bridge/ledger/private_folder.h): folder_permissions otherwise.
// Threads: all calls from any thread. Errors: "intake_failed" when the disk refuses; the caller must not let PUBACK go.
// Limits: bytes_max of undone records; Append then answers 2502 "intake_full".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/ingest/inbound.h"
#include "bridge/log_line.h"
#include "schemas/base/bytes.h"
#include "schemas/base/result.h"

namespace registry::ingest {

struct IntakeOptions {
  std::string folder;
  std::size_t segment_bytes = 16u << 20;
  std::size_t bytes_max = 1u << 30;
  Bytes key{};  // empty: payloads are kept as they are
  LogLine log{};
};

class Intake {
 public:
  using Ticket = std::uint64_t;
  struct Record {
    Ticket ticket = 0;
    InboundMessage message;
  };

  static Result<std::unique_ptr<Intake>> Open(const IntakeOptions& options);
  virtual ~Intake() = default;
  // What the last run had not finished; call once, before the first Append.
  virtual std::vector<Record> TakeLeftOver() = 0;
  virtual Result<Ticket> Append(const InboundMessage& message) = 0;
  // What a node that decided beside this one, and does no more, had not finished (bridge/ledger/postgres/members.h): this
  // one's from now on, as if it had been left over. A folder has none.
  virtual Result<std::vector<Record>> TakeOverOf(std::int64_t /*member*/) { return std::vector<Record>(); }
  // The message holds several commands: it is done once MarkDone was called so many times. Before the first of them.
  virtual void Expect(Ticket ticket, std::size_t commands) = 0;
  virtual void MarkDone(Ticket ticket) = 0;  // its consequence is durable in the ledger
  virtual std::uint64_t torn_records() const = 0;
  virtual std::uint64_t damages()
      const = 0;  // places in the files of the last run that are not what was written
  virtual std::uint64_t undone() const = 0;
  // Done, and not erased yet: their commands would come again at the next start, which changes nothing.
  virtual std::uint64_t unerased() const { return 0; }
  // What is undone now, in the new folder `to`, which Open takes as it does its own; more of what is done than that may be
  // in it. Appends wait for none of the copying. Not synced.
  virtual Status CopyTo(const std::string& to) = 0;
};

}  // namespace registry::ingest
