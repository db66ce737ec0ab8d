// registryd: the registry bridge. OPERATIONS.md beside this file is its manual.
// Exit: 0 after a clean stop; 1 when it could not start or its ledger failed; 2 for a wrong command line or configuration,
// what it names included (check.h).
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bridge/app/broker_crl.h"
#include "bridge/app/check.h"
#include "bridge/app/command_line.h"
#include "bridge/app/config.h"
#include "bridge/app/log.h"
#include "bridge/app/registry.h"
#include "bridge/app/supervision.h"
#include "bridge/clock.h"
#include "bridge/secret.h"
#include "bridge/signing/file_write.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "schemas/base/standard_descriptors.h"

namespace registry::app {
namespace {

constexpr timespec kHealthEvery{1, 0};
constexpr mode_t kReadableByAll = 0644;
constexpr std::chrono::seconds kStopWithin{60};

// Blocked before the first thread, so that every thread inherits it and only Wait sees them.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);  // a peer that went is an error of the write, not of the process
  return set;
}

Status WriteRunFile(const std::string& file, const Ports& ports) {
  nlohmann::json run = {{"pid", getpid()}, {"zone_port", ports.zone}, {"http_port", ports.http}};
  if (ports.console != 0) run["console_port"] = ports.console;
  return signing::ReplaceFile(file, run.dump() + "\n", kReadableByAll);
}

// Ends the process when a stop that was asked for does not come to its end, as with a disk that no longer
// answers. Nothing acknowledged is lost by that: it is what kill -9 would do.
class StopGuard {
 public:
  explicit StopGuard(Log& log) : log_(log) {}
  void Arm() {
    thread_.Start("stop-guard", [this] {
      MutexLock lock(mutex_);
      if (!thread_.Rest(lock, kStopWithin)) return;
      log_.Write(Level::kError, "app", "the stop does not come to its end, ending without it");
      _exit(kExitFailed);
    });
  }

 private:
  Log& log_;
  Mutex mutex_;
  CondVar wake_;
  OwnThread thread_{mutex_, wake_};
};

// Until SIGTERM or SIGINT (true), or until the ledger refuses to write (false).
bool WaitForEnd(const sigset_t& signals, Registry& registry, const Supervision& supervision, Log& log) {
  for (Pulse before = Pulse::kBeating;;) {
    supervision.Alive();
    const int signal = sigtimedwait(&signals, nullptr, &kHealthEvery);
    if (signal == SIGTERM || signal == SIGINT) return true;
    if (signal == SIGHUP) {
      if (auto opened = log.Reopen(); !opened) log.Write(Level::kError, "app", opened.error().message);
      registry.TakeParties();
    }
    const Pulse now = registry.pulse();
    if (now == Pulse::kRefused) return false;
    if (now != before) {
      const bool stalled = now == Pulse::kStalled;
      const char* said =
          stalled ? "the ledger does not write: its disk does not answer" : "the ledger writes again";
      log.Write(stalled ? Level::kError : Level::kInfo, "app", said);
      supervision.Status(said);
    }
    before = now;
  }
}

int Fail(Log& log, const Error& error) {
  log.Write(Level::kError, "app", error.symbol + ": " + error.message);
  return kExitFailed;
}

void RemoveRunFile(const Config& config) {
  std::error_code ignored;
  if (!config.run_file.empty()) std::filesystem::remove(config.run_file, ignored);
}

// An orderly stop waits for commits, of which there will be none, and keeps the ledger's lock from the next start. What
// was acknowledged is in the intake: as after kill -9, the next start goes on from there.
[[noreturn]] void EndFailed(const Config& config, Log& log) {
  RemoveRunFile(config);
  log.Write(Level::kError, "app",
            "ended by a failure: the ledger refuses to write; look at its disk before the next start");
  _exit(kExitFailed);
}

int Serve(const Config& config, const sigset_t& signals, Log& log) {
  log.Write(Level::kInfo, "app", std::string("starting, version ") + REGISTRY_VERSION);
  for (const std::string& warning : WarningsOf(config)) log.Write(Level::kWarning, "app", warning);
  StopGuard guard(log);  // outlives the registry, whose end it watches
  auto registry = Registry::Open(config, log);
  if (!registry) return Fail(log, registry.error());
  auto ports = (*registry)->Start();
  if (!ports) return Fail(log, ports.error());
  if (!config.run_file.empty()) {
    if (auto written = WriteRunFile(config.run_file, *ports); !written) return Fail(log, written.error());
  }
  const std::string serving = "zone port " + std::to_string(ports->zone) + ", http port " +
                              std::to_string(ports->http) +
                              (ports->console == 0 ? "" : ", console port " + std::to_string(ports->console));
  log.Write(Level::kInfo, "app", "ready, " + serving);
  const Supervision supervision;
  supervision.Ready(serving);
  if (!WaitForEnd(signals, **registry, supervision, log)) EndFailed(config, log);
  log.Write(Level::kInfo, "app", "stopping");
  supervision.Stopping();
  guard.Arm();
  (*registry)->Stop();
  RemoveRunFile(config);
  log.Write(Level::kInfo, "app", "stopped");
  return 0;
}

// What --check-config says and what a start says is the same.
bool SayFaults(const Config& config) {
  const auto faults = FaultsOf(config);
  for (const std::string& fault : faults) std::fprintf(stderr, "%s\n", fault.c_str());
  return !faults.empty();
}

// What time does to the broker's list ends no start, which says it in the log.
int SayChecked(const Config& config) {
  const auto crl = JudgeBrokerCrl(config.mqtt.crl_file, config.mqtt.ca_file, SystemClock().Now());
  if (crl.level > 0) std::fprintf(stderr, "%s\n", crl.line.c_str());
  if (crl.level > 2) return kExitWrong;
  for (const std::string& warning : WarningsOf(config))
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  std::printf("configuration is good: zone %s, %zu parties, %zu secondaries\n", config.zone.c_str(),
              config.parties.size(), config.secondaries.size());
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App options("The registry bridge between MQTT, ledger and DNS.", "registryd");
  std::string file;
  bool check = false;
  options.add_option("--config", file, "configuration file (TOML)")->required()->check(CLI::ExistingFile);
  options.add_flag("--check-config", check, "say what is wrong with it and end");
  if (const auto end = TakeCommandLine(options, argc, argv)) return *end;
  auto config = LoadConfig(file);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return kExitWrong;
  }
  if (config->core_dumps) AllowCoreDumps();
  if (SayFaults(*config)) return !check && TokenIsAway(*config) ? kExitFailed : kExitWrong;
  if (check) return SayChecked(*config);
  ::umask(077);  // ledger, intake and log are this user's alone; what others read is given its mode by name
  const sigset_t signals = BlockSignals();
  auto log = Log::Open(config->log_file, config->log_level);
  if (!log) {
    std::fprintf(stderr, "%s\n", log.error().message.c_str());
    return kExitWrong;
  }
  return Serve(*config, signals, **log);
}

}  // namespace
}  // namespace registry::app

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  registry::ProtectSecrets();
  return registry::app::Main(argc, argv);
}
