// tests/unit/bridge/ingest/intake_places.h: an intake at each place where one may be: in a folder, in a table of this
// program's memory that fails when it is told to, in a server of PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "bridge/ingest/ledger_intake.h"
#include "bridge/ledger/postgres/intake.h"
#include "schemas/base/mutex.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_postgres.h"

namespace registry::ingest {

class TableInMemory final : public ledger::IntakeTable {
 public:
  Status Visit(const std::function<void(Row row)>& visit) const override {
    for (const auto& [key, octets] : rows()) {
      if (!key.starts_with('m')) visit({key, octets});
    }
    return Done{};
  }
  // As another node would have appended them while this one has the ledger; their keys begin with 'm'.
  void PutOf(std::int64_t member, const Row& row) {
    const MutexLock lock(mutex_);
    rows_[row.key] = row.octets;
    members_[member].insert(row.key);
  }
  Status VisitOf(std::int64_t member, const std::function<void(Row row)>& visit) const override {
    std::vector<Row> of_member;
    bool fails = false;
    {
      const MutexLock lock(mutex_);
      fails = fails_;
      const auto keys = members_.find(member);
      if (keys == members_.end()) return Done{};
      for (const auto& key : keys->second) of_member.push_back({key, rows_.at(key)});
    }
    for (Row& row : of_member) {
      visit(std::move(row));
      if (fails) return Gone();
    }
    return Done{};
  }
  std::string NewKey() override {
    const MutexLock lock(mutex_);
    const std::string number = std::to_string(++last_);
    return std::string(20 - number.size(), '0') + number;
  }
  Status Append(const std::vector<Row>& rows) override {
    MutexLock lock(mutex_);
    ++appends_;
    while (held_) changed_.Wait(lock);
    if (fails_) return Gone();
    for (const Row& row : rows) rows_[row.key] = row.octets;
    return Done{};
  }
  Status Erase(const std::vector<std::string>& keys) override {
    const MutexLock lock(mutex_);
    ++erases_;
    if (fails_) return Gone();
    for (const auto& key : keys) rows_.erase(key);
    return Done{};
  }

  void Fail(bool fails) {
    const MutexLock lock(mutex_);
    fails_ = fails;
  }
  void Hold(bool held) {  // every append waits
    const MutexLock lock(mutex_);
    held_ = held;
    changed_.NotifyAll();
  }
  int appends() const {
    const MutexLock lock(mutex_);
    return appends_;
  }
  int erases() const {
    const MutexLock lock(mutex_);
    return erases_;
  }
  std::map<std::string, std::string> rows() const {
    const MutexLock lock(mutex_);
    return rows_;
  }

 private:
  static Error Gone() { return Error::Make(Code::kFailed, ledger::kLedgerFailed, "the server is gone"); }

  mutable Mutex mutex_;
  CondVar changed_;
  std::map<std::string, std::string> rows_ GUARDED_BY(mutex_);
  std::map<std::int64_t, std::set<std::string>> members_ GUARDED_BY(mutex_);
  std::uint64_t last_ GUARDED_BY(mutex_) = 0;
  int appends_ GUARDED_BY(mutex_) = 0, erases_ GUARDED_BY(mutex_) = 0;
  bool fails_ GUARDED_BY(mutex_) = false, held_ GUARDED_BY(mutex_) = false;
};

enum class Place { kFolder, kMemory, kPostgres };

class IntakeAtEveryPlace : public testing::TestWithParam<Place> {
 protected:
  // The one that was open is closed.
  Intake& Open() {
    Close();
    if (GetParam() == Place::kFolder) {
      IntakeOptions options;
      options.folder = folder_.In("intake");
      options.bytes_max = bytes_max_;
      options.key = key_;
      Take(Intake::Open(options));
    } else {
      LedgerIntakeOptions options;
      options.bytes_max = bytes_max_;
      options.key = key_;
      Take(OpenLedgerIntake(Table(), options, nullptr));
    }
    return *intake_;
  }
  void Close() {
    intake_.reset();
    table_.reset();
    ledger_.reset();
  }

  std::size_t bytes_max_ = 1u << 20;
  Bytes key_{};

 private:
  void Take(Result<std::unique_ptr<Intake>> opened) {
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    intake_ = std::move(*opened);
  }
  ledger::IntakeTable& Table() {
    if (GetParam() == Place::kMemory) return memory_;
    OpenInPostgres();
    return *table_;
  }
  void OpenInPostgres() {
    const auto options = test::PostgresOptionsFor(test::SharedPostgres(), folder_.In("intake"));
    ASSERT_TRUE(ledger::MigratePostgresLedger(options).ok());
    auto opened = ledger::OpenPostgresLedger(options);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ledger_ = std::move(*opened);
    auto table = ledger::OpenPostgresIntake(options, *ledger_);
    ASSERT_TRUE(table.ok()) << table.error().message;
    table_ = std::move(*table);
  }

  test::TemporaryFolder folder_;
  TableInMemory memory_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<ledger::IntakeTable> table_;
  std::unique_ptr<Intake> intake_;
};

inline std::string PlaceName(const testing::TestParamInfo<Place>& info) {
  return info.param == Place::kFolder ? "Folder" : info.param == Place::kMemory ? "Memory" : "Postgres";
}

}  // namespace registry::ingest
