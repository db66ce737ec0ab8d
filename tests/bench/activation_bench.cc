// Benchmark (d): whole activations per second with everybody on this machine: broker, registry, DNS servers, MNOs,
// ASPs and devices, everything checked. The floor is the sum of the separately measured costs of careful code on
// stock libraries, 2 cores; latencies have no floor but are reported beside the goal's.
//   bench_activation [--devices N] [--json FILE]
#include <cstdlib>
#include <filesystem>

#include "simulators/lab/demo.h"
#include "tests/bench/report.h"

namespace {

using namespace registry::lab;

constexpr int kDevices = 3000;
// Registry 1005, broker 237, DNS servers 0 (not in that sum), simulators 1301: 2543 us of CPU.
constexpr double kFloorPerSecond = 790;
constexpr double kFloorMicros[] = {1005, 237, 1301};
constexpr const char* kFloorParts[] = {"registry", "broker", "simulators"};
constexpr const char* kFloorName = "sum of parts measured alone, 2 cores";

DemoOptions OptionsOf(int argc, char** argv) {
  DemoOptions options;
  options.lab.devices = kDevices;
  options.lab.device_threads = 2;
  options.lab.program_folder = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
  options.lab.broker_config_folder = REGISTRY_BROKER_CONFIG;
  options.quiet = true;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--devices") == 0) options.lab.devices = std::atoi(argv[i + 1]);
  }
  return options;
}

void Add(const DemoReport& run, registry::bench::Report& report) {
  report.Add("activation.rate", run.activations_per_s, "activations/s", kFloorPerSecond, kFloorName,
             run.activations_per_s / kFloorPerSecond);
  for (int i = 0; i < 3; ++i) {
    const double micros = run.cpu_us_per_activation.at(kFloorParts[i]);
    report.Add(std::string("activation.cpu.") + kFloorParts[i], micros, "us", kFloorMicros[i], kFloorName,
               kFloorMicros[i] / micros);
  }
  const double dns = run.cpu_us_per_activation.at("dns");
  report.Add("activation.cpu.dns", dns, "us", dns, "itself", 1);
  for (const auto& [step, series] : run.steps) {
    const double p50 = Quantile(series.ms, 0.5), p99 = Quantile(series.ms, 0.99);
    report.Add("activation.p50." + step, p50, "ms", p50, "itself", 1);
    report.Add("activation.p99." + step, p99, "ms", p50, "its own p50", p99 > 0 ? p50 / p99 : 1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  DemoRun run = RunDemo(OptionsOf(argc, argv));
  const std::string folder = run.lab ? run.lab->layout().folder : "";
  run.lab.reset();
  if (!run.trouble.empty() || !run.report.Good()) {
    std::fprintf(stderr, "the run failed, %zu of %zu active: %s\nlogs are in %s/logs\n", run.report.active,
                 run.report.devices, run.trouble.c_str(), folder.c_str());
    return 1;
  }
  std::filesystem::remove_all(folder);
  registry::bench::Report report;
  Add(run.report, report);
  return report.Write(argc, argv) ? 0 : 1;
}
