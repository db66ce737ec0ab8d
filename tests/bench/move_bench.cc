// Bench (k): a registry's ledger moves from RocksDB to PostgreSQL and back, as an operator moves it: `registryctl ledger
// export` and `import`, each a process of its own (`--devices N`: 20,000). How long each takes and how much memory it holds
// at most, beside what the same octets cost without the registry: SHA-256 of the file, and COPY of the same rows out of
// the server and into it, with their keys and a CHECKPOINT. Then both exports are compared, line by line.
// The server has fsync on and is on the same disk.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bridge/ctl/sha256.h"
#include "bridge/ledger/keyed/store.h"
#include "bridge/ledger/rocksdb/open.h"
#include "simulators/lab/postgres_server.h"
#include "tests/bench/arguments.h"
#include "tests/bench/lived_devices.h"
#include "tests/bench/report.h"
#include "tests/support/temporary_folder.h"

namespace {

using namespace registry;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kUsual = 20'000;

struct Took {
  double seconds = 0, cpu = 0, megabytes = 0;  // by the clock, of processors, resident at most
};

// In a process of its own, which `run` does not leave.
template <class Run>
Took InChild(Run run) {
  const auto start = Clock::now();
  const pid_t child = ::fork();
  REG_CHECK(child >= 0);
  if (child == 0) {
    run();
    std::_Exit(0);
  }
  int status = 0;
  rusage used{};
  REG_CHECK(::wait4(child, &status, 0, &used) == child);
  REG_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return {std::chrono::duration<double>(Clock::now() - start).count(),
          seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) * 1024 / 1e6};
}

Took Registryctl(std::vector<std::string> words) {
  std::string program = fs::canonical("/proc/self/exe").parent_path() / "registryctl";
  return InChild([&] {
    std::vector<char*> arguments = {program.data()};
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(program.c_str(), arguments.data());
    std::perror(program.c_str());
    std::_Exit(1);
  });
}

template <class Call>
double Timed(Call call) {
  const auto start = Clock::now();
  call();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double Hashed(const std::string& file) {
  return Timed([&] {
    std::ifstream lines(file, std::ios::binary);
    ctl::Sha256 digest;
    std::vector<char> octets(1 << 20);
    while (lines.read(octets.data(), static_cast<std::streamsize>(octets.size())) || lines.gcount() > 0)
      digest.Add({octets.data(), static_cast<std::size_t>(lines.gcount())});
    (void)digest.End();
  });
}

// All but the first and the last, which say when and where an export was made.
void CheckSameRecords(const std::string& one, const std::string& other) {
  std::ifstream first(one), second(other);
  std::string a, b;
  std::getline(first, a);
  std::getline(second, b);
  for (bool ended = false; !ended;) {
    REG_CHECK(std::getline(first, a).good() && std::getline(second, b).good());
    ended = a.starts_with(R"({"end")");
    REG_CHECK(ended ? b.starts_with(R"({"end")") : a == b);
  }
}

void Ask(const lab::PostgresServer& server, const std::string& sql) {
  const auto said = server.Ask(sql);
  if (!said) std::fprintf(stderr, "%s\n", said.error().message.c_str());
  REG_CHECK(said.ok());
}

std::string FileOf(const lab::PostgresServer& server, const char* table) {
  return "'" + server.folder() + "/data/" + table + ".copy' (FORMAT binary)";
}

double CopyOut(const lab::PostgresServer& server) {
  return Timed([&] {
    for (const char* const table : ledger::kColumnNames)
      Ask(server, std::string("COPY (SELECT key, record FROM registry.") + table + " ORDER BY key) TO " +
                      FileOf(server, table));
  });
}

double CopyIn(const lab::PostgresServer& server) {
  Ask(server, "CREATE SCHEMA floor");
  return Timed([&] {
    for (const char* const table : ledger::kColumnNames) {
      const std::string name = std::string("floor.") + table;
      Ask(server, "CREATE TABLE " + name + " (key bytea PRIMARY KEY, record bytea NOT NULL)");
      Ask(server, "COPY " + name + " FROM " + FileOf(server, table));
    }
    Ask(server, "CHECKPOINT");
  });
}

// With what the server used meanwhile.
Took Beside(const lab::PostgresServer& server, std::vector<std::string> words, double& server_cpu) {
  const auto before = server.UsageOfAll().cpu_us;
  const Took took = Registryctl(std::move(words));
  server_cpu = static_cast<double>(server.UsageOfAll().cpu_us - before) / 1e6;
  return took;
}

void Add(bench::Report& report, const std::string& name, const Took& took, double floor,
         const std::string& floor_name) {
  report.Add(name, took.seconds, "s", floor, floor_name, floor / took.seconds);
  report.AddAlone(name + "_cpu", took.cpu, "s of registryctl");
  report.AddAlone(name + "_memory", took.megabytes, "MB at most");
}

double Megabytes(const std::string& file) { return static_cast<double>(fs::file_size(file)) / 1e6; }

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t wanted = kUsual;
  bench::Arguments arguments("bench_move");
  arguments.app().add_option("--devices", wanted, "(20000)")->check(CLI::PositiveNumber);
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  const test::TemporaryFolder folder;
  bench::Report report;
  // A child has what its parent has touched: the one with the ledger in it is another one.
  const Took made = InChild([&] {
    REG_CHECK(ledger::CreateRocksDbLedger(folder.In("ledger")).ok());
    auto ledger = ledger::OpenRocksDbLedger({folder.In("ledger")});
    REG_CHECK(ledger.ok() && bench::FillLived(**ledger, wanted) > wanted);
    ledger->reset();
  });
  report.AddAlone("move_made", made.seconds, "s");
  const std::string lines = folder.In("lines"), back = folder.In("back"), config = folder.In("registry.toml");
  const auto out_of_folder =
      Registryctl({"ledger", "export", "--ledger", folder.In("ledger"), "--to", lines});
  report.AddAlone("move_size", Megabytes(lines), "MB of lines");
  const double hashed = Hashed(lines);
  Add(report, "move_export_rocksdb", out_of_folder, hashed, "SHA-256 of the file");

  const auto server = lab::PostgresServer::Start({.durable = true, .settings = {}});
  REG_CHECK(server.ok());
  std::ofstream(config) << "[ledger]\nbackend = \"postgres\"\nconnection = \"" << (*server)->connection()
                        << "\"\npassword_file = \"" << (*server)->password_file() << "\"\n";
  double server_in = 0, server_out = 0;
  const auto in = Beside(**server, {"ledger", "import", lines, "--config", config}, server_in);
  const auto octets = (*server)->Ask("SELECT pg_database_size(current_database())");
  REG_CHECK(octets.ok());
  const auto out = Beside(**server, {"ledger", "export", "--config", config, "--to", back}, server_out);
  const double copied_out = CopyOut(**server);
  const double copied_in = CopyIn(**server);
  Add(report, "move_import_postgres", in, copied_in, "COPY of the same rows, and CHECKPOINT");
  report.AddAlone("move_import_postgres_server_cpu", server_in, "s of PostgreSQL");
  report.AddAlone("move_size_postgres", std::stod(*octets) / 1e6, "MB of the database");
  Add(report, "move_export_postgres", out, copied_out, "COPY of the same rows to files");
  report.AddAlone("move_export_postgres_server_cpu", server_out, "s of PostgreSQL");

  const auto into_folder = Registryctl({"ledger", "import", back, "--to", folder.In("returned")});
  Add(report, "move_import_rocksdb", into_folder, hashed, "SHA-256 of the file");
  CheckSameRecords(lines, back);
  return report.Write(arguments.json()) ? 0 : 1;
}
