// Where the ledger is: [ledger] names a folder of RocksDB's, or a database of PostgreSQL's, and never half of both.
#include "bridge/app/ledger_config.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "bridge/app/config.h"
#include "bridge/app/disk_space.h"
#include "bridge/app/ledger_place.h"
#include "bridge/app/mqtt_options.h"
#include "tests/support/smallest_config.h"
#include "tests/support/temporary_folder.h"

namespace registry::app {
namespace {

using testing::HasSubstr;

constexpr const char* kOfPostgres =
    "backend = \"postgres\"\nconnection = \"dbname=registry\"\npassword_file = \"secret\"\nschema = "
    "\"one\"\nretry_seconds = 7";

class LedgerConfigTest : public testing::Test {
 protected:
  Result<Config> Load(const std::string& ledger) {
    std::string text = test::kSmallestConfig;
    const std::string folder = "folder = \"ledger\"";
    text.replace(text.find(folder), folder.size(), ledger);
    return LoadConfig(folder_.Write("registry.toml", text));
  }
  std::string Faults(const std::string& ledger) {
    const auto config = Load(ledger);
    return config ? "" : config.error().message;
  }
  test::TemporaryFolder folder_;
};

TEST_F(LedgerConfigTest, AFolderIsTheDefault) {
  const auto config = Load("folder = \"l\"");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_FALSE(config->ledger.in_postgres);
  EXPECT_EQ(config->ledger_folder, folder_.In("l"));
  EXPECT_EQ(*Load("backend = \"rocksdb\"\nfolder = \"l\""), *config);
}

TEST_F(LedgerConfigTest, ADatabaseHasNoFolder) {
  const auto config = Load(kOfPostgres);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_TRUE(config->ledger.in_postgres);
  EXPECT_EQ(config->ledger.connection, "dbname=registry");
  EXPECT_EQ(config->ledger.password_file, folder_.In("secret"));
  EXPECT_EQ(config->ledger.schema, "one");
  EXPECT_EQ(config->ledger.retry_seconds, 7);
  EXPECT_EQ(config->ledger.mark_file, folder_.In("ledger-mark"));
  EXPECT_EQ(config->ledger_folder, "");
  ASSERT_EQ(WatchedFolders(*config).size(), 1u) << "only the intake lies on a disk of ours";
  EXPECT_EQ(WatchedFolders(*config)[0].name, "intake");
}

TEST_F(LedgerConfigTest, WhatIsOfTheOtherBackendIsAFault) {
  EXPECT_THAT(Faults("backend = \"oracle\"\nfolder = \"l\""), HasSubstr("\"rocksdb\" or \"postgres\""));
  EXPECT_THAT(Faults("backend = \"postgres\""), HasSubstr("ledger.connection is missing"));
  EXPECT_THAT(Faults(std::string(kOfPostgres) + "\nfolder = \"l\""), HasSubstr("ledger.folder is for"));
  EXPECT_THAT(Faults("folder = \"l\"\nconnection = \"dbname=registry\""),
              HasSubstr("ledger.connection is for"));
}

TEST_F(LedgerConfigTest, OneThatStandsByNeedsAServerAndAName) {
  const auto alone = Load(kOfPostgres);
  EXPECT_FALSE(alone->ledger.standby);
  EXPECT_NE(NodeName(alone->ledger), "") << "the host's";
  const auto config =
      Load(std::string(kOfPostgres) + "\nstandby = true\nlease_seconds = 12\n[node]\nname = \"a.example\"");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_TRUE(config->ledger.standby);
  EXPECT_EQ(config->ledger.lease_seconds, 12);
  EXPECT_EQ(NodeName(config->ledger), "a.example");
  EXPECT_FALSE(config->ledger.shared);
  EXPECT_THAT(Faults(std::string(kOfPostgres) + "\nshared = true"),
              HasSubstr("ledger.shared needs ledger.standby"));
  EXPECT_THAT(Faults("folder = \"l\"\nstandby = true"), HasSubstr("ledger.standby is for ledger.backend"));
  EXPECT_THAT(Faults(std::string(kOfPostgres) + "\nlease_seconds = 2"), HasSubstr("lease_seconds"));
  EXPECT_THAT(Faults(std::string(kOfPostgres) + "\n[node]\nname = \"a b\""), HasSubstr("node.name must be"));
}

TEST_F(LedgerConfigTest, NodesThatShareTheWorkHearTogetherEachUnderItsName) {
  const std::string party = "\n[node]\nname = \"a\"\n[[party]]\nname = \"mno-a\"\nrole = \"mno\"\n";
  auto config = Load(std::string(kOfPostgres) + "\nstandby = true" + party);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(MqttOptions(*config, {}).client_id, "registryd");
  EXPECT_EQ(MqttOptions(*config, {}).share, "");
  EXPECT_EQ(HeardAlone(*config).size(), 1u);
  config = Load(std::string(kOfPostgres) + "\nstandby = true\nshared = true" + party);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_TRUE(config->ledger.shared);
  EXPECT_EQ(MqttOptions(*config, {}).client_id, "registryd@a");
  EXPECT_EQ(MqttOptions(*config, {}).share, "registry");
  EXPECT_TRUE(HeardAlone(*config).empty()) << "each hears its share of everybody";
}

TEST_F(LedgerConfigTest, ThePasswordIsTheFirstLineOfAFileThatNobodyElseReads) {
  const auto config = Load(kOfPostgres);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(LedgerPlaceOf(config->ledger, "").error().symbol, "config_invalid") << "it is not there";
  const std::string file = folder_.Write("secret", "pass word\nmore\n");
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  EXPECT_FALSE(LedgerPlaceOf(config->ledger, "").ok());
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  const auto place = LedgerPlaceOf(config->ledger, "");
  ASSERT_TRUE(place.ok()) << place.error().message;
  EXPECT_EQ(place->postgres->password.text(), "pass word");
  EXPECT_EQ(place->postgres->retry_for, std::chrono::seconds(7));
}

}  // namespace
}  // namespace registry::app
