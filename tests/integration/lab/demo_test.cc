// The main job, end to end, on real servers: what ./dev demo promises.
#include "simulators/lab/demo.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "simulators/lab/probe.h"
#include "tests/support/built_lab.h"
#include "tests/support/shell.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::seconds;

// The names that others read: fixed by the contract of lab.json and of --report, one JSON pointer each.
using Type = json::value_t;
constexpr Type kText = Type::string, kNumber = Type::number_unsigned, kList = Type::array,
               kObject = Type::object;
using Members = std::vector<std::pair<std::string, Type>>;

constexpr const char* kParties[] = {"mno-a",     "mno-b",       "asp-a",     "asp-b",      "operator",
                                    "guest-mno", "guest-mno-b", "guest-asp", "guest-asp-b"};

const Members kLabMembers = [] {
  Members members{{"/mqtt/host", kText},
                  {"/mqtt/port", kNumber},
                  {"/mqtt/ca_file", kText},
                  {"/dns/zone", kText},
                  {"/dns/primary/address", kText},
                  {"/dns/primary/port", kNumber},
                  {"/dns/primary/tsig_key_file", kText},
                  {"/dns/secondaries", kList},
                  {"/dns/trust_anchor_file", kText},
                  {"/resolver/address", kText},
                  {"/resolver/port", kNumber},
                  {"/resolver/dot_port", kNumber},
                  {"/resolver/dot_name", kText},
                  {"/resolver/dot_ca_file", kText},
                  {"/pki/root_cert_file", kText},
                  {"/pki/issuing_cert_file", kText},
                  {"/pki/crl_file", kText},
                  {"/ledger_dir", kText},
                  {"/config_file", kText},
                  {"/metrics_url", kText},
                  {"/health_url", kText},
                  {"/processes", kList}};
  for (const char* party : kParties) {
    for (const char* member : {"role", "cert_file", "key_file"})
      members.emplace_back(std::string("/parties/") + party + "/" + member, kText);
  }
  return members;
}();

const Members kReportMembers{{"/devices", kNumber},
                             {"/active", kNumber},
                             {"/failed", kList},
                             {"/device_verifications_ok", kNumber},
                             {"/asp_sessions_ok", kNumber},
                             {"/refused_after_deactivation", kNumber},
                             {"/revocations", kList},
                             {"/telemetry_heard", kNumber},
                             {"/put_out_by_broker", kNumber},
                             {"/duration_s", Type::number_float},
                             {"/activations_per_s", Type::number_float},
                             {"/steps", kObject},
                             {"/cpu_us_per_activation/registry", Type::number_float},
                             {"/cpu_us_per_activation/broker", Type::number_float},
                             {"/cpu_us_per_activation/dns", Type::number_float},
                             {"/cpu_us_per_activation/simulators", Type::number_float}};

void ExpectMembers(const json& object, const Members& members) {
  for (const auto& [name, type] : members) {
    const json::json_pointer pointer(name);
    ASSERT_TRUE(object.contains(pointer)) << name;
    const json& value = object[pointer];
    // 0 is 0, whichever way it is counted: numbers are read back as they are written.
    const bool fits = type == value.type() || (type == kNumber && value.is_number_integer() && value >= 0);
    EXPECT_TRUE(fits) << name << " is " << value.type_name();
    EXPECT_TRUE(type != kText || value != "") << name << " is empty";
  }
}

// Living processes whose command line names the folder.
std::vector<std::string> ProcessesOf(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    std::ifstream in(entry.path() / "cmdline");
    const std::string line((std::istreambuf_iterator<char>(in)), {});
    if (line.find(folder) != std::string::npos) found.push_back(line);
  }
  return found;
}

class DemoTest : public testing::Test {
 protected:
  // With --keep the last to go is the one who let the program end, a moment after it.
  void ExpectNothingLeft() const {
    EXPECT_TRUE(WaitUntil([&] { return ProcessesOf(folder_).empty(); }, seconds(20)))
        << testing::PrintToString(ProcessesOf(folder_));
  }
  DemoTest() : folder_(testing::TempDir() + "lab-demo-" + std::to_string(::getpid())) {}
  ~DemoTest() override {
    if (HasFailure()) return;
    fs::remove_all(folder_);
    fs::remove(folder_ + ".out");
    fs::remove(report_);
  }
  DemoOptions Options(int devices) const {
    DemoOptions options;
    options.lab = test::BuiltLab();
    options.lab.folder = folder_;
    options.lab.devices = devices;
    options.quiet = true;
    return options;
  }
  // The program, as a person or a script calls it.
  ProcessSpec Program(std::vector<std::string> arguments, int devices = 2) const {
    ProcessSpec spec;
    spec.name = "registry-lab";
    spec.command = {REGISTRY_BINARY_DIR "/bin/registry-lab",
                    "demo",
                    "--dir",
                    folder_,
                    "--devices",
                    std::to_string(devices)};
    spec.command.insert(spec.command.end(), arguments.begin(), arguments.end());
    spec.log_file = folder_ + ".out";
    return spec;
  }
  // What a person reads: it fits a terminal of 80 columns, and ends with what one of the devices has.
  void ExpectAStory() const {
    const std::string said = TailOf(folder_ + ".out", 1000);
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
    EXPECT_THAT(said, testing::Not(testing::HasSubstr("\x1b"))) << "a file has no colours";
    for (const char* part :
         {"\nServers start", "\nDevices get their credentials", "\nOne device of each ASP is deactivated",
          "Resolvers may hold its TLSA record", "\nRefused because of the DNS after ",
          "._device.iotregistry.test\n", "\ncertificate  serial ", "\nTLSA         3 0 1",
          "\nDNSSEC       the resolver set ad"}) {
      EXPECT_THAT(said, testing::HasSubstr(part));
    }
  }
  static json ReadJson(const std::string& file) {
    std::ifstream in(file);
    return json::parse(in, nullptr, false);
  }
  static std::string Failures(const DemoRun& run) { return run.trouble + ToJson(run.report).dump(1); }

  const std::string folder_, report_ = folder_ + ".json";
};

TEST_F(DemoTest, EveryDeviceGetsThroughAndADeactivatedOneIsRefused) {
  DemoRun run = RunDemo(Options(8));
  EXPECT_TRUE(run.report.Good() && run.trouble.empty()) << Failures(run);
  EXPECT_EQ(run.report.active, 8u);
  EXPECT_EQ(run.report.refused, 2u);
  for (const char* step :
       {"register", "claim", "attach", "csr", "payload", "activated", "verify", "session"}) {
    EXPECT_EQ(run.report.steps[step].ms.size(), 8u) << step;
  }
  ASSERT_NE(run.lab, nullptr);
  const json described = run.lab->Description();
  std::vector<pid_t> pids;
  for (const json& process : described["processes"]) pids.push_back(process["pid"]);
  EXPECT_EQ(pids.size(), 9u);
  run.lab.reset();
  for (const pid_t pid : pids) EXPECT_EQ(::kill(pid, 0), -1) << "still running: " << pid;
}

// BIND, the default, serves all other tests of a lab.
TEST_F(DemoTest, TheOtherNameServersAreEqualChoices) {
  for (const Authority software : {Authority::kNsd, Authority::kKnot}) {
    DemoOptions options = Options(2);
    options.lab.authority = software;
    DemoRun run = RunDemo(options);
    EXPECT_TRUE(run.report.Good() && run.trouble.empty()) << NameOf(software) << Failures(run);
    EXPECT_EQ(run.report.active, 2u) << NameOf(software);
    ASSERT_NE(run.lab, nullptr);
    EXPECT_EQ(run.lab->Description()["dns"]["secondaries"][0]["software"], NameOf(software));
    run.lab.reset();
    fs::remove_all(folder_);
  }
}

TEST_F(DemoTest, ABadRadioOnlyTakesLonger) {
  DemoOptions options = Options(8);
  options.lab.faults = {.lose = 0.2, .repeat = 0.2, .delay_max_ms = 50, .seed = 5};
  options.silence = seconds(90);
  const DemoRun run = RunDemo(options);
  EXPECT_TRUE(run.report.Good() && run.trouble.empty()) << Failures(run);
}

TEST_F(DemoTest, TheDescriptionIsWhatOthersRelyOn) {
  DemoOptions options = Options(0);
  auto lab = Lab::Create(options.lab);
  ASSERT_TRUE(lab.ok()) << lab.error().message;
  const Status started = (*lab)->StartServers();
  ASSERT_TRUE(started.ok()) << started.error().message;
  const json lab_json = (*lab)->Description();
  ExpectMembers(lab_json, kLabMembers);
  for (const json& server : lab_json["dns"]["secondaries"])
    ExpectMembers(server, {{"/software", kText}, {"/address", kText}, {"/port", kNumber}});
  ASSERT_FALSE(lab_json["processes"].empty());
  for (const json& process : lab_json["processes"])
    ExpectMembers(process, {{"/name", kText}, {"/pid", kNumber}, {"/log_file", kText}});
  for (const char* party : kParties) {
    EXPECT_TRUE(fs::exists(lab_json["parties"][party]["cert_file"].get<std::string>())) << party;
    EXPECT_TRUE(fs::exists(lab_json["parties"][party]["key_file"].get<std::string>())) << party;
  }
  for (const char* file : {"root_cert_file", "issuing_cert_file"}) {
    EXPECT_TRUE(fs::exists(lab_json["pki"][file].get<std::string>())) << file;
  }
  EXPECT_TRUE(fs::exists(lab_json["dns"]["trust_anchor_file"].get<std::string>()));
  EXPECT_TRUE(fs::exists(lab_json["resolver"]["dot_ca_file"].get<std::string>()));
}

TEST_F(DemoTest, TheProgramReportsWhatTheContractNames) {
  auto program = Process::Start(Program({"--report", report_}, 6));
  ASSERT_TRUE(program.ok());
  ASSERT_TRUE((*program)->WaitExit(seconds(120)));
  EXPECT_EQ((*program)->exit_status(), 0) << (*program)->Obituary();
  ExpectAStory();
  const std::string end = TailOf(folder_ + ".out", 4);
  EXPECT_THAT(end, testing::HasSubstr("./dev up"));
  EXPECT_THAT(end, testing::HasSubstr("\"How to take part by hand\""));
  const json report = ReadJson(report_);
  ExpectMembers(report, kReportMembers);
  EXPECT_EQ(report["devices"], 6);
  EXPECT_EQ(report["active"], 6);
  EXPECT_EQ(report["telemetry_heard"], 6);
  EXPECT_EQ(report["put_out_by_broker"], report["refused_after_deactivation"]);
  EXPECT_EQ(report["failed"], json::array());
  EXPECT_GE(report["refused_after_deactivation"], 1) << "one per ASP that serves one of the two";
  ASSERT_EQ(report["revocations"].size(), report["refused_after_deactivation"]);
  for (const json& revocation : report["revocations"]) {
    for (const char* step : {"unserved_ms", "disbelieved_ms", "refused_ms"}) {
      EXPECT_GT(revocation[step], 0) << step;
    }
  }
  for (const auto& [step, figures] : report["steps"].items()) {
    ExpectMembers(figures,
                  {{"/count", kNumber}, {"/p50_ms", Type::number_float}, {"/p99_ms", Type::number_float}});
    EXPECT_TRUE(figures["max_ms"].is_number()) << step;
  }
  ExpectNothingLeft();
}

TEST_F(DemoTest, ATroubleAtTheStartIsReportedWithEveryKeyAndNothingIsLeft) {
  // registryctl prepares the folder, then there is no registryd: with --keep, too, all that runs is ended.
  const std::string programs = folder_ + ".programs";
  fs::create_directories(programs);
  for (const char* needed : {"/registryctl", "/registry-subscribe-guard.so"}) {
    fs::create_symlink(std::string(REGISTRY_BINARY_DIR "/bin") + needed, programs + needed);
  }
  auto program = Process::Start(Program({"--report", report_, "--programs", programs, "--keep"}));
  ASSERT_TRUE(program.ok());
  ASSERT_TRUE((*program)->WaitExit(seconds(120)));
  EXPECT_EQ(WEXITSTATUS((*program)->exit_status().value_or(0)), 1);
  const std::string said = TailOf(folder_ + ".out", 100);
  EXPECT_THAT(said, testing::HasSubstr("mosquitto is up"));
  EXPECT_THAT(said, testing::HasSubstr("The demo failed; 0 of 2 devices were active. "));
  EXPECT_THAT(said, testing::Not(testing::HasSubstr("CPU per activation"))) << "no tables of zeros";
  ExpectNothingLeft();
  const json report = ReadJson(report_);
  ExpectMembers(report, kReportMembers);
  EXPECT_EQ(report["devices"], 2);
  ASSERT_EQ(report["failed"].size(), 2u);
  ExpectMembers(report["failed"][0], {{"/step", kText}, {"/reason", kText}});
  EXPECT_THAT(report["failed"][0]["reason"].get<std::string>(), testing::HasSubstr("registryd"));
  fs::remove_all(programs);
}

// A real terminal by script(1). A folder that cannot be made keeps the lab from starting; its heading is said before.
TEST_F(DemoTest, HonoursNoColorAndDumbTerminals) {
  const auto demo = [](const std::string& environment) {
    return test::Shell("env " + environment +
                       " script -qec '" REGISTRY_BINARY_DIR
                       "/bin/registry-lab demo --dir /proc/nowhere' /dev/null </dev/null 2>&1")
        .output;
  };
  const std::string escape = "\x1b[1m";
  EXPECT_THAT(demo("-u NO_COLOR TERM=xterm"), testing::HasSubstr(escape + "Servers start"));
  EXPECT_THAT(demo("NO_COLOR= TERM=xterm"), testing::HasSubstr(escape)) << "empty is not set";
  for (const char* plain : {"NO_COLOR=1 TERM=xterm", "-u NO_COLOR TERM=dumb"}) {
    const std::string said = demo(plain);
    EXPECT_THAT(said, testing::HasSubstr("Servers start")) << plain;
    EXPECT_THAT(said, testing::Not(testing::HasSubstr("\x1b["))) << plain;
  }
}

TEST_F(DemoTest, AFolderOfSomebodyElseIsLeftAlone) {
  fs::create_directories(folder_ + "/nsd");
  std::ofstream(folder_ + "/nsd/nsd.conf") << "mine\n";
  for (const char* command : {"demo", "up"}) {
    ProcessSpec spec = Program({});
    spec.command[1] = command;
    auto program = Process::Start(std::move(spec));
    ASSERT_TRUE(program.ok());
    ASSERT_TRUE((*program)->WaitExit(seconds(120)));
    EXPECT_EQ(WEXITSTATUS((*program)->exit_status().value_or(0)), 1) << command;
    EXPECT_THAT(TailOf(folder_ + ".out", 100), testing::HasSubstr(" is not empty and no lab's folder"))
        << command;
  }
  EXPECT_EQ(std::distance(fs::recursive_directory_iterator(folder_), {}), 2) << "nothing was added";
  EXPECT_EQ(TailOf(folder_ + "/nsd/nsd.conf", 1), "mine\n");
}

// Other users of the machine see nothing of devices and parties, whatever folder the lab was given.
TEST_F(DemoTest, WhatNamesDevicesOrKeysIsItsUsersAlone) {
  DemoOptions options = Options(2);
  const DemoRun run = RunDemo(options);
  ASSERT_NE(run.lab, nullptr) << run.trouble;
  const auto closed = [](const fs::path& path) {
    return (fs::status(path).permissions() & (fs::perms::group_all | fs::perms::others_all)) ==
           fs::perms::none;
  };
  EXPECT_TRUE(closed(folder_));
  std::vector<std::string> secrets;
  for (const auto& esim : run.lab->inventory()) secrets.push_back(esim.eid.text());
  std::ifstream toml(run.lab->layout().ConfigFile());
  const std::string config((std::istreambuf_iterator<char>(toml)), {});
  const auto id = config.find("registryd-");
  ASSERT_NE(id, std::string::npos);
  secrets.push_back(config.substr(id, 42));
  int found = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string octets((std::istreambuf_iterator<char>(in)), {});
    for (const auto& secret : secrets) {
      if (octets.find(secret) == std::string::npos) continue;
      ++found;
      EXPECT_TRUE(closed(entry.path())) << entry.path() << " holds " << secret;
    }
  }
  EXPECT_GE(found, 5) << "the inventories, and the client id in configuration and log";
  for (const char* sub : {"logs", "broker", "simulators", "zones", "tls"})
    EXPECT_TRUE(closed(folder_ + "/" + sub)) << sub;
}

TEST_F(DemoTest, AReportThatCannotBeWrittenIsAFailure) {
  auto program = Process::Start(Program({"--report", "/no/such/folder/report.json"}));
  ASSERT_TRUE(program.ok());
  ASSERT_TRUE((*program)->WaitExit(seconds(120)));
  EXPECT_EQ(WEXITSTATUS((*program)->exit_status().value_or(0)), 1);
  EXPECT_THAT(TailOf(folder_ + ".out", 100), testing::HasSubstr("/no/such/folder/report.json"));
}

TEST_F(DemoTest, AnInterruptedProgramLeavesNoProcess) {
  // The second stage is the wait for the deactivated devices' refusal.
  for (const char* stage : {"mosquitto is up", "session"}) {
    fs::remove(folder_ + ".out");
    auto program = Process::Start(Program({"--report", report_}));
    ASSERT_TRUE(program.ok());
    ASSERT_TRUE(WaitUntil([&] { return TailOf(folder_ + ".out", 100).find(stage) != std::string::npos; },
                          seconds(60)))
        << stage;
    (*program)->Signal(SIGINT);
    ASSERT_TRUE((*program)->WaitExit(seconds(60))) << stage;
    EXPECT_EQ(WEXITSTATUS((*program)->exit_status().value_or(0)), 130) << (*program)->Obituary();
    EXPECT_THAT(TailOf(folder_ + ".out", 100), testing::HasSubstr("The demo was interrupted; "));
    EXPECT_THAT(ProcessesOf(folder_), testing::IsEmpty()) << stage;
    ExpectMembers(ReadJson(report_), kReportMembers);
  }
}

TEST_F(DemoTest, AStrangerSeesTheZoneValidatedFromTheRootByAnotherImplementation) {
  DemoOptions options = Options(0);
  auto lab = Lab::Create(options.lab);
  ASSERT_TRUE(lab.ok()) << lab.error().message;
  ASSERT_TRUE((*lab)->StartServers().ok());
  const Layout& layout = (*lab)->layout();
  for (const std::string& question : {std::string("iotregistry.test TLSA"), layout.TlsaOwner(0) + " TLSA",
                                      std::string("no-such-name.iotregistry.test A")}) {
    const auto space = question.find(' ');
    const auto answer =
        RunToEnd({"delv", "-p", std::to_string(layout.resolver), "-a", layout.In("zones/trust-anchor.bind"),
                  "+root=.", "@127.0.0.1", question.substr(0, space), question.substr(space + 1)});
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_THAT(*answer, testing::HasSubstr("fully validated")) << question;
  }
}

TEST_F(DemoTest, AServerThatIsKilledIsReportedWithItsNameAndOneThatIsRestartedIsNot) {
  DemoOptions options = Options(0);
  auto lab = Lab::Create(options.lab);
  ASSERT_TRUE(lab.ok()) << lab.error().message;
  ASSERT_TRUE((*lab)->StartServers().ok());
  (*lab)->Kill("registryd");
  EXPECT_TRUE((*lab)->Restart("registryd").ok());
  EXPECT_FALSE((*lab)->TakeFailure().has_value());
  const json processes = (*lab)->Description()["processes"];
  for (const json& process : processes) {
    if (process["name"] == "unbound") ::kill(process["pid"].get<pid_t>(), SIGKILL);
  }
  std::optional<std::string> failure;
  EXPECT_TRUE(WaitUntil([&] { return (failure = (*lab)->TakeFailure()).has_value(); }, seconds(20)));
  EXPECT_THAT(failure.value_or(""), testing::HasSubstr("unbound was ended by signal 9"));
}

}  // namespace
}  // namespace registry::lab
