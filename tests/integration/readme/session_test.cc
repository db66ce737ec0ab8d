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
      "exec 2>&1\nset -e\ntrap 'kill $(pgrep -P $(echo $EAR | tr \" \" ,)) 2>/dev/null' EXIT\ncd " +
      lab_folder + "\n";
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

std::string Readme() { return std::string(REGISTRY_SOURCE_DIR) + "/README.md"; }

// One lab for all: each test registers eSIMs of its own.
class ReadmeSession : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    lab::LabOptions options;
    options.program_folder = std::string(REGISTRY_BINARY_DIR) + "/bin";
    options.broker_config_folder = std::string(REGISTRY_SOURCE_DIR) + "/broker-config";
    auto created = lab::Lab::Create(options);
    ASSERT_TRUE(created) << created.error().message;
    lab_ = std::move(*created);
    const auto started = lab_->StartServers();
    ASSERT_TRUE(started) << started.error().message;
    ASSERT_TRUE(lab_->WriteDescription(nullptr));
  }
  static void TearDownTestSuite() { lab_.reset(); }
  void SetUp() override { ASSERT_TRUE(lab_ != nullptr); }

  static std::string Session() { return SessionOf(Readme(), lab_->layout().folder); }
  static Result<std::string> Run(const std::string& script) {
    const std::string path = lab_->layout().In("session.sh");
    std::ofstream(path) << script;
    return lab::RunToEnd({"bash", path}, {}, std::chrono::seconds(90));
  }

  static inline std::unique_ptr<lab::Lab> lab_;
};

// The text of the session between two of its numbered headings.
std::string StepsOf(const std::string& session, int first, int end) {
  const auto at = [&](int step) { return session.find("\n# " + std::to_string(step) + ". "); };
  return session.substr(at(first), at(end) - at(first));
}

std::string Replaced(std::string text, const std::string& old, const std::string& by) {
  text.replace(text.find(old), old.size(), by);
  return text;
}

TEST_F(ReadmeSession, ARejectionIsSeenAndNothingGoesOnWithAnEarlierDevice) {
  const std::string session = Session(), eid = "89049032123451234512345678901235";
  const std::string registration =
      Replaced(StepsOf(session, 3, 4), "8988211000000530082", "8988211000000530090");
  const auto ran = Run(session.substr(0, session.find("\n# 3. ")) +
                       Replaced(registration, eid, "89049032123451234512345678901332") +
                       "set +e; echo \"first [$DEVICE]\"\n" +
                       Replaced(registration, eid, "89049032123451234512345678901333") +
                       "echo \"then [$DEVICE]\"\n(" + StepsOf(session, 4, 5) + ") || echo stopped\n");
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_TRUE(std::regex_search(*ran, std::regex("first \\[[0-9a-f-]{36}\\]"))) << *ran;
  EXPECT_NE(ran->find("bad_eid"), std::string::npos) << *ran;
  EXPECT_NE(ran->find("then []"), std::string::npos) << *ran;
  EXPECT_NE(ran->find("stopped"), std::string::npos) << *ran;
  EXPECT_EQ(ran->find("\"job\""), std::string::npos) << "nobody was asked for a key: " << *ran;
}

TEST_F(ReadmeSession, AStrangerTakesPartByHand) {
  const std::string script = Session();
  ASSERT_NE(script.find("csr.submit"), std::string::npos) << "the session was not found in README.md";
  const auto ran = Run(script);
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->find("nothing heard"), std::string::npos) << *ran;

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
