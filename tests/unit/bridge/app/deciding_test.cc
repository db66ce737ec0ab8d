// Two registryd that both decide commands, on one ledger in a real PostgreSQL: when the second one is a member, what it says
// of itself, and when it is none. Without a broker; tests/integration/lab/deciding_test.cc has one, and traffic.
#include "tests/unit/bridge/app/two_nodes.h"

namespace registry::app {
namespace {

using testing::HasSubstr;

class DecidingTest : public TwoNodes {
 protected:
  DecidingTest() : TwoNodes("\nshared = true") {}
  void StartBothDeciding() {
    Start("a");
    Await("a", "active");
    Start("b");
    Await("b", "deciding");
  }
  std::vector<std::string> States() const {
    std::vector<std::string> states;
    const auto nodes = ledger::NodesOfPostgres(options_);
    if (!nodes) return {nodes.error().message};
    for (const auto& one : ledger::ListOf(*nodes))
      states.push_back(one.name + " " + ledger::NodeStateName(one.state));
    return states;
  }
};

TEST_F(DecidingTest, OneThatStandsByDecidesAndTakesOverAndTheOtherOneDecidesThen) {
  StartBothDeciding();
  EXPECT_THAT(States(), testing::ElementsAre("a active", "b deciding"));
  EXPECT_THAT(Ask("b", "/readyz")->body, HasSubstr("\"mqtt_connected\":false"));
  EXPECT_EQ(Ask("b", "/readyz")->status, "503") << "there is no broker";
  std::string metrics = Ask("b", "/metrics")->body;
  EXPECT_THAT(metrics, HasSubstr("\nregistry_node_active 0"));
  EXPECT_THAT(metrics, HasSubstr("\nregistry_node_deciding 1"));
  EXPECT_THAT(metrics, HasSubstr("\nregistry_mqtt_connected 0"));
  EXPECT_EQ(metrics.find("registry_zone_serial"), std::string::npos) << "no alarm for what it does not do";
  EXPECT_THAT(Ask("a", "/metrics")->body, HasSubstr("\nregistry_node_deciding 0"));
  nodes_["a"]->Signal(SIGKILL);
  Await("b", "active");
  Start("a");
  Await("a", "deciding");
  nodes_["a"]->Signal(SIGTERM);
  EXPECT_EQ(StatusOf("a"), 0) << folder_.Read("a.log");
  AwaitLine("b", "members: a is a member no longer");
  EXPECT_EQ(StateOf("b"), "active");
}

TEST_F(DecidingTest, WithOtherTermsItStandsByUntilTheyAreTheSame) {
  StartBothDeciding();
  // The active one has one party more than the other.
  const std::string party = "\n[[party]]\nname = 'asp-new'\nrole = 'asp'\n";
  folder_.Write("a/registry.toml", folder_.Read("a/registry.toml") + party);
  nodes_["a"]->Signal(SIGHUP);
  AwaitLine("b", "the active one decides by other terms: parties");
  Await("b", "standby");
  EXPECT_EQ(Ask("b", "/healthz")->status, "200");
  folder_.Write("b/registry.toml", folder_.Read("b/registry.toml") + party);
  nodes_["b"]->Signal(SIGHUP);
  Await("b", "deciding");
  // `registryctl party` waits for this count.
  const auto counts = [this](const std::string& line) {
    const auto page = Ask("b", "/metrics");
    return page && page->body.find("\n" + line) != std::string::npos;
  };
  EXPECT_TRUE(lab::WaitUntil([&] { return counts("registry_config_reloads_total 1"); }, kPatience));
  EXPECT_THAT(folder_.Read("b.log"), HasSubstr("the configuration was read again"));
  Change("b", "role = 'asp'", "role = 'nobody'");
  nodes_["b"]->Signal(SIGHUP);
  AwaitLine("b", "the parties stay as they were");
  EXPECT_TRUE(lab::WaitUntil([&] { return counts("registry_config_reloads_refused_total 1"); }, kPatience));
}

}  // namespace
}  // namespace registry::app
