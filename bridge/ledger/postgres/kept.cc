#include "bridge/ledger/postgres/kept.h"

#include "bridge/ledger/postgres/owner.h"
#include "bridge/ledger/postgres/store.h"
#include "schemas/base/mutex.h"

namespace registry::ledger {
namespace {

Statement ReadFrom(const std::string& schema) {
  return {"", "SELECT record FROM " + Quoted(schema) + ".kept WHERE key = $1", {kByteaOid}};
}

Result<std::optional<std::string>> ReadOver(Lasting& connection, const Statement& read,
                                            const std::string& name) {
  const auto answers = connection.Run({{&read, {name}}});
  if (const auto* const failed = std::get_if<Failure>(&answers)) return failed->AsError("reading " + name);
  const Rows& rows = std::get<std::vector<Rows>>(answers).front();
  if (rows.size() == 0) return std::optional<std::string>();
  return std::optional(std::string(rows.At(0, 0)));
}

class ReadKept final : public KeptState {
 public:
  explicit ReadKept(const PostgresOptions& options) : read_(ReadFrom(options.schema)), connection_(options) {}
  Result<std::optional<std::string>> Read(const std::string& name) const override {
    const MutexLock lock(mutex_);
    return ReadOver(connection_, read_, name);
  }
  Status Write(const std::string& name, std::string_view) override {
    return Error::Make(Code::kFailed, kLedgerInUse, name + " is written by who has the ledger open");
  }

 private:
  const Statement read_;
  mutable Mutex mutex_;
  mutable Lasting connection_ GUARDED_BY(mutex_);
};

class PostgresKept final : public KeptState {
 public:
  PostgresKept(const PostgresOptions& options, const Ledger& of)
      : schema_(options.schema),
        read_(ReadFrom(schema_)),
        write_{"",
               WithOwner(schema_) + "INSERT INTO " + Quoted(schema_) +
                   ".kept (key, record) SELECT $2, $3 FROM owner ON CONFLICT (key) DO UPDATE SET record = "
                   "excluded.record",
               {kInt8Oid, kByteaOid, kByteaOid}},
        connection_(options, WrittenOf(of)) {}

  Status Own(const Ledger& of) {
    if (StoreOf(of).member() != nullptr) return Done{};  // it reads only
    const MutexLock lock(mutex_);
    const auto epoch = TakeOwnership(connection_, schema_, of);
    if (!epoch) return epoch.error();
    epoch_ = *epoch;
    return Done{};
  }

  Result<std::optional<std::string>> Read(const std::string& name) const override {
    const MutexLock lock(mutex_);
    return ReadOver(connection_, read_, name);
  }

  Status Write(const std::string& name, std::string_view text) override {
    const MutexLock lock(mutex_);
    const std::string epoch = Int8(epoch_);
    const auto answers = connection_.Run({{&write_, {epoch, name, text}}});
    if (const auto* const failed = std::get_if<Failure>(&answers)) return failed->AsError("keeping " + name);
    if (std::get<std::vector<Rows>>(answers).front().changed() != 1) return NotTheOwner();
    return Done{};
  }

 private:
  const std::string schema_;
  const Statement read_, write_;
  mutable Mutex mutex_;
  mutable Lasting connection_ GUARDED_BY(mutex_);
  std::int64_t epoch_ GUARDED_BY(mutex_) = 0;
};

}  // namespace

Result<std::unique_ptr<KeptState>> OpenPostgresKept(const PostgresOptions& options, const Ledger& of) {
  auto kept = std::make_unique<PostgresKept>(options, of);
  if (auto owned = kept->Own(of); !owned) return owned.error();
  return std::unique_ptr<KeptState>(std::move(kept));
}

std::unique_ptr<KeptState> ReadPostgresKept(const PostgresOptions& options) {
  return std::make_unique<ReadKept>(options);
}

Status ForgetPostgresKept(const PostgresOptions& options) {
  const Statement forget{"", "DELETE FROM " + Quoted(options.schema) + ".kept", {}};
  const auto answers = Lasting(options).Run({{&forget}});
  const auto* const failed = std::get_if<Failure>(&answers);
  return failed != nullptr ? Status(failed->AsError("forgetting what is kept")) : Status(Done{});
}

}  // namespace registry::ledger
