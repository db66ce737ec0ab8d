// What README.md promises a stranger is what a stranger gets: the commands on its page and the session it names
// (simulators/lab/by_hand.sh), run as they stand there by bash against a real lab.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "simulators/lab/process.h"
#include "tests/support/test_lab.h"

namespace registry::test {
namespace {

const std::string kSource = REGISTRY_SOURCE_DIR;
constexpr std::chrono::minutes kPatience{5};  // for a script; it waits a minute for one message
const std::string kSession = kSource + "/simulators/lab/by_hand.sh";

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Replaced(std::string text, const std::string& old, const std::string& by) {
  const std::size_t at = text.find(old);
  if (at == std::string::npos) return "echo 'the session has no " + old + "'; exit 1\n";
  return text.replace(at, old.size(), by);
}

// The commands of README.md's first fenced block below the heading.
std::vector<std::string> CommandsBelow(const std::string& heading) {
  std::istringstream page(TextOf(kSource + "/README.md"));
  std::vector<std::string> commands;
  bool below = false, fenced = false;
  for (std::string line; std::getline(page, line);) {
    if (line == heading) below = true;
    if (fenced && line == "```") break;
    if (fenced) commands.push_back(line);
    if (below && line == "```") fenced = true;
  }
  return commands;
}

// The steps of the session from one number to before another.
std::string Steps(int first, int end) {
  const std::string session = TextOf(kSession);
  const auto at = [&](int step) { return session.find("\n# " + std::to_string(step) + ". "); };
  if (at(first) == std::string::npos || at(end) == std::string::npos) return "echo 'no such step'; exit 1\n";
  return session.substr(at(first), at(end) - at(first));
}

// One lab for all: each test registers eSIMs of its own.
class ReadmeSession : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    lab_ = NewLabOfServers({});
    ASSERT_NE(lab_, nullptr);
    ASSERT_TRUE(lab_->WriteDescription(nullptr));
  }
  static void TearDownTestSuite() { lab_.reset(); }
  void SetUp() override { ASSERT_TRUE(lab_ != nullptr); }

  static std::string Folder() { return lab_->layout().folder; }
  static std::string Joined() {
    return "exec 2>&1\n. " + kSource + "/simulators/lab/guest.sh " + Folder() + "\ntrap hush EXIT\ncd $LAB\n";
  }
  static Result<std::string> RunText(const std::string& script) {
    const std::string path = lab_->layout().In("script.sh");
    std::ofstream(path) << script;
    return lab::RunToEnd({"bash", path}, {}, kPatience);
  }

  static inline std::unique_ptr<lab::Lab> lab_;
};

TEST_F(ReadmeSession, TheCommandsOnThePageRegisterAnESim) {
  const auto commands = CommandsBelow("## How to take part by hand");
  ASSERT_EQ(commands.size(), 5u);
  std::string script = "exec 2>&1\nset -e\ntrap hush EXIT\ncd " + kSource + "\n";
  for (std::string command : commands) {  // without those that start and end the lab
    if (const auto down = command.find(" && ./dev"); down != std::string::npos) command.resize(down);
    if (!command.starts_with("./dev"))
      script += std::regex_replace(command, std::regex("/var/tmp/lab"), Folder()) + "\n";
  }
  const auto ran = RunText(script);
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_TRUE(std::regex_search(*ran, std::regex("\"device\": \"[0-9a-f-]{36}\""))) << *ran;
  EXPECT_NE(ran->find("\"authorisationCode\""), std::string::npos) << *ran;
}

TEST_F(ReadmeSession, ARejectionIsSeenAndNothingGoesOnWithAnEarlierDevice) {
  const std::string eid = "89049032123451234512345678901235";
  const std::string registration = Replaced(Steps(2, 3), "8988211000000530082", "8988211000000530090");
  const auto ran =
      RunText(Joined() + Replaced(registration, eid, "89049032123451234512345678901332") +
              "echo \"first [$DEVICE]\"\n" + Replaced(registration, eid, "89049032123451234512345678901333") +
              "echo \"then [$DEVICE]\"\n(" + Steps(3, 4) + ") || echo stopped\n");
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_TRUE(std::regex_search(*ran, std::regex("first \\[[0-9a-f-]{36}\\]"))) << *ran;
  EXPECT_NE(ran->find("bad_eid"), std::string::npos) << *ran;
  EXPECT_NE(ran->find("then []"), std::string::npos) << *ran;
  EXPECT_NE(ran->find("stopped"), std::string::npos) << *ran;
  EXPECT_EQ(ran->find("\"job\""), std::string::npos) << "nobody was asked for a key: " << *ran;
}

TEST_F(ReadmeSession, AStrangerSendsABatch) {
  const std::string session = kSource + "/simulators/lab/batch_by_hand.sh";
  const auto ran =
      lab::RunToEnd({"bash", "-c", "exec 2>&1; exec bash \"$0\" \"$1\"", session, Folder()}, {}, kPatience);
  ASSERT_TRUE(ran) << ran.error().message;
  const std::regex registered("registered: [0-9a-f-]{36}\n");
  EXPECT_EQ(std::distance(std::sregex_iterator(ran->begin(), ran->end(), registered), std::sregex_iterator()),
            2)
      << *ran;
  EXPECT_NE(ran->find("rejected: bad_eid"), std::string::npos) << *ran;
}

TEST_F(ReadmeSession, AStrangerBringsADeviceToLifeByHand) {
  const auto ran =
      lab::RunToEnd({"bash", "-c", "exec 2>&1; exec bash \"$0\" \"$1\"", kSession, Folder()}, {}, kPatience);
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

TEST_F(ReadmeSession, AStrangerLeadsADeviceThroughWhatMayBecomeOfIt) {
  const std::string session = kSource + "/simulators/lab/life_by_hand.sh";
  const auto ran =
      lab::RunToEnd({"bash", "-c", "exec 2>&1; exec bash \"$0\" \"$1\"", session, Folder()}, {}, kPatience);
  ASSERT_TRUE(ran) << ran.error().message;
  std::string rest = *ran;
  for (const char* said :
       {"1: 3 0 1 ", "\"holds\":[\"clientHold\"]", "2: \"state=suspended\"", "state_prohibits",
        "2: the same record is back", "serverHold, sponsorHold", "3: the same record is back", "\"away\"",
        "{\"again\":true,\"attempt\":1}", "[\"disconnected\"]", "{\"profile\":1}", "6: \"state=deactivated\"",
        "\"state\":\"deleted\"", "role_not_allowed", "7: \"state=deactivated\"", "\"state\":\"attached\"",
        "guest-asp", "authorisation", "a device's whole life"}) {
    const auto at = rest.find(said);
    ASSERT_NE(at, std::string::npos) << said << " is missing behind what came before it in " << *ran;
    rest.erase(0, at);
  }
}

TEST_F(ReadmeSession, AStrangerOpensBothFormsOfAPayloadAndTheySayTheSame) {
  const std::string session = kSource + "/simulators/lab/payload_by_hand.sh";
  const auto ran =
      lab::RunToEnd({"bash", "-c", "exec 2>&1; exec bash \"$0\" \"$1\"", session, Folder()}, {}, kPatience);
  ASSERT_TRUE(ran) << ran.error().message;
  std::string rest = *ran;
  for (const char* said :
       {"\"version\":1", "\"url\":\"mqtts://mqtt.asp.test:8883\"", "in this order: 06 07 03 08 09 0A 0F 02",
        "ok read", "ok endpoint mqtt.asp.test:8883", "ok chain", "ok asp", "ok dns ", "02 is .certificate",
        "03 is .endpoint.trust.certificate", "06 is .bootstrap.rootCertificate",
        "07 is .bootstrap.issuingCertificate", "08 is .endpoint", "0F is .version", "0F is of these files",
        "one content in two forms"}) {
    const auto at = rest.find(said);
    ASSERT_NE(at, std::string::npos) << said << " is missing behind what came before it in " << *ran;
    rest.erase(0, at);
  }
}

TEST_F(ReadmeSession, AStrangerGivesADeviceToAnotherAspAndToAnotherMno) {
  const std::string session = kSource + "/simulators/lab/transfer_by_hand.sh";
  const auto ran =
      lab::RunToEnd({"bash", "-c", "exec 2>&1; exec bash \"$0\" \"$1\"", session, Folder()}, {}, kPatience);
  ASSERT_TRUE(ran) << ran.error().message;
  std::string rest = *ran;
  for (const char* said :
       {"\"decidesAt\"", "\"state\":\"approved\"", "\"kind\":\"asp\",\"state\":\"completed\"",
        "\"state\":\"approved\"", "3 0 1 ", "3 0 1 ", "\"replaced\"", "3 0 1 ",
        "\"kind\":\"mno\",\"state\":\"completed\"", "{\"symbol\":\"", "{\"symbol\":\""}) {
    const auto at = rest.find(said);
    ASSERT_NE(at, std::string::npos) << said << " is missing behind what came before it in " << *ran;
    rest.erase(0, at + 1);
  }
}

TEST_F(ReadmeSession, AnAspThatKeepsCertificatesActsOnDeviceRenewed) {
  const std::string session = kSource + "/simulators/lab/renewal_by_hand.sh";
  const auto ran =
      lab::RunToEnd({"bash", "-c", "exec 2>&1; exec bash \"$0\" \"$1\"", session, Folder()}, {}, kPatience);
  ASSERT_TRUE(ran) << ran.error().message;
  const std::regex whole(
      "pinned ([0-9a-f]+) of (\\S+)\n"
      "\\{\"state\":\"active\"\\}\n"
      "\\{\"name\":\"\\2\",\"notAfter\":\"[^\"]+\",\"replaced\":\"\\1\"\\}\n"
      "pinned ([0-9a-f]+) of \\2\n"
      "let \\1 go\n"
      "\\3\\.pem\n$");
  EXPECT_TRUE(std::regex_search(*ran, whole)) << *ran;
}

}  // namespace
}  // namespace registry::test
