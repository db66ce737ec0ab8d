// The main job, end to end, on real servers: what ./dev demo promises.
#include "simulators/lab/demo.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "simulators/lab/probe.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::seconds;

class DemoTest : public testing::Test {
 protected:
  DemoTest() : folder_(testing::TempDir() + "lab-demo-" + std::to_string(::getpid())) {}
  ~DemoTest() override {
    if (!HasFailure()) fs::remove_all(folder_);
  }
  DemoOptions Options(int devices) const {
    DemoOptions options;
    options.lab.folder = folder_;
    options.lab.program_folder = REGISTRY_BINARY_DIR "/bin";
    options.lab.broker_config_folder = REGISTRY_SOURCE_DIR "/broker-config";
    options.lab.devices = devices;
    options.quiet = true;
    return options;
  }
  static std::string Failures(const DemoRun& run) { return run.trouble + ToJson(run.report).dump(1); }

  const std::string folder_;
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
  for (const char* name : {"mqtt", "parties", "dns", "resolver", "pki", "ledger_dir", "config_file",
                           "metrics_url", "health_url", "processes"}) {
    EXPECT_TRUE(lab_json.contains(name)) << name;
  }
  for (const char* party : {"mno-a", "mno-b", "asp-a", "asp-b", "operator", "guest-mno", "guest-asp"}) {
    EXPECT_TRUE(fs::exists(lab_json["parties"][party]["cert_file"].get<std::string>())) << party;
    EXPECT_TRUE(fs::exists(lab_json["parties"][party]["key_file"].get<std::string>())) << party;
  }
  for (const char* file : {"root_cert_file", "issuing_cert_file"}) {
    EXPECT_TRUE(fs::exists(lab_json["pki"][file].get<std::string>())) << file;
  }
  EXPECT_TRUE(fs::exists(lab_json["dns"]["trust_anchor_file"].get<std::string>()));
  EXPECT_TRUE(fs::exists(lab_json["resolver"]["dot_ca_file"].get<std::string>()));
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
