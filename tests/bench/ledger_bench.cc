// Bench (b): synced commits of realistic changesets from 1, 8 and 32 threads that wait, beside a loop that appends as many
// octets to a file and calls fdatasync; and from one thread that does not wait, beside RocksDB alone, which is given the
// same keys and values, 128 changesets in a synced batch. All in the same run. A device is registered, then certified: two
// commits each, 17 keys and 5 KB on average. CPU is the whole process's.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <vector>

#include "bridge/ledger/keyed/synced_write.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/ledger/rocksdb/options.h"
#include "bridge/ledger/rocksdb/store.h"
#include "schemas/base/check.h"
#include "tests/bench/arguments.h"
#include "tests/bench/ledger_work.h"
#include "tests/bench/report.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace {

using namespace registry;
namespace samples = ledger::samples;
using bench::ChangesetsOf;
using bench::Clock;
using bench::Commits;
using bench::CommitsLater;
using bench::Measured;
using bench::ProcessSeconds;
using bench::SecondsSince;

constexpr std::size_t kRecordOctets = 3000;  // about what one commit leaves in the log
constexpr int kAppends = 1000;
constexpr std::uint64_t kLaterDevices = 8000;
constexpr std::uint64_t kBatchDevices = 64;  // of one batch of RocksDB alone: 128 changesets

double RawSyncsPerSecond(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  REG_CHECK(fd >= 0);
  const std::string record(kRecordOctets, 'r');
  const auto start = Clock::now();
  for (int i = 0; i < kAppends; ++i) {
    REG_CHECK(::write(fd, record.data(), record.size()) == static_cast<ssize_t>(record.size()));
    REG_CHECK(::fdatasync(fd) == 0);
  }
  const double rate = kAppends / SecondsSince(start);
  ::close(fd);
  return rate;
}

// What the ledger makes of changesets, in its order of keys, which is the one RocksDB takes best.
class Recorded final : public rocksdb::WriteBatch::Handler {
 public:
  explicit Recorded(const rocksdb::WriteBatch& batch) { REG_CHECK(batch.Iterate(this).ok()); }
  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    puts_.push_back({family, key.ToString(), value.ToString()});
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t family, const rocksdb::Slice& key) override {
    puts_.push_back({family, key.ToString(), std::nullopt});
    return rocksdb::Status::OK();
  }
  void GiveTo(rocksdb::WriteBatch& batch, const std::vector<rocksdb::ColumnFamilyHandle*>& families) const {
    for (const auto& put : puts_) {
      const auto done = put.value ? batch.Put(families[put.family], put.key, *put.value)
                                  : batch.Delete(families[put.family], put.key);
      REG_CHECK(done.ok());
    }
  }

 private:
  struct Put {
    std::uint32_t family;
    std::string key;
    std::optional<std::string> value;
  };
  std::vector<Put> puts_;
};

std::vector<Recorded> BatchesOf(std::uint64_t devices) {
  const samples::Folder folder;
  REG_CHECK(ledger::CreateRocksDbLedger(folder.path()).ok());
  const auto store = ledger::RocksDbStore::Open(folder.path(), {});
  REG_CHECK(store.ok());
  ledger::Live live;
  ledger::Trimmed trimmed;
  ledger::ReadAhead ahead(**store);
  ledger::RecentDevices recent(ahead);
  std::vector<Recorded> batches;
  for (std::uint64_t from = 0; from < devices; from += kBatchDevices) {
    std::deque<ledger::Encoded> encoded;
    ledger::SyncedWrite write(ahead, live, trimmed, recent);
    for (auto& changeset : ChangesetsOf(from, kBatchDevices))
      REG_CHECK(write.Add(encoded.emplace_back(std::move(changeset))).ok());
    rocksdb::WriteBatch batch;
    for (const auto& one : write.Seal().InOrder()) {
      auto* const family = (*store)->handle(one.column);
      using Act = ledger::OrderedWrites::Act;
      const auto done =
          one.act == Act::kPut ? batch.Put(family, one.key, one.value) : batch.Delete(family, one.key);
      REG_CHECK(done.ok() && one.act != Act::kDeleteRange);
    }
    write.Publish(live);
    batches.emplace_back(batch);
  }
  return batches;
}

// The ledger's own options; nothing is checked, encoded or hashed.
Measured RocksDbAlone(const std::string& path, std::uint64_t devices) {
  const auto batches = BatchesOf(devices);
  auto options = ledger::DatabaseOptions();
  options.create_if_missing = options.create_missing_column_families = true;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* opened = nullptr;
  REG_CHECK(rocksdb::DB::Open(options, path, ledger::ColumnDescriptors(), &families, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const auto start = Clock::now();
  const double cpu = ProcessSeconds();
  for (const auto& recorded : batches) {
    rocksdb::WriteBatch batch;
    recorded.GiveTo(batch, families);
    REG_CHECK(db->Write(synced, &batch).ok());
  }
  const auto commits = static_cast<double>(devices * 2);
  const Measured measured{commits / SecondsSince(start), (ProcessSeconds() - cpu) * 1e6 / commits};
  for (auto* family : families) REG_CHECK(db->DestroyColumnFamilyHandle(family).ok());
  return measured;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Arguments arguments("bench_ledger");
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  const samples::Folder folder;
  REG_CHECK(ledger::CreateRocksDbLedger(folder.path()).ok());
  auto opened = ledger::OpenRocksDbLedger({folder.path()});
  REG_CHECK(opened.ok());
  bench::Report report;
  std::uint64_t from = 0;
  for (const std::uint64_t threads : {1u, 8u, 32u}) {
    const double raw = RawSyncsPerSecond(folder.path("raw"));
    const std::uint64_t devices = threads == 1 ? 1000 : 8000 / threads;
    const auto measured = Commits(**opened, threads, devices, from);
    from += threads * devices;
    const std::string name = "ledger_commit_" + std::to_string(threads) + "_threads";
    report.Add(name, measured.commits_per_second, "commits/s", raw, "append + fdatasync, 1 thread",
               measured.commits_per_second / raw);
    report.AddAlone(name + "_cpu", measured.cpu_micros_per_commit, "us/commit");
  }
  const auto alone = RocksDbAlone(folder.path("alone"), kLaterDevices);
  const auto later = CommitsLater(**opened, kLaterDevices, from);
  report.Add("ledger_commit_later", later.commits_per_second, "commits/s", alone.commits_per_second,
             "RocksDB alone, 128 a batch", later.commits_per_second / alone.commits_per_second);
  report.Add("ledger_commit_later_cpu", later.cpu_micros_per_commit, "us/commit", alone.cpu_micros_per_commit,
             "RocksDB alone, 128 a batch", alone.cpu_micros_per_commit / later.cpu_micros_per_commit);
  return report.Write(arguments.json()) ? 0 : 1;
}
