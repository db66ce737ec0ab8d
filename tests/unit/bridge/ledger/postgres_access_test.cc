// Who may do what in a database, and over which connection, as bridge/ledger/postgres/README.md says.
#include <gmock/gmock.h>

#include "bridge/ledger/postgres/nodes.h"
#include "bridge/ledger/postgres/records.h"
#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

using testing::HasSubstr;

class PostgresAccessTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(MigratePostgresLedger(options_).ok()); }
  void Tell(const std::string& sql) {
    const auto done = server_.Ask(sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  // A role of this test, which `grants` on everything in the schema.
  PostgresOptions As(const std::string& name, const std::string& grants) {
    const std::string role = options_.schema.substr(options_.schema.size() / 2) + "_" + name;
    Tell("CREATE ROLE " + role + " LOGIN PASSWORD 'its-own'");
    Tell("GRANT USAGE ON SCHEMA " + options_.schema + " TO " + role);
    Tell("GRANT " + grants + " ON ALL TABLES IN SCHEMA " + options_.schema + " TO " + role);
    PostgresOptions other = options_;
    other.connection =
        "host=127.0.0.1 port=" + std::to_string(server_.port()) + " dbname=postgres user=" + role;
    other.password = Secret(AsBytes("its-own"));
    other.retry_for = std::chrono::milliseconds(300);
    return other;
  }

  lab::PostgresServer& server_ = test::SharedPostgres();
  samples::Folder folder_;
  PostgresOptions options_ = PostgresOf(folder_);
};

TEST_F(PostgresAccessTest, RegistrydNeedsNoMoreThanTheRowsOfItsTables) {
  const auto least = As("writes", "SELECT, INSERT, UPDATE, DELETE");
  const auto ledger = OpenPostgresLedger(least);
  ASSERT_TRUE(ledger.ok()) << ledger.error().message;
  EXPECT_TRUE((*ledger)->Commit(samples::Registration(1)).ok());
  EXPECT_THAT(*MigratePostgresLedger([&] {
    auto owner = options_;
    owner.schema += "b";
    return owner;
  }()),
              HasSubstr("a new, empty ledger"));
  auto elsewhere = least;
  elsewhere.schema += "c";
  EXPECT_FALSE(MigratePostgresLedger(elsewhere).ok()) << "it makes no schema";
}

TEST_F(PostgresAccessTest, AnImportByWhoDoesNotOwnTheTablesChangesNothing) {
  const auto begun = BeginPostgresImport(As("imports", "ALL"));
  ASSERT_FALSE(begun.ok());
  EXPECT_THAT(begun.error().message, HasSubstr("needs the role that owns the tables in database postgres"));
  EXPECT_TRUE(OpenPostgresLedger(options_).ok()) << "it is still an empty ledger";
}

TEST_F(PostgresAccessTest, WhoStandsByFindsOutThatItHasNoRightsOnANewTable) {
  auto least = As("stands_by", "SELECT, INSERT, UPDATE, DELETE");
  least.node.name = "b";
  const std::string role = least.connection.substr(least.connection.rfind('=') + 1);
  Tell("REVOKE DELETE ON " + options_.schema + ".intake FROM " + role);
  PostgresStandby standby(least);
  EXPECT_EQ(standby.Look(true), PostgresStandby::Found::kAway);
  EXPECT_THAT(standby.why(), HasSubstr("may not read and write the tables intake: GRANT"));
  Tell("GRANT DELETE ON " + options_.schema + ".intake TO " + role);
  EXPECT_NE(standby.Look(true), PostgresStandby::Found::kAway) << standby.why();
}

TEST_F(PostgresAccessTest, WhoOwnsASchemaThatIsThereMakesTheTablesInIt) {
  auto owner = As("owner", "SELECT");
  owner.schema += "o";
  Tell("CREATE SCHEMA " + owner.schema + " AUTHORIZATION " +
       owner.connection.substr(owner.connection.rfind('=') + 1));
  const auto made = MigratePostgresLedger(owner);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_TRUE(Opened(OpenPostgresLedger(owner))->Commit(samples::Registration(1)).ok());
}

TEST_F(PostgresAccessTest, WhoReadsNeedsTheRightToReadAndCannotWrite) {
  ASSERT_TRUE(Opened(OpenPostgresLedger(options_))->Commit(samples::Registration(1)).ok());
  const auto reads = As("reads", "SELECT");
  const auto reader = OpenPostgresReader(reads);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  EXPECT_TRUE((*reader)->LoadDevice(samples::DeviceOf(1))->has_value());
  const auto writer = OpenPostgresLedger(reads);
  ASSERT_FALSE(writer.ok());
  EXPECT_THAT(writer.error().message, HasSubstr("may not read and write the tables "));
}

TEST_F(PostgresAccessTest, TheServersCertificateIsJudged) {
  const std::string to =
      "hostaddr=127.0.0.1 port=" + std::to_string(server_.port()) +
      " dbname=postgres user=registry sslmode=verify-full sslrootcert=" + server_.certificate_file() +
      " host=";
  options_.retry_for = std::chrono::milliseconds(300);
  options_.connection = to + "localhost";
  const auto ledger = Opened(OpenPostgresLedger(options_));
  ASSERT_NE(ledger, nullptr);
  EXPECT_EQ(*server_.Ask("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                         "WHERE application_name = 'iot-registry'"),
            "t\n");
  options_.connection = to + "db.example";
  EXPECT_THAT(CheckPostgresLedger(options_).error().message, HasSubstr("does not match host name"));
}

}  // namespace
}  // namespace registry::ledger
