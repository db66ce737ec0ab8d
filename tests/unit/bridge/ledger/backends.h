// tests/unit/bridge/ledger/backends.h: a test parameterised with this runs against every backend of the ledger.
#pragma once

#include <gtest/gtest.h>

#include "bridge/ledger/rocksdb/open.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::ledger {

enum class Backend { kMemory, kRocksDb };

inline std::unique_ptr<Ledger> OpenBackend(Backend backend, const samples::Folder& folder) {
  if (backend == Backend::kMemory) return OpenMemoryLedger();
  if (!std::filesystem::exists(folder.path())) {
    const auto made = CreateRocksDbLedger(folder.path());
    EXPECT_TRUE(made.ok()) << made.error().message;
  }
  RocksDbOptions options;
  options.folder = folder.path();
  auto ledger = OpenRocksDbLedger(options);
  if (ledger) return std::move(*ledger);
  ADD_FAILURE() << ledger.error().message;
  return nullptr;
}

class EveryBackend : public testing::TestWithParam<Backend> {
 protected:
  samples::Folder folder_;
  std::unique_ptr<Ledger> ledger_ = OpenBackend(GetParam(), folder_);
};

inline std::string BackendName(const testing::TestParamInfo<Backend>& info) {
  return info.param == Backend::kMemory ? "Memory" : "RocksDb";
}

inline const auto kEveryBackend = testing::Values(Backend::kMemory, Backend::kRocksDb);

}  // namespace registry::ledger
