#include "simulators/lab/demo.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "simulators/lab/live_line.h"
#include "simulators/lab/revocation_probe.h"

namespace registry::lab {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{200}, kTerminalTick{100};
constexpr milliseconds kRefusalPatience{60000};  // caches let go after the TLSA's TTL
constexpr int kPlainLinesMax = 20;               // devices; above, one line per second is enough
constexpr std::size_t kBrief = 8;                // characters of a device's name that tell it from the others

constexpr const char* kWhyItTakesAMoment =
    ". The device keeps its certificate and goes on trying. Resolvers may hold its TLSA record until the "
    "record's "
    "time to live is over. Then the DNS alone must be enough to refuse it.";

// What a person reads between the lines of the run.
void Say(const DemoOptions& options, const std::string& text) {
  if (options.quiet) return;
  std::printf("%s\n", Folded(text, options.terminal.columns, 2).c_str());
  std::fflush(stdout);
}
void Head(const DemoOptions& options, const std::string& text) {
  if (!options.quiet) std::printf("\n%s\n", Inked(options.terminal, Ink::kHeading, text).c_str());
}

class Screen {
 public:
  Screen(const DemoOptions& options, Progress& progress)
      : options_(options), progress_(progress), devices_(static_cast<std::size_t>(options.lab.devices)) {}

  void Show(bool last) {
    const auto lines = progress_.TakeLines();
    if (options_.quiet) return;
    const Terminal& terminal = options_.terminal;
    if (terminal.live) {
      std::printf("\r\x1b[K%s%s", LiveLine(State(), LiveColumns(terminal)).c_str(), last ? "\n" : "");
    } else if (options_.lab.devices <= kPlainLinesMax) {
      for (const auto& line : lines) std::printf("%s\n", line.c_str());
    } else if (last || progress_.elapsed_ms() - shown_ms_ >= 1000) {
      shown_ms_ = progress_.elapsed_ms();
      std::printf("%s\n", LiveLine(State(), terminal.columns).c_str());
    }
    std::fflush(stdout);
  }

 private:
  LiveState State() const {
    return {progress_.elapsed_ms() / 1000, progress_.complete(), progress_.given_up(), devices_,
            progress_.counts()};
  }

  const DemoOptions& options_;
  Progress& progress_;
  const std::size_t devices_;
  double shown_ms_ = 0;
};

bool Interrupted(const DemoOptions& options) {
  return options.interrupted != nullptr && *options.interrupted;
}

// Interrupted, or a server has ended: there is no use in waiting any more.
bool Over(const DemoOptions& options, DemoRun& run) {
  if (auto failure = run.lab->TakeFailure()) run.trouble += *failure;
  return Interrupted(options) || !run.trouble.empty();
}

// Asks until there is an answer, in ticks, so that neither a signal nor a dead server waits for the end of patience.
template <class Ask>
auto WaitFor(const DemoOptions& options, DemoRun& run, Ask ask) -> decltype(ask(kTick)) {
  const auto until = Progress::Clock::now() + kRefusalPatience;
  while (Progress::Clock::now() < until && !Over(options, run)) {
    if (auto answer = ask(kTick)) return answer;
  }
  return std::nullopt;
}

// One complete device of this ASP that holds sessions, empty when there is none.
std::string AnyDeviceOf(const Progress& progress, const std::string& asp) {
  for (const auto& [id, device] : progress.devices()) {
    if (device.asp == asp && device.checks && device.Complete()) return id;
  }
  return {};
}

// The device is taken off the air, then deactivated, and the DNS watched from then on; the reason when that did not work.
std::string Deactivate(const DemoOptions& options, DemoRun& run, Progress& progress, const std::string& asp,
                       const std::string& device, std::optional<RevocationProbe>& dns) {
  run.lab->SendTo("devices", {{"cmd", "radio"}, {"device", device}, {"on", false}});
  const auto radio = [&](milliseconds tick) { return progress.WaitRadio(device, tick); };
  if (WaitFor(options, run, radio) != false) return "the device was not taken off the air";
  dns.emplace(run.lab->layout(), device + "._device." + kZone);
  run.lab->SendTo(asp, {{"cmd", "deactivate"}, {"device", device}});
  const auto deactivated = [&](milliseconds tick) { return progress.WaitDeactivated(device, tick); };
  return WaitFor(options, run, deactivated) == true ? "" : "not confirmed";
}

// What is refused because of the DNS is no longer there, so there is hardly anything to wait for.
void NoteRevocation(const DemoOptions& options, DemoRun& run, const std::string& device,
                    const RevocationProbe& dns, double refused_ms) {
  const auto gone = [&](milliseconds tick) {
    const bool both = dns.unserved_ms() && dns.disbelieved_ms();
    if (!both) std::this_thread::sleep_for(tick);
    return both ? std::optional(true) : std::nullopt;
  };
  if (WaitFor(options, run, gone))
    run.report.revocations.push_back({device, *dns.unserved_ms(), *dns.disbelieved_ms(), refused_ms});
}

// One line that changes while the refusal is waited for, since nothing else does.
class Waiting {
 public:
  explicit Waiting(const DemoOptions& options) : shown_(options.terminal.live && !options.quiet) {}
  ~Waiting() {
    if (shown_) std::printf("\r\x1b[K");
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  void Show(double seconds, const std::string& last) const {
    if (!shown_) return;
    std::printf("\r\x1b[K  %.1f s: %.60s", seconds, last.c_str());
    std::fflush(stdout);
  }

 private:
  const bool shown_;
};

double SecondsSince(Progress::Clock::time_point then) {
  return std::chrono::duration<double>(Progress::Clock::now() - then).count();
}

// True when the ASP refuses the device's session after its deactivation, because DNSSEC shows no TLSA any more. The
// device is taken off the air first: a wiped one would have no certificate to show, and its refusal would prove
// nothing. Caches may hold the record for its TTL, so the device tries until then.
bool IsRefused(const DemoOptions& options, DemoRun& run, Progress& progress, const std::string& asp,
               const std::string& device) {
  std::optional<RevocationProbe> dns;
  if (const std::string why = Deactivate(options, run, progress, asp, device, dns); !why.empty()) {
    run.report.failed.push_back({device, "deactivate", why});
    return false;
  }
  run.deactivated.insert(device);
  const auto begun = Progress::Clock::now();
  const Waiting waiting(options);
  std::string last = "no answer";
  while (Progress::Clock::now() - begun < kRefusalPatience && !Over(options, run)) {
    run.lab->SendTo("devices", {{"cmd", "session"}, {"device", device}});
    const auto retry =
        WaitFor(options, run, [&](milliseconds tick) { return progress.WaitRetry(device, tick); });
    if (!retry) break;
    if (!retry->ok && retry->reason.find("tlsa_missing") != std::string::npos) {
      run.report.refusal_ms.push_back(SecondsSince(begun) * 1000);
      NoteRevocation(options, run, device, *dns, dns->elapsed_ms());
      return true;
    }
    last = retry->ok ? "still welcome" : retry->reason;
    waiting.Show(SecondsSince(begun), last);
    std::this_thread::sleep_for(kTick);
  }
  if (!Over(options, run)) run.report.failed.push_back({device, "refusal", last});
  return false;
}

// What the devices said to their ASPs' brokers has to be heard there.
void AwaitTelemetry(const DemoOptions& options, DemoRun& run, Progress& progress) {
  if (!options.lab.telemetry) return;
  run.report.telemetry_wanted = run.report.checked;
  WaitFor(options, run,
          [&](milliseconds tick) { return progress.WaitTold(run.report.telemetry_wanted, tick); });
  for (const auto& [id, device] : progress.devices()) {
    if (!device.checks) continue;
    if (progress.Told(id)) {
      ++run.report.telemetry_heard;
      continue;
    }
    const auto step = device.steps.find("telemetry");
    const bool failed = step != device.steps.end() && !step->second.ok;
    run.report.failed.push_back({id, "telemetry", failed ? step->second.reason : "not heard"});
  }
}

// Its broker hears of the deactivation from the registry, and ends the session that the device still has there.
void AwaitPutOut(const DemoOptions& options, DemoRun& run, Progress& progress, const std::string& asp,
                 const std::string& device) {
  if (!options.lab.telemetry || !progress.Told(device)) return;
  const auto reason =
      WaitFor(options, run, [&](milliseconds tick) { return progress.WaitPutOut(device, tick); });
  if (!reason) {
    if (!Over(options, run)) run.report.failed.push_back({device, "put_out", "its broker lets it stay"});
    return;
  }
  ++run.report.put_out;
  Say(options, "Its connection to " + asp + "'s broker was ended: " + *reason + ".");
}

void TryRefusals(const DemoOptions& options, DemoRun& run, Progress& progress) {
  Head(options, "One device of each ASP is deactivated, and must be refused");
  const auto heard = progress.devices();
  for (const char* asp : kAsps) {
    const bool serves = std::any_of(heard.begin(), heard.end(), [&](const auto& heard_of) {
      return heard_of.second.asp == asp && heard_of.second.checks;
    });
    if (!serves) continue;  // fewer devices than ASPs, or none that holds sessions
    ++run.report.refusals_wanted;
    const std::string device = AnyDeviceOf(progress, asp);
    if (device.empty() || Over(options, run)) continue;
    Say(options, std::string(asp) + " deactivates " + device.substr(0, kBrief) + kWhyItTakesAMoment);
    if (!IsRefused(options, run, progress, asp, device)) continue;
    ++run.report.refused;
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.1f s", run.report.refusal_ms.back() / 1000);
    Say(options, std::string("Refused because of the DNS after ") + seconds + ": no TLSA record any more.");
    AwaitPutOut(options, run, progress, asp, device);
  }
}

Counted Count(const Lab& lab) { return {lab.UsageByProcess(), lab.RegistryCounters()}; }

void Provision(const DemoOptions& options, Progress& progress, DemoRun& run) {
  const auto devices = static_cast<std::size_t>(options.lab.devices);
  Head(options, "Devices get their credentials, and nobody touches them");
  progress.StartClock();
  const Counted before = Count(*run.lab);
  if (Status status = run.lab->StartSimulators(); !status) {
    run.trouble = status.error().message;
    run.report = NotStarted(devices, run.trouble);
    run.report.trouble = run.trouble;
    return;
  }
  Timeline timeline(*run.lab, progress, [devices] { return ArrivalCount{devices, devices, 0}; });
  Screen screen(options, progress);
  const milliseconds tick = options.terminal.live ? kTerminalTick : kTick;
  while (!progress.Wait(devices, tick, options.silence, options.deadline) && !Over(options, run)) {
    screen.Show(false);
  }
  const double elapsed_s = progress.elapsed_ms() / 1000;
  const Counted after = Count(*run.lab);
  timeline.Stop();
  run.timeline = timeline.moments();
  screen.Show(true);
  run.report = Summarise(progress, devices);
  run.report.duration_s = elapsed_s;
  run.report.activations_per_s = static_cast<double>(progress.complete()) / elapsed_s;
  AddUsage(before, after, run.report);
  if (!Over(options, run)) AwaitTelemetry(options, run, progress);
  if (!Over(options, run)) TryRefusals(options, run, progress);
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
  lab_options.interrupted = options.interrupted;
  const auto devices = static_cast<std::size_t>(options.lab.devices);
  Head(options, "Servers start, all of them on this machine");
  auto lab = Lab::Create(lab_options);
  Status started = lab ? (*lab)->StartServers() : Status(lab.error());
  if (lab) run.lab = std::move(*lab);
  if (!started) {
    run.trouble = started.error().message;
    run.report = NotStarted(devices, run.trouble);
    run.report.trouble = run.trouble;
    return run;
  }
  run.servers_came_up = true;
  Provision(options, *progress, run);
  if (auto failure = run.lab->TakeFailure()) run.trouble += *failure;
  if (run.trouble.empty() && Interrupted(options)) run.trouble = "interrupted";
  run.report.trouble = run.trouble;
  return run;
}

}  // namespace registry::lab
