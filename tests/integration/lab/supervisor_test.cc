// registry-lab up and down, as a person calls them.
#include "simulators/lab/supervisor.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "simulators/lab/cpu.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::seconds;

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() : folder_(testing::TempDir() + "lab-up-" + std::to_string(::getpid())) {}
  ~SupervisorTest() override {
    RunToEnd({program_, "down", "--dir", folder_}).ok();
    if (!HasFailure()) fs::remove_all(folder_);
  }
  Result<std::string> Up() {
    return RunToEnd({program_, "up", "--dir", folder_, "--servers-only"}, {}, seconds(120));
  }
  json LabJson() const {
    std::ifstream in(folder_ + "/lab.json");
    return json::parse(in, nullptr, false);
  }

  const std::string program_ = REGISTRY_BINARY_DIR "/bin/registry-lab";
  const std::string folder_;
};

TEST_F(SupervisorTest, ALabStaysUpGoesDownAndComesBackOverItsLedger) {
  const auto up = Up();
  ASSERT_TRUE(up.ok()) << up.error().message;
  const json first = LabJson();
  ASSERT_TRUE(first.is_object());
  for (const json& process : first["processes"]) {
    EXPECT_EQ(StartTimeOf(process["pid"].get<pid_t>()), process["start_time"].get<std::uint64_t>());
  }
  const auto down = RunToEnd({program_, "down", "--dir", folder_}, {}, seconds(120));
  ASSERT_TRUE(down.ok()) << down.error().message;
  for (const json& process : first["processes"]) {
    EXPECT_NE(StartTimeOf(process["pid"].get<pid_t>()), process["start_time"].get<std::uint64_t>())
        << process;
  }
  const auto root = fs::last_write_time(folder_ + "/registry/pki/root.pem");
  const auto again = Up();
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(fs::last_write_time(folder_ + "/registry/pki/root.pem"), root);
}

TEST_F(SupervisorTest, DownEndsWhatASupervisorThatDiedLeftBehindAndNobodyElse) {
  const auto up = Up();
  ASSERT_TRUE(up.ok()) << up.error().message;
  json lab = LabJson();
  // A process of somebody else that got a number from the list: its start time tells.
  ProcessSpec spec;
  spec.name = "bystander";
  spec.command = {"sleep", "1000"};
  auto bystander = Process::Start(spec);
  ASSERT_TRUE(bystander.ok());
  lab["processes"].push_back(
      {{"name", "x"}, {"pid", (*bystander)->pid()}, {"start_time", 1}, {"log_file", ""}});
  std::ofstream(folder_ + "/lab.json") << lab.dump();
  ::kill(lab["processes"][0]["pid"].get<pid_t>(), SIGKILL);
  const auto stopped = StopLab(folder_);
  ASSERT_TRUE(stopped.ok());
  for (const json& process : lab["processes"]) {
    const auto start = process["start_time"].get<std::uint64_t>();
    EXPECT_TRUE(WaitUntil([&] { return StartTimeOf(process["pid"].get<pid_t>()) != start; }, seconds(20)))
        << process;
  }
  EXPECT_TRUE((*bystander)->running());
}

TEST_F(SupervisorTest, DownWithoutALabSaysSo) {
  const auto stopped = StopLab(folder_ + "-nothing");
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().symbol, "no_lab");
}

}  // namespace
}  // namespace registry::lab
