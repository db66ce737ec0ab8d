// tests/unit/bridge/app/registryd_process.h: registryd as a program of its own, in a folder as `registryctl init` makes
// it, on free ports, and with nobody who listens for MQTT. What a test starts ends with it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "simulators/lab/process.h"
#include "tests/support/registry_home.h"

namespace registry::app {

class RegistrydTest : public ::testing::Test {
 protected:
  void SetUp() override { test::MakeRunnableHome(folder_); }
  std::unique_ptr<lab::Process> Start(std::vector<std::string> arguments,
                                      std::vector<std::string> environment = {}) {
    lab::ProcessSpec spec;
    spec.environment = std::move(environment);
    spec.name = "registryd";
    // Built beside this test.
    spec.command = {std::filesystem::read_symlink("/proc/self/exe").parent_path() / "registryd"};
    spec.command.insert(spec.command.end(), arguments.begin(), arguments.end());
    spec.log_file = folder_.In("out.log");
    auto process = lab::Process::Start(std::move(spec));
    EXPECT_TRUE(process.ok());
    return process ? std::move(*process) : nullptr;
  }
  // Exit status of a run that ends by itself; -1 when it does not.
  int Run(std::vector<std::string> arguments) {
    auto process = Start(std::move(arguments));
    if (!process || !process->WaitExit(std::chrono::seconds(30))) return -1;
    return WEXITSTATUS(*process->exit_status());
  }
  std::string config() const { return folder_.In("r/registry.toml"); }
  std::set<std::string> NamesIn(const std::string& folder) const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.In(folder)))
      names.insert(entry.path().filename());
    return names;
  }

  test::TemporaryFolder folder_;
};

}  // namespace registry::app
