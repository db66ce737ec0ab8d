// registry-lab up and down, as a person calls them.
#include "simulators/lab/supervisor.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "simulators/lab/usage.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::seconds;

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest()
      : folder_(testing::TempDir() + "lab-up-" + std::to_string(::getpid()) + "-" +
                testing::UnitTest::GetInstance()->current_test_info()->name()) {}
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

// Whatever is mistyped, the word itself is said.
TEST_F(SupervisorTest, AWrongWordIsNamed) {
  const std::pair<std::vector<std::string>, const char*> wrong[] = {
      {{}, "registry-lab: a command is missing; there are: demo, load, up, down\n"},
      {{"dmeo", "--devices", "2"},
       "registry-lab: 'dmeo' is no command of it; nearest: demo; there are: demo, load, up, down\n"},
      {{"--verbose"}, "registry-lab: '--verbose' is no option of it; there are: demo, load, up, down\n"},
      {{"--verbose", "up"}, "registry-lab: '--verbose' is no option of it\n"},
      {{"demo", "--devcies", "2"}, "registry-lab demo: '--devcies' is no option of it; nearest: --devices\n"},
      {{"up", "here"}, "registry-lab up: 'here' is one word too many\n"},
      {{"down", "--dri", "x"}, "registry-lab down: '--dri' is no option of it; nearest: --dir\n"},
      {{"demo", "--card-layout", "./nowhere"}, "'./nowhere' is no layout and no JSON object"},
      {{"demo", "--devices", "1", "--modem", "/tmp/a", "--modem", "/tmp/b"},
       "more --modem or --vpcd than devices"},
      {{"up", "--telemetry", "maybe"}, "maybe not in {on,off}"},
      {{"down"}, "--dir is required"}};
  fs::create_directories(folder_);
  for (const auto& [words, said] : wrong) {
    ProcessSpec spec;
    spec.name = "registry-lab";
    spec.command = {program_};
    spec.command.insert(spec.command.end(), words.begin(), words.end());
    spec.log_file = folder_ + "/said";
    fs::remove(spec.log_file);
    auto process = Process::Start(spec);
    ASSERT_TRUE(process.ok());
    ASSERT_TRUE((*process)->WaitExit(seconds(30)));
    EXPECT_EQ(WEXITSTATUS((*process)->exit_status().value_or(0)), 2) << said;
    std::ifstream in(spec.log_file);
    EXPECT_THAT(std::string(std::istreambuf_iterator<char>(in), {}), testing::HasSubstr(said));
  }
}

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

TEST_F(SupervisorTest, AnotherUpInItsFolderIsRefusedAndHarmsNothing) {
  const auto up = Up();
  ASSERT_TRUE(up.ok()) << up.error().message;
  const json before = LabJson();
  const auto config = fs::last_write_time(folder_ + "/registry/registry.toml");
  const auto again = Up();
  ASSERT_FALSE(again.ok());
  EXPECT_THAT(again.error().message, testing::HasSubstr("a lab still runs in"));
  EXPECT_EQ(LabJson(), before);
  EXPECT_EQ(fs::last_write_time(folder_ + "/registry/registry.toml"), config);
  for (const json& process : before["processes"]) {
    EXPECT_EQ(StartTimeOf(process["pid"].get<pid_t>()), process["start_time"].get<std::uint64_t>())
        << process;
  }
}

TEST_F(SupervisorTest, WhatEndsByItselfInAKeptLabIsWrittenDown) {
  const auto up = Up();
  ASSERT_TRUE(up.ok()) << up.error().message;
  const json lab = LabJson();
  for (const json& process : lab["processes"]) {
    if (process["name"] == "unbound") ::kill(process["pid"].get<pid_t>(), SIGKILL);
  }
  EXPECT_TRUE(WaitUntil(
      [&] {
        return TailOf(folder_ + "/logs/registry-lab.log", 50).find("unbound was ended by signal 9") !=
               std::string::npos;
      },
      seconds(20)));
}

TEST_F(SupervisorTest, DownNamesWhatItCannotEnd) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs somebody else's process";
  ProcessSpec spec;
  spec.name = "not ours";
  spec.command = {"sleep", "1000"};
  auto process = Process::Start(spec);
  ASSERT_TRUE(process.ok());
  const pid_t pid = (*process)->pid();
  fs::create_directories(folder_);
  std::ofstream(folder_ + "/lab.json")
      << json{{"processes", {{{"name", "stubborn"}, {"pid", pid}, {"start_time", StartTimeOf(pid)}}}}};
  const pid_t nobody = ::fork();
  if (nobody == 0) {
    const auto stopped = ::setuid(65534) == 0 ? StopLab(folder_) : Result<int>(0);
    const bool named = !stopped && stopped.error().message.find("stubborn") != std::string::npos;
    ::_exit(named ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(nobody, &status, 0), nobody);
  EXPECT_EQ(status, 0) << "success was reported";
  EXPECT_TRUE((*process)->running());
  fs::remove(folder_ + "/lab.json");
}

TEST_F(SupervisorTest, AWrongCommandLineEndsWithTwo) {
  for (const char* words : {"", "nonsense", "down", "up --devices many"}) {
    EXPECT_EQ(WEXITSTATUS(std::system((program_ + " " + words + " 2>/dev/null").c_str())), 2) << words;
  }
}

TEST_F(SupervisorTest, DownWithoutALabSaysSo) {
  const auto stopped = StopLab(folder_ + "-nothing");
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().symbol, "no_lab");
}

}  // namespace
}  // namespace registry::lab
