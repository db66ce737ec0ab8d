// Benchmark (d): whole activations per second with everybody on this machine: broker, registry, DNS servers, MNOs,
// ASPs and devices, everything checked. The floor is what the broker alone relays, measured first in the same run: an
// activation is kMessages of its messages. Parts and latencies have no floor of their own and are reported alone.
//   bench_activation [--devices N] [--secondary bind|nsd|knot] [--json FILE]
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "simulators/lab/demo.h"
#include "tests/bench/report.h"
#include "tests/integration/mqtt/broker.h"

namespace {

using namespace registry::lab;

constexpr int kDevices = 3000;
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

DemoOptions OptionsOf(int argc, char** argv) {
  DemoOptions options;
  options.lab.devices = kDevices;
  options.lab.device_threads = 2;
  options.lab.program_folder = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
  options.lab.broker_config_folder = REGISTRY_BROKER_CONFIG;
  options.quiet = true;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--devices") == 0) options.lab.devices = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--secondary") != 0) continue;
    const auto software = AuthorityOf(argv[i + 1]);
    if (!software) {
      std::fprintf(stderr, "--secondary: '%s' is none of bind, nsd, knot\n", argv[i + 1]);
      std::exit(2);
    }
    options.lab.authority = *software;
  }
  return options;
}

void Add(const DemoReport& run, double relayed, registry::bench::Report& report) {
  const double floor = relayed / kMessages;
  report.Add("activation.rate", run.activations_per_s, "activations/s", floor, "raw broker, 15 messages each",
             run.activations_per_s / floor);
  for (const auto& [part, micros] : run.cpu_us_per_activation) {
    report.AddAlone("activation.cpu." + part, micros, "us");
  }
  for (const auto& [what, share] : run.registry_per_activation) {
    report.AddAlone("activation.registry." + what, share, what == "written" ? "octets" : "each");
  }
  report.AddAlone("activation.registry.peak_rss", static_cast<double>(run.registry_peak_octets) / 1048576,
                  "MiB");
  for (const auto& [step, series] : run.steps) {
    report.AddAlone("activation.p50." + step, Quantile(series.ms, 0.5), "ms");
    report.AddAlone("activation.p99." + step, Quantile(series.ms, 0.99), "ms");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double relayed = RelayedPerSecond();
  if (relayed <= 0) {
    std::fprintf(stderr, "the raw broker did not relay what it was given\n");
    return 1;
  }
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
  Add(run.report, relayed, report);
  return report.Write(argc, argv) ? 0 : 1;
}
