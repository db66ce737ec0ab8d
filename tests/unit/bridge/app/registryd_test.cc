// The program itself: command line, exit codes, signals, run file.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "bridge/clock.h"
#include "bridge/ctl/registry_folder.h"
#include "simulators/lab/credential.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/openssl_tool.h"
#include "tests/unit/bridge/app/http_get.h"

namespace registry::app {
namespace {

using namespace std::chrono_literals;

class RegistrydTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ctl::NewRegistry options;
    options.folder = folder_.In("r");
    options.zone = "iotregistry.test";
    options.now = SystemClock().Now();
    ASSERT_TRUE(ctl::CreateFolder(options).ok());
    ASSERT_TRUE(lab::MakeCredential(folder_.In("r/interface/resolver"), "resolver.iotregistry.test").ok());
    std::string text = folder_.Read("r/registry.toml");
    text = std::regex_replace(text, std::regex("port = (5300|9180)"), "port = 0");
    folder_.Write("r/registry.toml", text + "\n[run]\nfile = \"run.json\"\n");
  }
  std::unique_ptr<lab::Process> Start(std::vector<std::string> arguments) {
    lab::ProcessSpec spec;
    spec.name = "registryd";
    spec.command = {REGISTRY_BINARY_DIR "/bin/registryd"};
    spec.command.insert(spec.command.end(), arguments.begin(), arguments.end());
    spec.log_file = folder_.In("out.log");
    auto process = lab::Process::Start(std::move(spec));
    EXPECT_TRUE(process.ok());
    return process ? std::move(*process) : nullptr;
  }
  // Exit status of a run that ends by itself; -1 when it does not.
  int Run(std::vector<std::string> arguments) {
    auto process = Start(std::move(arguments));
    if (!process || !process->WaitExit(30s)) return -1;
    return WEXITSTATUS(*process->exit_status());
  }
  std::string config() const { return folder_.In("r/registry.toml"); }

  test::TemporaryFolder folder_;
};

TEST_F(RegistrydTest, ExitCodesTellWrongFromGood) {
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_TRUE(folder_.Read("out.log").starts_with("registryd "));
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(Run({"--config", folder_.In("none.toml")}), 2);
  EXPECT_EQ(Run({"--check-config", "--config", config()}), 0) << folder_.Read("out.log");
  const std::string bad =
      folder_.Write("r/bad.toml", folder_.Read("r/registry.toml") + "[pipeline]\nlane = 1\n");
  EXPECT_EQ(Run({"--check-config", "--config", bad}), 2);
  folder_.Write("r/bad.toml", std::regex_replace(folder_.Read("r/registry.toml"), std::regex("\nfile = \"\""),
                                                 "\nfile = \"pki\""));
  EXPECT_EQ(Run({"--check-config", "--config", bad}), 2);
  EXPECT_EQ(Run({"--config", bad}), 2);
  const std::regex said("\nlog\\.file: cannot append to [^\n]*\nlog\\.file: cannot append to ");  // by each
  EXPECT_TRUE(std::regex_search(folder_.Read("out.log"), said)) << folder_.Read("out.log");
  std::filesystem::remove(folder_.In("r/interface/resolver.pem"));
  EXPECT_EQ(Run({"--check-config", "--config", config()}), 2);
  EXPECT_NE(folder_.Read("out.log").find("resolver.certificate: "), std::string::npos);
  const std::string tsig = folder_.In("r/zone/tsig.key");
  std::filesystem::rename(tsig, tsig + ".away");
  EXPECT_EQ(Run({"--check-config", "--config", config()}), 2);
  for (const char* key : {"\nresolver.certificate: ", "\nzone.tsig_secret: "}) {
    EXPECT_NE(("\n" + folder_.Read("out.log")).find(key), std::string::npos) << key;  // each on a line
  }
  std::filesystem::rename(tsig + ".away", tsig);
  EXPECT_EQ(Run({"--config", config()}), 1);
}

TEST_F(RegistrydTest, ServesUntilSigtermAndCleansUp) {
  auto process = Start({"--config", config()});
  ASSERT_TRUE(process);
  const std::string run_file = folder_.In("r/run.json");
  ASSERT_TRUE(lab::WaitUntil([&] { return std::filesystem::exists(run_file); }, 30s))
      << folder_.Read("out.log");
  const auto run = nlohmann::json::parse(folder_.Read("r/run.json"));
  EXPECT_EQ(run["pid"], process->pid());
  EXPECT_TRUE(lab::TcpAnswers("127.0.0.1", run["zone_port"].get<std::uint16_t>()));
  EXPECT_TRUE(test::HttpGet(run["http_port"].get<std::uint16_t>(), "/healthz").starts_with("HTTP/1.1 200 "));
  process->Signal(SIGHUP);
  EXPECT_TRUE(test::HttpGet(run["http_port"].get<std::uint16_t>(), "/healthz").starts_with("HTTP/1.1 200 "));
  process->Signal(SIGTERM);
  ASSERT_TRUE(process->WaitExit(30s));
  EXPECT_EQ(*process->exit_status(), 0) << process->Obituary();
  EXPECT_FALSE(std::filesystem::exists(run_file));
  EXPECT_NE(folder_.Read("out.log").find("\"stopped\""), std::string::npos);
}

}  // namespace
}  // namespace registry::app
