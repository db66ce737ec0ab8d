#include "bridge/ledger/rocksdb/options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "bridge/ledger/keyed/store.h"

namespace registry::ledger {
namespace {

constexpr std::string_view kForgetful = "events";
constexpr std::size_t kFirstColumns = 15;  // families that every format has; the later ones follow

std::shared_ptr<rocksdb::TableFactory> Tables() {
  static const auto cache = rocksdb::NewLRUCache(64u << 20);
  rocksdb::BlockBasedTableOptions tables;
  tables.block_cache = cache;
  // Most questions are for what is not there (is this event new, is this EID free): answered without reading
  // a block.
  tables.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  tables.format_version = 5;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(tables));
}

rocksdb::ColumnFamilyOptions ColumnOptions() {
  rocksdb::ColumnFamilyOptions options;
  options.table_factory = Tables();
  options.write_buffer_size = 32u << 20;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  options.memtable_whole_key_filtering = true;  // the same question while the answer is still in memory
  // Young records are hot, and mostly signatures, hashes and keys, which do not shrink.
  options.compression = rocksdb::kNoCompression;
  options.bottommost_compression = rocksdb::kLZ4Compression;
  return options;
}

// Event marks come in no order of time, so a day of them leaves graves everywhere. Tables that are full of them are written
// anew soon, or the space would come back only when what is above grows into them.
rocksdb::ColumnFamilyOptions ForgetfulOptions() {
  constexpr std::size_t kWindow = 4096, kGraves = 2048;  // entries
  rocksdb::ColumnFamilyOptions options = ColumnOptions();
  options.table_properties_collector_factories = {
      rocksdb::NewCompactOnDeletionCollectorFactory(kWindow, kGraves)};
  return options;
}

}  // namespace

rocksdb::DBOptions DatabaseOptions(LogLine line) {
  rocksdb::DBOptions options;
  options.paranoid_checks = true;
  // A torn record at the end of the log is what power loss leaves of a write nobody was told about, and is
  // dropped. Damage before that is the loss of something acknowledged: point-in-time recovery would forget it
  // and everything after it in silence, so this mode, which refuses to open, is the honest one.
  options.wal_recovery_mode = kRecovery;
  // A log that is missing as a whole is noticed as well; but for the newest, which the mark knows of (mark.h).
  options.track_and_verify_wals_in_manifest = true;
  options.allow_concurrent_memtable_write = false;  // one committer; saves the bookkeeping for many
  options.enable_write_thread_adaptive_yield = false;
  options.max_open_files = -1;  // required by readers beside a running registry
  options.max_background_jobs = 2;
  options.db_write_buffer_size = 128u << 20;
  options.max_total_wal_size = 256u << 20;
  options.info_log = NewInfoLog(std::move(line));
  return options;
}

std::vector<std::string> FirstColumns() {
  return {kColumnNames.begin(), kColumnNames.begin() + kFirstColumns};
}

std::vector<rocksdb::ColumnFamilyDescriptor> ColumnDescriptors(const std::vector<std::string>& present) {
  auto columns = ColumnDescriptors();
  std::erase_if(columns, [&](const rocksdb::ColumnFamilyDescriptor& column) {
    return std::find(present.begin(), present.end(), column.name) == present.end();
  });
  return columns;
}

std::vector<rocksdb::ColumnFamilyDescriptor> ColumnDescriptors() {
  std::vector<rocksdb::ColumnFamilyDescriptor> columns;
  columns.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  for (const char* name : kColumnNames) {
    columns.emplace_back(name, std::string_view(name) == kForgetful ? ForgetfulOptions() : ColumnOptions());
  }
  return columns;
}

}  // namespace registry::ledger
