#include "bridge/ledger/postgres/member_session.h"

#include <algorithm>

namespace registry::ledger {
namespace {

using std::chrono::steady_clock;

// Whoever says that it lives says so again.
constexpr std::chrono::milliseconds kSaidWithin{2500};
// What it says of itself is not worth waiting for a synchronous standby.
const Statement kSoon{"", "SELECT set_config('synchronous_commit', 'off', true)", {}};
const Statement kSince{"",
                       "SELECT (extract(epoch FROM backend_start) * 1000000)::int8 FROM pg_stat_activity "
                       "WHERE pid = pg_backend_pid()",
                       {}};

PostgresOptions SayingSoon(PostgresOptions options) {
  options.retry_for = std::min(options.retry_for, kSaidWithin);
  options.answer_within = std::min(options.answer_within, kSaidWithin);
  return options;
}

Error NoMember() { return Error::Make(Code::kFailed, kLedgerInUse, "this node is a member no longer"); }

}  // namespace

MemberSession::MemberSession(const PostgresOptions& options, std::shared_ptr<Written> written)
    : options_(options),
      statements_(options.schema),
      written_(std::move(written)),
      says_(SayingSoon(options), written_) {}

Result<std::unique_ptr<MemberSession>> MemberSession::Join(const PostgresOptions& options,
                                                           const std::shared_ptr<Written>& written) {
  std::unique_ptr<MemberSession> member(new MemberSession(options, written));
  if (const auto failed = member->Connect()) return failed->AsError("joining the ledger");
  const auto& of = member->statements_;
  const auto answers = member->connection_->Run({{&Statements::kBegin},
                                                 {&of.take_writer},
                                                 {&of.join, {options.node.name, options.node.version}},
                                                 {&Statements::kCommit}},
                                                steady_clock::now() + options.answer_within);
  if (const auto* const failed = std::get_if<Failure>(&answers)) return failed->AsError("joining the ledger");
  if (const auto warned = member->connection_->Warned()) return warned->AsError("joining the ledger");
  const Rows& row = std::get<std::vector<Rows>>(answers)[2];
  if (row.size() != 1)
    return Error::Make(Code::kFailed, kLedgerInUse, "nobody has the ledger who lets others commit beside it");
  member->number_ = OfInt8(row.At(0, 0));
  member->epoch_ = OfInt8(row.At(0, 1));
  return member;
}

std::optional<Failure> MemberSession::Connect() {
  auto made = Connection::Open(options_, Connection::Server::kWritable);
  if (auto* const failed = std::get_if<Failure>(&made)) return std::move(*failed);
  auto connection = std::get<std::unique_ptr<Connection>>(std::move(made));
  // The server's process of before may hold up the others, and this one as well, for a client that is gone.
  const std::string process = Int8(process_), since = Int8(since_);
  auto answers = connection->Run({{&SharedStatements::kTerminateUnlessItWaits, {process, since}}, {&kSince}},
                                 steady_clock::now() + options_.answer_within);
  if (auto* const failed = std::get_if<Failure>(&answers)) return std::move(*failed);
  process_ = connection->process();
  since_ = OfInt8(std::get<std::vector<Rows>>(answers)[1].At(0, 0));
  written_->server = connection->server();
  connection_ = std::move(connection);
  return std::nullopt;
}

Result<bool> MemberSession::Again() {
  const auto failed = Connect();
  if (!failed) return true;
  if (!failed->MayPass()) return failed->AsError("committing");
  options_.log.Debug("no connection yet: " + failed->message);
  return false;
}

Status MemberSession::Reached(std::int64_t number, Lease::Span) {
  Seen(number);
  reached_ = number;
  return Done{};
}

// What it acknowledged and the server lacks, the others are to know: the active one need not have seen it.
Error MemberSession::Over(const Rows&, bool lost) {
  const std::string epoch = Int8(epoch_), acked = Int8(reached_);
  if (lost)
    (void)connection_->Run({{&SharedStatements::kRollback}, {&statements_.say_acked, {epoch, acked}}},
                           steady_clock::now() + options_.answer_within);
  if (options_.when_taken_over) options_.when_taken_over();
  return NoMember();
}

Status MemberSession::Say() const {
  const std::string number = Int8(number_);
  const MutexLock lock(mutex_);
  const Lease::Span begun = Lease::Now();
  const auto answers =
      says_.Run({{&Statements::kBegin}, {&kSoon}, {&statements_.say, {number}}, {&Statements::kCommit}});
  if (const auto* const failed = std::get_if<Failure>(&answers))
    return failed->AsError("saying that it is there");
  if (std::get<std::vector<Rows>>(answers)[2].size() != 1) return NoMember();
  if (options_.node.lease) options_.node.lease->Proved(begun);
  return Done{};
}

}  // namespace registry::ledger
