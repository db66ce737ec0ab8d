// tests/unit/bridge/ledger/backends.h: a test parameterised with this runs against every backend of the ledger. That of
// PostgreSQL needs a server, which the test program starts; CMakeLists.txt makes a test of its own of those.
#pragma once

#include <gtest/gtest.h>

#include "bridge/ledger/postgres/members.h"
#include "bridge/ledger/rocksdb/open.h"
#include "tests/support/test_postgres.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::ledger {

// kMember: of PostgreSQL, beside another one that has the ledger.
enum class Backend { kMemory, kRocksDb, kPostgres, kMember };

inline std::unique_ptr<Ledger> Opened(Result<std::unique_ptr<Ledger>> ledger) {
  if (ledger) return std::move(*ledger);
  ADD_FAILURE() << ledger.error().message;
  return nullptr;
}

inline std::unique_ptr<Ledger> OpenRocks(const samples::Folder& folder) {
  if (!std::filesystem::exists(folder.path())) {
    const auto made = CreateRocksDbLedger(folder.path());
    EXPECT_TRUE(made.ok()) << made.error().message;
  }
  RocksDbOptions options;
  options.folder = folder.path();
  return Opened(OpenRocksDbLedger(options));
}

inline PostgresOptions PostgresOf(const samples::Folder& folder) {
  return test::PostgresOptionsFor(test::SharedPostgres(), folder.path());
}

inline std::unique_ptr<Ledger> OpenPostgres(const samples::Folder& folder) {
  const auto options = PostgresOf(folder);
  const auto made = MigratePostgresLedger(options);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return Opened(OpenPostgresLedger(options));
}

inline PostgresOptions SharedOf(const samples::Folder& folder) {
  auto options = PostgresOf(folder);
  options.shared = true;
  return options;
}

// Which lets others join.
inline std::unique_ptr<Ledger> OpenShared(const samples::Folder& folder) {
  const auto options = SharedOf(folder);
  const auto made = MigratePostgresLedger(options);
  EXPECT_TRUE(made.ok()) << made.error().message;
  auto ledger = Opened(OpenPostgresLedger(options));
  const auto admitted = Members(options, *ledger).Admit();
  EXPECT_TRUE(admitted.ok()) << admitted.error().message;
  return ledger;
}

inline std::unique_ptr<Ledger> OpenBackend(Backend backend, const samples::Folder& folder) {
  if (backend == Backend::kMemory) return OpenMemoryLedger();
  if (backend == Backend::kMember) return Opened(JoinPostgresLedger(SharedOf(folder)));
  return backend == Backend::kRocksDb ? OpenRocks(folder) : OpenPostgres(folder);
}

class EveryBackend : public testing::TestWithParam<Backend> {
 protected:
  samples::Folder folder_;
  std::unique_ptr<Ledger> beside_ = GetParam() == Backend::kMember ? OpenShared(folder_) : nullptr;
  std::unique_ptr<Ledger> ledger_ = OpenBackend(GetParam(), folder_);
};

inline std::string BackendName(const testing::TestParamInfo<Backend>& info) {
  switch (info.param) {
    case Backend::kMemory:
      return "Memory";
    case Backend::kRocksDb:
      return "RocksDb";
    case Backend::kMember:
      return "PostgresMember";
    default:
      return "Postgres";
  }
}

inline const auto kEveryBackend = testing::Values(Backend::kMemory, Backend::kRocksDb, Backend::kPostgres);
inline const auto kEveryBackendAndMember =
    testing::Values(Backend::kMemory, Backend::kRocksDb, Backend::kPostgres, Backend::kMember);

}  // namespace registry::ledger
