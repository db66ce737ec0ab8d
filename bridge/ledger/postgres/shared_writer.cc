#include "bridge/ledger/postgres/shared_writer.h"

#include <algorithm>
#include <iterator>

#include "bridge/ledger/postgres/members.h"
#include "bridge/ledger/postgres/pause.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kPrunedTogether = 1000;
constexpr std::chrono::seconds kLongAfter{1};

std::string Millis(milliseconds time) { return Int8(time.count()); }

// After which the connection goes on.
bool LeavesTheConnection(const Failure& failure) {
  return !failure.lost && (failure.Is("55P03") || failure.IsOfClass("40") || failure.IsOfClass("53"));
}

}  // namespace

SharedWriter::SharedWriter(const PostgresOptions& options, const Statements& statements,
                           WritingSession& session, std::int64_t seen)
    : options_(options),
      statements_(statements),
      shared_(options.schema),
      session_(session),
      epoch_(Int8(session.epoch())),
      member_(Int8(session.member())),
      lock_within_(Millis(kLockedWithin)),
      still_at_most_(Millis(session.member() == 0 ? milliseconds(0) : milliseconds(kHeldAtMost))),
      waiting_at_least_(Millis(kHeldAtMost)),
      seen_(seen),
      reached_(session.member() == 0 ? seen : 0) {}

Answers SharedWriter::Run(const std::vector<Request>& requests) {
  return session_.connection()->Run(requests, steady_clock::now() + options_.answer_within);
}

Result<bool> SharedWriter::Connected() {
  if (session_.connection() != nullptr) return true;
  auto again = session_.Again();
  if (!again) return again;
  if (*again) {
    new_connection_ = true;
  } else {
    why_ = "the server cannot be reached";
  }
  return again;
}

Status SharedWriter::After(const Failure& failure) {
  why_ = failure.message;
  if (!failure.MayPass()) {
    session_.Drop();
    return failure.AsError("committing");
  }
  options_.log.Debug("a transaction was cut off: " + failure.message);
  if (!LeavesTheConnection(failure)) {
    session_.Drop();
    return Done{};
  }
  session_.connection()->PrepareAnew();
  std::vector<Request> requests = {{&SharedStatements::kRollback}, {&SharedStatements::kForgetPrepared}};
  if (failure.Is("55P03")) requests.push_back({&shared_.end_waiting, {waiting_at_least_}});
  if (std::holds_alternative<Failure>(Run(requests))) session_.Drop();
  return Done{};
}

std::optional<Error> SharedWriter::IsOver(const Rows& writer, const Rows* member) {
  const bool ended = member != nullptr && OfInt8(member->At(0, 0)) == 0;
  const bool is_ours = writer.size() == 1 && OfInt8(writer.At(0, 0)) == session_.epoch();
  const std::int64_t there = is_ours ? OfInt8(writer.At(0, 1)) : 0;
  if (is_ours && !ended && there >= seen_) return std::nullopt;
  auto over = session_.Over(writer, is_ours && there < reached_);
  session_.Drop();
  return over;
}

std::string SharedWriter::From() const { return Int8(new_connection_ && last_ ? seen_ : seen_ + 1); }

SharedWriter::Tried<std::vector<SharedWriter::Told>> SharedWriter::ToldIn(const Rows& first,
                                                                          const Rows& writer) {
  using Nothing = std::optional<std::vector<Told>>;
  std::vector<Told> told;
  const auto take = [&](const Rows& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      told.push_back({OfInt8(rows.At(i, 0)), OfInt8(rows.At(i, 1)), std::string(rows.At(i, 2))});
    return rows.size() == static_cast<std::size_t>(kChangesRead);
  };
  for (bool more = take(first); more;) {
    const std::string from = Int8(told.back().number + 1);
    const auto answers = Run({{&shared_.changes_from, {from}}});
    if (const auto* const failed = std::get_if<Failure>(&answers)) {
      if (auto after = After(*failed); !after) return after.error();
      return Nothing();
    }
    more = take(std::get<std::vector<Rows>>(answers).front());
  }
  if (auto judged = Judge(told, writer); !judged) {
    session_.Drop();
    return judged.error();
  }
  new_connection_ = false;
  return Nothing(std::move(told));
}

Status SharedWriter::Judge(std::vector<Told>& told, const Rows& writer) {
  if (new_connection_ && last_) {
    if (told.empty() || told.front() != *last_) return session_.Over(writer, last_->number <= reached_);
    told.erase(told.begin());
  }
  std::int64_t next = seen_;
  for (const Told& one : told) {
    if (one.number != ++next) break;
  }
  const bool whole = told.empty() ? next == OfInt8(writer.At(0, 1))
                                  : told.back().number == next && next >= OfInt8(writer.At(0, 1));
  if (whole) return Done{};
  return Error::Make(Code::kFailed, kLedgerFailed,
                     "what others have written behind transaction " + std::to_string(seen_) +
                         " is told no longer, so the ledger has to be read anew");
}

SharedWriter::Tried<SharedWriter::Standing> SharedWriter::TryToStand(
    const std::vector<Store::Place>& wanted) {
  using Nothing = std::optional<Standing>;
  const auto connected = Connected();
  if (!connected) return connected.error();
  if (!*connected) return Nothing();
  const bool is_member = session_.member() != 0;
  const std::string from = From();
  const Questions questions(statements_, wanted);
  std::vector<Request> requests = {{&Statements::kBegin},
                                   {&SharedStatements::kBounds, {lock_within_, still_at_most_}},
                                   {&shared_.take_writer}};
  if (is_member) requests.push_back({&shared_.is_member, {member_}});
  requests.push_back({&shared_.changes_from, {from}});
  const std::size_t asked = requests.size();
  requests.insert(requests.end(), questions.requests().begin(), questions.requests().end());
  begun_ = Lease::Now();
  const auto answers = Run(requests);
  if (const auto* const failed = std::get_if<Failure>(&answers)) {
    if (auto after = After(*failed); !after) return after.error();
    return Nothing();
  }
  const auto& rows = std::get<std::vector<Rows>>(answers);
  const Rows& writer = rows[2];
  if (auto over = IsOver(writer, is_member ? &rows[3] : nullptr)) return *over;
  auto told = ToldIn(rows[asked - 1], writer);
  if (!told) return told.error();
  if (!*told) return Nothing();
  return Nothing(Standing{std::move(**told), questions.Of(rows, asked)});
}

// Who has not looked for long has much to read, for which the others need not wait.
Result<SharedWrites::Entered> SharedWriter::Enter(const std::vector<Store::Place>& wanted) {
  Changes changes;
  if (steady_clock::now() - looked_ > kLongAfter) {
    auto seen = TryToLook();
    if (!seen) return seen.error();
    if (*seen) changes = std::move(**seen);
  }
  for (const auto until = steady_clock::now() + options_.retry_for;;) {
    auto standing = TryToStand(wanted);
    if (!standing) return standing.error();
    if (*standing) {
      auto more = Noted(std::move((**standing).told));
      std::ranges::move(more, std::back_inserter(changes));
      return Entered{std::move(changes), std::move((**standing).stored)};
    }
    if (steady_clock::now() >= until) return GivenUp();
    PauseBetweenAttempts();
  }
}

SharedWrites::Changes SharedWriter::Noted(std::vector<Told> told) {
  Changes changes;
  for (Told& one : told) {
    changes.push_back(one.record);
    seen_ = one.number;
    last_ = std::move(one);
  }
  if (!changes.empty()) session_.Seen(seen_);
  looked_ = steady_clock::now();
  return changes;
}

Result<std::optional<std::vector<Store::Stored>>> SharedWriter::Ask(const std::vector<Store::Place>& wanted) {
  using Nothing = std::optional<std::vector<Store::Stored>>;
  const Questions questions(statements_, wanted);
  const auto answers = Run(questions.requests());
  if (const auto* const rows = std::get_if<std::vector<Rows>>(&answers))
    return Nothing(questions.Of(*rows, 0));
  if (auto after = After(std::get<Failure>(answers)); !after) return after.error();
  if (IsCutOffForLong()) return GivenUp();
  return Nothing();
}

bool SharedWriter::IsCutOffForLong() {
  const auto now = steady_clock::now();
  if (!cut_off_) cut_off_ = now;
  return now - *cut_off_ > options_.retry_for;
}

Status SharedWriter::Leave() {
  cut_off_.reset();
  const auto answers = Run({{&SharedStatements::kRollback}});
  if (std::holds_alternative<Failure>(answers)) session_.Drop();
  return Done{};
}

Result<bool> SharedWriter::Write(OrderedWrites& writes, const std::string& change) {
  const Told mine{seen_ + 1, session_.member(), change};
  const Lease::Span begun = begun_;
  const auto failed = Send(writes, mine);
  if (!failed) {
    writes.Clear();
    cut_off_.reset();
    return CameBack(mine, begun);
  }
  options_.log.Warning("transaction " + std::to_string(mine.number) + " was cut off: " + failed->message);
  if (auto after = After(*failed); !after) return after.error();
  if (session_.connection() == nullptr) {
    const auto there = Settle(mine, steady_clock::now() + options_.retry_for);
    if (!there) return there;
    if (*there) {
      writes.Clear();
      cut_off_.reset();
      return CameBack(mine, begun);
    }
  } else {
    PauseBetweenAttempts();  // the server is in trouble, and is not helped by the same at once
  }
  if (IsCutOffForLong()) return GivenUp();
  return false;
}

std::optional<Failure> SharedWriter::Send(OrderedWrites& writes, const Told& mine) {
  const Transaction families(statements_, writes);
  const std::string number = Int8(mine.number), acked = Int8(reached_),
                    forgotten = Int8(mine.number - kChangesKept);
  std::vector<Request> requests = families.requests();
  requests.push_back({&shared_.tell, {number, member_, mine.record}});
  const bool is_member = mine.member != 0;
  const bool prunes = !is_member && mine.number - kChangesKept - pruned_ >= kPrunedTogether;
  if (prunes) requests.push_back({&shared_.prune, {forgotten}});
  requests.push_back(is_member ? Request{&shared_.step_of_member, {epoch_, number}}
                               : Request{&shared_.step, {epoch_, number, acked}});
  requests.push_back({&Statements::kCommit});
  auto answers = Run(requests);
  if (auto* const failed = std::get_if<Failure>(&answers)) return std::move(*failed);
  if (auto warned = session_.connection()->Warned()) return warned;
  if (prunes) pruned_ = mine.number - kChangesKept;
  return std::nullopt;
}

Result<bool> SharedWriter::CameBack(const Told& mine, Lease::Span begun) {
  seen_ = reached_ = mine.number;
  last_ = mine;
  const auto reached = session_.Reached(seen_, begun);
  return reached ? Result<bool>(true) : Result<bool>(reached.error());
}

Result<bool> SharedWriter::Settle(const Told& mine, Time until) {
  for (;;) {
    const auto there = TryToSettle(mine);
    if (!there) return there.error();
    if (*there) {
      options_.log.Warning("transaction " + std::to_string(mine.number) +
                           (**there ? " is in the ledger" : " is not in the ledger, and is made anew"));
      return **there;
    }
    if (steady_clock::now() >= until) return GivenUp();
    PauseBetweenAttempts();
  }
}

SharedWriter::Tried<bool> SharedWriter::TryToSettle(const Told& mine) {
  using Nothing = std::optional<bool>;
  const auto standing = TryToStand({});
  if (!standing) return standing.error();
  if (!*standing) return Nothing();
  const auto& told = (**standing).told;
  if (told.empty() || told.front() != mine) {
    if (std::holds_alternative<Failure>(Run({{&SharedStatements::kRollback}}))) session_.Drop();
    return Nothing(false);
  }
  const auto answers = Run({{&shared_.confirm, {epoch_}}, {&Statements::kCommit}});
  auto failed = std::holds_alternative<Failure>(answers) ? std::optional(std::get<Failure>(answers))
                                                         : session_.connection()->Warned();
  if (!failed) return Nothing(true);
  if (auto after = After(*failed); !after) return after.error();
  return Nothing();
}

SharedWriter::Tried<SharedWrites::Changes> SharedWriter::TryToLook() {
  using Nothing = std::optional<Changes>;
  const auto connected = Connected();
  if (!connected) return connected.error();
  if (!*connected) return Nothing();
  const bool is_member = session_.member() != 0;
  const std::string from = From();
  std::vector<Request> requests = {{&shared_.see_writer}};
  if (is_member) requests.push_back({&shared_.is_member, {member_}});
  requests.push_back({&shared_.changes_from, {from}});
  const auto answers = Run(requests);
  if (const auto* const failed = std::get_if<Failure>(&answers)) {
    if (auto after = After(*failed); !after) return after.error();
    return Nothing();
  }
  const auto& rows = std::get<std::vector<Rows>>(answers);
  if (auto over = IsOver(rows[0], is_member ? &rows[1] : nullptr)) return *over;
  auto told = ToldIn(rows.back(), rows[0]);
  if (!told) return told.error();
  if (!*told) return Nothing();
  return Nothing(Noted(std::move(**told)));
}

Result<SharedWrites::Changes> SharedWriter::Look(Patience patience) {
  const bool once = patience == Patience::kOnce;
  if (once && session_.connection() == nullptr) {
    const auto now = steady_clock::now();
    if (tried_ && now - *tried_ < kTryAgainAfter) return Changes{};
    tried_ = now;
  }
  for (const auto until = steady_clock::now() + options_.retry_for;;) {
    auto seen = TryToLook();
    if (!seen) return seen.error();
    if (*seen) return std::move(**seen);
    if (once) return Changes{};
    if (steady_clock::now() >= until) return GivenUp();
    PauseBetweenAttempts();
  }
}

Error SharedWriter::GivenUp() const {
  return Error::Make(Code::kFailed, kLedgerFailed, "committing: " + why_);
}

}  // namespace registry::ledger
