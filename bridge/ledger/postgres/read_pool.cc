#include "bridge/ledger/postgres/read_pool.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kReadAgainAfter{200};

Error OneMomentGone(const std::string& doing) {
  return Error::Make(Code::kFailed, kLedgerFailed,
                     doing + ": the connection was lost, and its moment with it");
}

}  // namespace

Result<ReadPool::Answered> ReadPool::Ask(const std::vector<Request>& requests,
                                         const std::string& doing) const {
  for (const auto until = steady_clock::now() + options_.retry_for;;) {
    auto made = Take();
    std::optional<Failure> failed;
    if (auto* const connection = std::get_if<std::unique_ptr<Connection>>(&made)) {
      if (requests.empty()) return Answered{std::move(*connection), {}};
      auto answers = (*connection)->Run(requests, Deadline());
      if (auto* const rows = std::get_if<std::vector<Rows>>(&answers))
        return Answered{std::move(*connection), std::move(*rows)};
      failed = std::get<Failure>(std::move(answers));
      connection->reset();
      GiveBack(nullptr);
    } else {
      failed = std::get<Failure>(std::move(made));
    }
    if (sees_ == Sees::kOneMoment || !failed->MayPass() || steady_clock::now() >= until)
      return failed->AsError(doing);
    Pause();
  }
}

Result<std::vector<Rows>> ReadPool::Run(const std::vector<Request>& requests,
                                        const std::string& doing) const {
  auto answered = Ask(requests, doing);
  if (!answered) return answered.error();
  GiveBack(std::move(answered->connection));
  return std::move(answered->rows);
}

// A pool of one moment has begun it with its connection.
Result<ReadPool::Moment> ReadPool::Begin(const std::string& doing) const {
  std::vector<Request> begin;
  if (sees_ == Sees::kNow) begin.push_back({&Statements::kBeginMoment});
  auto answered = Ask(begin, doing);
  if (!answered) return answered.error();
  return Moment(*this, std::move(answered->connection));
}

Result<std::vector<Rows>> ReadPool::Moment::Run(const std::vector<Request>& requests,
                                                const std::string& doing) {
  if (!connection_) return OneMomentGone(doing);
  auto answers = connection_->Run(requests, pool_->Deadline());
  if (auto* const rows = std::get_if<std::vector<Rows>>(&answers)) return std::move(*rows);
  connection_.reset();
  pool_->GiveBack(nullptr);
  pool_ = nullptr;
  return std::get<Failure>(answers).AsError(doing);
}

ReadPool::Moment::~Moment() {
  if (pool_ == nullptr || !connection_) return;
  const bool ends = pool_->sees_ == Sees::kNow;
  if (ends) {
    const auto ended = connection_->Run({{&Statements::kCommit}}, pool_->Deadline());
    if (std::holds_alternative<Failure>(ended)) connection_.reset();
  }
  pool_->GiveBack(std::move(connection_));
}

ReadPool::Made ReadPool::Take() const {
  auto kept = TakeKept();
  auto* const connection = std::get_if<std::unique_ptr<Connection>>(&kept);
  if (connection == nullptr || *connection) return kept;
  auto made = Make();
  if (std::holds_alternative<Failure>(made)) GiveBack(nullptr);
  return made;
}

ReadPool::Made ReadPool::TakeKept() const {
  const std::size_t most = sees_ == Sees::kOneMoment ? 1 : std::max<std::size_t>(options_.readers, 1);
  std::vector<std::unique_ptr<Connection>> outdated;  // closed behind the lock
  MutexLock lock(mutex_);
  const bool came = given_back_.WaitFor(lock, options_.retry_for,
                                        [&]() REQUIRES(mutex_) { return !idle_.empty() || count_ < most; });
  if (!came) return Failure{true, "", "every connection is in use"};
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (IsOfTheWriter(*connection)) return connection;
    outdated.push_back(std::move(connection));
    --count_;
  }
  if (sees_ == Sees::kOneMoment && begun_) return Failure{false, "", "the connection was lost"};
  begun_ = true;
  ++count_;
  return std::unique_ptr<Connection>();
}

ReadPool::Made ReadPool::Make() const {
  // A standby may show an earlier state, on which nothing may be decided; one moment of it is a moment, though.
  const auto wanted = sees_ == Sees::kNow ? Connection::Server::kWritable : Connection::Server::kAny;
  auto made = Connection::Open(options_, wanted);
  auto* const connection = std::get_if<std::unique_ptr<Connection>>(&made);
  if (connection == nullptr) return made;
  if (sees_ == Sees::kNow) {
    if (auto lacks = Lacks(**connection)) return std::move(*lacks);
    return made;
  }
  auto begun = (*connection)->Run({{&Statements::kBeginMoment}}, Deadline());
  if (auto* const failed = std::get_if<Failure>(&begun)) return std::move(*failed);
  return made;
}

bool ReadPool::IsOfTheWriter(const Connection& connection) const {
  return sees_ == Sees::kOneMoment || connection.server() == written_.server;
}

std::optional<Failure> ReadPool::Lacks(Connection& connection) const {
  if (IsOfTheWriter(connection)) return std::nullopt;
  const std::int64_t acknowledged = written_.number;
  auto answers = connection.Run({{&statements_.look_at_writer}}, Deadline());
  if (auto* const failed = std::get_if<Failure>(&answers)) return std::move(*failed);
  const Rows& row = std::get<std::vector<Rows>>(answers).front();
  if (row.size() == 1 && OfInt8(row.At(0, 1)) >= acknowledged) return std::nullopt;
  return Failure{true, "", "the server lacks what another one acknowledged"};
}

void ReadPool::GiveBack(std::unique_ptr<Connection> connection) const {
  if (connection && !IsOfTheWriter(*connection)) connection.reset();
  {
    const MutexLock lock(mutex_);
    if (connection) {
      idle_.push_back(std::move(connection));
    } else {
      --count_;
    }
  }
  given_back_.NotifyOne();
}

void ReadPool::Pause() const {
  MutexLock lock(mutex_);
  given_back_.WaitFor(lock, kReadAgainAfter);
}

}  // namespace registry::ledger
