#include "bridge/ledger/postgres/members.h"

#include "bridge/ledger/keyed/keyed_ledger.h"
#include "bridge/ledger/postgres/owner.h"
#include "bridge/ledger/postgres/pause.h"
#include "bridge/ledger/postgres/shared_statements.h"
#include "bridge/ledger/postgres/store.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

PostgresOptions TriedOnce(PostgresOptions options) {
  options.retry_for = milliseconds(0);
  return options;
}

}  // namespace

Result<std::unique_ptr<Ledger>> JoinPostgresLedger(const PostgresOptions& options) {
  if (auto sound = CheckPostgresOptions(options); !sound) return sound.error();
  if (auto there = CheckPostgresLedger(options); !there) return there.error();
  auto store = PostgresStore::Join(options);
  if (!store) return store.error();
  const auto moment = (*store)->MomentToJoin();
  if (!moment) return moment.error();
  return KeyedLedger::Join(std::move(*store), **moment, {options.waiting_commits_max, options.batch_max});
}

std::int64_t MemberNumber(const Ledger& ledger) {
  const MemberSession* const member = StoreOf(ledger).member();
  return member == nullptr ? 0 : member->member();
}

// Whoever cannot commit is to be ended: what is in its intake waits for a decision.
Status SayMember(const Ledger& ledger) {
  const auto no_member = [](const char* why) { return Error::Make(Code::kFailed, kLedgerInUse, why); };
  const MemberSession* const member = StoreOf(ledger).member();
  if (member == nullptr) return no_member("this ledger was not joined");
  if (dynamic_cast<const KeyedLedger&>(ledger).failed())
    return no_member("the ledger has failed, and has to be joined anew");
  return member->Say();
}

class Members::Impl {
 public:
  Impl(const PostgresOptions& options, const Ledger& ledger)
      : retry_for_(options.retry_for),
        statements_(options.schema),
        epoch_(Int8(StoreOf(ledger).Epoch())),
        connection_(options, WrittenOf(ledger)),
        once_(TriedOnce(options), WrittenOf(ledger)) {}

  Status Admit() {
    const auto answers = connection_.Run({{&Statements::kBegin},
                                          {&statements_.take_writer},
                                          {&statements_.admit, {epoch_}},
                                          {&statements_.lock_earlier, {epoch_}},
                                          {&statements_.end_earlier, {epoch_}},
                                          {&Statements::kCommit}});
    if (const auto* const failed = std::get_if<Failure>(&answers)) return failed->AsError("admitting others");
    if (std::get<std::vector<Rows>>(answers)[2].size() == 1) return Done{};
    return NotTheOwner();
  }
  Result<std::vector<MemberSeen>> Look() {
    const auto answers = connection_.Run({{&statements_.list_members, {epoch_}}});
    if (const auto* const failed = std::get_if<Failure>(&answers))
      return failed->AsError("looking at the members");
    const Rows& rows = std::get<std::vector<Rows>>(answers).front();
    std::vector<MemberSeen> all;
    for (std::size_t i = 0; i < rows.size(); ++i)
      all.push_back({OfInt8(rows.At(i, 0)), std::string(rows.At(i, 1)), std::string(rows.At(i, 2)),
                     OfInt8(rows.At(i, 3)), OfInt8(rows.At(i, 4)) == 1});
    return all;
  }
  // Behind what the member writes just now. One that hangs meanwhile would be waited for: its process of the server is
  // ended.
  Status End(std::int64_t number) {
    const std::string of = Int8(number), within = Int8(kLockedWithin.count()), never = Int8(0),
                      still = Int8(milliseconds(kHeldAtMost).count());
    for (const auto until = steady_clock::now() + retry_for_;;) {
      const auto answers = once_.Run({{&Statements::kBegin},
                                      {&SharedStatements::kBounds, {within, never}},
                                      {&statements_.take_writer},
                                      {&statements_.lock_member, {of}},
                                      {&statements_.end_member, {of}},
                                      {&Statements::kCommit}});
      const auto* const failed = std::get_if<Failure>(&answers);
      if (failed == nullptr) return Done{};
      if (!failed->MayPass() || steady_clock::now() >= until) return failed->AsError("ending a member");
      (void)once_.Run({{&statements_.end_waiting, {still}}});
      PauseBetweenAttempts();
    }
  }
  Status Forget(std::int64_t number) {
    const std::string of = Int8(number);
    const auto answers = connection_.Run({{&statements_.forget_member, {of}}});
    const auto* const failed = std::get_if<Failure>(&answers);
    return failed != nullptr ? Status(failed->AsError("forgetting a member")) : Status(Done{});
  }

 private:
  const milliseconds retry_for_;
  const SharedStatements statements_;
  const std::string epoch_;
  Lasting connection_;
  Lasting once_;
};

Members::Members(const PostgresOptions& options, const Ledger& ledger)
    : impl_(std::make_unique<Impl>(options, ledger)) {}
Members::~Members() = default;

Status Members::Admit() { return impl_->Admit(); }
Result<std::vector<MemberSeen>> Members::Look() { return impl_->Look(); }
Status Members::End(std::int64_t number) { return impl_->End(number); }
Status Members::Forget(std::int64_t number) { return impl_->Forget(number); }

}  // namespace registry::ledger
