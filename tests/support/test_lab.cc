#include "tests/support/test_lab.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "simulators/lab/process.h"
#include "tests/support/built_lab.h"

namespace registry::test {
namespace {

// Folders that labs chose for themselves. A run without a failure leaves none of them behind.
class Folders {
 public:
  ~Folders() {
    if (testing::UnitTest::GetInstance()->Failed()) return;
    std::error_code ignored;
    for (const std::string& folder : folders_) std::filesystem::remove_all(folder, ignored);
  }
  void Add(const std::string& folder) { folders_.push_back(folder); }

 private:
  std::vector<std::string> folders_;
};

void RemoveAtTheEnd(const std::string& folder) {
  static Folders folders;
  folders.Add(folder);
}

std::unique_ptr<lab::Lab> Started(std::unique_ptr<lab::Lab> lab, Status (lab::Lab::*start)()) {
  if (!lab) return nullptr;
  const auto started = (lab.get()->*start)();
  if (started) return lab;
  ADD_FAILURE() << started.error().message;
  return nullptr;
}

}  // namespace

std::unique_ptr<lab::Lab> NewLab(lab::LabOptions options) {
  const lab::LabOptions built = BuiltLab();
  if (options.program_folder.empty()) options.program_folder = built.program_folder;
  options.broker_config_folder = built.broker_config_folder;
  const bool own_folder = options.folder.empty();
  auto created = lab::Lab::Create(std::move(options));
  if (created && own_folder) RemoveAtTheEnd((*created)->layout().folder);
  if (created) return *std::move(created);
  ADD_FAILURE() << created.error().message;
  return nullptr;
}

std::unique_ptr<lab::Lab> NewLabOfServers(lab::LabOptions options) {
  return Started(NewLab(std::move(options)), &lab::Lab::StartServers);
}

std::unique_ptr<lab::Lab> NewWholeLab(lab::LabOptions options) {
  return Started(NewLabOfServers(std::move(options)), &lab::Lab::StartSimulators);
}

nlohmann::json Registryctl(const lab::Lab& lab, std::vector<std::string> words,
                           const std::string& program_folder) {
  const std::string folder = program_folder.empty() ? BuiltLab().program_folder : program_folder;
  words.insert(words.begin(), folder + "/registryctl");
  words.insert(words.end(), {"--json", "--config", lab.layout().ConfigFile()});
  const auto said = lab::RunToEnd(words);
  EXPECT_TRUE(said) << words.at(1) << ": " << said.error().message;
  return said ? nlohmann::json::parse(*said, nullptr, false) : nlohmann::json();
}

std::ptrdiff_t LinesWith(const lab::Lab& lab, const std::string& program, const std::regex& part) {
  std::ifstream log(lab.layout().LogFile(program));
  std::ptrdiff_t lines = 0;
  for (std::string line; std::getline(log, line);) lines += std::regex_search(line, part) ? 1 : 0;
  return lines;
}

}  // namespace registry::test
