// Synced commits to a ledger in PostgreSQL, a server of the benchmark's own with fsync on, on this machine: realistic
// changesets (ledger_work.h) from 1, 8 and 32 threads that wait, beside a loop that inserts one row of as many octets with a
// synced transaction each; and from one thread that does not wait, beside libpq alone, which inserts as many rows of as many
// octets into one table, 128 changesets in a synced transaction, in pipeline mode. The same from RocksDB in the same run.
// Then messages of 700 octets that are kept in the intake and marked done, from 1 thread, as the broker's come, and from 16:
// in the ledger's table beside that loop, and in a folder. Then registrations to one ledger that nobody else commits to, and
// to one that one, two and three nodes commit to at once.
#include <libpq-fe.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "bridge/ingest/ledger_intake.h"
#include "bridge/ledger/postgres/connection.h"
#include "bridge/ledger/postgres/intake.h"
#include "bridge/ledger/postgres/members.h"
#include "bridge/ledger/postgres/statements.h"
#include "bridge/ledger/rocksdb/open.h"
#include "tests/bench/arguments.h"
#include "tests/bench/ledger_work.h"
#include "tests/bench/report.h"
#include "tests/support/test_postgres.h"

namespace {

using namespace registry;
namespace samples = ledger::samples;

constexpr std::size_t kRowsPerCommit = 17, kOctetsPerCommit = 5000;
constexpr std::size_t kTogether = 128;
constexpr int kSingles = 500;
constexpr std::uint64_t kDevices = 8000;
constexpr std::chrono::minutes kWithin{2};

class Raw {
 public:
  explicit Raw(const ledger::PostgresOptions& options) {
    auto made = ledger::Connection::Open(options, ledger::Connection::Server::kWritable);
    REG_CHECK(std::holds_alternative<std::unique_ptr<ledger::Connection>>(made));
    connection_ = std::get<std::unique_ptr<ledger::Connection>>(std::move(made));
    const ledger::Statement table{"", "CREATE TABLE raw (key bytea PRIMARY KEY, record bytea NOT NULL)"};
    Run({{&table}});
  }
  // `rows` new ones of `octets` in all, in one synced transaction.
  void Insert(std::size_t rows, std::size_t octets) {
    std::vector<std::string> keys, records;
    for (std::size_t i = 0; i < rows; ++i) {
      keys.push_back(ledger::Int8(static_cast<std::int64_t>(++last_)));
      records.emplace_back(octets / rows, static_cast<char>(last_));
    }
    const std::string key_array = ledger::ArrayOf({keys.begin(), keys.end()});
    const std::string record_array = ledger::ArrayOf({records.begin(), records.end()});
    Run({{&ledger::Statements::kBegin}, {&put_, {key_array, record_array}}, {&ledger::Statements::kCommit}});
  }

 private:
  void Run(const std::vector<ledger::Request>& requests) {
    const auto answers = connection_->Run(requests, bench::Clock::now() + kWithin);
    REG_CHECK(std::holds_alternative<std::vector<ledger::Rows>>(answers));
  }

  const ledger::Statement put_{"put",
                               "INSERT INTO raw SELECT * FROM unnest($1, $2)",
                               {ledger::kByteaArrayOid, ledger::kByteaArrayOid}};
  std::unique_ptr<ledger::Connection> connection_;
  std::uint64_t last_ = 0;
};

double SinglesPerSecond(Raw& raw, std::size_t octets = kOctetsPerCommit) {
  const auto start = bench::Clock::now();
  for (int i = 0; i < kSingles; ++i) raw.Insert(1, octets);
  return kSingles / bench::SecondsSince(start);
}

constexpr std::size_t kMessageOctets = 700;

double KeptPerSecond(ingest::Intake& intake, int threads, int messages) {
  const auto start = bench::Clock::now();
  std::vector<std::jthread> all;
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&intake, messages] {
      const ingest::InboundMessage message{"registry/v1/from/mno-a/device.attach",
                                           std::string(kMessageOctets, 'x'), "", ""};
      for (int n = 0; n < messages; ++n) {
        const auto ticket = intake.Append(message);
        REG_CHECK(ticket.ok());
        intake.MarkDone(*ticket);
      }
    });
  }
  all.clear();
  return threads * messages / bench::SecondsSince(start);
}

void MeasureIntake(bench::Report& report, const ledger::PostgresOptions& options,
                   const ledger::Ledger& ledger, Raw& raw) {
  const Bytes key(32, 1);
  const auto table = ledger::OpenPostgresIntake(options, ledger);
  REG_CHECK(table.ok());
  ingest::LedgerIntakeOptions there;
  there.key = key;
  const auto intake = ingest::OpenLedgerIntake(**table, there, nullptr);
  REG_CHECK(intake.ok());
  const double singles = SinglesPerSecond(raw, kMessageOctets);
  const double one = KeptPerSecond(**intake, 1, 1000), many = KeptPerSecond(**intake, 16, 500);
  const std::string floor = "one row, one synced transaction";
  report.Add("intake_postgres_1_thread", one, "messages/s", singles, floor, one / singles);
  report.Add("intake_postgres_16_threads", many, "messages/s", singles, floor, many / singles);
  const samples::Folder folder;
  ingest::IntakeOptions in_folder;
  in_folder.folder = folder.path();
  in_folder.key = key;
  const auto files = ingest::Intake::Open(in_folder);
  REG_CHECK(files.ok());
  report.AddAlone("intake_folder_1_thread", KeptPerSecond(**files, 1, 20'000), "messages/s");
}

// One ledger alone, then one that lets others commit and those beside it, at once: changesets a second of all of them, from
// 16 threads each. `shared` of 0: an ordinary ledger.
double TogetherPerSecond(const lab::PostgresServer& server, int shared) {
  constexpr std::uint64_t kThreads = 16, kOfEach = 60;
  auto options = test::PostgresOptionsFor(server, "together" + std::to_string(shared));
  options.shared = shared > 0;
  options.node = {"first", "bench"};
  REG_CHECK(ledger::MigratePostgresLedger(options).ok());
  std::vector<std::unique_ptr<ledger::Ledger>> nodes;
  nodes.push_back(*ledger::OpenPostgresLedger(options));
  if (options.shared) REG_CHECK(ledger::Members(options, *nodes.front()).Admit().ok());
  while (static_cast<int>(nodes.size()) < shared) nodes.push_back(*ledger::JoinPostgresLedger(options));
  std::atomic<std::uint64_t> commits = 0, number = 0;
  const auto start = bench::Clock::now();
  std::vector<std::jthread> all;
  for (const auto& node : nodes) {
    for (std::uint64_t i = 0; i < kThreads; ++i)
      all.emplace_back([&commits, &number, node = node.get()] {
        for (std::uint64_t of = 0; of < kOfEach; ++of) {
          REG_CHECK(node->Commit(samples::Registration(number++)).ok());
          ++commits;
        }
      });
  }
  all.clear();
  return static_cast<double>(commits) / bench::SecondsSince(start);
}

void MeasureTogether(bench::Report& report, const lab::PostgresServer& server, Raw& raw) {
  for (int shared = 0; shared <= 3; ++shared) {
    const double singles = SinglesPerSecond(raw), commits = TogetherPerSecond(server, shared);
    const std::string name = shared == 0 ? "ledger_postgres_unshared"
                                         : "ledger_postgres_shared_" + std::to_string(shared) + "_nodes";
    report.Add(name + "_16_threads_each", commits, "commits/s", singles, "one row, one synced transaction",
               commits / singles);
  }
}

bench::Measured Alone(Raw& raw) {
  const std::size_t transactions = 2 * kDevices / kTogether;
  const auto start = bench::Clock::now();
  const double cpu = bench::ProcessSeconds();
  for (std::size_t i = 0; i < transactions; ++i)
    raw.Insert(kRowsPerCommit * kTogether, kOctetsPerCommit * kTogether);
  const auto commits = static_cast<double>(transactions * kTogether);
  return {commits / bench::SecondsSince(start), (bench::ProcessSeconds() - cpu) * 1e6 / commits};
}

void MeasureRocksDb(bench::Report& report) {
  const samples::Folder folder;
  REG_CHECK(ledger::CreateRocksDbLedger(folder.path()).ok());
  const auto opened = ledger::OpenRocksDbLedger({folder.path()});
  REG_CHECK(opened.ok());
  const auto later = bench::CommitsLater(**opened, kDevices, 0);
  report.AddAlone("ledger_rocksdb_commit_later", later.commits_per_second, "commits/s");
  report.AddAlone("ledger_rocksdb_commit_later_cpu", later.cpu_micros_per_commit, "us/commit");
}

}  // namespace

int main(int argc, char** argv) {
  bench::Arguments arguments("bench_postgres");
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  const auto server = lab::PostgresServer::Start({.durable = true, .settings = {}});
  REG_CHECK(server.ok());
  const auto options = test::PostgresOptionsFor(**server, "ledger");
  REG_CHECK(ledger::MigratePostgresLedger(options).ok());
  auto opened = ledger::OpenPostgresLedger(options);
  REG_CHECK(opened.ok());
  Raw raw(options);
  bench::Report report;
  std::uint64_t from = 0;
  for (const std::uint64_t threads : {1u, 8u, 32u}) {
    const double singles = SinglesPerSecond(raw);
    const std::uint64_t devices = threads == 1 ? 250 : 4000 / threads;
    const auto measured = bench::Commits(**opened, threads, devices, from);
    from += threads * devices;
    const std::string name = "ledger_postgres_commit_" + std::to_string(threads) + "_threads";
    report.Add(name, measured.commits_per_second, "commits/s", singles, "one row, one synced transaction",
               measured.commits_per_second / singles);
    report.AddAlone(name + "_cpu", measured.cpu_micros_per_commit, "us/commit");
  }
  const auto alone = Alone(raw);
  const auto later = bench::CommitsLater(**opened, kDevices, from);
  report.Add("ledger_postgres_commit_later", later.commits_per_second, "commits/s", alone.commits_per_second,
             "libpq alone, 128 a transaction", later.commits_per_second / alone.commits_per_second);
  report.Add("ledger_postgres_commit_later_cpu", later.cpu_micros_per_commit, "us/commit",
             alone.cpu_micros_per_commit, "libpq alone, 128 a transaction",
             alone.cpu_micros_per_commit / later.cpu_micros_per_commit);
  MeasureIntake(report, options, **opened, raw);
  MeasureTogether(report, **server, raw);
  MeasureRocksDb(report);
  return report.Write(arguments.json()) ? 0 : 1;
}
