// tests/unit/bridge/app/two_nodes.h: two registryd, `a` and `b`, on one ledger in a real PostgreSQL, without a broker and
// without secondaries. Needs registry_ctl_init, registry_ledger_postgres, sim_lab and test_postgres.
// Owns: what it starts, until the test ends. Threads: the test's.
#pragma once

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "bridge/ledger/postgres/node_list.h"
#include "bridge/ledger/postgres/nodes.h"
#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/registry_home.h"
#include "tests/support/test_postgres.h"

namespace registry::app {

class TwoNodes : public testing::Test {
 protected:
  using json = nlohmann::json;
  static constexpr std::chrono::seconds kPatience{60};

  // `ledger`: more lines of [ledger].
  explicit TwoNodes(std::string ledger = "") : ledger_(std::move(ledger)) {}
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
                                  options_.schema + "'\nstandby = true\nlease_seconds = 6" + ledger_);
    for (const std::string node : {"a", "b"}) {
      std::filesystem::copy(folder_.In("r"), folder_.In(node), std::filesystem::copy_options::recursive);
      folder_.Write(node + "/registry.toml",
                    std::regex_replace(text, std::regex("'NODE'"), "'" + node + "'"));
    }
  }
  lab::Process& Start(const std::string& node, const std::vector<std::string>& more = {}) {
    lab::ProcessSpec spec;
    spec.name = node;
    spec.command = {std::filesystem::read_symlink("/proc/self/exe").parent_path() / "registryd", "--config",
                    folder_.In(node + "/registry.toml")};
    spec.command.insert(spec.command.end(), more.begin(), more.end());
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
  void Change(const std::string& node, const std::string& what, const std::string& by) {
    const std::string file = node + "/registry.toml";
    folder_.Write(file, std::regex_replace(folder_.Read(file), std::regex(what), by));
  }
  void Tell(const std::string& sql) {
    const auto done = test::SharedPostgres().Ask(sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
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

  const std::string ledger_;
  test::TemporaryFolder folder_;
  ledger::PostgresOptions options_;
  std::map<std::string, std::unique_ptr<lab::Process>> nodes_;
};

}  // namespace registry::app
