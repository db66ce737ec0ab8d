#include "bridge/ledger/postgres/writer.h"

#include <algorithm>

#include "bridge/ledger/postgres/members.h"
#include "bridge/ledger/postgres/pause.h"
#include "bridge/ledger/postgres/schema_steps.h"
#include "bridge/ledger/postgres/shared_statements.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

}  // namespace

Result<std::unique_ptr<Writer>> Writer::Open(const PostgresOptions& options, const Statements& statements,
                                             Written& written) {
  std::unique_ptr<Writer> writer(new Writer(options, statements, written));
  if (const auto failed = writer->Connect()) return failed->AsError("opening the ledger");
  if (auto locked = writer->Lock(); !locked) return locked.error();
  if (auto begun = writer->Begin(); !begun) return begun.error();
  return writer;
}

Status Writer::Begin() {
  const NodeOptions& node = options_.node;
  const std::string lasts = Int8(node.lease ? node.lease->lasts().count() : 0),
                    tables = Int8(static_cast<std::int64_t>(SchemaVersion()));
  const Lease::Span begun = Lease::Now();
  const Request begin{&statements_.begin_writer, {node.name, node.version, lasts, tables}};
  const auto answers = options_.shared ? BeginAmongOthers(begin) : Run({begin});
  if (const auto* const failed = std::get_if<Failure>(&answers)) return failed->AsError("opening the ledger");
  if (const auto warned = connection_->Warned()) return warned->AsError("opening the ledger");
  const Rows& row = std::get<std::vector<Rows>>(answers).front();
  if (row.size() != 1) return Error::Make(Code::kFailed, kLedgerDamaged, "table writer has no row");
  epoch_ = OfInt8(row.At(0, 0));
  number_ = durable_ = OfInt8(row.At(0, 1));
  written_.server = connection_->server();
  written_.number = durable_;
  if (node.lease) node.lease->Proved(begun);
  return Done{};
}

// A member of the epoch before may stand still in the middle of a transaction, which the server ends, or whoever waits.
Answers Writer::BeginAmongOthers(const Request& begin) {
  const SharedStatements shared(options_.schema);
  const std::string still = Int8(milliseconds(kHeldAtMost).count()), for_ever = Int8(0),
                    within = Int8((milliseconds(kHeldAtMost) + kTryAgainAfter).count());
  for (const auto until = steady_clock::now() + options_.retry_for;;) {
    auto answers = Run({{&SharedStatements::kBounds, {within, for_ever}}, begin});
    if (auto* const rows = std::get_if<std::vector<Rows>>(&answers)) {
      rows->erase(rows->begin());
      return answers;
    }
    if (!std::get<Failure>(answers).Is("55P03") || steady_clock::now() >= until) return answers;
    connection_->PrepareAnew();
    if (auto ended = Run({{&SharedStatements::kForgetPrepared}, {&shared.end_waiting, {still}}});
        std::holds_alternative<Failure>(ended))
      return ended;
  }
}

// A registry that was killed leaves its lock as soon as the server notices; of a machine that is gone, it notices by
// keepalives (connection.cc, Settings).
Status Writer::Lock() {
  const auto within = std::min(options_.lock_within, options_.retry_for);
  for (const auto until = steady_clock::now() + within;;) {
    const auto locked = TryLock();
    if (!locked) return locked.error();
    if (*locked) return Done{};
    if (steady_clock::now() >= until) break;
    PauseBetweenAttempts();
  }
  return Error::Make(Code::kFailed, kLedgerInUse, "the ledger is open in another process: " + Holder());
}

Result<bool> Writer::TryLock() {
  const auto answers = Run({{&statements_.lock}});
  if (const auto* const failed = std::get_if<Failure>(&answers)) return failed->AsError("locking the ledger");
  const Rows& row = std::get<std::vector<Rows>>(answers).front();
  const bool locked = OfInt8(row.At(0, 0)) == 1;
  if (locked) {
    process_ = connection_->process();
    since_ = OfInt8(row.At(0, 1));
  }
  return locked;
}

std::string Writer::Holder() {
  const auto answers = Run({{&statements_.holder}});
  const auto* const rows = std::get_if<std::vector<Rows>>(&answers);
  if (rows == nullptr || rows->front().size() == 0) return "it was not to be seen which";
  const Rows& row = rows->front();
  return std::string(row.At(0, 1)) + " at " + std::string(row.At(0, 2)) + ", process " +
         std::to_string(OfInt8(row.At(0, 0))) + " of the server";
}

std::optional<Failure> Writer::Connect() {
  auto made = Connection::Open(options_, Connection::Server::kWritable);
  if (auto* const failed = std::get_if<Failure>(&made)) return std::move(*failed);
  connection_ = std::get<std::unique_ptr<Connection>>(std::move(made));
  return std::nullopt;
}

Answers Writer::Run(const std::vector<Request>& requests) {
  return connection_->Run(requests, steady_clock::now() + options_.answer_within);
}

Status Writer::Write(OrderedWrites& writes, bool sync) {
  if (writes.empty()) return Done{};
  bool there = false;   // in the ledger, but perhaps not on a standby yet
  Lease::Span begun{};  // when the one was that moved the number: a confirmation does not
  for (const auto until = steady_clock::now() + options_.retry_for;;) {
    if (!there) begun = Lease::Now();
    const auto failed = there ? Confirm() : Send(writes, sync);
    if (!failed) break;
    connection_.reset();
    if (!failed->MayPass()) return failed->AsError("committing");
    Say("transaction " + std::to_string(number_ + 1) + " was cut off: " + failed->message);
    // The server is in trouble, and is not helped by the same at once.
    if (!failed->lost) PauseBetweenAttempts();
    const auto became = Recover(until);
    if (!became) return became.error();
    if (!*became || steady_clock::now() >= until) return failed->AsError("committing");
    there = **became == Became::kDone;
    Say("transaction " + std::to_string(number_ + 1) +
        (there ? " is in the ledger" : " is not in the ledger, and is sent again"));
    if (there && !sync) break;
  }
  ++number_;
  if (sync) written_.number = durable_ = number_;
  if (sync && options_.node.lease) options_.node.lease->Proved(begun);
  said_.clear();
  writes.Clear();
  return sync && mark_ ? mark_->Raise(static_cast<std::uint64_t>(number_)) : Status(Done{});
}

std::optional<Failure> Writer::Send(OrderedWrites& writes, bool sync) {
  const Transaction transaction(statements_, writes, {epoch_, number_ + 1, durable_}, sync, kind_);
  auto answers = connection_ ? Run(transaction.requests()) : Answers(Failure{true, "", "not connected"});
  if (auto* const failed = std::get_if<Failure>(&answers)) return std::move(*failed);
  return sync ? connection_->Warned() : std::nullopt;
}

// A transaction that was found after its connection had gone may be on this server alone: ending or cancelling the process
// that waits for a synchronous standby makes what it wrote visible (PostgreSQL's manual, 27.2.8.4). A later transaction
// waits for a later place in the log, and so for that one, too.
std::optional<Failure> Writer::Confirm() {
  const std::string epoch = Int8(epoch_), number = Int8(number_ + 1);
  auto answers = Run({{&statements_.confirm, {epoch, number}}});
  if (auto* const failed = std::get_if<Failure>(&answers)) return std::move(*failed);
  if (std::get<std::vector<Rows>>(answers).front().size() != 1)
    return Failure{true, "", "another has written"};
  return connection_->Warned();
}

Status Writer::PassMarks() {
  constexpr std::int64_t kFar = std::int64_t{1}
                                << 32;  // transactions: more than any registry has behind a backup
  const std::string epoch = Int8(epoch_), far = Int8(kFar);
  return MoveNumber({&statements_.pass_marks, {epoch, far}});
}

Status Writer::GiveUp() {
  const std::string epoch = Int8(epoch_);
  return MoveNumber({&statements_.give_up, {epoch}});
}

Status Writer::MoveNumber(const Request& request) {
  const auto answers = Run({request});
  if (const auto* const failed = std::get_if<Failure>(&answers)) return failed->AsError("stepping on");
  if (const auto warned = connection_->Warned()) return warned->AsError("stepping on");
  const Rows& row = std::get<std::vector<Rows>>(answers).front();
  if (row.size() != 1) return CannotGoOn();
  written_.number = durable_ = number_ = OfInt8(row.At(0, 0));
  return Done{};
}

// One line for each kind of trouble of a transaction: it may be tried a hundred times.
void Writer::Say(const std::string& line) {
  if (said_.insert(line).second) return options_.log.Warning(line);
  options_.log.Debug(line);
}

Result<std::optional<Writer::Became>> Writer::Recover(steady_clock::time_point until) {
  auto became = Reconnect();
  while (became && !*became && steady_clock::now() < until) {
    PauseBetweenAttempts();
    became = Reconnect();
  }
  return became;
}

Result<std::optional<Writer::Became>> Writer::Reconnect() {
  using Answer = std::optional<Became>;
  connection_.reset();
  if (const auto failed = Connect()) {
    options_.log.Debug("no connection yet: " + failed->message);
    return Answer();
  }
  const std::string process = Int8(process_), since = Int8(since_);
  const auto locked = TryLock();
  const auto answers = Run({{&statements_.look_at_writer}});
  const auto* const rows = std::get_if<std::vector<Rows>>(&answers);
  if (rows != nullptr && (IsAnothers(rows->front()) || (locked && *locked))) {
    const auto became = Resolve(rows->front());
    if (became != Became::kAnothers) {
      written_.server = connection_->server();
      return Answer(became);
    }
    // Who stands by knows what this one knew a moment ago, and is to know the rest.
    const std::string epoch = Int8(epoch_), acked = Int8(durable_);
    if (!taken_over_ && !IsAnothers(rows->front())) (void)Run({{&statements_.say_acked, {epoch, acked}}});
    return End();
  }
  // Our own process of before may still hold it, for a client that it does not know to be gone.
  const auto& terminate = shared_ ? SharedStatements::kTerminateUnlessItWaits : Statements::kTerminate;
  if (locked && !*locked) (void)Run({{&terminate, {process, since}}});
  connection_.reset();
  return Answer();
}

Error Writer::End() {
  const auto& tell = taken_over_ ? options_.when_taken_over : options_.when_not_as_left;
  if (tell) tell();
  return CannotGoOn();
}

Result<bool> Writer::Again() {
  const auto became = Reconnect();
  return became ? Result<bool>(became->has_value()) : Result<bool>(became.error());
}

Status Writer::Reached(std::int64_t number, Lease::Span begun) {
  Seen(number);
  durable_ = number;
  if (options_.node.lease) options_.node.lease->Proved(begun);
  return mark_ ? mark_->Raise(static_cast<std::uint64_t>(number)) : Status(Done{});
}

Error Writer::Over(const Rows& writer, bool lost) {
  (void)Resolve(writer);
  if (!IsAnothers(writer)) taken_over_ = !lost;
  const std::string epoch = Int8(epoch_), acked = Int8(durable_);
  if (lost && !IsAnothers(writer))
    (void)Run({{&SharedStatements::kRollback}, {&statements_.say_acked, {epoch, acked}}});
  return End();
}

// Known without the lock, too: an epoch never comes again.
bool Writer::IsAnothers(const Rows& rows) const {
  return rows.size() != 1 || OfInt8(rows.At(0, 0)) != epoch_;
}

Error Writer::CannotGoOn() const {
  return Error::Make(Code::kFailed, kLedgerFailed,
                     taken_over_
                         ? "another node has taken the ledger over"
                         : "the ledger is not as this registry left it: another has written there, or "
                           "the server lost what it had acknowledged");
}

Writer::Became Writer::Resolve(const Rows& rows) {
  if (IsAnothers(rows)) {
    // Who came behind this one began with all that it had acknowledged.
    taken_over_ = rows.size() == 1 && options_.node.lease && OfInt8(rows.At(0, 0)) > epoch_ &&
                  OfInt8(rows.At(0, 2)) >= durable_;
    return Became::kAnothers;
  }
  const std::int64_t there = OfInt8(rows.At(0, 1));
  // Others have moved it on, and shared_writer.h judges what they wrote.
  if (shared_) return Became::kNotDone;
  if (there == number_ + 1) return Became::kDone;
  if (there < durable_ || there > number_) return Became::kAnothers;
  number_ = there;  // what came behind it was written without waiting, and may be lost (Ledger::Advance)
  return Became::kNotDone;
}

}  // namespace registry::ledger
