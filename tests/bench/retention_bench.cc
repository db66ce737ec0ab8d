// Days of commands that a ledger forgets (bridge/ledger/retention.h): how large its folder is after each, once the oldest of
// them are older than the limit. Time is told to the ledger, so a day takes seconds. `--commands N` and `--days N` say how
// many are played; replies are shorter than real ones.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "bridge/ledger/retention.h"
#include "bridge/ledger/rocksdb/open.h"
#include "schemas/base/check.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace {

using namespace registry;
namespace samples = ledger::samples;
using std::chrono::hours;

constexpr int kEventDays = 7;
constexpr std::uint64_t kThreads = 256;  // whose changesets share synced writes
constexpr std::size_t kReplyOctets = 300;
constexpr double kMiB = 1 << 20;

// What a rejected command leaves, but for its octets in the outbox, which a sink lets go.
domain::Changeset CommandOf(std::uint64_t number, UtcTime at) {
  domain::Changeset changes;
  changes.mark = samples::Mark(number);
  changes.mark->at = at;
  changes.mark->reply.payload.assign(kReplyOctets, static_cast<char>('a' + number % 26));
  changes.messages = {changes.mark->reply};
  return changes;
}

void Commit(ledger::Ledger& ledger, std::uint64_t first, std::uint64_t count, UtcTime at) {
  std::vector<std::thread> parties;
  for (std::uint64_t party = 0; party < kThreads; ++party) {
    parties.emplace_back([&, party] {
      for (std::uint64_t i = first + party; i < first + count; i += kThreads)
        REG_CHECK(ledger.Commit(CommandOf(i, at)).ok());
    });
  }
  for (auto& party : parties) party.join();
  const auto last = ledger.OutboxLast(ledger::Sink::kMqtt);
  REG_CHECK(ledger.Advance(ledger::Sink::kMqtt, {*last, ""}, true).ok());
}

double MiBIn(const std::string& folder, const char* extension) {
  std::uintmax_t octets = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() == extension) octets += file.file_size();
  }
  return static_cast<double>(octets) / kMiB;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t commands = 100'000, days = 40;
  bench::Arguments arguments("bench_retention");
  arguments.app().add_option("--commands", commands, "in all (100000)")->check(CLI::PositiveNumber);
  arguments.app().add_option("--days", days, "over which they come (40)")->check(CLI::PositiveNumber);
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  const samples::Folder folder;
  REG_CHECK(ledger::CreateRocksDbLedger(folder.path()).ok());
  ledger::RocksDbOptions options;
  options.folder = folder.path();
  auto ledger = ledger::OpenRocksDbLedger(options);
  REG_CHECK(ledger.ok());
  ledger::Retention retention(**ledger, kEventDays);
  bench::Report report;
  UtcTime now = samples::kNoon;
  CarefulClock::Steady steady{};
  double half = 0, last = 0, erasing = 0;
  for (std::uint64_t day = 0; day < days; ++day) {
    Commit(**ledger, day * commands / days, commands / days, now);
    const auto start = std::chrono::steady_clock::now();
    for (int hour = 0; hour < 24; ++hour) {
      bool more = true;
      now = now + hours(1);
      steady += hours(1);
      while (more) more = *retention.Tick(now, steady);
    }
    erasing += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    last = MiBIn(folder.path(), ".sst");
    if (day == days / 2) half = last;
    std::printf("day %3d: tables %7.1f MiB, logs %6.1f MiB, forgotten %8d\n", static_cast<int>(day), last,
                MiBIn(folder.path(), ".log"), static_cast<int>((*ledger)->LoadMarksKept()->forgotten));
    std::fflush(stdout);
  }
  const auto forgotten = static_cast<double>((*ledger)->LoadMarksKept()->forgotten);
  report.Add("retention.tables", last, "MiB", half, "tables at half of the days", last / half);
  report.AddAlone("retention.forgotten", forgotten, "commands");
  if (forgotten > 0) report.AddAlone("retention.erasing", erasing * 1e6 / forgotten, "us/command");
  return report.Write(arguments.json()) ? 0 : 1;
}
