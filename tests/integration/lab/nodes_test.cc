// Two registryd on one PostgreSQL, a broker, a name server and devices that go on being activated: the active node is
// killed, stopped for a while, told to stop, cut off from the ledger, and from the broker. Each device is activated once, by
// whichever node is active.
#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <regex>
#include <sstream>
#include <utility>
#include <vector>

#include "clients/conformance/relay.h"
#include "schemas/base/check.h"
#include "simulators/lab/heard.h"
#include "simulators/lab/probe.h"
#include "tests/support/device_session.h"
#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr int kDevices = 12;
constexpr seconds kPatience{120};
// By the ledger's word, or by the intake's, for a message that waited for it when it woke.
const std::regex kEnded("\"ended: |ending before a message is acknowledged");
constexpr const char *kFirst = "registryd", *kSecond = "registryd-2";

class NodesLab : public testing::Test {
 protected:
  void SetUp() override {
    lab_ = test::NewLab(
        {.devices = kDevices,
         .register_first = 2,
         .bridges = 2,
         .lease_seconds = 6,
         .postgres = true,
         .on_event = [this](const std::string& program, const json& event) { heard_.Hear(program, event); }});
    ASSERT_NE(lab_, nullptr);
    auto started = lab_->StartServers();
    ASSERT_TRUE(started.ok()) << started.error().message;
    started = lab_->StartSimulators();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  void TearDown() override {
    if (!lab_) return;
    const auto failure = lab_->TakeFailure();
    EXPECT_FALSE(failure) << *failure;
    lab_->Stop();
  }
  void AwaitActive(const std::string& node) {
    ASSERT_TRUE(WaitUntil([&] { return lab_->ActiveBridge() == node; }, kPatience))
        << "active: " << lab_->ActiveBridge();
  }
  void RegisterTwo() {
    for (const char* const mno : kMnos) EXPECT_TRUE(lab_->SendTo(mno, {{"cmd", "register"}, {"count", 1}}));
  }
  // Active and in a session with their ASP, by whichever node is active; the zone's serial only grows.
  void AwaitTwo() {
    EXPECT_EQ(test::DevicesDone(heard_, heard_up_to_, 2, kPatience).size(), 2u);
    const double serial = lab_->RegistryCounters()["registry_zone_serial"];
    EXPECT_GT(serial, serial_);
    serial_ = serial;
  }
  void ActivateTwo() {
    RegisterTwo();
    AwaitTwo();
  }
  void StartAgain(const std::string& node) {
    const auto started = lab_->Restart(node);
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  void AwaitLine(const std::string& node, const std::string& part) { AwaitLine(node, std::regex(part), 1); }
  void AwaitLine(const std::string& node, const std::regex& part, std::ptrdiff_t times) {
    ASSERT_TRUE(WaitUntil([&] { return test::LinesWith(*lab_, node, part) >= times; }, kPatience))
        << "not said often enough in the log of " << node;
  }
  // In the configuration of a node, for its next start.
  static void Replace(const std::string& file,
                      const std::vector<std::pair<std::string, std::string>>& words) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    std::string config = text.str();
    for (const auto& [word, by] : words) {
      EXPECT_NE(config.find(word), std::string::npos) << word;
      config = std::regex_replace(config, std::regex(word), by);
    }
    std::ofstream(file) << config;
  }
  static std::unique_ptr<conformance::Relay> RelayTo(std::uint16_t port) {
    auto relay = conformance::Relay::Open(0, port);
    REG_CHECK(relay.ok());
    return std::move(*relay);
  }
  // The second one is to be told by the ledger what became of it, however slow this machine is.
  void PutLedgerBehindAProxy() {
    const std::uint16_t port = lab_->postgres()->port();
    to_ledger_ = RelayTo(port);
    Replace(lab_->layout().other_bridges.at(0).ConfigFile(),
            {{"port=" + std::to_string(port), "port=" + std::to_string(to_ledger_->port())},
             {"standby = true", "standby = true\nretry_seconds = 200"}});
  }
  // Of the first one; a network that is gone is noticed by pings.
  void PutBrokerBehindAProxy() {
    const std::string port = "port = " + std::to_string(lab_->layout().mqtt);
    to_broker_ = RelayTo(lab_->layout().mqtt);
    Replace(lab_->layout().ConfigFile(),
            {{port, "port = " + std::to_string(to_broker_->port()) + "\nkeep_alive_seconds = 2"}});
  }

  Heard heard_;
  std::size_t heard_up_to_ = 0;
  double serial_ = 0;
  std::unique_ptr<conformance::Relay> to_ledger_, to_broker_;  // outlive the lab, whose nodes are behind them
  std::unique_ptr<Lab> lab_;
};

TEST_F(NodesLab, WhateverBecomesOfTheActiveNodeDevicesGoOnBeingActivatedOnce) {
  AwaitActive(kFirst);
  AwaitTwo();
  json nodes;
  EXPECT_TRUE(WaitUntil(
      [&] {
        nodes = test::Registryctl(*lab_, {"node", "list"});
        return nodes.size() == 2 && nodes[1]["reaches_broker"] == true;
      },
      kPatience));
  EXPECT_EQ(nodes[0]["node"], kFirst);
  EXPECT_EQ(nodes[0]["state"], "active");
  EXPECT_EQ(nodes[0]["lease_seconds"], 6.0);
  EXPECT_EQ(nodes[1]["node"], kSecond);
  EXPECT_EQ(nodes[1]["state"], "standby");

  // Killed while it has work.
  RegisterTwo();
  lab_->Kill(kFirst);
  AwaitActive(kSecond);
  AwaitTwo();
  StartAgain(kFirst);

  // It hangs, and wakes when the other one has its sessions at the broker.
  lab_->Signal(kSecond, SIGSTOP);
  AwaitActive(kFirst);
  ActivateTwo();
  lab_->Signal(kSecond, SIGCONT);
  AwaitLine(kSecond, kEnded, 1);
  const double reconnects = lab_->RegistryCounters()["registry_mqtt_reconnects_total"];
  PutLedgerBehindAProxy();
  StartAgain(kSecond);

  // Told to stop.
  EXPECT_EQ(lab_->RegistryCounters()["registry_mqtt_reconnects_total"], reconnects)
      << "the former one has not taken the sessions back";
  lab_->Signal(kFirst, SIGTERM);
  AwaitActive(kSecond);
  ActivateTwo();
  PutBrokerBehindAProxy();
  StartAgain(kFirst);

  // Cut off from the ledger, and from nothing else.
  lab_->ExpectEnd(kSecond);
  to_ledger_->SetStill(true);
  AwaitActive(kFirst);
  ActivateTwo();
  to_ledger_->SetStill(false);
  AwaitLine(kSecond, kEnded, 2);

  const auto zone = test::Registryctl(*lab_, {"zone", "check"});
  EXPECT_EQ(zone["differences"], json::array()) << zone.dump(1);

  // Cut off from the broker, which the other one reaches.
  StartAgain(kSecond);
  lab_->ExpectEnd(kFirst);
  to_broker_->SetStill(true);
  AwaitLine(kFirst, "gives the ledger up");
  AwaitActive(kSecond);
  ActivateTwo();

  const auto verified = test::Registryctl(*lab_, {"ledger", "verify"});
  EXPECT_EQ(verified["devices"], kDevices) << "none was registered a second time";
  EXPECT_EQ(verified["faults"], json::array());
}

}  // namespace
}  // namespace registry::lab
