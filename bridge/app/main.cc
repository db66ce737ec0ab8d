// registryd: the registry bridge. OPERATIONS.md beside this file is its manual.
// Exit: 0 after a clean stop; 1 when it could not start or its ledger failed; 2 for a wrong command line or configuration,
// what it names included (check.h); 3 when the ledger's server is not as registryd left it, and a person has to look; 4 when
// another node has the ledger by now, or may have it (node.h).
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
#include "bridge/app/standby.h"
#include "bridge/app/stop_guard.h"
#include "bridge/app/supervision.h"
#include "bridge/clock.h"
#include "bridge/ledger/ledger.h"
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
constexpr int kExitNotAsLeft =
    3;  // packaging/registryd.service names it: no supervisor starts registryd again

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
  if (ports.zone_tls != 0) run["zone_tls_port"] = ports.zone_tls;
  return signing::ReplaceFile(file, run.dump() + "\n", kReadableByAll);
}

// Says that this process lives while its main thread opens the ledger: a node that stood by is watched already.
class KeptAlive {
 public:
  explicit KeptAlive(const Supervision& supervision) : supervision_(supervision) {
    thread_.Start("kept-alive", [this] {
      MutexLock lock(mutex_);
      for (int left = kStartSeconds; left > 0 && thread_.Rest(lock, std::chrono::seconds(1)); --left)
        supervision_.Alive();
    });
  }

 private:
  static constexpr int kStartSeconds = 900;  // TimeoutStartSec of the unit: what takes longer hangs
  const Supervision& supervision_;
  Mutex mutex_;
  CondVar wake_;
  OwnThread thread_{mutex_, wake_};
};

enum class End : std::uint8_t { kAsked, kLedgerRefuses, kGivesWay };

End WaitForEnd(const sigset_t& signals, Registry& registry, const Supervision& supervision, Log& log) {
  for (Pulse before = Pulse::kBeating;;) {
    supervision.Alive();
    const int signal = sigtimedwait(&signals, nullptr, &kHealthEvery);
    if (signal == SIGTERM || signal == SIGINT) return End::kAsked;
    if (signal == SIGHUP) {
      if (auto opened = log.Reopen(); !opened) log.Write(Level::kError, "app", opened.error().message);
      registry.TakeParties();
      registry.ReadCertificatesAgain();
    }
    const Pulse now = registry.pulse();
    if (now == Pulse::kRefused) return End::kLedgerRefuses;
    if (registry.gives_way()) return End::kGivesWay;
    if (now != before) {
      const bool stalled = now == Pulse::kStalled;
      const char* said = stalled ? "the ledger does not write: its disk, or its server, does not answer"
                                 : "the ledger writes again";
      log.Write(stalled ? Level::kError : Level::kInfo, "app", said);
      supervision.Status(said);
    }
    before = now;
  }
}

int StatusOf(LedgerEnd end) {
  return end == LedgerEnd::kTakenOver   ? kExitLeaseOver
         : end == LedgerEnd::kNotAsLeft ? kExitNotAsLeft
                                        : kExitFailed;
}

int Fail(Log& log, const Error& error, LedgerEnd end = LedgerEnd::kFailed) {
  log.Write(Level::kError, "app", error.symbol + ": " + error.message);
  return StatusOf(end);
}

void RemoveRunFile(const Config& config) {
  std::error_code ignored;
  if (!config.run_file.empty()) std::filesystem::remove(config.run_file, ignored);
}

// An orderly stop waits for commits, of which there will be none, and keeps the ledger's lock from the next start. What
// was acknowledged is in the intake: as after kill -9, the next start goes on from there.
[[noreturn]] void EndFailed(const Config& config, const Registry& registry, Log& log) {
  RemoveRunFile(config);
  const LedgerEnd end = registry.ledger_end();
  log.Write(Level::kError, "app",
            end == LedgerEnd::kTakenOver
                ? "ended: another node has taken the ledger over"
                : "ended by a failure: the ledger refuses to write; look at its disk, or its server, before "
                  "the next start");
  _exit(StatusOf(end));
}

// Takes what the file says by now: it waited for days perhaps. A file that is wrong changes nothing.
void ReadAgain(Config& config, Log& log) {
  auto read = LoadConfig(config.file);
  const std::vector<std::string> faults = read ? FaultsOf(*read) : std::vector{read.error().message};
  for (const std::string& fault : faults)
    log.Write(Level::kError, "app", "the configuration is wrong, it stays as it was: " + fault);
  if (faults.empty()) config = std::move(*read);
}

// Until nobody has the ledger; `alive` is there from then on. A status: that of the end. `took_over`: another had it before.
Result<std::optional<int>> StandBy(const Config& config, const sigset_t& signals,
                                   const Supervision& supervision, Log& log, StopGuard& guard,
                                   std::optional<KeptAlive>& alive, bool& took_over) {
  auto standby = Standby::Start(config, log);
  if (!standby) return standby.error();
  const Ports ports{0, (*standby)->http_port()};
  if (!config.run_file.empty()) {
    if (auto written = WriteRunFile(config.run_file, ports); !written) return written.error();
  }
  log.Write(Level::kInfo, "app", "stands by, http port " + std::to_string(ports.http));
  supervision.Ready((*standby)->says());
  constexpr timespec kLookEvery{0, 100'000'000};
  alive.reset();
  while (!(*standby)->may_open()) {
    supervision.Alive();
    const int signal = sigtimedwait(&signals, nullptr, &kLookEvery);
    if (signal == SIGTERM || signal == SIGINT) {
      log.Write(Level::kInfo, "app", "stopped, it stood by");
      supervision.Stopping();
      guard.Arm();
      RemoveRunFile(config);
      return std::optional(0);
    }
    if (signal == SIGHUP) {
      if (auto opened = log.Reopen(); !opened) log.Write(Level::kError, "app", opened.error().message);
      (*standby)->TakeParties();
    }
    supervision.Status((*standby)->says());
  }
  took_over = took_over || (*standby)->saw_another();
  alive.emplace(supervision);  // while this one ends, too, which has a zone in memory
  return std::optional<int>();
}

struct Opened {
  std::unique_ptr<Registry> registry;  // null: `status` is that of the end
  int status = 0;
};

Result<Opened> OpenRegistry(Config& config, const sigset_t& signals, const Supervision& supervision, Log& log,
                            StopGuard& guard, std::optional<KeptAlive>& alive, LedgerEnd& ledger_end) {
  for (bool took_over = false;;) {
    if (config.ledger.standby) {
      auto end = StandBy(config, signals, supervision, log, guard, alive, took_over);
      if (!end) return end.error();
      if (*end) return Opened{nullptr, **end};
      ReadAgain(config, log);
    }
    auto registry = Registry::Open(config, log, took_over, &ledger_end);
    if (registry) return Opened{std::move(*registry), 0};
    // Another that stood by was faster.
    if (!config.ledger.standby || registry.error().symbol != ledger::kLedgerInUse) return registry.error();
  }
}

int Serve(Config config, const sigset_t& signals, Log& log) {
  log.Write(Level::kInfo, "app", std::string("starting, version ") + REGISTRY_VERSION);
  for (const std::string& warning : WarningsOf(config)) log.Write(Level::kWarning, "app", warning);
  StopGuard guard(log, kStopWithin, kExitFailed);  // outlives the registry, whose end it watches
  const Supervision supervision;
  std::optional<KeptAlive> alive;
  LedgerEnd ledger_end = LedgerEnd::kFailed;
  auto opened = OpenRegistry(config, signals, supervision, log, guard, alive, ledger_end);
  if (!opened) {
    RemoveRunFile(config);
    // A database that lacks what was acknowledged here: the next start would find it as it is.
    if (config.ledger.in_postgres && opened.error().symbol == ledger::kLedgerDamaged)
      ledger_end = LedgerEnd::kNotAsLeft;
    return Fail(log, opened.error(), ledger_end);
  }
  if (!opened->registry) return opened->status;
  Registry& registry = *opened->registry;
  auto ports = registry.Start();
  if (!ports) return Fail(log, ports.error(), registry.ledger_end());
  if (!config.run_file.empty()) {
    if (auto written = WriteRunFile(config.run_file, *ports); !written) return Fail(log, written.error());
  }
  const std::string serving = "zone port " + std::to_string(ports->zone) + ", http port " +
                              std::to_string(ports->http) +
                              (ports->console == 0 ? "" : ", console port " + std::to_string(ports->console));
  log.Write(Level::kInfo, "app", "ready, " + serving);
  supervision.Ready(serving);
  alive.reset();
  const End end = WaitForEnd(signals, registry, supervision, log);
  if (end == End::kLedgerRefuses) EndFailed(config, registry, log);
  log.Write(Level::kInfo, "app", "stopping");
  supervision.Stopping();
  guard.Arm();
  registry.Stop();
  opened->registry.reset();  // and the ledger, which another node may have from now on
  RemoveRunFile(config);
  log.Write(Level::kInfo, "app", "stopped");
  return end == End::kAsked ? 0 : kExitLeaseOver;
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
  const ServerSays server = AskLedgerServer(config);
  for (const std::string& fault : server.faults) std::fprintf(stderr, "%s\n", fault.c_str());
  if (!server.faults.empty()) return kExitWrong;
  for (const auto& warnings : {server.warnings, WarningsOf(config)}) {
    for (const std::string& warning : warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
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
