// Two registryd of this release become two of the next one, node after node, on one ledger in PostgreSQL, while devices go
// on being activated: bridge/app/NODES.md, "Upgrade node after node". The next release's programs are this one's with one
// more step of the tables (tests/unit/bridge/ledger/pretended_step.cc).
#include <csignal>

#include "simulators/lab/process.h"
#include "tests/integration/lab/nodes_lab.h"
#include "tests/support/built_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RollingUpgrade : public NodesLab {
 protected:
  RollingUpgrade() : NodesLab(12) {}
  static std::string Of(const std::string& program) {
    return test::BuiltLab().program_folder + "/" + program;
  }
  static std::string OfNext(const std::string& program) { return Of("next/" + program); }
  std::string Run(const std::string& registryctl, const std::vector<std::string>& words) {
    std::vector<std::string> command = {registryctl};
    command.insert(command.end(), words.begin(), words.end());
    command.insert(command.end(), {"--config", lab_->layout().ConfigFile()});
    const auto said = RunToEnd(command);
    return said ? *said : said.error().message;
  }
  std::string Migrated() { return Run(OfNext("registryctl"), {"ledger", "migrate"}); }
  // Of the tables, as the ledger says it.
  std::string Version() {
    const auto said =
        lab_->postgres()->Ask("SELECT encode(record, 'hex') FROM registry.meta WHERE key = 'schema'");
    EXPECT_TRUE(said.ok()) << said.error().message;
    return said ? said->substr(0, said->find('\n')) : "";
  }
  void StopThenStart(const std::string& node, const std::string& executable) {
    lab_->Signal(node, SIGTERM);
    lab_->Replace(node, executable);
    StartAgain(node);
  }
  // Which node is what, by this release's word: before the version is raised.
  json States() {
    json states = json::object();
    for (const json& row : test::Registryctl(*lab_, {"node", "list"}))
      states[row["node"].get<std::string>()] = row["state"];
    return states;
  }
  void AwaitStates(const json& expected) {
    json states;
    EXPECT_TRUE(WaitUntil([&] { return (states = States()) == expected; }, kNodesPatience)) << states;
  }
  // What the former program of a node said of itself may still be there for a minute.
  void AwaitMigrated(const testing::Matcher<std::string>& expected) {
    std::string said;
    EXPECT_TRUE(WaitUntil([&] { return expected.Matches(said = Migrated()); }, kNodesPatience)) << said;
  }
  // Which does not end by itself: it waits for what it may use.
  void RefusesTheLedger(const std::string& executable, const std::string& config_file) {
    const std::string log = lab_->layout().LogFile("refused");
    auto process = Process::Start({.name = "refused",
                                   .command = {executable, "--config", config_file},
                                   .folder = "",
                                   .log_file = log,
                                   .on_line = nullptr,
                                   .on_exit = nullptr});
    ASSERT_TRUE(process.ok()) << process.error().message;
    EXPECT_TRUE(WaitUntil([&] { return TailOf(log, 100).find("ledger_newer: ") != std::string::npos; },
                          kNodesPatience))
        << TailOf(log, 100);
    EXPECT_TRUE((*process)->Stop(kNodesPatience));
  }
};

TEST_F(RollingUpgrade, GoesNodeAfterNodeWhileDevicesAreActivated) {
  constexpr const char *kThis = "0000000000000004", *kNext = "0000000000000005";
  AwaitStates({{kFirst, "active"}, {kSecond, "standby"}});
  AwaitTwo();

  // 1. The tables are prepared beside two nodes that do not know them.
  RegisterTwo();
  EXPECT_THAT(Migrated(), AllOf(HasSubstr("node 'registryd' ("), HasSubstr("node 'registryd-2' (")));
  EXPECT_EQ(Version(), kThis);
  AwaitTwo();

  // 2. The one that stands by is upgraded.
  StopThenStart(kSecond, OfNext("registryd"));
  AwaitStates({{kFirst, "active"}, {kSecond, "standby"}});
  AwaitMigrated(AllOf(HasSubstr("node 'registryd' ("), Not(HasSubstr("registryd-2"))));

  // 3. It takes over.
  RegisterTwo();
  lab_->Signal(kFirst, SIGTERM);
  AwaitActive(kSecond);
  AwaitTwo();

  // Until the version is raised there is a way back.
  StartAgain(kFirst);
  AwaitStates({{kFirst, "standby"}, {kSecond, "active"}});
  EXPECT_THAT(Migrated(), HasSubstr("node 'registryd' ("));
  EXPECT_EQ(Version(), kThis);
  lab_->Signal(kSecond, SIGTERM);
  AwaitActive(kFirst);
  ActivateTwo();
  StartAgain(kSecond);
  AwaitStates({{kFirst, "active"}, {kSecond, "standby"}});

  // 4. The other one is upgraded, too.
  RegisterTwo();
  StopThenStart(kFirst, OfNext("registryd"));
  AwaitTwo();

  // 5. The version is raised while both run.
  AwaitMigrated(HasSubstr("were brought to version 5"));
  EXPECT_EQ(Version(), kNext);

  // Both are of the next release now, and this one stays outside.
  lab_->Kill(kSecond);
  AwaitActive(kFirst);
  ActivateTwo();
  RefusesTheLedger(Of("registryd"), lab_->layout().other_bridges.at(0).ConfigFile());
  EXPECT_EQ(lab_->ActiveBridge(), kFirst);
  EXPECT_THAT(Run(Of("registryctl"), {"node", "list"}), HasSubstr("was written by a newer release"));

  const auto verified = test::Registryctl(*lab_, {"ledger", "verify"}, Of("next"));
  EXPECT_EQ(verified["devices"], devices_) << "none was registered a second time";
  EXPECT_EQ(verified["faults"], json::array());
  const json zone = test::Registryctl(*lab_, {"zone", "check"}, Of("next"));
  ASSERT_TRUE(zone.is_object());
  EXPECT_EQ(zone["differences"], json::array()) << zone.dump(1);
}

}  // namespace
}  // namespace registry::lab
