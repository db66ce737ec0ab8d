// Benchmark (d): whole activations per second with everybody on this machine: broker, registry, DNS servers, MNOs, ASPs and
// devices. The floor is what the broker alone relays, measured first in the same run: an activation is kMessages of its
// messages. Every figure is the median of the runs. Parts have a goal, and latencies are reported alone.
// Rows that end in `postgres` are of runs whose ledger is in a PostgreSQL server of the lab's own, with fsync on; with a
// number behind it, of so many registryd on it, of which one is active and the others stand by.
// Rows that end in `unchecked` are of runs in which devices check nothing (simulators/lab/checks.h): how fast the registry
// is. Rows that end in the name of a name server are of runs with it; those without one are of runs with the first of them.
//   bench_activation [--devices N] [--runs N] [--secondary bind|nsd|knot|all] [--ledger rocksdb|postgres|both]
//       [--bridges N] [--shared] [--json FILE]
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "simulators/lab/budgets.h"
#include "simulators/lab/demo.h"
#include "tests/bench/arguments.h"
#include "tests/bench/report.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/support/built_lab.h"

namespace {

using namespace registry::lab;

constexpr int kDevices = 3000, kRuns = 3;
// Five commands and their replies, key.generate, payload.push, device.certified, twice device.activated.
constexpr int kMessages = 15;
constexpr int kRelayed = 20000;
// Messages under way: enough to keep all three busy, few enough for libmosquitto, which walks all of them each time.
constexpr int kRelayWindow = 500;

// 1 KB at QoS 1 over TLS, one publisher, one subscriber.
double RelayedPerSecond() {
  registry::test::Broker broker;
  registry::test::RawMqtt ear(broker.ForParty("registryd")), mouth(broker.ForParty("mno-a"));
  if (!ear.Subscribe("registry/v1/from/#")) return 0;
  const std::string payload(1024, 'x');
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < kRelayed + kRelayWindow; ++i) {
    if (i < kRelayed) mouth.PublishLater("registry/v1/from/mno-a/raw", payload);
    if (i >= kRelayWindow && !ear.Next(std::chrono::seconds(10))) return 0;
  }
  return kRelayed / std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

struct Nodes {
  int on_postgres = 0;  // 0: one, with its ledger in RocksDB
  bool shared = false;  // all of them decide, and not the active one alone
};

struct Options {
  DemoOptions demo;
  int runs = kRuns;
  std::vector<Authority> secondaries{Authority::kBind};
  std::vector<Nodes> nodes{Nodes{}};  // in turn
};

// What is no name of one is refused before.
std::vector<Authority> SecondariesOf(const std::string& text) {
  if (text == "all") return {std::begin(kAuthorities), std::end(kAuthorities)};
  return {*AuthorityOf(text)};
}

// Of the lab that `./dev bench` measures; the command line changes it.
Options Usual() {
  Options options;
  LabOptions& lab = options.demo.lab;
  lab = registry::test::BuiltLab();
  lab.devices = kDevices;
  lab.device_threads = 2;
  lab.batches = true;
  options.demo.quiet = true;
  return options;
}

double MiB(std::uint64_t octets) { return static_cast<double>(octets) / 1048576; }

// The figures of one run, by name.
using Figures = std::map<std::string, double>;

Figures FiguresOf(const DemoReport& run) {
  Figures figures{{"rate", run.activations_per_s}};
  for (const auto& [part, micros] : run.cpu_us_per_activation) figures["cpu." + part] = micros;
  for (const auto& [program, micros] : run.simulator_us_per_activation) {
    figures["cpu.simulators." + program] = micros;
  }
  for (const auto& [what, share] : run.registry_per_activation) figures["registry." + what] = share;
  for (const auto& [process, octets] : run.peak_octets) figures["peak_rss." + process] = MiB(octets);
  for (const auto& [step, series] : run.steps) {
    figures["p50." + step] = Quantile(series.ms, 0.5);
    figures["p99." + step] = Quantile(series.ms, 0.99);
  }
  return figures;
}

std::optional<Figures> RunOnce(const DemoOptions& options) {
  DemoRun run = RunDemo(options);
  const std::string folder = run.lab ? run.lab->layout().folder : "";
  run.lab.reset();
  if (!run.trouble.empty() || !run.report.Good()) {
    std::fprintf(stderr, "the run failed, %zu of %zu active: %s\nlogs are in %s/logs\n", run.report.active,
                 run.report.devices, run.trouble.c_str(), folder.c_str());
    return std::nullopt;
  }
  std::filesystem::remove_all(folder);
  return FiguresOf(run.report);
}

std::optional<Figures> Medians(const DemoOptions& options, int runs) {
  std::map<std::string, std::vector<double>> all;
  for (int i = 0; i < runs; ++i) {
    const auto figures = RunOnce(options);
    if (!figures) return std::nullopt;
    for (const auto& [name, value] : *figures) all[name].push_back(value);
  }
  Figures medians;
  for (auto& [name, values] : all) {
    std::sort(values.begin(), values.end());
    medians[name] = values[values.size() / 2];
  }
  return medians;
}

std::string UnitOf(const std::string& name) {
  if (name.starts_with("cpu.")) return "us";
  if (name.starts_with("peak_rss.")) return "MiB";
  if (name.starts_with("p50.") || name.starts_with("p99.")) return "ms";
  return name == "registry.written" ? "octets" : "each";
}

std::optional<double> GoalOf(const std::string& name, double check_share) {
  constexpr std::string_view kCpu = "cpu.";
  if (name == "rate") return RateBudget(check_share);
  return name.starts_with(kCpu) ? CpuBudget(name.substr(kCpu.size()), check_share) : std::nullopt;
}

class Rows {
 public:
  Rows(double relayed, registry::bench::Report& report) : floor_(relayed / kMessages), report_(report) {}

  void Add(const Figures& figures, double check_share, const std::string& suffix) {
    const double rate = figures.at("rate");
    report_.Add("activation.rate" + suffix, rate, "activations/s", floor_, "raw broker, 15 messages each",
                rate / floor_, GoalOf("rate", check_share));
    for (const auto& [name, value] : figures) {
      // Of the runs that are compared, what they are compared by.
      const bool told = suffix.empty() || name.starts_with("cpu.") || name.starts_with("registry.") ||
                        name.ends_with(".whole");
      if (name == "rate" || !told) continue;
      report_.AddAlone("activation." + name + suffix, value, UnitOf(name), GoalOf(name, check_share));
    }
  }

 private:
  const double floor_;
  registry::bench::Report& report_;
};

std::string LedgerSuffix(const Nodes& nodes) {
  if (nodes.on_postgres == 0) return "";
  const std::string count = nodes.on_postgres == 1 ? "" : "." + std::to_string(nodes.on_postgres);
  return ".postgres" + count + (nodes.shared ? ".shared" : "");
}

bool MeasureLedger(const Options& options, const Nodes& nodes, Rows& rows) {
  DemoOptions demo = options.demo;
  demo.lab.postgres = nodes.on_postgres > 0;
  demo.lab.bridges = std::max(1, nodes.on_postgres);
  demo.lab.shared = nodes.shared;
  const std::string ledger = LedgerSuffix(nodes);
  for (const Authority software : options.secondaries) {
    demo.lab.authority = software;
    const bool first = software == options.secondaries.front();
    const std::string suffix = first ? "" : std::string(".") + NameOf(software);
    const auto medians = Medians(demo, options.runs);
    if (!medians) return false;
    rows.Add(*medians, 1, ledger + suffix);
  }
  demo.lab.authority = options.secondaries.front();
  demo.lab.check_share = 0;
  const auto medians = Medians(demo, options.runs);
  if (medians) rows.Add(*medians, 0, ledger + ".unchecked");
  return medians.has_value();
}

bool Measure(const Options& options, Rows& rows) {
  return std::all_of(options.nodes.begin(), options.nodes.end(),
                     [&](const Nodes& nodes) { return MeasureLedger(options, nodes, rows); });
}

}  // namespace

int main(int argc, char** argv) {
  Options options = Usual();
  std::string secondary = "bind", ledger = "rocksdb";
  int most = 1;
  bool shared = false;
  registry::bench::Arguments arguments("bench_activation");
  arguments.app().add_option("--devices", options.demo.lab.devices, "(3000)")->check(CLI::PositiveNumber);
  arguments.app()
      .add_option("--runs", options.runs, "of which the medians are told (3)")
      ->check(CLI::PositiveNumber);
  arguments.app()
      .add_option("--secondary", secondary, "bind (default), nsd, knot or all")
      ->check(CLI::IsMember({"bind", "nsd", "knot", "all"}));
  arguments.app()
      .add_option("--ledger", ledger, "rocksdb (default), postgres or both")
      ->check(CLI::IsMember({"rocksdb", "postgres", "both"}));
  arguments.app()
      .add_option("--bridges", most,
                  "on PostgreSQL: runs with 1 to so many registryd, of which one is active (1)")
      ->check(CLI::Range(1, 4));
  arguments.app().add_flag("--shared", shared, "with --bridges: once more each, and all of them decide");
  if (const auto end = arguments.Parse(argc, argv)) return *end;
  if (ledger == "postgres") options.nodes.clear();
  for (int count = 1; ledger != "rocksdb" && count <= most; ++count) {
    options.nodes.push_back({count, false});
    if (shared && count > 1) options.nodes.push_back({count, true});
  }
  options.secondaries = SecondariesOf(secondary);
  const double relayed = RelayedPerSecond();
  if (relayed <= 0) {
    std::fprintf(stderr, "the raw broker did not relay what it was given\n");
    return 1;
  }
  registry::bench::Report report;
  Rows rows(relayed, report);
  if (!Measure(options, rows)) return 1;
  return report.Write(arguments.json()) ? 0 : 1;
}
