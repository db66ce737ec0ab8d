// registry-lab: demo, load, up and down (README.md). ./dev builds and calls it.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "schemas/base/standard_descriptors.h"
#include "schemas/base/wrong_command.h"
#include "simulators/lab/checks.h"
#include "simulators/lab/demo.h"
#include "simulators/lab/load.h"
#include "simulators/lab/outcome.h"
#include "simulators/lab/story.h"
#include "simulators/lab/supervisor.h"

namespace {

using namespace registry::lab;

std::string OwnFolder() { return std::filesystem::read_symlink("/proc/self/exe").parent_path().string(); }

// An installation's (packaging/CMakeLists.txt), else that of the tree it was built in.
std::string BrokerConfigFolder() {
  const std::string installed = OwnFolder() + "/../../share/iot-registry/broker-config";
  return std::filesystem::exists(installed) ? installed : REGISTRY_BROKER_CONFIG;
}

constexpr const char *kRocksDb = "rocksdb", *kPostgres = "postgres";

struct Arguments {
  std::string folder, report_file, program_folder = OwnFolder(), broker_config_folder = BrokerConfigFolder();
  int devices = 10, threads = 2, bridges = 1;
  std::string checks = "all", arrive = NameOf(Arrive::kPoisson);
  double rate = 0, duration_s = 30;
  std::size_t under_way_max = LoadOptions().under_way_max;
  std::uint64_t seed = 0;
  std::string telemetry = "auto";
  std::string card_layout;
  std::vector<std::string> modems, readers;
  bool shared = false;
  bool story = false, keep = false, servers_only = false, no_batches = false, pilot = false;
  std::string secondary = NameOf(Authority::kBind), publisher = "own", ledger = kRocksDb;
  LinkFaults faults;
  OtaSetup ota;
};

// Null: none was given. nullopt: it is neither a name nor a file with a JSON object. What is in it device-sim judges.
std::optional<nlohmann::json> CardLayoutOf(const std::string& name_or_file) {
  if (name_or_file.empty()) return nlohmann::json();
  std::ifstream file(name_or_file);
  if (!file)
    return name_or_file.find_first_of("./") == std::string::npos ? std::optional(nlohmann::json(name_or_file))
                                                                 : std::nullopt;
  auto layout = nlohmann::json::parse(file, nullptr, false);
  return layout.is_object() ? std::optional(std::move(layout)) : std::nullopt;
}

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
  if (arguments.publisher == "update") options.publisher = LabOptions::Publisher::kUpdate;
  options.postgres = arguments.ledger == kPostgres;
  options.bridges = arguments.bridges;
  options.shared = arguments.shared;
  options.faults = arguments.faults;
  options.ota = arguments.ota;
  options.pilot = arguments.pilot;
  options.batches = !arguments.no_batches && !arguments.servers_only;
  options.telemetry = arguments.telemetry == "on";
  options.cards = {*CardLayoutOf(arguments.card_layout), arguments.modems, arguments.readers};
  options.say = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  return options;
}

// A demo of many devices is about how fast it is.
bool TellsIn(const Arguments& arguments) {
  constexpr int kDevicesThatTell = 100;
  return arguments.telemetry == "on" ||
         (arguments.telemetry == "auto" && arguments.devices <= kDevicesThatTell);
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
  std::printf("console  http://localhost:%u/\n", lab.layout().console);
  std::printf("lab.json %s\nend it with: ./dev down --dir %s\n", lab.layout().In("lab.json").c_str(),
              lab.layout().folder.c_str());
  supervisor.Release(code, log);
  Supervisor::WaitForEnd(ended, [&lab] {
    if (const auto failure = lab.TakeFailure()) std::printf("%s", failure->c_str());
    std::fflush(stdout);
  });
  return code;
}

RunRecord RecordOf(const DemoRun& run, const DemoOptions& options) {
  RunRecord record;
  record.title = "A demo of the IoT registry";
  record.report = run.report;
  record.check_share = options.lab.check_share;
  record.timeline = run.timeline;
  record.settings = {{"devices, all at once", std::to_string(options.lab.devices)},
                     {"devices that check", TextOfCheckShare(options.lab.check_share)},
                     {"secondary", NameOf(options.lab.authority)},
                     {"ledger", options.lab.postgres ? kPostgres : kRocksDb}};
  return record;
}

bool Writes(const std::string& file, const RunRecord& record) {
  const registry::Status written = WriteReport(file, record);
  if (!written) std::printf("%s\n", written.error().message.c_str());
  return written.ok();
}

// Minutes of work must not end in a report that cannot be written.
bool MayWrite(const std::string& file) {
  if (file.empty() || std::ofstream(file, std::ios::app)) return true;
  std::cerr << "cannot write the report to " << file << "\n";
  return false;
}

void SayNext() {
  std::printf(
      "next     ./dev demo --story  one device and its whole life, step by step\n"
      "         ./dev up            the same servers stay, with a console to look at\n"
      "         README.md, \"How to take part by hand\": be a party in them\n");
}

int Demo(const Arguments& arguments) {
  if (!MayWrite(arguments.report_file)) return 1;
  const auto& ended = CatchEndSignals();
  std::optional<Supervisor> supervisor;
  if (arguments.keep) supervisor = Supervisor::Detach();
  DemoOptions options;
  options.lab = OptionsOf(arguments);
  options.lab.telemetry = TellsIn(arguments);
  options.lab.console = arguments.keep;
  options.terminal = StandardOutput();
  options.interrupted = &ended;
  DemoRun run = RunDemo(options);
  SayOutcome(run, options);
  if (run.lab) SayWhere(*run.lab);
  int code = run.report.Good() && run.trouble.empty() ? 0 : 1;
  if (code == 0 && !arguments.keep) SayNext();
  if (!arguments.report_file.empty() && !Writes(arguments.report_file, RecordOf(run, options))) code = 1;
  if (ended) code = InterruptedCode();
  if (supervisor && run.servers_came_up && !ended) return Keep(*supervisor, *run.lab, code, ended);
  run.lab.reset();  // all is stopped before the caller hears of the end
  if (supervisor) supervisor->Release(code, "/dev/null");
  return code;
}

int TellIt(const Arguments& arguments) {
  const auto& ended = CatchEndSignals();
  StoryOptions options;
  options.lab = OptionsOf(arguments);
  options.terminal = StandardOutput();
  options.lab.telemetry = arguments.telemetry != "off";
  options.interrupted = &ended;
  Story story = TellStory(options);
  if (!story.trouble.empty()) std::printf("trouble  %s\n", story.trouble.c_str());
  if (story.lab) SayWhere(*story.lab);
  const int code = story.whole ? 0 : 1;
  story.lab.reset();
  return ended ? InterruptedCode() : code;
}

// 0: all that arrived was started and became active; kMissed: all that was started did.
int Load(const Arguments& arguments) {
  constexpr int kMissed = 3;
  if (!MayWrite(arguments.report_file)) return 1;
  const auto& ended = CatchEndSignals();
  LoadOptions options;
  options.demo.lab = OptionsOf(arguments);
  options.demo.terminal = StandardOutput();
  options.demo.interrupted = &ended;
  options.duration_s = arguments.duration_s;
  options.arrive = *ArriveOf(arguments.arrive);
  options.under_way_max = arguments.under_way_max;
  const LoadRun run = RunLoad(options);
  SayLoad(run.record, options.demo.terminal);
  if (!run.folder.empty()) std::printf("logs     %s/logs\n", run.folder.c_str());
  if (!arguments.report_file.empty() && !Writes(arguments.report_file, run.record)) return 1;
  if (ended) return InterruptedCode();
  if (!run.record.report.Good() || !run.record.report.trouble.empty()) return 1;
  return run.record.arrivals->missed == 0 ? 0 : kMissed;
}

// What is wrong with these options of a load; else empty, and devices is how many arrive.
std::string WrongLoad(const CLI::App& load, Arguments& arguments) {
  constexpr double kDevicesMost = 100000;
  const bool by_rate = load.count("--rate") > 0;
  if (by_rate == (load.count("--devices") > 0)) return "load: give either --rate or --devices";
  if (by_rate) {
    const double devices = std::max(1.0, std::round(arguments.rate * arguments.duration_s));
    if (devices > kDevicesMost) return "load: --rate times --duration is more than 100000 devices";
    arguments.devices = static_cast<int>(devices);
  }
  return arguments.devices > 0 ? "" : "load: --devices must be at least 1";
}

int Up(const Arguments& arguments) {
  const auto& ended = CatchEndSignals();
  Supervisor supervisor = Supervisor::Detach();
  LabOptions options = OptionsOf(arguments);
  options.console = true;
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
  command.add_flag("--no-batches", arguments.no_batches, "one message for each envelope, both ways");
  command
      .add_option(
          "--telemetry", arguments.telemetry,
          "a broker for each ASP, to which active devices send MQTT: on or off; default: on in a demo of "
          "at most 100 devices")
      ->check(CLI::IsMember({"on", "off"}));
  command
      .add_option("--card-layout", arguments.card_layout,
                  "of the devices' cards: registry (default), field, or a JSON file")
      ->check([](const std::string& text) {
        return CardLayoutOf(text) ? std::string() : "'" + text + "' is no layout and no JSON object";
      });
  const auto one_by_one = [](CLI::Option* option) {
    option->expected(1)->take_all()->allow_extra_args(false);
  };
  one_by_one(
      command.add_option("--modem", arguments.modems,
                         "where the card of the first device, the second … is found behind an AT modem"));
  one_by_one(
      command.add_option("--vpcd", arguments.readers, "the same for virtual PC/SC readers, ADDRESS:PORT"));
  command.add_flag(
      "--pilot", arguments.pilot,
      "asp-a is named by its certificate, and every device's card is at DIR/modem-N as in the pilot");
  command.add_option("--seed", arguments.seed, "of the inventory; default: another one every time");
  command.add_option("--programs", arguments.program_folder, "where registryd and the simulators are");
  command.add_option("--broker-config", arguments.broker_config_folder,
                     "folder of mosquitto.conf.in and acl.conf");
  command.add_option("--secondary", arguments.secondary, "the public name server: bind, nsd or knot")
      ->check(CLI::IsMember(SecondaryNames()));
  command
      .add_option("--publisher", arguments.publisher,
                  "who holds the zone: own, the registry itself; or update, a signing server (Knot)")
      ->check(CLI::IsMember({"own", "update"}));
  command
      .add_option("--ledger", arguments.ledger,
                  "what keeps the registry's ledger: rocksdb, or a postgres of the lab's own")
      ->check(CLI::IsMember({kRocksDb, kPostgres}));
  command
      .add_option("--bridges", arguments.bridges,
                  "registryd on that ledger, of which one is active; more than one needs --ledger postgres")
      ->check(CLI::Range(1, 4));
  command.add_flag("--shared", arguments.shared,
                   "all of --bridges decide commands, and not the active one alone");
  command.add_option("--lose", arguments.faults.lose, "share of radio frames lost")
      ->check(CLI::Range(0.0, 0.9));
  command.add_option("--repeat", arguments.faults.repeat, "share of radio frames repeated")
      ->check(CLI::Range(0.0, 0.9));
  command.add_option("--ota", arguments.ota.bearer, "how MNOs reach their cards: direct, sms or http")
      ->check(CLI::IsMember({"direct", "sms", "http"}));
  command
      .add_option("--ota-faults", arguments.ota.faults,
                  "share of short messages and sessions that something happens to")
      ->check(CLI::Range(0.0, 0.3));
  command.add_option("--ota-seed", arguments.ota.seed, "of what happens to them (1)");
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
  demo->add_option("--report", arguments.report_file, "HTML for people, when it ends in .html, else JSON");
  CLI::Option* const keep = demo->add_flag("--keep", arguments.keep, "leave the lab running");
  demo->add_flag("--story", arguments.story, "one device and its whole life, step by step")->excludes(keep);
  CLI::App* load =
      app.add_subcommand("load", "devices arrive at a rate, whether the registry keeps up or not");
  AddLabOptions(*load, arguments);
  load->add_option("--rate", arguments.rate, "devices a second")->check(CLI::Range(0.01, 100000.0));
  load->add_option("--duration", arguments.duration_s, "seconds over which devices arrive (30)")
      ->check(CLI::Range(0.1, 86400.0));
  load->add_option("--arrivals", arguments.arrive, "poisson (independent of each other) or even")
      ->check(CLI::IsMember({NameOf(Arrive::kPoisson), NameOf(Arrive::kEven)}));
  load->add_option("--under-way", arguments.under_way_max,
                   "devices under way at most; more are missed (5000)")
      ->check(CLI::Range(1, 100000));
  load->add_option("--report", arguments.report_file, "HTML for people, when it ends in .html, else JSON");
  CLI::App* up = app.add_subcommand("up", "start a lab and leave it running; DIR/lab.json describes it");
  AddLabOptions(*up, arguments);
  up->add_flag("--servers-only", arguments.servers_only, "no simulators: all parties are played by hand");
  CLI::App* down = app.add_subcommand("down", "end the lab in DIR");
  down->add_option("--dir", arguments.folder, "its run folder")->required();
  if (const auto end = registry::ParseOrEnd<CLI::ParseError>(app, argc, argv)) return *end;
  if (demo->parsed() && arguments.devices == 0) {
    std::cerr
        << "demo: --devices must be at least 1; a lab without devices is what `up --devices 0` starts\n";
    return 2;
  }
  std::string wrong = load->parsed() ? WrongLoad(*load, arguments) : "";
  if (wrong.empty() && arguments.bridges > 1 && arguments.ledger != kPostgres)
    wrong = "--bridges needs --ledger postgres";
  if (wrong.empty() && arguments.shared && arguments.bridges < 2)
    wrong = "--shared needs --bridges 2 or more";
  if (wrong.empty() && arguments.bridges > 1 && arguments.publisher == "update")
    wrong = "--bridges does not go with --publisher update";
  const auto devices = static_cast<std::size_t>(arguments.devices);
  if (wrong.empty() && std::max(arguments.modems.size(), arguments.readers.size()) > devices)
    wrong = "there are more --modem or --vpcd than devices";
  if (!wrong.empty()) {
    std::cerr << wrong << "\nRun with --help for more information.\n";
    return 2;
  }
  if (load->parsed()) return Load(arguments);
  if (demo->parsed()) return arguments.story ? TellIt(arguments) : Demo(arguments);
  return up->parsed() ? Up(arguments) : Down(arguments.folder);
}
