#include "bridge/ledger/postgres/store.h"

#include <algorithm>

#include "bridge/ledger/keyed/keyed_ledger.h"
#include "bridge/ledger/postgres/questions.h"
#include "bridge/ledger/postgres/schema.h"
#include "schemas/base/check.h"

namespace registry::ledger {
namespace {

constexpr std::size_t kRowsMax = 1000;  // of one answer: a bound on memory

std::string Doing(Column column) { return "reading " + std::string(NameOf(column)); }

// What one answer holds is visited; whether more is wanted, and from where.
class Visited {
 public:
  Visited(const Store::Visitor& visit, std::string from, std::size_t limit)
      : visit_(visit), from_(std::move(from)), left_(limit) {}

  std::size_t Next() const { return std::min(left_, kRowsMax); }
  const std::string& from() const { return from_; }
  Result<bool> Take(const Rows& rows, std::size_t asked) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto more = visit_(rows.At(i, 0), rows.At(i, 1));
      if (!more || !*more) return more;
    }
    if (rows.size() < asked) return false;
    left_ -= asked;
    from_ = rows.At(rows.size() - 1, 0);
    from_ += '\0';
    return left_ > 0;
  }

 private:
  const Store::Visitor& visit_;
  std::string from_;
  std::size_t left_;
};

}  // namespace

Result<std::unique_ptr<PostgresStore>> PostgresStore::OpenUnjudged(const PostgresOptions& options,
                                                                   ReadPool::Sees sees) {
  std::unique_ptr<PostgresStore> store(new PostgresStore(options, sees));
  if (sees == ReadPool::Sees::kOneMoment) return store;
  auto writer = Writer::Open(options, store->statements_, *store->written_);
  if (!writer) return writer.error();
  store->writer_ = std::move(*writer);
  return store;
}

Result<std::unique_ptr<PostgresStore>> PostgresStore::Join(const PostgresOptions& options) {
  std::unique_ptr<PostgresStore> store(new PostgresStore(options, ReadPool::Sees::kNow));
  auto member = MemberSession::Join(options, store->written_);
  if (!member) return member.error();
  store->member_ = std::move(*member);
  return store;
}

// What is committed behind it is in table `changes`, since the member was admitted before.
Result<std::unique_ptr<PostgresStore>> PostgresStore::MomentToJoin() {
  auto moment = Open(options_, ReadPool::Sees::kOneMoment);
  if (!moment) return moment;
  const auto rows = (*moment)->Read(statements_.look_at_writer, {}, Column::kMeta);
  if (!rows) return rows.error();
  joined_at_ = rows->size() == 1 ? OfInt8(rows->At(0, 1)) : 0;
  return moment;
}

SharedWrites* PostgresStore::shared() {
  if (shared_) return shared_.get();
  if (member_) {
    shared_ = std::make_unique<SharedWriter>(options_, statements_, *member_, joined_at_);
  } else if (writer_ && options_.shared) {
    writer_->Share();
    shared_ = std::make_unique<SharedWriter>(options_, statements_, *writer_, writer_->number());
  }
  return shared_.get();
}

Result<std::unique_ptr<PostgresStore>> PostgresStore::Open(const PostgresOptions& options,
                                                           ReadPool::Sees sees) {
  auto store = OpenUnjudged(options, sees);
  if (!store) return store;
  if (auto fits = CheckSchema(**store, options); !fits) return fits.error();
  return store;
}

Result<Rows> PostgresStore::Read(const Statement& statement, std::vector<std::string_view> params,
                                 Column column) const {
  auto answers = reads_.Run({{&statement, std::move(params)}}, Doing(column));
  if (!answers) return answers.error();
  return std::move(answers->front());
}

Result<Store::Stored> PostgresStore::Get(Column column, const std::string& key) const {
  const auto rows = Read(statements_.Of(column).get, {key}, column);
  if (!rows) return rows.error();
  return rows->size() == 0 ? Stored() : Stored(rows->At(0, 0));
}

Result<std::vector<Store::Stored>> PostgresStore::GetAll(const std::vector<Place>& places) const {
  const Questions questions(statements_, places);
  if (places.empty()) return std::vector<Stored>();
  const auto answers = reads_.Run(questions.requests(), "reading");
  if (!answers) return answers.error();
  return questions.Of(*answers, 0);
}

// What fits into one answer is of one moment by itself. What does not is read in a transaction of one.
Status PostgresStore::Scan(Column column, const std::string& from, const std::string& to,
                           const Visitor& visit, std::size_t limit) const {
  std::optional<ReadPool::Moment> moment;
  if (limit > kRowsMax && reads_.sees() == ReadPool::Sees::kNow) {
    auto begun = reads_.Begin(Doing(column));
    if (!begun) return begun.error();
    moment.emplace(std::move(*begun));
  }
  const auto& of = statements_.Of(column);
  Visited visited(visit, from, limit);
  for (bool more = limit > 0; more;) {
    const std::size_t asked = visited.Next();
    const std::string count = Int8(static_cast<std::int64_t>(asked));
    const Request request = to.empty() ? Request{&of.scan_to_end, {visited.from(), count}}
                                       : Request{&of.scan, {visited.from(), to, count}};
    const auto answers =
        moment ? moment->Run({request}, Doing(column)) : reads_.Run({request}, Doing(column));
    if (!answers) return answers.error();
    const auto taken = visited.Take(answers->front(), asked);
    if (!taken) return taken.error();
    more = *taken;
  }
  return Done{};
}

Result<std::optional<std::pair<std::string, std::string>>> PostgresStore::Last(Column column) const {
  const auto rows = Read(statements_.Of(column).last, {}, column);
  if (!rows) return rows.error();
  std::optional<std::pair<std::string, std::string>> last;
  if (rows->size() == 1) last.emplace(rows->At(0, 0), rows->At(0, 1));
  return last;
}

Status PostgresStore::Write(OrderedWrites& writes, bool sync) {
  if (writer_) return writer_->Write(writes, sync);
  return Error::Make(Code::kFailed, kLedgerFailed, "this ledger was opened for reading");
}

const PostgresStore& StoreOf(const Ledger& ledger) {
  const auto* const keyed = dynamic_cast<const KeyedLedger*>(&ledger);
  const auto* const store = keyed == nullptr ? nullptr : dynamic_cast<const PostgresStore*>(&keyed->store());
  REG_CHECK(store != nullptr);
  return *store;
}

}  // namespace registry::ledger
