// registry-lab: demo, up and down (README.md). ./dev builds and calls it.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "schemas/base/standard_descriptors.h"
#include "schemas/base/wrong_command.h"
#include "simulators/lab/checks.h"
#include "simulators/lab/demo.h"
#include "simulators/lab/supervisor.h"

namespace {

using namespace registry::lab;

std::string OwnFolder() { return std::filesystem::read_symlink("/proc/self/exe").parent_path().string(); }

struct Arguments {
  std::string folder, report_file, program_folder = OwnFolder(),
                                   broker_config_folder = REGISTRY_BROKER_CONFIG;
  int devices = 10, threads = 2;
  std::string checks = "all";
  std::uint64_t seed = 0;
  bool keep = false, servers_only = false;
  std::string secondary = NameOf(Authority::kBind);
  LinkFaults faults;
};

LabOptions OptionsOf(const Arguments& arguments) {
  LabOptions options;
  options.folder = arguments.folder;
  options.program_folder = arguments.program_folder;
  options.broker_config_folder = arguments.broker_config_folder;
  options.devices = arguments.devices;
  options.device_threads = arguments.threads;
  options.seed = arguments.seed;
  options.check_share = CheckShareOf(arguments.checks).value();
  options.authority = *AuthorityOf(arguments.secondary);
  options.faults = arguments.faults;
  options.say = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  return options;
}

void SayWhere(const Lab& lab) {
  std::printf("logs     %s\nledger   %s\n", lab.layout().In("logs").c_str(),
              lab.layout().Registry("ledger").c_str());
}

void SayFailures(const DemoReport& report) {
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(kShown, report.failed.size()); ++i) {
    const auto& failure = report.failed[i];
    std::printf("FAILED  %s  %s: %s\n", failure.device.c_str(), failure.step.c_str(), failure.reason.c_str());
  }
  if (report.failed.size() > kShown) std::printf("and %zu more\n", report.failed.size() - kShown);
}

void SayFigures(const DemoRun& run) {
  const DemoReport& report = run.report;
  std::printf("\n%s\n", report.devices <= 20 ? DeviceTable(run.devices).c_str() : StepTable(report).c_str());
  if (run.trouble.empty()) SayFailures(report);  // otherwise all of the same
  std::printf(
      "%zu devices: %zu active; of %zu that check %zu verified, %zu sessions, %zu of %zu refused after "
      "deactivation; "
      "%.1f s, %.1f activations/s\n",
      report.devices, report.active, report.checked, report.verifications_ok, report.sessions_ok,
      report.refused, report.refusals_wanted, report.duration_s, report.activations_per_s);
  std::printf("CPU per activation:");
  for (const auto& [part, micros] : report.cpu_us_per_activation)
    std::printf(" %s %.0f us", part.c_str(), micros);
  std::printf("\nmemory at most:");
  for (const auto& [process, octets] : report.peak_octets)
    std::printf(" %s %.0f MiB", process.c_str(), static_cast<double>(octets) / 1048576);
  std::printf("\n");
}

// Where a trouble came before the first device was active there are no figures: what failed is all there is to say.
void SayOutcome(const DemoRun& run) {
  if (run.trouble.empty() || run.report.active > 0) SayFigures(run);
  const std::string sentence = OutcomeSentence(run.report);
  if (!sentence.empty()) std::printf("\n%s\n", sentence.c_str());
}

// The lab goes on in this process until somebody ends it. Until then nobody else looks after it: what ends by itself is
// written down in the log.
int Keep(Supervisor& supervisor, Lab& lab, int code, const std::atomic<bool>& ended) {
  const std::string log = lab.layout().LogFile("registry-lab");
  if (auto status = lab.WriteDescription(Supervisor::Description(log)); !status) {
    std::printf("%s\n", status.error().message.c_str());
    lab.Stop();
    supervisor.Release(1, "/dev/null");
    return 1;
  }
  std::printf("lab.json %s\nend it with: ./dev down --dir %s\n", lab.layout().In("lab.json").c_str(),
              lab.layout().folder.c_str());
  supervisor.Release(code, log);
  Supervisor::WaitForEnd(ended, [&lab] {
    if (const auto failure = lab.TakeFailure()) std::printf("%s", failure->c_str());
    std::fflush(stdout);
  });
  return code;
}

bool WriteReport(const std::string& file, const DemoReport& report) {
  std::ofstream out(file, std::ios::trunc);
  out << ToJson(report).dump(2) << "\n";
  if (out.flush()) return true;
  std::printf("cannot write the report to %s\n", file.c_str());
  return false;
}

void SayNext() {
  std::printf(
      "next     ./dev up       starts the same servers and leaves them running\n"
      "         README.md, \"How to take part by hand\", says how to be a party in them\n");
}

int Demo(const Arguments& arguments) {
  if (!arguments.report_file.empty() && !std::ofstream(arguments.report_file, std::ios::app)) {
    std::cerr << "cannot write the report to " << arguments.report_file << "\n";
    return 1;
  }
  const auto& ended = CatchEndSignals();
  std::optional<Supervisor> supervisor;
  if (arguments.keep) supervisor = Supervisor::Detach();
  DemoOptions options;
  options.lab = OptionsOf(arguments);
  options.live = ::isatty(STDOUT_FILENO) == 1;
  options.interrupted = &ended;
  DemoRun run = RunDemo(options);
  SayOutcome(run);
  if (run.lab) SayWhere(*run.lab);
  int code = run.report.Good() && run.trouble.empty() ? 0 : 1;
  if (code == 0 && !arguments.keep) SayNext();
  if (!arguments.report_file.empty() && !WriteReport(arguments.report_file, run.report)) code = 1;
  if (ended) code = InterruptedCode();
  if (supervisor && run.servers_came_up && !ended) return Keep(*supervisor, *run.lab, code, ended);
  run.lab.reset();  // all is stopped before the caller hears of the end
  if (supervisor) supervisor->Release(code, "/dev/null");
  return code;
}

int Up(const Arguments& arguments) {
  const auto& ended = CatchEndSignals();
  Supervisor supervisor = Supervisor::Detach();
  LabOptions options = OptionsOf(arguments);
  options.interrupted = &ended;
  auto lab = Lab::Create(options);
  registry::Status status = lab ? (*lab)->StartServers() : registry::Status(lab.error());
  if (status.ok() && !arguments.servers_only) status = (*lab)->StartSimulators();
  if (!status) {
    std::printf("%s\n", status.error().message.c_str());
    if (lab) (*lab)->Stop();
    const int code = ended ? InterruptedCode() : 1;
    supervisor.Release(code, "/dev/null");
    return code;
  }
  SayWhere(**lab);
  return Keep(supervisor, **lab, 0, ended);
}

int Down(const std::string& folder) {
  const auto stopped = StopLab(folder);
  if (!stopped) {
    std::cerr << stopped.error().message << "\n";
    return 1;
  }
  std::printf("the lab in %s is down\n", folder.c_str());
  return 0;
}

std::vector<std::string> SecondaryNames() {
  std::vector<std::string> names;
  for (const Authority software : kAuthorities) names.emplace_back(NameOf(software));
  return names;
}

// What CLI11 says of such a value; empty: nothing is wrong with it.
std::string WrongChecks(const std::string& text) {
  return CheckShareOf(text) ? "" : "'" + text + "' is none of all, none, sample:P with P from 0 to 1";
}

void AddLabOptions(CLI::App& command, Arguments& arguments) {
  command.add_option("--dir", arguments.folder, "run folder; default: a fresh one in /tmp, printed");
  command.add_option("--devices", arguments.devices, "eSIMs in the MNOs' stock")
      ->check(CLI::Range(0, 100000));
  command.add_option("--threads", arguments.threads, "of the device simulator")->check(CLI::Range(1, 64));
  command
      .add_option("--checks", arguments.checks,
                  "devices that verify in the DNS and talk to their ASP: all, none, or sample:P (0 to 1)")
      ->check(WrongChecks);
  command.add_option("--seed", arguments.seed, "of the inventory; default: another one every time");
  command.add_option("--programs", arguments.program_folder, "where registryd and the simulators are");
  command.add_option("--broker-config", arguments.broker_config_folder,
                     "folder of mosquitto.conf.in and acl.conf");
  command.add_option("--secondary", arguments.secondary, "the public name server: bind, nsd or knot")
      ->check(CLI::IsMember(SecondaryNames()));
  command.add_option("--lose", arguments.faults.lose, "share of radio frames lost")
      ->check(CLI::Range(0.0, 0.9));
  command.add_option("--repeat", arguments.faults.repeat, "share of radio frames repeated")
      ->check(CLI::Range(0.0, 0.9));
  command.add_option("--delay-ms", arguments.faults.delay_max_ms, "radio frames come late by up to this");
}

}  // namespace

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  CLI::App app("a whole registry on loopback, with everyone who takes part", "registry-lab");
  app.require_subcommand(1);
  Arguments arguments;
  CLI::App* demo = app.add_subcommand("demo", "provision devices end to end, show it, stop everything");
  AddLabOptions(*demo, arguments);
  demo->add_option("--report", arguments.report_file, "JSON report");
  demo->add_flag("--keep", arguments.keep, "leave the lab running");
  CLI::App* up = app.add_subcommand("up", "start a lab and leave it running; DIR/lab.json describes it");
  AddLabOptions(*up, arguments);
  up->add_flag("--servers-only", arguments.servers_only, "no simulators: all parties are played by hand");
  CLI::App* down = app.add_subcommand("down", "end the lab in DIR");
  down->add_option("--dir", arguments.folder, "its run folder")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& why) {  // --help too; 2, as every other program here says it
    const std::string wrong = why.get_exit_code() == 0 ? "" : registry::WrongCommand(app);
    if (wrong.empty()) return app.exit(why) == 0 ? 0 : 2;
    std::cerr << wrong << "\nRun with --help for more information.\n";
    return 2;
  }
  if (demo->parsed() && arguments.devices == 0) {
    std::cerr
        << "demo: --devices must be at least 1; a lab without devices is what `up --devices 0` starts\n";
    return 2;
  }
  if (demo->parsed()) return Demo(arguments);
  return up->parsed() ? Up(arguments) : Down(arguments.folder);
}
