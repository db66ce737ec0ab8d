// Two registryd on one ledger in a real PostgreSQL: one is active, the other stands by, and takes over when the first one
// stops, dies or hangs. Without a broker; tests/integration/lab/nodes_test.cc has one, and traffic.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "bridge/ledger/postgres/nodes.h"
#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/registry_home.h"
#include "tests/support/test_postgres.h"

namespace registry::app {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

constexpr auto kPatience = 60s;

class StandbyTest : public testing::Test {
 protected:
  // Both have the same keys and the same configuration, but for the node's name and what is each one's own.
  void SetUp() override {
    test::MakeRunnableHome(folder_, "[node]\nname = 'NODE'\n");
    auto& server = test::SharedPostgres();
    options_ = test::PostgresOptionsFor(server, folder_.In("r"));
    ASSERT_TRUE(ledger::MigratePostgresLedger(options_).ok());
    std::string text = folder_.Read("r/registry.toml");
    text = std::regex_replace(text, std::regex("\\[ledger\\]\nfolder = [^\n]*"),
                              "[ledger]\nbackend = 'postgres'\nconnection = '" + server.connection() +
                                  "'\npassword_file = '" + server.password_file() + "'\nschema = '" +
                                  options_.schema + "'\nstandby = true\nlease_seconds = 6");
    for (const std::string node : {"a", "b"}) {
      std::filesystem::copy(folder_.In("r"), folder_.In(node), std::filesystem::copy_options::recursive);
      folder_.Write(node + "/registry.toml",
                    std::regex_replace(text, std::regex("'NODE'"), "'" + node + "'"));
    }
  }
  lab::Process& Start(const std::string& node) {
    lab::ProcessSpec spec;
    spec.name = node;
    spec.command = {std::filesystem::read_symlink("/proc/self/exe").parent_path() / "registryd", "--config",
                    folder_.In(node + "/registry.toml")};
    spec.log_file = folder_.In(node + ".log");
    auto process = lab::Process::Start(std::move(spec));
    EXPECT_TRUE(process.ok());
    nodes_[node] = std::move(*process);
    return *nodes_[node];
  }
  json Run(const std::string& node) const {
    if (!std::filesystem::exists(folder_.In(node + "/run.json"))) return json::object();
    return json::parse(folder_.Read(node + "/run.json"), nullptr, false);
  }
  std::optional<lab::HttpPage> Ask(const std::string& node, const std::string& path) const {
    const json run = Run(node);
    if (!run.is_object() || !run.contains("http_port")) return std::nullopt;
    return lab::HttpAnswer("127.0.0.1", run["http_port"].get<std::uint16_t>(), path);
  }
  // "active", "standby", or what kept it from saying.
  std::string StateOf(const std::string& node) const {
    const auto page = Ask(node, "/healthz");
    if (!page) return "silent";
    const json said = json::parse(page->body, nullptr, false);
    return said.is_object() ? said.value("node", "?") : page->body;
  }
  void Await(const std::string& node, const std::string& state) {
    ASSERT_TRUE(lab::WaitUntil([&] { return StateOf(node) == state; }, kPatience))
        << node << " is " << StateOf(node) << "\n"
        << folder_.Read(node + ".log");
  }
  void StartBoth() {
    Start("a");
    Await("a", "active");
    Start("b");
    Await("b", "standby");
    const auto seen = [&] {
      const auto nodes = ledger::NodesOfPostgres(options_);
      return nodes && nodes->standing_by.size() == 1;
    };
    ASSERT_TRUE(lab::WaitUntil(seen, kPatience)) << folder_.Read("b.log");
  }
  void SetPrimaries(const std::string& node, std::uint16_t own, std::uint16_t other) {
    const std::string file = node + "/registry.toml", text = folder_.Read(file);
    const std::string by = "listen_port = " + std::to_string(own) + "\nother_primaries = ['127.0.0.1@" +
                           std::to_string(other) + "']";
    ASSERT_NE(text.find("listen_port = 0"), std::string::npos) << text;
    folder_.Write(file, std::regex_replace(text, std::regex("listen_port = 0"), by));
  }
  void AwaitLine(const std::string& node, const std::string& part) {
    const auto said = [&] { return folder_.Read(node + ".log").find(part) != std::string::npos; };
    ASSERT_TRUE(lab::WaitUntil(said, kPatience)) << folder_.Read(node + ".log");
  }
  int StatusOf(const std::string& node) {
    EXPECT_TRUE(nodes_[node]->WaitExit(kPatience)) << folder_.Read(node + ".log");
    const auto status = nodes_[node]->exit_status();
    return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
  }
  std::uint32_t Serial(const std::string& node, const std::string& which = "serial") const {
    const auto page = Ask(node, "/metrics");
    std::smatch found;
    const bool there =
        page && std::regex_search(page->body, found, std::regex("\nregistry_zone_" + which + " ([0-9]+)"));
    return there ? static_cast<std::uint32_t>(std::stoul(found[1])) : 0;
  }

  test::TemporaryFolder folder_;
  ledger::PostgresOptions options_;
  std::map<std::string, std::unique_ptr<lab::Process>> nodes_;
};

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
