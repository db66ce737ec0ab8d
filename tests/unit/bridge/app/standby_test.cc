// Two registryd on one ledger in a real PostgreSQL: one is active, the other stands by, and takes over when the first one
// stops, dies or hangs. Without a broker; tests/integration/lab/nodes_test.cc has one, and traffic.
#include <tuple>

#include "tests/unit/bridge/app/two_nodes.h"
#include "tests/unit/bridge/zone/transfer_certificates.h"

namespace registry::app {
namespace {

using testing::HasSubstr;

using StandbyTest = TwoNodes;

TEST_F(StandbyTest, OneThatStandsBySaysSoAndDoesNothing) {
  StartBoth();
  EXPECT_EQ(Ask("b", "/readyz")->status, "503") << "a balancer asks another";
  EXPECT_EQ(Ask("b", "/healthz")->status, "200");
  const std::string metrics = Ask("b", "/metrics")->body;
  EXPECT_THAT(metrics, HasSubstr("\nregistry_node_active 0"));
  EXPECT_THAT(metrics, HasSubstr("\nregistry_node_lease_age_seconds "));
  EXPECT_THAT(metrics, HasSubstr("registry_build_info{version="));
  EXPECT_EQ(metrics.find("registry_mqtt_connected"), std::string::npos) << "no alarm for what it does not do";
  EXPECT_THAT(Ask("a", "/metrics")->body, HasSubstr("\nregistry_node_active 1"));
  EXPECT_EQ(Run("b")["zone_port"], 0);
  const auto seen = ledger::NodesOfPostgres(options_);
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  EXPECT_EQ(seen->lease.node, "a");
  ASSERT_EQ(seen->standing_by.size(), 1u);
  EXPECT_EQ(seen->standing_by[0].name, "b");
  EXPECT_FALSE(seen->standing_by[0].reaches_broker) << "there is none";
  nodes_["b"]->Signal(SIGHUP);
  nodes_["b"]->Signal(SIGTERM);
  EXPECT_EQ(StatusOf("b"), 0);
  EXPECT_FALSE(std::filesystem::exists(folder_.In("b/run.json")));
  EXPECT_TRUE(ledger::NodesOfPostgres(options_)->standing_by.empty());
  EXPECT_EQ(StateOf("a"), "active");
}

TEST_F(StandbyTest, ItTakesOverWhenTheActiveOneStopsAndWhenItIsKilled) {
  StartBoth();
  ASSERT_TRUE(lab::WaitUntil([&] { return Serial("a") != 0; }, kPatience));
  const std::uint32_t before = Serial("a");
  ASSERT_TRUE(nodes_["a"]->Stop(kPatience));
  EXPECT_EQ(StatusOf("a"), 0);
  Await("b", "active");
  ASSERT_TRUE(lab::WaitUntil([&] { return Serial("b") != 0; }, kPatience));
  EXPECT_GT(Serial("b"), before) << "no serial says two zones";
  EXPECT_THAT(Ask("b", "/metrics")->body, HasSubstr("\nregistry_node_take_overs_total 1"));
  Start("a");
  Await("a", "standby");
  nodes_["b"]->Signal(SIGKILL);
  Await("a", "active");
  EXPECT_EQ(ledger::NodesOfPostgres(options_)->lease.node, "a");
}

TEST_F(StandbyTest, ItFollowsTheZoneOfTheActiveOneAndGoesOnWithIt) {
  lab::Ports ports;
  const auto a = ports.Take(), b = ports.Take();
  ASSERT_TRUE(a.ok() && b.ok());
  SetPrimaries("a", *a, *b);
  SetPrimaries("b", *b, *a);
  StartBoth();
  EXPECT_EQ(folder_.Read("a.log").find("zone: this node's copy"), std::string::npos) << "nobody to copy from";
  AwaitLine("b", "zone: follows that of 127.0.0.1 port " + std::to_string(*a));
  const auto copied = [&] {
    const auto page = Ask("b", "/metrics");
    return page && page->body.find("\nregistry_zone_copy_follows 1") != std::string::npos &&
           Serial("b", "copy_serial") == Serial("a");
  };
  EXPECT_TRUE(lab::WaitUntil(copied, kPatience)) << Ask("b", "/metrics")->body;
  ASSERT_TRUE(
      lab::WaitUntil([&] { return std::filesystem::exists(folder_.In("b/zone/signed-zone")); }, kPatience));
  const std::uint32_t before = Serial("a");
  nodes_["a"]->Signal(SIGKILL);
  Await("b", "active");
  ASSERT_TRUE(lab::WaitUntil([&] { return Serial("b") != 0; }, kPatience));
  EXPECT_GT(Serial("b"), before);
  Start("a");
  Await("a", "standby");
  AwaitLine("a", "zone: follows that of 127.0.0.1 port " + std::to_string(*b));
  nodes_["a"]->Signal(SIGTERM);
  EXPECT_EQ(StatusOf("a"), 0) << folder_.Read("a.log");
}

// Each at an address of its own, so that neither counts as a program of the other one's host.
TEST_F(StandbyTest, ItFollowsTheZoneOverTlsWhereThatAloneIsServed) {
  lab::Ports ports;
  const auto plain = ports.Take(), tls = ports.Take();
  ASSERT_TRUE(plain.ok() && tls.ok());
  const zone::testing::TransferCertificates certificates;
  certificates.Issue("transfer", "primary.iotregistry.test");
  const std::string over_tls = "listen_port = " + std::to_string(*plain) +
                               "\ntls_listen_port = " + std::to_string(*tls) + "\ntls_certificate = '" +
                               certificates.path("transfer.pem") + "'\ntls_key = '" +
                               certificates.path("transfer.key") + "'\ntls_client_ca = '" +
                               certificates.path("transfer-ca.pem") + "'\ntls_only = true\n";
  for (const auto& [node, own, other] :
       {std::tuple{"a", "127.0.0.1", "127.0.0.2"}, std::tuple{"b", "127.0.0.2", "127.0.0.1"}}) {
    Change(node, "listen_port = 0", over_tls + "other_primaries = ['" + other + "']");
    Change(node, "listen_address = [^\n]*", "listen_address = '" + std::string(own) + "'");
  }
  StartBoth();
  AwaitLine("b", "zone: follows that of 127.0.0.1 port " + std::to_string(*tls));
  ASSERT_TRUE(lab::WaitUntil([&] { return Serial("b", "copy_serial") == Serial("a"); }, kPatience));
  nodes_["a"]->Signal(SIGKILL);
  Await("b", "active");
  Start("a");
  Await("a", "standby");
  AwaitLine("a", "zone: follows that of 127.0.0.2 port " + std::to_string(*tls));
}

// Found out before anything is written, and not at the first write to a table that was forgotten.
TEST_F(StandbyTest, WhatTheRoleMayNotDoIsSaidByTheCheckAndByAStart) {
  const std::string role = options_.schema.substr(options_.schema.size() / 2) + "_least";
  const std::string of_schema = " SCHEMA " + options_.schema;
  Tell("CREATE ROLE " + role + " LOGIN PASSWORD 'its-own'");
  Tell("GRANT USAGE ON" + of_schema + " TO " + role);
  Tell("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN" + of_schema + " TO " + role);
  folder_.Write("db-password", "its-own\n");
  std::filesystem::permissions(folder_.In("db-password"), std::filesystem::perms(0600));
  Change("a", "user=[^ ']+", "user=" + role);
  Change("a", "password_file = '[^']*'", "password_file = '" + folder_.In("db-password") + "'");
  Change("a", "standby = true\nlease_seconds = 6", "");
  Start("a", {"--check-config"});
  EXPECT_EQ(StatusOf("a"), 0) << folder_.Read("a.log");

  Tell("REVOKE INSERT ON " + options_.schema + ".kept FROM " + role);
  Tell("REVOKE DELETE ON " + options_.schema + ".intake FROM " + role);
  const std::string said =
      "the role of ledger.connection may not read and write the tables intake, kept: GRANT";
  Start("a", {"--check-config"});
  EXPECT_EQ(StatusOf("a"), 2);
  EXPECT_THAT(folder_.Read("a.log"), HasSubstr("\nledger.connection: " + said));
  Start("a");
  EXPECT_EQ(StatusOf("a"), 1);
  EXPECT_THAT(folder_.Read("a.log"), HasSubstr("ledger_failed: " + said));
  Tell("REVOKE USAGE ON" + of_schema + " FROM " + role);
  Start("a", {"--check-config"});
  EXPECT_EQ(StatusOf("a"), 2);
  EXPECT_THAT(folder_.Read("a.log"), HasSubstr("may not use the schema: GRANT USAGE ON" + of_schema));

  Change("a", "port=[0-9]+", "port=1");  // nobody listens there
  Start("a", {"--check-config"});
  EXPECT_EQ(StatusOf("a"), 0) << "it may be reached from where registryd is to run";
  EXPECT_THAT(folder_.Read("a.log"), HasSubstr("warning: ledger.connection: the server was not asked: "));
}

TEST_F(StandbyTest, OneThatHangsLosesTheLeaseAndEndsWhenItWakes) {
  StartBoth();
  nodes_["a"]->Signal(SIGSTOP);
  Await("b", "active");
  EXPECT_THAT(folder_.Read("b.log"), HasSubstr("the lease of a is over"));
  nodes_["a"]->Signal(SIGCONT);
  EXPECT_EQ(StatusOf("a"), 4) << folder_.Read("a.log");
  EXPECT_THAT(folder_.Read("a.log"), HasSubstr("another node has taken the ledger over"));
  EXPECT_EQ(StateOf("b"), "active");
  Start("a");
  Await("a", "standby");
}

}  // namespace
}  // namespace registry::app
