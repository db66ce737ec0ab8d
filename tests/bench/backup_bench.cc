// Bench (j): backup, check, restore, export and import of a registry with 1,000,000 devices (`--devices N`: another
// number): how long each takes and how large it is, beside a plain copy of the same files; and how long a commit waits at
// most while a checkpoint is made. bench_move is the move to PostgreSQL.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <semaphore>
#include <thread>

#include "bridge/clock.h"
#include "bridge/ctl/backup.h"
#include "bridge/ctl/ledger_lines.h"
#include "bridge/ctl/registry_folder.h"
#include "bridge/ledger/rocksdb/open.h"
#include "schemas/base/check.h"
#include "tests/bench/arguments.h"
#include "tests/bench/lived_devices.h"
#include "tests/bench/report.h"
#include "tests/support/temporary_folder.h"

namespace {

using namespace registry;
namespace fs = std::filesystem;
namespace samples = ledger::samples;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kUsual = 1'000'000;
constexpr std::uint64_t kCommits = 3000;  // of one who waits for each

double Seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

// The longest wait of one who commits one after the other.
class Waiter {
 public:
  explicit Waiter(ledger::Ledger& ledger, std::uint64_t from) {
    thread_ = std::thread([this, &ledger, from] {
      for (std::uint64_t i = from; !stopping_; ++i) {
        const auto start = Clock::now();
        REG_CHECK(ledger.Commit(samples::Registration(i)).ok());
        longest_ = std::max(longest_.load(), Seconds(start));
        committed_.release();
      }
    });
  }
  double StopAfter(std::uint64_t commits) {
    for (std::uint64_t i = 0; i < commits; ++i) committed_.acquire();
    return Stop();
  }
  double Stop() {
    stopping_ = true;
    thread_.join();
    return longest_;
  }

 private:
  std::atomic<bool> stopping_{false};
  std::atomic<double> longest_{0};
  std::counting_semaphore<> committed_{0};
  std::thread thread_;
};

double Megabytes(const std::string& path) {
  std::uintmax_t octets = 0;
  if (fs::is_regular_file(path)) return static_cast<double>(fs::file_size(path)) / 1e6;
  for (const auto& file : fs::recursive_directory_iterator(path))
    octets += file.is_regular_file() ? file.file_size() : 0;
  return static_cast<double>(octets) / 1e6;
}

template <class Call>
double Timed(Call call) {
  const auto start = Clock::now();
  call();
  return Seconds(start);
}

// What a checkpoint has: files that are not written to any more.
void Sizes(const test::TemporaryFolder& folder, ledger::Ledger& ledger, bench::Report& report) {
  REG_CHECK(ledger::MakeCheckpoint(ledger, folder.In("point")).ok());
  report.AddAlone("size_rocksdb", Megabytes(folder.In("point")), "MB");
  fs::remove_all(folder.In("point"));
}

void Export(const test::TemporaryFolder& folder, bench::Report& report) {
  const double exported = Timed([&] {
    std::ofstream lines(folder.In("lines"));
    REG_CHECK(
        ctl::ExportLines({{folder.In("r/ledger"), {}}, folder.In("s"), "bench", SystemClock().Now()}, lines)
            .ok());
  });
  report.AddAlone("export_size", Megabytes(folder.In("lines")), "MB");
  report.AddAlone("export_made", exported, "s");
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t wanted = kUsual;
  bench::Arguments arguments("bench_backup");
  arguments.app().add_option("--devices", wanted, "(1000000)")->check(CLI::PositiveNumber);
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  const test::TemporaryFolder folder;
  bench::Report report;
  const SystemClock clock;
  REG_CHECK(ctl::CreateFolder({folder.In("r"), "iotregistry.test", {"localhost"}, clock.Now()}).ok());
  std::uint64_t devices = 0;
  {
    auto ledger = ledger::OpenRocksDbLedger({folder.In("r/ledger")});
    REG_CHECK(ledger.ok());
    devices = bench::FillLived(**ledger, wanted);
    report.AddAlone("backup_devices", static_cast<double>(devices), "devices");
    Sizes(folder, **ledger, report);
  }
  {
    auto ledger = ledger::OpenRocksDbLedger({folder.In("r/ledger")});
    REG_CHECK(ledger.ok());
    Waiter before(**ledger, devices);
    report.AddAlone("backup_commit_longest_before", before.StopAfter(kCommits) * 1e3, "ms");
    Waiter during(**ledger, devices * 2);
    const double point = Timed([&] { REG_CHECK(ledger::MakeCheckpoint(**ledger, folder.In("point")).ok()); });
    report.AddAlone("backup_commit_longest_meanwhile", during.Stop() * 1e3, "ms");
    report.AddAlone("backup_point", point, "s");
  }
  fs::remove_all(folder.In("point"));
  const double plain = Timed([&] {
    REG_CHECK(std::system(("cp -r " + folder.In("r") + " " + folder.In("plain") + " && sync").c_str()) == 0);
  });
  fs::remove_all(folder.In("plain"));
  const double made = Timed([&] {
    const auto backup = ctl::MakeBackup(
        {folder.In("r/registry.toml"), folder.In("b"), nullptr, nullptr, "bench", clock.Now()});
    REG_CHECK(backup.ok());
  });
  report.AddAlone("backup_size", Megabytes(folder.In("b")), "MB");
  report.Add("backup_made", made, "s", plain, "cp -r and sync", plain / made);
  const double checked = Timed([&] {
    const auto judged = ctl::JudgeBackup(folder.In("b"), nullptr);
    REG_CHECK(judged.ok() && judged->faults.empty());
  });
  report.AddAlone("backup_check", checked, "s");
  const double restored = Timed([&] {
    REG_CHECK(ctl::Restore({folder.In("b"), folder.In("n"), nullptr, ""}).ok());
  });
  report.AddAlone("backup_restore", restored, "s");
  for (const char* done : {"n", "b"}) fs::remove_all(folder.In(done));
  Export(folder, report);
  const double imported = Timed([&] {
    std::ifstream lines(folder.In("lines"));
    const auto done = ctl::ImportLines(lines, {folder.In("i"), {}}, folder.In("t"));
    if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
    REG_CHECK(done.ok());
  });
  report.AddAlone("import_made", imported, "s");
  return report.Write(arguments.json()) ? 0 : 1;
}
