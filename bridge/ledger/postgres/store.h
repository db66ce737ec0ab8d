// bridge/ledger/postgres/store.h: the ledger's tables as a Store (keyed/store.h).
// Private to this folder. Owns: its connections. Threads: as keyed/store.h says.
#pragma once

#include <memory>

#include "bridge/ledger/postgres/member_session.h"
#include "bridge/ledger/postgres/read_pool.h"
#include "bridge/ledger/postgres/shared_writer.h"
#include "bridge/ledger/postgres/writer.h"

namespace registry::ledger {

class PostgresStore final : public Store {
 public:
  // A ledger of this release; to be written when `sees` is kNow. It becomes the only one that writes.
  static Result<std::unique_ptr<PostgresStore>> Open(const PostgresOptions& options, ReadPool::Sees sees);
  // As a member of those that write (members.h).
  static Result<std::unique_ptr<PostgresStore>> Join(const PostgresOptions& options);
  // For schema.cc and records.cc: whatever is in the tables.
  static Result<std::unique_ptr<PostgresStore>> OpenUnjudged(const PostgresOptions& options,
                                                             ReadPool::Sees sees);

  Result<Stored> Get(Column column, const std::string& key) const override;
  using Store::Scan;
  Status Scan(Column column, const std::string& from, const std::string& to, const Visitor& visit,
              std::size_t limit) const override;
  Result<std::optional<std::pair<std::string, std::string>>> Last(Column column) const override;
  Status Write(OrderedWrites& writes, bool sync) override;
  bool IsFar() const override { return true; }
  // Of options.shared, and of a member: from the first call on in place of Write.
  SharedWrites* shared() override;
  Result<std::vector<Stored>> GetAll(const std::vector<Place>& places) const override;
  void Load() { writer_->Become(Transaction::Kind::kLoading); }
  Status PassMarks() { return writer_->PassMarks(); }
  Status GiveUp() { return writer_->GiveUp(); }
  // What a member's memory is read from.
  Result<std::unique_ptr<PostgresStore>> MomentToJoin();
  // Up to which the writer before knew all to be safe.
  Result<std::uint64_t> Acked() const;
  // Where options have a mark file: it says what is there now.
  Status MakeMark(const PostgresOptions& options);
  // The ledger is that of the mark and has what it says (kLedgerDamaged), which is raised with
  // every write from now on.
  Status KeepMark(const PostgresOptions& options);
  Result<Mark> MarkOfNow() const;
  // Who has the ledger, and who waits for it (nodes.h).
  Result<std::vector<Rows>> Nodes() const {
    return reads_.Run(
        {{&statements_.look_at_lease}, {&statements_.list_standbys}, {&statements_.list_deciding}},
        "looking at the nodes");
  }
  // Of the opening for writing, or of the one that was joined; else 0.
  std::int64_t Epoch() const { return writer_ ? writer_->epoch() : member_ ? member_->epoch() : 0; }
  const MemberSession* member() const { return member_.get(); }  // null: it is none
  std::shared_ptr<const Written> written() const { return written_; }
  std::uint64_t LastWrite() const { return writer_ ? static_cast<std::uint64_t>(writer_->number()) : 0; }

 private:
  explicit PostgresStore(const PostgresOptions& options, ReadPool::Sees sees)
      : options_(options), statements_(options.schema), reads_(options, sees, statements_, *written_) {}
  Result<Rows> Read(const Statement& statement, std::vector<std::string_view> params, Column column) const;

  const PostgresOptions options_;
  const Statements statements_;
  const std::shared_ptr<Written> written_ = std::make_shared<Written>();
  const ReadPool reads_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<MemberSession> member_;
  std::int64_t joined_at_ = 0;  // the number of the moment that the member's memory was read from
  std::unique_ptr<SharedWriter> shared_;
};

// What this ledger is kept in, which is this backend.
const PostgresStore& StoreOf(const Ledger& ledger);

}  // namespace registry::ledger
