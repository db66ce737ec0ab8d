// A party's life at a running registryd and a real Mosquitto, as an operator leads it with registryctl and as the partner
// sees it from the folder that it is given: nothing is started anew, and the zone stays as it is.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/support/commands.h"
#include "tests/support/registry_home.h"
#include "tests/support/shell.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr char kBin[] = REGISTRY_BINARY_DIR "/bin/";

// The n-th block of commands in a page, from 0.
std::string CommandsIn(const std::string& page, int n) {
  std::size_t at = 0;
  for (int i = 0; i <= n; ++i) at = page.find("```sh\n", at) + 6;
  return page.substr(at, page.find("```", at) - at);
}

class PartyLife : public testing::Test {
 protected:
  void SetUp() override {
    MakeRegistryHome(folder_);
    port_ = *ports_.Take();
    WriteBrokerConfig(folder_, port_,
                      {Interface("ca.pem"), Interface("broker.pem"), Interface("broker.key"),
                       "crlfile " + Interface("crl.pem")});
    broker_ = StartBroker(folder_, port_);
    std::string text = folder_.Read("r/registry.toml");
    text = std::regex_replace(text, std::regex("port = (5300|9180)"), "port = 0");
    text = std::regex_replace(text, std::regex("port = 8883"), "port = " + std::to_string(port_));
    text = std::regex_replace(
        text, std::regex("# broker_reload = .*"),
        "broker_reload = [\"kill\", \"-HUP\", \"" + std::to_string(broker_->pid()) + "\"]");
    folder_.Write("r/registry.toml", text);
    StartRegistryd();
  }
  void StartRegistryd() {
    lab::ProcessSpec spec;
    spec.name = "registryd";
    spec.command = {std::string(kBin) + "registryd", "--config", folder_.In("r/registry.toml")};
    spec.log_file = folder_.In("registryd.log");
    registryd_ = *lab::Process::Start(std::move(spec));
    ASSERT_TRUE(lab::WaitUntil([&] { return Log().find("\"connected\"") != std::string::npos; }, 60s))
        << Log();
  }
  Ran Ctl(const std::string& words) { return Shell(std::string(kBin) + "registryctl " + words + " 2>&1"); }
  Ran Party(const std::string& words) { return Ctl("party " + words + " --dir " + folder_.In("r")); }
  std::string Serial() {
    const auto zone = Ctl("zone show --json --config " + folder_.In("r/registry.toml"));
    return nlohmann::json::parse(zone.output).at("served").at("serial").dump();
  }
  // The first steps of the party's own page, as they stand there.
  Ran FirstSteps(const std::string& party) {
    const std::string page = folder_.Read("r/interface/hand-over/" + party + "/README.md");
    return Shell("cd " + HandedOver(party) + " && (" + CommandsIn(page, 0) + ") 2>&1");
  }
  nlohmann::json Quota(const std::string& party) {
    const Ran ran = FirstSteps(party);
    auto reply = nlohmann::json::parse(ran.output, nullptr, false);
    EXPECT_TRUE(reply.is_object()) << ran.output;
    return reply.is_object() ? reply : nlohmann::json::object();
  }
  std::string HandedOver(const std::string& party) const { return Interface("hand-over/" + party); }
  std::string Keep(const std::string& party) {
    const std::string stem = folder_.In("kept-" + party + std::to_string(++kept_));
    for (const char* end : {".pem", ".key"})
      std::filesystem::copy(Interface("parties/" + party) + end, stem + end);
    return stem;
  }
  RawOptions As(const std::string& stem, const std::string& client_id) {
    return {port_, Interface("ca.pem"), stem + ".pem", stem + ".key", client_id};
  }
  std::string Interface(const std::string& file) const { return folder_.In("r/interface/" + file); }
  std::string Log() const { return folder_.Read("registryd.log"); }

  TemporaryFolder folder_;
  lab::Ports ports_;
  std::uint16_t port_ = 0;
  std::unique_ptr<lab::Process> broker_, registryd_;
  int kept_ = 0;
};

TEST_F(PartyLife, FromItsEntryToItsEndWithoutARestart) {
  const std::string serial = Serial();
  const Ran added = Party("add asp-a --role asp --contact noc@asp-a.example --limit read=500/50");
  ASSERT_TRUE(added.ok()) << added.output;
  EXPECT_THAT(added.output, HasSubstr("has taken its parties again"));
  EXPECT_THAT(Log(), HasSubstr("party asp-a is new, role asp"));
  auto reply = Quota("asp-a");
  EXPECT_EQ(reply.value("type", ""), "registry.v1.quota.get.accepted") << reply.dump();
  EXPECT_THAT(reply.dump(), HasSubstr("\"burst\":50"));

  // Its page's other command hears what is said to it; mosquitto_pub says it.
  const std::string page = folder_.Read("r/interface/hand-over/asp-a/README.md");
  std::string listen = CommandsIn(page, 1);
  listen.replace(listen.rfind(" -v"), 3, " -v -C 1 -W 30 >heard");
  const Ran heard =
      Shell("cd " + HandedOver("asp-a") + " && (" + listen + ") & cd " + HandedOver("asp-a") +
            " && for i in $(seq 100); do [ -s heard ] && break; XDG_CONFIG_HOME=$PWD/config mosquitto_pub -t "
            "registry/v1/from/asp-a/quota.get -f quota.json -D publish content-type "
            "application/cloudevents+json; done; wait; cat heard");
  EXPECT_THAT(heard.output, HasSubstr("registry/v1/to/asp-a/quota.get/accepted {"));

  ASSERT_TRUE(Party("change asp-a --limit read=500/7").ok());
  EXPECT_THAT(Quota("asp-a").dump(), HasSubstr("\"burst\":7"));

  // A new certificate: the old one is refused from now on, and what is connected with it ends.
  const std::string old = Keep("asp-a");
  RawMqtt open(As(old, "long-lived"));
  ASSERT_TRUE(open.Subscribe("registry/v1/to/asp-a/#"));
  const Ran renewed = Party("renew asp-a");
  ASSERT_TRUE(renewed.ok()) << renewed.output;
  EXPECT_THAT(renewed.output, HasSubstr("the broker was told: kill -HUP "));
  EXPECT_TRUE(lab::WaitUntil([&] { return !open.connected(); }, 30s));
  EXPECT_TRUE(lab::WaitUntil([&] { return !RawMqtt(As(old, "again")).connected(); }, 30s));
  EXPECT_EQ(Quota("asp-a").value("type", ""), "registry.v1.quota.get.accepted");

  const Ran shown = Ctl("party show asp-a --json --config " + folder_.In("r/registry.toml"));
  const auto facts = nlohmann::json::parse(shown.output);
  EXPECT_EQ(facts.at("contact"), "noc@asp-a.example");
  EXPECT_EQ(facts.at("certificates").at(0).at("state"), "withdrawn");
  EXPECT_EQ(facts.at("certificates").at(1).at("state"), "accepted");
  EXPECT_EQ(facts.at("history").size(), 3u);

  const Ran removed = Party("remove asp-a");
  ASSERT_TRUE(removed.ok()) << removed.output;
  EXPECT_THAT(Log(), HasSubstr("party asp-a is no party any more"));
  EXPECT_EQ(Serial(), serial) << "nothing of it touches DNS";
  EXPECT_EQ(Log().find("disconnected"), std::string::npos) << "and registryd stays connected";
  EXPECT_TRUE(registryd_->running());
}

TEST_F(PartyLife, APartyThatKeepsItsKeyAndOneThatIsWithdrawn) {
  ASSERT_TRUE(
      Shell("cd " + folder_.In("") +
            " && openssl req -new -nodes -newkey rsa:2048 -subj /CN=asp-b -keyout asp-b.key -out b.csr 2>&1")
          .ok());
  const Ran added = Party("add asp-b --role asp --csr " + folder_.In("b.csr"));
  ASSERT_TRUE(added.ok()) << added.output;
  std::filesystem::copy(folder_.In("asp-b.key"), HandedOver("asp-b") + "/asp-b.key");
  EXPECT_EQ(Quota("asp-b").value("type", ""), "registry.v1.quota.get.accepted");
  const Ran withdrawn = Party("withdraw asp-b");
  ASSERT_TRUE(withdrawn.ok()) << withdrawn.output;
  EXPECT_TRUE(lab::WaitUntil([&] { return !FirstSteps("asp-b").ok(); }, 60s));
  EXPECT_THAT(folder_.Read("r/registry.toml"), HasSubstr("name = \"asp-b\""))
      << "its devices would still be its own";
}

TEST_F(PartyLife, APartyWithDevicesIsNotRemoved) {
  ASSERT_TRUE(Party("add mno-a --role mno").ok());
  RawMqtt mno(As(Keep("mno-a"), "mno"));
  ASSERT_TRUE(mno.Subscribe("registry/v1/to/mno-a/#"));
  const auto command =
      Command("mno-a", "esim.register", "first",
              {{"eid", "89049032005008882600000000000122"}, {"iccid", "8912300000000000013"}});
  ASSERT_EQ(mno.Publish("registry/v1/from/mno-a/esim.register", command.dump()), 0);
  const auto reply = mno.Next(30s);
  ASSERT_TRUE(reply.has_value());
  ASSERT_THAT(reply->topic, HasSubstr("/accepted")) << reply->payload;
  const Ran refused = Party("remove mno-a");
  EXPECT_EQ(WEXITSTATUS(refused.status), 1);
  EXPECT_THAT(refused.output, HasSubstr("mno-a still has 1 device: delete the devices"));
  EXPECT_THAT(refused.output, HasSubstr("party_in_use"));
  EXPECT_EQ(mno.Publish("registry/v1/from/mno-a/quota.get", "{}"), 0) << "and it still may connect";
}

// The work is done, and the operator hears that somebody does not know of it yet.
TEST_F(PartyLife, WhoCouldNotBeToldIsSaid) {
  ASSERT_TRUE(Party("add asp-a --role asp").ok());
  const std::string text = folder_.Read("r/registry.toml");
  folder_.Write("r/registry.toml", std::regex_replace(text, std::regex("\"kill\""), "\"false\""));
  const Ran renewed = Party("renew asp-a");
  EXPECT_EQ(WEXITSTATUS(renewed.status), 1);
  EXPECT_THAT(renewed.output, HasSubstr("the broker was not told: false -HUP "));
  // registryd reads the file as it is: a fault that a hand has made is said by both.
  registryd_->Signal(SIGTERM);
  ASSERT_TRUE(registryd_->WaitExit(60s));
  const Ran later = Party("change asp-a --batches true");
  EXPECT_TRUE(later.ok()) << later.output;
  EXPECT_THAT(later.output, HasSubstr("registryd is not running; its next start takes its parties"));
}

}  // namespace
}  // namespace registry::test
