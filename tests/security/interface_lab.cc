#include "tests/security/interface_lab.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "simulators/lab/registry_setup.h"
#include "tests/support/contract.h"
#include "tests/support/shell.h"
#include "tests/support/test_lab.h"

namespace registry::test {

using nlohmann::json;
using std::chrono::seconds;

lab::Lab* Interface::lab_ = nullptr;

class InterfaceLab : public ::testing::Environment {
 public:
  void SetUp() override {
    lab_ = NewLab({.devices = 6});  // as many as NewEsim is called
    ASSERT_NE(lab_, nullptr);
    // Its flood is refused for its faults; what happens beyond a party's pace, limits_test shows.
    lab::Keys unlimited;
    for (const char* kind : {"write", "read", "bulk", "authorise"}) {
      unlimited[std::string("limit_") + kind + "_per_second"] = "1000000";
      unlimited[std::string("limit_") + kind + "_burst"] = "1000000";
    }
    const auto set = lab::SetOwnKeys(lab_->layout(), "guest-mno", unlimited);
    ASSERT_TRUE(set) << set.error().message;
    const auto started = lab_->StartServers();
    ASSERT_TRUE(started) << started.error().message;
    Interface::lab_ = lab_.get();
  }
  void TearDown() override {
    Interface::lab_ = nullptr;
    lab_.reset();
  }

 private:
  std::unique_ptr<lab::Lab> lab_;
};

namespace {
[[maybe_unused]] const auto* const kLab = ::testing::AddGlobalTestEnvironment(new InterfaceLab);
}  // namespace

RawOptions Interface::As(const std::string& party, const std::string& suffix) {
  const auto& layout = lab_->layout();
  return {layout.mqtt, layout.BrokerCa(), layout.PartyCertificate(party), layout.PartyKey(party),
          party + suffix};
}

std::string Interface::Command(const std::string& party, const std::string& command, const json& data,
                               const std::string& id) {
  return json{{"specversion", "1.0"},
              {"id", id},
              {"source", party},
              {"type", "registry.v1." + command},
              {"data", data}}
      .dump();
}

std::string Interface::NewId() {
  static std::atomic<int> next{1};
  return "security-" + std::to_string(next++);
}

Interface::Answer Interface::Ask(const std::string& party, const std::string& command, const json& data) {
  return Ask(As(party, "-" + NewId()), party, command, data);
}

Interface::Answer Interface::Ask(const RawOptions& as, const std::string& party, const std::string& command,
                                 const json& data) {
  RawMqtt client(as);
  EXPECT_TRUE(client.connected());
  EXPECT_TRUE(client.Subscribe("registry/v1/to/" + party + "/" + command + "/+"));
  const std::string id = NewId();
  EXPECT_EQ(client.Publish("registry/v1/from/" + party + "/" + command, Command(party, command, data, id)),
            0);
  const auto reply = client.Next(seconds(60));
  EXPECT_TRUE(reply) << "no reply to " << command;
  if (!reply) return {};
  ExpectContract(reply->payload);
  const json envelope = json::parse(reply->payload);
  EXPECT_EQ(envelope.value("cause", id), id);
  return {reply->topic.ends_with("/accepted"), envelope.at("data")};
}

json Interface::NewEsim() {
  static std::size_t next = 0;
  const auto& esim = lab_->inventory().at(next++);
  return {{"eid", esim.eid.text()}, {"iccid", esim.iccid.text()}};
}

json Interface::Ctl(const std::string& words) {
  const std::string command = std::string(REGISTRY_BINARY_DIR) + "/bin/registryctl " + words +
                              " --json --ledger '" + lab_->layout().Registry("ledger") + "'";
  const Ran ran = Shell(command);
  EXPECT_TRUE(ran.ok()) << command;
  return json::parse(ran.output, nullptr, false);
}

}  // namespace registry::test
