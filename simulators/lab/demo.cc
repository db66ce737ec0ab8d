#include "simulators/lab/demo.h"

#include <algorithm>
#include <cstdio>
#include <thread>

namespace registry::lab {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{200}, kTerminalTick{100};
constexpr milliseconds kRefusalPatience{60000};  // caches let go after the TLSA's TTL
constexpr int kPlainLinesMax = 20;               // devices; above, one line per second is enough

std::string LiveLine(const Progress& progress, std::size_t devices) {
  const auto counts = progress.counts();
  std::string text;
  for (const char* step : {"register", "csr", "activated", "verify", "session"}) {
    const auto found = counts.find(step);
    text += std::string(step) + " " + std::to_string(found == counts.end() ? 0 : found->second) + "  ";
  }
  char head[64];
  std::snprintf(head, sizeof head, "%6.1f s  through %zu/%zu  ", progress.elapsed_ms() / 1000,
                progress.complete(), devices);
  return head + text;
}

class Screen {
 public:
  Screen(const DemoOptions& options, Progress& progress)
      : options_(options), progress_(progress), devices_(static_cast<std::size_t>(options.lab.devices)) {}

  void Show(bool last) {
    const auto lines = progress_.TakeLines();
    if (options_.quiet) return;
    if (options_.live) {
      std::printf("\r\x1b[K%s%s", LiveLine(progress_, devices_).c_str(), last ? "\n" : "");
    } else if (options_.lab.devices <= kPlainLinesMax) {
      for (const auto& line : lines) std::printf("%s\n", line.c_str());
    } else if (last || progress_.elapsed_ms() - shown_ms_ >= 1000) {
      shown_ms_ = progress_.elapsed_ms();
      std::printf("%s\n", LiveLine(progress_, devices_).c_str());
    }
    std::fflush(stdout);
  }

 private:
  const DemoOptions& options_;
  Progress& progress_;
  const std::size_t devices_;
  double shown_ms_ = 0;
};

bool Interrupted(const DemoOptions& options) {
  return options.interrupted != nullptr && *options.interrupted;
}

void AddCpu(const std::map<std::string, std::uint64_t>& before,
            const std::map<std::string, std::uint64_t>& after, DemoReport& report) {
  std::map<std::string, double> sums{{"registry", 0}, {"broker", 0}, {"dns", 0}, {"simulators", 0}};
  for (const auto& [name, micros] : after) {
    const auto earlier = before.find(name);
    const std::uint64_t used = micros - (earlier == before.end() ? 0 : earlier->second);
    const bool dns = name == "nsd" || name == "unbound";
    sums[name == "registryd"   ? "registry"
         : name == "mosquitto" ? "broker"
         : dns                 ? "dns"
                               : "simulators"] += static_cast<double>(used);
  }
  for (auto& [part, micros] : sums) micros /= static_cast<double>(std::max<std::size_t>(report.active, 1));
  report.cpu_us_per_activation = sums;
}

// One complete device of this ASP, empty when there is none.
std::string AnyDeviceOf(const Progress& progress, const std::string& asp) {
  for (const auto& [id, device] : progress.devices()) {
    if (device.asp == asp && device.Complete()) return id;
  }
  return {};
}

// True when the ASP refuses the device's session after its deactivation, because DNSSEC shows no TLSA any more. The
// device is taken off the air first: a wiped one would have no certificate to show, and its refusal would prove
// nothing. Caches may hold the record for its TTL, so the device tries until then.
bool IsRefused(Lab& lab, Progress& progress, const std::string& asp, const std::string& device,
               const DemoOptions& options, DemoReport& report) {
  lab.SendTo("devices", {{"cmd", "radio"}, {"device", device}, {"on", false}});
  lab.SendTo(asp, {{"cmd", "deactivate"}, {"device", device}});
  if (progress.WaitDeactivated(device, kRefusalPatience) != true) {
    report.failed.push_back({device, "deactivate", "not confirmed"});
    return false;
  }
  const auto begun = Progress::Clock::now();
  std::string last = "no answer";
  while (Progress::Clock::now() - begun < kRefusalPatience && !Interrupted(options)) {
    lab.SendTo("devices", {{"cmd", "session"}, {"device", device}});
    const auto retry = progress.WaitRetry(device, kRefusalPatience);
    if (!retry) break;
    if (!retry->ok && retry->reason.find("tlsa_missing") != std::string::npos) {
      report.refusal_ms.push_back(
          std::chrono::duration<double, std::milli>(Progress::Clock::now() - begun).count());
      return true;
    }
    last = retry->ok ? "still welcome" : retry->reason;
    std::this_thread::sleep_for(kTick);
  }
  report.failed.push_back({device, "refusal", last});
  return false;
}

void TryRefusals(Lab& lab, Progress& progress, const DemoOptions& options, DemoReport& report) {
  const auto heard = progress.devices();
  for (const char* asp : kAsps) {
    const bool serves =
        std::any_of(heard.begin(), heard.end(), [&](const auto& d) { return d.second.asp == asp; });
    if (!serves) continue;  // fewer devices than ASPs
    ++report.refusals_wanted;
    const std::string device = AnyDeviceOf(progress, asp);
    if (device.empty()) continue;
    const bool refused = IsRefused(lab, progress, asp, device, options, report);
    report.refused += refused ? 1 : 0;
    if (refused && !options.quiet) {
      std::printf("%s deactivated %s: still holds its certificate, refused after %.1f s\n", asp,
                  device.c_str(), report.refusal_ms.back() / 1000);
    }
  }
}

void Provision(const DemoOptions& options, Progress& progress, DemoRun& run) {
  const auto devices = static_cast<std::size_t>(options.lab.devices);
  progress.StartClock();
  const auto cpu_before = run.lab->CpuMicros();
  if (Status status = run.lab->StartSimulators(); !status) {
    run.trouble = status.error().message;
    return;
  }
  Screen screen(options, progress);
  const milliseconds tick = options.live ? kTerminalTick : kTick;
  while (!progress.Wait(devices, tick, options.silence, options.deadline) && !Interrupted(options)) {
    screen.Show(false);
    if (auto failure = run.lab->TakeFailure()) {
      run.trouble = *failure;
      break;
    }
  }
  const double elapsed_s = progress.elapsed_ms() / 1000;
  const auto cpu_after = run.lab->CpuMicros();
  screen.Show(true);
  run.report = Summarise(progress, devices);
  run.report.duration_s = elapsed_s;
  run.report.activations_per_s = static_cast<double>(progress.complete()) / elapsed_s;
  AddCpu(cpu_before, cpu_after, run.report);
  if (run.trouble.empty() && !Interrupted(options)) TryRefusals(*run.lab, progress, options, run.report);
  run.devices = progress.devices();
}

}  // namespace

DemoRun RunDemo(const DemoOptions& options) {
  DemoRun run;
  auto progress = std::make_shared<Progress>();
  LabOptions lab_options = options.lab;
  // Shared: a lab that is kept goes on hearing its simulators.
  lab_options.on_event = [progress](const std::string& program, const nlohmann::json& event) {
    progress->Heard(program, event);
  };
  auto lab = Lab::Create(lab_options);
  if (!lab) {
    run.trouble = lab.error().message;
    return run;
  }
  run.lab = std::move(*lab);
  run.report.devices = static_cast<std::size_t>(options.lab.devices);
  if (Status status = run.lab->StartServers(); !status) {
    run.trouble = status.error().message;
    return run;
  }
  Provision(options, *progress, run);
  if (auto failure = run.lab->TakeFailure(); failure && run.trouble.empty()) run.trouble = *failure;
  return run;
}

}  // namespace registry::lab
