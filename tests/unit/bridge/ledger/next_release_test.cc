// A release that is not there yet (pretended_step.cc) and this one on one ledger in PostgreSQL, node after node, without a
// moment in which nobody serves.
#include <gmock/gmock.h>

#include "bridge/ledger/postgres/nodes.h"
#include "bridge/ledger/postgres/schema_steps.h"
#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t kThisRelease = 4;

class NextReleaseTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(SchemaVersion(), kThisRelease + 1) << "not linked with the pretended step";
    ASSERT_TRUE(MigratePostgresLedger(Of("a")).ok());
    // As `ledger migrate` of this release leaves it.
    Told("DROP TABLE " + schema() + ".pretended");
    Told("DELETE FROM " + schema() + ".meta WHERE key = 'prepared'");
    Told("UPDATE " + schema() + ".meta SET record = '\\x0000000000000004' WHERE key = 'schema'");
  }
  PostgresOptions Of(const std::string& name) {
    PostgresOptions options = PostgresOf(folder_);
    options.node = {name, "0.2.0", std::make_shared<Lease>(std::chrono::milliseconds(3000))};
    return options;
  }
  std::string schema() const { return PostgresOf(folder_).schema; }
  std::string Told(const std::string& sql) {
    const auto said = test::SharedPostgres().Ask(sql);
    EXPECT_TRUE(said.ok()) << sql << ": " << said.error().message;
    return said ? said->substr(0, said->find('\n')) : "";
  }
  std::string Version() {
    return Told("SELECT encode(record, 'hex') FROM " + schema() + ".meta WHERE key = 'schema'");
  }
  // A node says what it knows in its row, and nothing else is seen of it.
  void MakeEarlier(const std::string& table, const std::string& name) {
    Told("UPDATE " + schema() + "." + table + " SET tables = 4, version = '0.1.0' WHERE " +
         (table == "writer" ? "node" : "name") + " = '" + name + "'");
  }
  std::string Migrated() {
    auto said = MigratePostgresLedger(Of("a"));
    EXPECT_TRUE(said.ok()) << said.error().message;
    return said ? *said : "";
  }
  samples::Folder folder_;
};

TEST_F(NextReleaseTest, RefusesTheTablesOfTheEarlierOneUntilTheyArePrepared) {
  const auto refused = OpenPostgresLedger(Of("a"));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("`registryctl ledger migrate` prepares it"));
}

TEST_F(NextReleaseTest, TheVersionIsRaisedWhenEveryNodeKnowsIt) {
  Told("INSERT INTO " + schema() +
       ".standby (name, version, tables, reaches_broker) VALUES ('a', '0.1.0', 4, true)");
  EXPECT_THAT(Migrated(), AllOf(HasSubstr("node 'a' (0.1.0)"), HasSubstr("again")));
  EXPECT_EQ(Version(), "0000000000000004") << "the earlier release would refuse to take over";

  // The next release goes on with it as it is. The earlier node is active, then it is the only one of its release.
  {
    const auto active = Opened(OpenPostgresLedger(Of("a")));
    ASSERT_NE(active, nullptr);
    MakeEarlier("writer", "a");
    ASSERT_TRUE(active->Commit(samples::Registration(1)).ok());
    PostgresStandby standby(Of("b"));
    EXPECT_EQ(standby.Look(true), PostgresStandby::Found::kHeld);
    EXPECT_THAT(Migrated(), HasSubstr("node 'a' (0.1.0)"));
  }
  const auto active = Opened(OpenPostgresLedger(Of("b")));
  ASSERT_NE(active, nullptr);
  EXPECT_TRUE(active->LoadDevice(samples::DeviceOf(1))->has_value());
  EXPECT_EQ(Version(), "0000000000000004");

  // Raised while it serves.
  EXPECT_THAT(Migrated(), HasSubstr("were brought to version 5"));
  EXPECT_EQ(Version(), "0000000000000005");
  EXPECT_TRUE(active->Commit(samples::Registration(2)).ok());
  PostgresStandby standby(Of("a"));
  EXPECT_EQ(standby.Look(true), PostgresStandby::Found::kHeld) << standby.why();
}

TEST_F(NextReleaseTest, ANodeThatStoodByAMinuteAgoIsNotWaitedFor) {
  Told("INSERT INTO " + schema() +
       ".standby (name, version, tables, reaches_broker, said) VALUES ('a', '0.1.0', 4, true, now() - "
       "interval '2 minutes')");
  EXPECT_THAT(Migrated(), HasSubstr("were brought to version 5"));
  EXPECT_EQ(Version(), "0000000000000005");
  EXPECT_THAT(Migrated(), HasSubstr("nothing was done"));
}

}  // namespace
}  // namespace registry::ledger
