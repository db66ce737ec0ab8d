// The session "Taking part by hand" of README.md, run as it stands there by bash against a real lab: what the README
// promises a stranger is what a stranger gets.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "simulators/lab/lab.h"

namespace registry::test {
namespace {

// The commands of the fenced block below the heading, without those that start, enter and end the lab.
std::string SessionOf(const std::string& readme, const std::string& lab_folder) {
  std::ifstream file(readme);
  std::string script =
      "set -e\ntrap 'kill $(pgrep -P $(echo $EAR | tr \" \" ,)) 2>/dev/null' EXIT\ncd " + lab_folder + "\n";
  bool below = false, fenced = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) below = line == "## Taking part by hand";
    if (line == "```") fenced = below && !fenced;
    const bool of_the_lab =
        line.starts_with("./dev") || line.starts_with("cd /var/tmp") || line.starts_with("kill $(pgrep");
    if (fenced && line != "```" && !of_the_lab) script += line + "\n";
  }
  return script;
}

TEST(Readme, AStrangerTakesPartByHand) {
  lab::LabOptions options;
  options.program_folder = std::string(REGISTRY_BINARY_DIR) + "/bin";
  options.broker_config_folder = std::string(REGISTRY_SOURCE_DIR) + "/broker-config";
  auto created = lab::Lab::Create(options);
  ASSERT_TRUE(created) << created.error().message;
  lab::Lab& lab = **created;
  const auto started = lab.StartServers();
  ASSERT_TRUE(started) << started.error().message;
  ASSERT_TRUE(lab.WriteDescription(nullptr));

  const std::string script = SessionOf(std::string(REGISTRY_SOURCE_DIR) + "/README.md", lab.layout().folder);
  ASSERT_NE(script.find("csr.submit"), std::string::npos) << "the session was not found in README.md";
  const std::string path = lab.layout().In("session.sh");
  std::ofstream(path) << script;
  const auto ran = lab::RunToEnd({"bash", path}, {}, std::chrono::seconds(90));
  ASSERT_TRUE(ran) << ran.error().message;

  std::smatch hash;
  ASSERT_TRUE(std::regex_search(*ran, hash, std::regex("([0-9a-f]{64})  -"))) << *ran;
  std::string digest = hash[1];
  for (char& c : digest) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_NE(ran->find("device.pem: OK"), std::string::npos) << *ran;
  EXPECT_NE(ran->find("TLSA\t3 0 1 " + digest), std::string::npos) << "kdig shows the hash: " << *ran;
  EXPECT_TRUE(std::regex_search(*ran, std::regex("Flags: [a-z ]*\\bad\\b"))) << *ran;
  EXPECT_NE(ran->find("; fully validated"), std::string::npos) << *ran;
  EXPECT_NE(ran->find("\"state\":\"published\""), std::string::npos) << "the claim: " << *ran;
  EXPECT_TRUE(std::regex_search(*ran, std::regex("\"name\":\"[0-9a-f-]{36}\\._device\\.")))
      << "the activation: " << *ran;
}

}  // namespace
}  // namespace registry::test
