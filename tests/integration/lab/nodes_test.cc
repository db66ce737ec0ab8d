// Two registryd on one PostgreSQL, a broker, a name server and devices that go on being activated: the active node is
// killed, stopped for a while, told to stop, cut off from the ledger, and from the broker. Each device is activated once, by
// whichever node is active.
#include <csignal>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "clients/conformance/relay.h"
#include "schemas/base/check.h"
#include "tests/integration/lab/nodes_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;

// By the ledger's word, or by the intake's, for a message that waited for it when it woke.
const std::regex kEnded("\"ended: |ending before a message is acknowledged");

class NodesTest : public NodesLab {
 protected:
  NodesTest() : NodesLab(12) {}
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

  std::unique_ptr<conformance::Relay> to_ledger_, to_broker_;  // the nodes behind them end before (TearDown)
};

TEST_F(NodesTest, WhateverBecomesOfTheActiveNodeDevicesGoOnBeingActivatedOnce) {
  AwaitActive(kFirst);
  AwaitTwo();
  json nodes;
  EXPECT_TRUE(WaitUntil(
      [&] {
        nodes = test::Registryctl(*lab_, {"node", "list"});
        return nodes.size() == 2 && nodes[1]["reaches_broker"] == true;
      },
      kNodesPatience));
  EXPECT_EQ(nodes[0]["node"], kFirst);
  EXPECT_EQ(nodes[0]["state"], "active");
  EXPECT_EQ(nodes[0]["lease_seconds"], 6.0);
  EXPECT_EQ(nodes[1]["node"], kSecond);
  EXPECT_EQ(nodes[1]["state"], "standby");
  const Layout& layout = lab_->layout();
  const json of_first = {kFirst, "active", 2, 6.0, true},
             waits = {kSecond, "standby", nullptr, nullptr, true};
  EXPECT_TRUE(ConsoleShows(layout.console, json::array({of_first, waits, false})));

  // Killed while it has work.
  RegisterTwo();
  lab_->Kill(kFirst);
  AwaitActive(kSecond);
  AwaitTwo();
  const json of_second = {kSecond, "active", 3, 6.0, true};
  EXPECT_TRUE(ConsoleShows(layout.other_bridges.at(0).console, json::array({of_second, true})));
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
  EXPECT_EQ(verified["devices"], devices_) << "none was registered a second time";
  EXPECT_EQ(verified["faults"], json::array());
}

}  // namespace
}  // namespace registry::lab
