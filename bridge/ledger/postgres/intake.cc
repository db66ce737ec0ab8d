#include "bridge/ledger/postgres/intake.h"

#include <algorithm>
#include <atomic>

#include "bridge/ledger/postgres/members.h"
#include "bridge/ledger/postgres/owner.h"
#include "bridge/ledger/postgres/store.h"

namespace registry::ledger {
namespace {

// Of one answer, which has to come within answer_within: rows, and octets of all rows but the last one.
constexpr std::int64_t kIntakeRowsRead = 1000, kIntakeOctetsRead = std::int64_t{1} << 20;
// What was erased is erased again by the next start, should the server be away.
constexpr std::chrono::milliseconds kEraseWithin{5000};
// A key's second half: who appended it, and the how manieth row of that one it is.
constexpr int kOwnRowBits = 40;

std::string KeyOf(std::int64_t epoch, std::int64_t member, std::int64_t row) {
  return Int8(epoch) + Int8(member << kOwnRowBits | row);
}

struct IntakeStatements {
  explicit IntakeStatements(const std::string& schema) {
    const std::string of = Quoted(schema) + ".";
    // A row that is there is written anew: the answer then says of it, too, that a standby has it.
    const auto append_with = [&](const std::string& with) {
      return with + "INSERT INTO " + of +
             "intake (key, record) SELECT n.key, n.record FROM owner, unnest($2, $3) AS n (key, record) "
             "ON CONFLICT (key) DO UPDATE SET record = excluded.record";
    };
    const std::vector<Oid> appended = {kInt8Oid, kByteaArrayOid, kByteaArrayOid};
    append = {"append_intake", append_with(WithOwner(schema)), appended};
    append_of_member = {"append_intake_of_member", append_with(WithMember(schema)), appended};
    erase = {"erase_intake", "DELETE FROM " + of + "intake WHERE key = ANY($1)", {kByteaArrayOid}};
    const auto page = [&](const std::string& where) {
      return "SELECT key, record FROM (SELECT key, record, sum(octet_length(record)) OVER (ORDER BY key) - "
             "octet_length(record) AS before FROM (SELECT key, record FROM " +
             of + "intake WHERE " + where +
             " ORDER BY key LIMIT $2) AS next) AS page WHERE before < $3 ORDER BY key";
    };
    after = {"intake_after", page("key > $1"), {kByteaOid, kInt8Oid, kInt8Oid}};
    between = {"intake_between", page("key > $1 AND key < $4"), {kByteaOid, kInt8Oid, kInt8Oid, kByteaOid}};
    count = {"", "SELECT count(*) FROM " + of + "intake", {}};
  }
  Statement append, append_of_member, erase, after, between, count;
};

PostgresOptions WaitingAtMost(PostgresOptions options, std::chrono::milliseconds most) {
  options.retry_for = std::min(options.retry_for, most);
  return options;
}

class PostgresIntake final : public IntakeTable {
 public:
  PostgresIntake(const PostgresOptions& options, const Ledger& of)
      : statements_(options.schema),
        appends_(options, WrittenOf(of)),
        visits_(options, WrittenOf(of)),
        erases_(WaitingAtMost(options, kEraseWithin), WrittenOf(of)) {}

  Status Own(const std::string& schema, const Ledger& of);  // first of all
  Status Visit(const std::function<void(Row row)>& visit) const override;
  Status VisitOf(std::int64_t member, const std::function<void(Row row)>& visit) const override;
  std::string NewKey() override { return KeyOf(epoch_, member_, ++last_); }
  Status Append(const std::vector<Row>& rows) override;
  Status Erase(const std::vector<std::string>& keys) override;

 private:
  // From behind a key, up to another; empty: to the end.
  static Status VisitFrom(Lasting& connection, const IntakeStatements& statements, std::string after,
                          const std::string& to, const std::function<void(Row row)>& visit);

  const IntakeStatements statements_;
  std::int64_t epoch_ = 0, member_ = 0;
  std::atomic<std::int64_t> last_{0};
  mutable Lasting appends_;
  mutable Mutex mutex_;
  mutable Lasting visits_ GUARDED_BY(mutex_);
  Lasting erases_;
};

Status PostgresIntake::Own(const std::string& schema, const Ledger& of) {
  member_ = MemberNumber(of);
  if (member_ != 0) {
    epoch_ = StoreOf(of).Epoch();
    return Done{};
  }
  const auto epoch = TakeOwnership(appends_, schema, of);
  if (!epoch) return epoch.error();
  epoch_ = *epoch;
  return Done{};
}

Status PostgresIntake::Visit(const std::function<void(Row row)>& visit) const {
  return member_ != 0 ? VisitOf(member_, visit) : VisitFrom(appends_, statements_, "", "", visit);
}

Status PostgresIntake::VisitOf(std::int64_t member, const std::function<void(Row row)>& visit) const {
  const MutexLock lock(mutex_);
  return VisitFrom(visits_, statements_, KeyOf(epoch_, member, 0), KeyOf(epoch_, member + 1, 0), visit);
}

Status PostgresIntake::VisitFrom(Lasting& connection, const IntakeStatements& statements, std::string after,
                                 const std::string& to, const std::function<void(Row row)>& visit) {
  const std::string rows_most = Int8(kIntakeRowsRead), octets_most = Int8(kIntakeOctetsRead);
  for (;;) {
    const auto answers = to.empty()
                             ? connection.Run({{&statements.after, {after, rows_most, octets_most}}})
                             : connection.Run({{&statements.between, {after, rows_most, octets_most, to}}});
    if (const auto* const failed = std::get_if<Failure>(&answers))
      return failed->AsError("reading the intake");
    const Rows& rows = std::get<std::vector<Rows>>(answers).front();
    if (rows.size() == 0) return Done{};
    for (std::size_t i = 0; i < rows.size(); ++i)
      visit({std::string(rows.At(i, 0)), std::string(rows.At(i, 1))});
    after = rows.At(rows.size() - 1, 0);
  }
}

Status PostgresIntake::Append(const std::vector<Row>& rows) {
  if (rows.empty()) return Done{};
  std::vector<std::string_view> keys, records;
  for (const Row& row : rows) {
    keys.push_back(row.key);
    records.push_back(row.octets);
  }
  const std::string who = Int8(member_ != 0 ? member_ : epoch_), key_array = ArrayOf(keys),
                    record_array = ArrayOf(records);
  const Statement& append = member_ != 0 ? statements_.append_of_member : statements_.append;
  // One statement outside of BEGIN and COMMIT is a transaction, whose end is in the answer to the whole.
  const auto answers = appends_.Run({{&append, {who, key_array, record_array}}});
  if (const auto* const failed = std::get_if<Failure>(&answers)) return failed->AsError("keeping a message");
  if (std::get<std::vector<Rows>>(answers).front().changed() != rows.size()) return NotTheOwner();
  return Done{};
}

Status PostgresIntake::Erase(const std::vector<std::string>& keys) {
  if (keys.empty()) return Done{};
  const std::string array = ArrayOf({keys.begin(), keys.end()});
  const auto answers = erases_.Run(
      {{&Statements::kBegin}, {&Statements::kNoSync}, {&statements_.erase, {array}}, {&Statements::kCommit}});
  const auto* const failed = std::get_if<Failure>(&answers);
  return failed != nullptr ? Status(failed->AsError("erasing what is decided")) : Status(Done{});
}

}  // namespace

Result<std::unique_ptr<IntakeTable>> OpenPostgresIntake(const PostgresOptions& options, const Ledger& of) {
  auto intake = std::make_unique<PostgresIntake>(options, of);
  if (auto owned = intake->Own(options.schema, of); !owned) return owned.error();
  return std::unique_ptr<IntakeTable>(std::move(intake));
}

Result<std::uint64_t> CountPostgresIntake(const PostgresOptions& options) {
  auto made = Connection::Open(options, Connection::Server::kAny);
  if (const auto* const failed = std::get_if<Failure>(&made)) return failed->AsError("counting the intake");
  const IntakeStatements statements(options.schema);
  const auto answers = std::get<std::unique_ptr<Connection>>(made)->Run(
      {{&statements.count}}, std::chrono::steady_clock::now() + options.answer_within);
  if (const auto* const failed = std::get_if<Failure>(&answers))
    return failed->AsError("counting the intake");
  return static_cast<std::uint64_t>(OfInt8(std::get<std::vector<Rows>>(answers).front().At(0, 0)));
}

}  // namespace registry::ledger
