#include "bridge/ledger/postgres/nodes.h"

#include <algorithm>

#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/mark.h"
#include "bridge/ledger/postgres/rights.h"
#include "bridge/ledger/postgres/schema_steps.h"
#include "bridge/ledger/postgres/statements.h"
#include "bridge/ledger/postgres/store.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Of the holder's lease: between two looks that are farther apart the server may have been away.
constexpr int kLookShare = 2;

LeaseSeen LeaseOf(const Rows& rows) {
  LeaseSeen seen;
  seen.epoch = OfInt8(rows.At(0, 0));
  seen.number = OfInt8(rows.At(0, 1));
  seen.began = OfInt8(rows.At(0, 2));
  seen.lasts = milliseconds(OfInt8(rows.At(0, 3)));
  seen.node = rows.At(0, 4);
  seen.version = rows.At(0, 5);
  seen.since = {OfInt8(rows.At(0, 6))};
  seen.said = {OfInt8(rows.At(0, 7))};
  seen.now = {OfInt8(rows.At(0, 8))};
  seen.process = static_cast<int>(OfInt8(rows.At(0, 9)));
  seen.process_since = OfInt8(rows.At(0, 10));
  seen.waits_for_the_server = OfInt8(rows.At(0, 11)) == 1;
  seen.tables = static_cast<std::uint64_t>(OfInt8(rows.At(0, 12)));
  seen.acked = OfInt8(rows.At(0, 13));
  seen.beats = OfInt8(rows.At(0, 14));
  seen.shared = OfInt8(rows.At(0, 15)) == 1;
  return seen;
}

std::vector<StandbySeen> StandbysOf(const Rows& rows) {
  std::vector<StandbySeen> all;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    StandbySeen one;
    one.name = rows.At(i, 0);
    one.version = rows.At(i, 1);
    one.reaches_broker = OfInt8(rows.At(i, 2)) == 1;
    one.since = {OfInt8(rows.At(i, 3))};
    one.said = {OfInt8(rows.At(i, 4))};
    one.tables = static_cast<std::uint64_t>(OfInt8(rows.At(i, 5)));
    all.push_back(std::move(one));
  }
  return all;
}

// What a node says of itself is not worth waiting for a synchronous standby.
const Statement kNoWait{"", "SELECT set_config('synchronous_commit', 'off', false)", {}};

}  // namespace

LeaseWatch::Says LeaseWatch::Look(const LeaseSeen& seen, Time now) {
  const bool leased = seen.lasts > milliseconds(0), left = had_holder_ && seen.process == 0;
  const milliseconds lasts = leased ? seen.lasts : milliseconds(kBeginWithin);
  if (seen.process == 0 && !was_away_ && (leased || !looked_)) return Says::kFree;
  had_holder_ = seen.process != 0;
  if (had_holder_) was_away_ = false;
  const bool regular = looked_ && now - *looked_ <= lasts / kLookShare;
  const std::int64_t moves = seen.shared ? seen.beats : seen.number;
  const bool moved = seen.epoch != epoch_ || moves != moves_;
  if (!regular || moved || left || seen.waits_for_the_server) moved_ = now;
  looked_ = now;
  epoch_ = seen.epoch;
  moves_ = moves;
  if (seen.process == 0) return now - moved_ >= lasts ? Says::kFree : Says::kHeld;
  if (!leased) return Says::kHeld;
  const bool began = seen.number != seen.began;
  const milliseconds allowed = began ? seen.lasts : std::max<milliseconds>(seen.lasts, kBeginWithin);
  return now - moved_ >= allowed ? Says::kOver : Says::kHeld;
}

milliseconds LeaseWatch::stood_still(Time now) const {
  return looked_ ? std::chrono::duration_cast<milliseconds>(now - moved_) : milliseconds(0);
}

class PostgresStandby::Impl {
 public:
  explicit Impl(PostgresOptions options) : options_(std::move(options)), statements_(options_.schema) {}

  // Null: it went; `why` says it.
  std::optional<std::vector<Rows>> Run(const std::vector<Request>& requests, std::string& why) {
    if (!connection_ && !Connect(why)) return std::nullopt;
    auto answers = connection_->Run(requests, steady_clock::now() + options_.answer_within);
    if (auto* const rows = std::get_if<std::vector<Rows>>(&answers)) return std::move(*rows);
    why = std::get<Failure>(answers).AsError("standing by").message;
    connection_.reset();
    return std::nullopt;
  }
  std::optional<LeaseSeen> Look(std::string& why) {
    const auto rows = Run({{&statements_.look_at_lease}}, why);
    if (!rows) return std::nullopt;
    if (rows->front().size() == 1) return LeaseOf(rows->front());
    why = "table writer has no row";
    return std::nullopt;
  }
  // False: it could not.
  bool Say(bool reaches_broker, std::string& why) {
    const std::string reaches = Int8(reaches_broker ? 1 : 0),
                      tables = Int8(static_cast<std::int64_t>(SchemaVersion()));
    return Run({{&statements_.say_standby, {options_.node.name, options_.node.version, reaches, tables}}},
               why)
        .has_value();
  }
  // Whether what this node knows to be acknowledged is there; `why` says what is not.
  bool HasAll(const LeaseSeen& seen, std::string& why) {
    if (options_.mark_file.empty()) return true;
    const Mark there{id_, static_cast<std::uint64_t>(seen.number)};
    if (!mark_) {
      const auto read = ReadMark(options_.mark_file);
      if (!read) return Refused(read.error(), why);
      marked_ = read->value_or(Mark{id_, 0});
      if (const auto written = *read ? Status(Done{}) : WriteMark(options_.mark_file, marked_); !written)
        return Refused(written.error(), why);
      auto file = MarkFile::Open(options_.mark_file, marked_);
      if (!file) return Refused(file.error(), why);
      mark_ = std::move(*file);
    }
    const auto acked = static_cast<std::uint64_t>(seen.acked);
    why = MissingOf(marked_, there, acked);
    if (!why.empty()) {
      why = "the ledger " + why + " (" + options_.mark_file + ")";
      mark_.reset();  // a person decides, and may write it anew
      return false;
    }
    if (acked <= marked_.synced) return true;
    marked_.synced = acked;
    const auto raised = mark_->Raise(acked);
    return raised ? true : Refused(raised.error(), why);
  }
  bool AnotherReachesTheBroker(UtcTime now) {
    std::string why;
    const auto rows = Run({{&statements_.list_standbys}}, why);
    return rows && std::ranges::any_of(StandbysOf(rows->front()), [&](const StandbySeen& one) {
             return one.name != options_.node.name && one.ReachesBroker(now);
           });
  }
  void End(const LeaseSeen& seen, std::string& why) {
    const std::string process = Int8(seen.process), since = Int8(seen.process_since);
    (void)Run({{&Statements::kTerminate, {process, since}}}, why);
  }
  void Forget() {
    std::string why;
    if (connection_) (void)Run({{&statements_.forget_standby, {options_.node.name}}}, why);
  }

 private:
  static bool Refused(const Error& error, std::string& why) {
    why = error.message;
    return false;
  }
  bool Connect(std::string& why) {
    // Tables of another release are no place to wait at.
    const auto store = PostgresStore::Open(options_, ReadPool::Sees::kOneMoment);
    if (!store) {
      why = store.error().symbol + ": " + store.error().message;
      return false;
    }
    const auto id = (*store)->Get(Column::kMeta, keys::kId);
    if (!id) return Refused(id.error(), why);
    id_ = id->value_or("");
    auto made = Connection::Open(options_, Connection::Server::kWritable);
    if (const auto* const failed = std::get_if<Failure>(&made)) {
      why = failed->AsError("standing by").message;
      return false;
    }
    connection_ = std::get<std::unique_ptr<Connection>>(std::move(made));
    const auto rows = Run({{&kNoWait}, {&kWithoutRights, {options_.schema}}}, why);
    if (!rows) return false;
    // Found out now, and not when the other one is gone.
    why = RightsMissing(options_.schema, (*rows)[1]);
    if (why.empty()) return true;
    connection_.reset();
    return false;
  }

  const PostgresOptions options_;
  const Statements statements_;
  std::unique_ptr<Connection> connection_;
  std::string id_;  // of the ledger
  Mark marked_;
  std::unique_ptr<MarkFile> mark_;  // null: not read yet
};

PostgresStandby::PostgresStandby(PostgresOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

PostgresStandby::~PostgresStandby() {
  if (!takes_it_) impl_->Forget();
}

PostgresStandby::Found PostgresStandby::Look(bool reaches_broker) {
  const auto seen = impl_->Look(why_);
  takes_it_ = false;
  if (!seen) {
    watch_.Missed();
    free_since_.reset();
    return Found::kAway;
  }
  seen_ = *seen;
  why_.clear();
  ended_one_ = false;
  const bool may = impl_->HasAll(seen_, why_);
  // Who will not take the ledger is no reason to give it up.
  std::string not_said;
  const bool said = impl_->Say(may && reaches_broker, not_said);
  if (may && !said) why_ = std::move(not_said);
  if (!may || !said) {
    watch_.Missed();
    free_since_.reset();
    return Found::kAway;
  }
  const auto says = watch_.Look(seen_, steady_clock::now());
  if (says == LeaseWatch::Says::kHeld) {
    free_since_.reset();
    return Found::kHeld;
  }
  if (LeavesIt(reaches_broker)) return Found::kLeft;
  takes_it_ = true;
  if (says == LeaseWatch::Says::kFree) return Found::kFree;
  // Its lock is free as soon as the server has ended it, which the start that follows waits for.
  impl_->End(seen_, why_);
  ended_one_ = true;
  return Found::kFree;
}

bool PostgresStandby::LeavesIt(bool reaches_broker) {
  const auto now = steady_clock::now();
  if (!free_since_) free_since_ = now;
  return !reaches_broker && now - *free_since_ < kLeftWithin && impl_->AnotherReachesTheBroker(seen_.now);
}

milliseconds PostgresStandby::stood_still() const { return watch_.stood_still(steady_clock::now()); }

namespace {

constexpr const char* kLooking = "looking at the nodes";

Result<NodesSeen> NodesOf(const std::vector<Rows>& rows) {
  if (rows[0].size() != 1) return Error::Make(Code::kFailed, kLedgerDamaged, "table writer has no row");
  NodesSeen seen{LeaseOf(rows[0]), StandbysOf(rows[1]), {}};
  for (std::size_t i = 0; i < rows[2].size(); ++i) seen.deciding.emplace_back(rows[2].At(i, 0));
  for (StandbySeen& one : seen.standing_by)
    one.deciding = std::ranges::find(seen.deciding, one.name) != seen.deciding.end();
  return seen;
}

Result<NodesSeen> NodesOf(const PostgresStore& store) {
  const auto rows = store.Nodes();
  return rows ? NodesOf(*rows) : Result<NodesSeen>(rows.error());
}

}  // namespace

Result<NodesSeen> NodesOfPostgres(const PostgresOptions& options) {
  if (auto sound = CheckPostgresOptions(options); !sound) return sound.error();
  const auto store = PostgresStore::Open(options, ReadPool::Sees::kOneMoment);
  return store ? NodesOf(**store) : Result<NodesSeen>(store.error());
}

Result<NodesSeen> NodesOfOpen(const Ledger& ledger) { return NodesOf(StoreOf(ledger)); }

class PostgresNodes::Impl {
 public:
  explicit Impl(PostgresOptions options) : options_(std::move(options)), statements_(options_.schema) {}

  Result<NodesSeen> Look() {
    if (!connection_) {
      // A standby of the server knows nothing of the lock.
      auto made = Connection::Open(options_, Connection::Server::kWritable);
      if (const auto* const failed = std::get_if<Failure>(&made)) return failed->AsError(kLooking);
      connection_ = std::get<std::unique_ptr<Connection>>(std::move(made));
    }
    const auto answers = connection_->Run(
        {{&statements_.look_at_lease}, {&statements_.list_standbys}, {&statements_.list_deciding}},
        steady_clock::now() + options_.answer_within);
    if (const auto* const rows = std::get_if<std::vector<Rows>>(&answers)) return NodesOf(*rows);
    connection_.reset();
    return std::get<Failure>(answers).AsError(kLooking);
  }

 private:
  const PostgresOptions options_;
  const Statements statements_;
  std::unique_ptr<Connection> connection_;
};

PostgresNodes::PostgresNodes(PostgresOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
PostgresNodes::~PostgresNodes() = default;

Result<NodesSeen> PostgresNodes::Look() { return impl_->Look(); }

}  // namespace registry::ledger
