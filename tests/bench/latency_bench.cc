// Benchmark of waiting, each figure beside its goal:
//   latency.certificate.*   csr.submit -> certificate.issued as the MNO sees it, one activation at a time (`alone`), and
//                           with devices that arrive at half of the rate reached when all come at once (`half`)
//   latency.whole.*         the device's whole way, likewise, from when it was meant to begin
//   latency.served.*        commit -> the secondary serves it, at 500 changes a second in a zone of 10,000 names
//   latency.revoked.*       commit of a revocation -> the secondary serves the name no more, two a second among those
// The last two are of the zone's publisher with a real BIND over a ledger in memory. What counts as served is what the
// publisher asks the secondary for. Every time counts from when it was meant to begin.
//   bench_latency [--devices N] [--seconds N] [--json FILE]
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <unordered_map>

#include "bridge/ledger/ledger.h"
#include "simulators/lab/budgets.h"
#include "simulators/lab/load.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/integration/zone/secondary_process.h"
#include "tests/support/built_lab.h"

namespace {

using namespace registry::lab;
using registry::bench::Report;
using Steady = std::chrono::steady_clock;

constexpr double kServedP99Ms = 1000;

struct Options {
  int devices = 1000, seconds = 15;
};

DemoOptions LabOf(int devices) {
  DemoOptions options;
  options.lab = registry::test::BuiltLab();
  options.lab.devices = devices;
  options.lab.device_threads = 2;
  options.lab.batches = true;
  options.quiet = true;
  return options;
}

bool Good(const DemoReport& report, const std::string& trouble, const std::string& folder) {
  if (report.Good() && trouble.empty()) {
    std::filesystem::remove_all(folder);
    return true;
  }
  std::fprintf(stderr, "the run failed, %zu of %zu active: %s\nlogs are in %s/logs\n", report.active,
               report.devices, trouble.c_str(), folder.c_str());
  return false;
}

// Activations a second when all come at once; 0 when the run failed.
double ReachedRate(int devices) {
  DemoRun run = RunDemo(LabOf(devices));
  const std::string folder = run.lab ? run.lab->layout().folder : "";
  run.lab.reset();
  return Good(run.report, run.trouble, folder) ? run.report.activations_per_s : 0;
}

void AddSteps(const DemoReport& run, const std::string& how, bool judged, Report& report) {
  for (const auto& [step, name] : {std::pair("csr", "certificate"), std::pair("whole", "whole")}) {
    const auto found = run.steps.find(step);
    if (found == run.steps.end()) continue;
    const bool certificate = judged && std::strcmp(step, "csr") == 0;
    const auto goal = [&](double ms) { return certificate ? std::optional(ms) : std::nullopt; };
    const std::string row = std::string("latency.") + name + "." + how;
    report.AddAlone(row + ".p50", Quantile(found->second.ms, 0.5), "ms", goal(kCertificateP50Ms));
    report.AddAlone(row + ".p99", Quantile(found->second.ms, 0.99), "ms", goal(kCertificateP99Ms));
  }
}

bool Activations(const Options& options, Report& report) {
  LoadOptions alone;
  alone.demo = LabOf(std::max(1, options.devices / 10));
  alone.one_at_a_time = true;
  const LoadRun one = RunLoad(alone);
  if (!Good(one.record.report, one.record.report.trouble, one.folder)) return false;
  AddSteps(one.record.report, "alone", true, report);
  const double rate = ReachedRate(options.devices);
  if (rate <= 0) return false;
  report.AddAlone("latency.reached_rate", rate, "activations/s");
  LoadOptions half;
  half.duration_s = options.seconds;
  half.demo = LabOf(std::max(1, static_cast<int>(rate / 2 * half.duration_s)));
  const LoadRun run = RunLoad(half);
  if (!Good(run.record.report, run.record.report.trouble, run.folder)) return false;
  AddSteps(run.record.report, "half", true, report);
  return true;
}

}  // namespace

namespace registry::zone::testing {
namespace {

constexpr int kChangesPerSecond = 500, kRevocationEvery = 250;
constexpr std::uint64_t kNames = 10'000;
constexpr std::chrono::seconds kPatience{30};

// Commits changes on time and notes when each is served.
class ServedBench {
 public:
  // False when the zone could not be served at all.
  bool Begin() {
    domain::Changeset names;
    for (std::uint64_t n = 0; n < kNames; ++n) names.zone.push_back(Published(n));
    if (!ledger_->Commit(std::move(names))) return false;
    const std::uint16_t port = FreePort();
    secondary_ = std::make_unique<SecondaryProcess>(Software::kBind, files_, "secondary", port);
    secondary_->Start();
    zone::Options options = files_.options();
    options.secondaries = {secondary_->address()};
    options.listen_port = port;
    auto publisher = Publisher::Create(
        options, *ledger_, [this](const auto& changes) { return Served(changes); }, [](int, const auto&) {});
    if (!publisher) return false;
    publisher_ = std::move(*publisher);
    return publisher_->Start().ok() && Eventually([this] { return AllServed(kNames); }, kPatience);
  }

  bool Run(int seconds) {
    {
      const std::lock_guard lock(mutex_);
      served_ = 0;
    }
    const auto begun = Steady::now();
    const auto total = static_cast<std::uint64_t>(seconds) * kChangesPerSecond;
    for (std::uint64_t i = 0; i < total; ++i) {
      const auto due = begun + std::chrono::microseconds(1'000'000 / kChangesPerSecond) * i;
      PauseUntil(due);
      const bool revokes = i % kRevocationEvery == kRevocationEvery - 1;
      Commit(revokes ? Deactivated(i, 2) : Published(kNames + i), due);
    }
    return Eventually([this, total] { return AllServed(total); }, kPatience);
  }

  void Add(bench::Report& report) {
    const std::lock_guard lock(mutex_);
    for (auto& [name, ms] : waits_) {
      std::sort(ms.begin(), ms.end());
      report.AddAlone("latency." + name + ".p50", lab::Quantile(ms, 0.5), "ms");
      report.AddAlone("latency." + name + ".p99", lab::Quantile(ms, 0.99), "ms", kServedP99Ms);
    }
  }

 private:
  void Commit(domain::ZoneChange change, Steady::time_point due) {
    {
      const std::lock_guard lock(mutex_);
      due_[change.device.text()] = due;
    }
    domain::Changeset changeset;
    changeset.zone.push_back(std::move(change));
    (void)ledger_->Commit(std::move(changeset));
  }

  bool Served(const std::vector<domain::ZoneChange>& changes) {
    const auto now = Steady::now();
    const std::lock_guard lock(mutex_);
    served_ += changes.size();
    for (const auto& change : changes) {
      const auto due = due_.find(change.device.text());
      if (due == due_.end()) continue;
      waits_[change.tlsa.empty() ? "revoked" : "served"].push_back(
          std::chrono::duration<double, std::milli>(now - due->second).count());
      due_.erase(due);
    }
    return true;
  }

  void PauseUntil(Steady::time_point due) {
    std::unique_lock lock(mutex_);
    pause_.wait_until(lock, due, [] { return false; });
  }

  bool AllServed(std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    return served_ >= count;
  }

  ZoneFiles files_;
  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  std::mutex mutex_;
  std::condition_variable pause_;  // nobody ends it early
  std::uint64_t served_ = 0;
  std::unordered_map<std::string, Steady::time_point> due_;
  std::map<std::string, std::vector<double>> waits_;
  std::unique_ptr<SecondaryProcess> secondary_;
  std::unique_ptr<Publisher> publisher_;
};

}  // namespace
}  // namespace registry::zone::testing

int main(int argc, char** argv) {
  Options options;
  registry::bench::Arguments arguments("bench_latency");
  arguments.app().add_option("--devices", options.devices, "(1000)")->check(CLI::PositiveNumber);
  arguments.app()
      .add_option("--seconds", options.seconds, "of changes to the zone (15)")
      ->check(CLI::PositiveNumber);
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  Report report;
  if (!Activations(options, report)) return 1;
  registry::zone::testing::ServedBench served;
  if (!served.Begin() || !served.Run(options.seconds)) {
    std::fprintf(stderr, "the secondary did not serve what it should\n");
    return 1;
  }
  served.Add(report);
  return report.Write(arguments.json()) ? 0 : 1;
}
