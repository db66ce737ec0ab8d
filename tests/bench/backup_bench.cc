// Bench (j): backup, check, restore, export and import of a registry with 1,000,000 devices (`--devices N`: another
// number; `--move`: the move to PostgreSQL alone): how long each takes and how large it is, beside a plain copy of the same
// files; how long a commit waits at most while a checkpoint is made; and how long a move to PostgreSQL and back takes.
// Devices are registered, many to a commit, with 7 entries of history each.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <semaphore>
#include <thread>

#include "bridge/clock.h"
#include "bridge/ctl/backup.h"
#include "bridge/ctl/ledger_lines.h"
#include "bridge/ctl/registry_folder.h"
#include "bridge/ledger/rocksdb/open.h"
#include "schemas/base/check.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_postgres.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace {

using namespace registry;
namespace fs = std::filesystem;
namespace samples = ledger::samples;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kUsual = 1'000'000, kPerCommit = 200;
constexpr std::size_t kHistory = 7;
constexpr std::uint64_t kCommits = 3000;  // of one who waits for each
constexpr std::chrono::minutes kMakingMax{12};

double Seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

// What is left of devices that have lived for a while: their records, what is theirs alone, and 7 entries of history each.
// What was said of them has been acknowledged and let go, and most commands are forgotten (`ledger.event_days`).
domain::Changeset Devices(std::uint64_t from) {
  domain::Changeset changes;
  changes.mark = samples::Mark(from);
  for (std::uint64_t number = from; number < from + kPerCommit; ++number) {
    domain::Changeset one = samples::Registration(number);
    std::move(one.devices.begin(), one.devices.end(), std::back_inserter(changes.devices));
    std::move(one.claims.begin(), one.claims.end(), std::back_inserter(changes.claims));
    changes.history.insert(changes.history.end(), kHistory, one.history[0]);
  }
  return changes;
}

// How many there are in the end.
std::uint64_t Fill(ledger::Ledger& ledger, std::uint64_t devices) {
  const auto until = Clock::now() + kMakingMax;
  std::uint64_t made = 0;
  for (; made < devices && Clock::now() < until; made += kPerCommit)
    ledger.CommitLater(Devices(made), [](const Status& done) { REG_CHECK(done.ok()); });
  REG_CHECK(ledger.Commit(samples::Registration(made)).ok());  // the last: all are there
  return made + 1;
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

// To PostgreSQL, with fsync on and on the same disk, and out of it again.
void Move(const test::TemporaryFolder& folder, double exported, double imported, bench::Report& report) {
  const auto server = lab::PostgresServer::Start({.durable = true, .settings = {}});
  REG_CHECK(server.ok());
  const app::LedgerPlace there{"", test::PostgresOptionsFor(**server, "moved")};
  const double in = Timed([&] {
    std::ifstream lines(folder.In("lines"));
    const auto done = ctl::ImportLines(lines, there, folder.In("t"));
    if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
    REG_CHECK(done.ok());
  });
  if (imported > 0) report.Add("import_postgres", in, "s", imported, "into RocksDB", imported / in);
  if (imported == 0) report.AddAlone("import_postgres", in, "s");
  const auto octets = (*server)->Ask("SELECT pg_database_size(current_database())");
  REG_CHECK(octets.ok());
  report.AddAlone("size_postgres", std::stod(*octets) / 1e6, "MB");
  const double out = Timed([&] {
    std::ofstream lines(folder.In("back"));
    REG_CHECK(ctl::ExportLines({there, "", "bench", SystemClock().Now()}, lines).ok());
  });
  report.Add("export_postgres", out, "s", exported, "out of RocksDB", exported / out);
}

// What a checkpoint has: files that are not written to any more.
void Sizes(const test::TemporaryFolder& folder, ledger::Ledger& ledger, bench::Report& report) {
  REG_CHECK(ledger::MakeCheckpoint(ledger, folder.In("point")).ok());
  report.AddAlone("size_rocksdb", Megabytes(folder.In("point")), "MB");
  fs::remove_all(folder.In("point"));
}

double Export(const test::TemporaryFolder& folder, bench::Report& report) {
  const double exported = Timed([&] {
    std::ofstream lines(folder.In("lines"));
    REG_CHECK(
        ctl::ExportLines({{folder.In("r/ledger"), {}}, folder.In("s"), "bench", SystemClock().Now()}, lines)
            .ok());
  });
  report.AddAlone("export_size", Megabytes(folder.In("lines")), "MB");
  report.AddAlone("export_made", exported, "s");
  return exported;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t wanted = kUsual;
  bench::Arguments arguments("bench_backup");
  arguments.app().add_option("--devices", wanted, "(1000000)")->check(CLI::PositiveNumber);
  bool only_move = false;
  arguments.app().add_flag("--move", only_move, "to PostgreSQL and back, and nothing else");
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  const test::TemporaryFolder folder;
  bench::Report report;
  const SystemClock clock;
  REG_CHECK(ctl::CreateFolder({folder.In("r"), "iotregistry.test", {"localhost"}, clock.Now()}).ok());
  std::uint64_t devices = 0;
  {
    auto ledger = ledger::OpenRocksDbLedger({folder.In("r/ledger")});
    REG_CHECK(ledger.ok());
    devices = Fill(**ledger, wanted);
    report.AddAlone("backup_devices", static_cast<double>(devices), "devices");
    Sizes(folder, **ledger, report);
  }
  if (only_move) {
    Move(folder, Export(folder, report), 0, report);
    return report.Write(arguments.json()) ? 0 : 1;
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
  const double exported = Export(folder, report);
  const double imported = Timed([&] {
    std::ifstream lines(folder.In("lines"));
    const auto done = ctl::ImportLines(lines, {folder.In("i"), {}}, folder.In("t"));
    if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
    REG_CHECK(done.ok());
  });
  report.AddAlone("import_made", imported, "s");
  Move(folder, exported, imported, report);
  return report.Write(arguments.json()) ? 0 : 1;
}
