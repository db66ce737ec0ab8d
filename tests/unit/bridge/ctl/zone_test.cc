// `registryctl zone show`, against a stopped registry and against a metrics page.
#include <gmock/gmock.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "bridge/app/http.h"
#include "bridge/app/metrics.h"
#include "bridge/clock.h"
#include "bridge/ctl/registry_folder.h"
#include "bridge/ctl/zone_commands.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/zone/key_roll.h"
#include "bridge/zone/key_set_file.h"
#include "bridge/zone/keys.h"
#include "tests/support/openssl_tool.h"

namespace registry::ctl {
namespace {

class ZoneShow : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(CreateFolder({folder_.In("r"), "iotregistry.test", {"localhost"}, SystemClock().Now()}).ok());
    auto ledger = ledger::OpenRocksDbLedger({folder_.In("r/ledger")});
    ASSERT_TRUE(ledger.ok());
    ASSERT_TRUE((*ledger)->Advance(ledger::Sink::kZone, {0, "2026112407 17/65535"}, true).ok());
  }
  nlohmann::json Show(std::uint16_t port) { return nlohmann::json::parse(Text(port, "--json")); }
  // With the metrics page on this port; 0: where nobody is.
  std::string Text(std::uint16_t port, const std::string& more = "") {
    std::string config = folder_.Read("r/registry.toml");
    config = std::regex_replace(config, std::regex("port = (9180|0)\\b"), "port = " + std::to_string(port));
    folder_.Write("r/registry.toml", config);
    CLI::App app;
    AddZoneCommands(app);
    std::ostringstream out;
    auto* const cout = std::cout.rdbuf(out.rdbuf());
    app.parse("zone show --config " + folder_.In("r/registry.toml") + " " + more);
    std::cout.rdbuf(cout);
    return out.str();
  }
  // Another command, and its output; its status when it fails.
  std::string Run(const std::string& command) {
    CLI::App app;
    AddZoneCommands(app);
    std::ostringstream out;
    auto* const cout = std::cout.rdbuf(out.rdbuf());
    try {
      app.parse(command + " --config " + folder_.In("r/registry.toml"));
    } catch (const CLI::RuntimeError& failure) {
      out << "status " << failure.get_exit_code();
    }
    std::cout.rdbuf(cout);
    return out.str();
  }
  test::TemporaryFolder folder_;
};

TEST_F(ZoneShow, SaysOfAStoppedRegistryWhatIsKnown) {
  const auto shown = Show(0);
  EXPECT_EQ(shown["zone"], "iotregistry.test");
  EXPECT_EQ(shown["ds"].get<std::string>() + "\n", folder_.Read("r/zone/anchor.ds"));
  ASSERT_EQ(shown["keys"].size(), 2u);
  EXPECT_EQ(shown["keys"][0]["role"], "KSK");
  EXPECT_EQ(shown["keys"][0]["state"], "active");
  EXPECT_EQ(shown["keys"][1]["tag"], zone::LoadZoneKey(folder_.In("r/zone/zsk.pem"), zone::kZskFlags)->tag);
  EXPECT_TRUE(shown["ledger"]["served_before"].get<bool>());
  EXPECT_EQ(shown["ledger"]["serial_reserved"], 2026112407);
  EXPECT_EQ(shown["ledger"]["ksk_tag"], 17);
  EXPECT_EQ(shown["ledger"]["zsk_tag"], 65535);
  EXPECT_EQ(shown["ledger"]["names"], 0);
  EXPECT_FALSE(shown["running"].get<bool>());
  EXPECT_FALSE(shown.contains("served"));
}

// What is public in the key files is nobody's secret: as root it is read from a registry of another user, as it is.
TEST_F(ZoneShow, AsksForNoKeyOfItsOwn) {
  const auto before = Show(0);
  for (const char* key : {"r/zone/ksk.pem", "r/zone/zsk.pem"}) {
    std::filesystem::permissions(folder_.In(key), std::filesystem::perms(0640));
    if (::geteuid() == 0) {
      ASSERT_EQ(::chown(folder_.In(key).c_str(), 12345, 12345), 0);
    }
  }
  EXPECT_EQ(Show(0), before);
}

TEST_F(ZoneShow, SaysThatAZoneWasNeverServed) {
  EXPECT_THAT(Text(0), testing::Not(testing::HasSubstr("has not served its zone yet")));
  std::filesystem::remove_all(folder_.In("r/ledger"));
  ASSERT_TRUE(ledger::CreateRocksDbLedger(folder_.In("r/ledger")).ok());  // as init leaves it
  EXPECT_TRUE(Text(0).starts_with("this registry has not served its zone yet"));
  const auto shown = Show(0);
  EXPECT_EQ(shown["ds"].get<std::string>() + "\n", folder_.Read("r/zone/anchor.ds"));
  EXPECT_EQ(shown["ledger"], nlohmann::json({{"served_before", false}, {"names", 0}}));
}

// What registryd does with it is bridge/zone's; here it is asked for, shown, and refused.
TEST_F(ZoneShow, ARollOverIsRequestedOnceAndShown) {
  EXPECT_THAT(Run("zone roll zsk"), testing::HasSubstr("of the ZSK is requested"));
  const auto shown = Show(0);
  EXPECT_EQ(shown["next"][0]["role"], "ZSK");
  EXPECT_EQ(shown["next"][0]["begins"], "requested");
  EXPECT_TRUE(shown["roll_overs"].empty()) << "registryd makes the key";
  EXPECT_THAT(Run("zone roll zsk"), testing::HasSubstr("status 1"));
  EXPECT_THAT(Run("zone ds-seen 5"), testing::HasSubstr("status 1"));
  EXPECT_THAT(Run("zone roll ksk"), testing::HasSubstr("of the KSK is requested"));
  EXPECT_EQ(Show(0)["next"].size(), 2u);
}

TEST_F(ZoneShow, AnotherAlgorithmIsRequestedByTheConfigurationAndShown) {
  EXPECT_EQ(Run("zone roll algorithm"), "status 1") << "the zone is of this one already";
  const std::string config = folder_.Read("r/registry.toml");
  const auto with = [&](const std::string& line) {
    std::string text = config;
    text.replace(text.find("[zone]\n"), 7, "[zone]\n" + line + "\n");
    folder_.Write("r/registry.toml", text);
  };
  with("algorithm = \"RSASHA256\"");
  EXPECT_EQ(Run("zone roll algorithm"), "status 1") << "none of those that it may be";
  with("algorithm = \"ED25519\"");
  EXPECT_THAT(Run("zone roll algorithm"), testing::HasSubstr("to algorithm 15 (ED25519) is requested"));
  const auto shown = Show(0);
  EXPECT_EQ(shown["next"][0]["role"], "algorithm 15 (ED25519)");
  EXPECT_EQ(shown["keys"][0]["algorithm"], "13 (ECDSAP256SHA256)");
  EXPECT_EQ(Run("zone roll algorithm"), "status 1") << "once";
  EXPECT_EQ(Run("zone roll zsk"), "status 1") << "it gets a new key anyway";

  const std::string file = folder_.In("r/zone/key-set.json"), folder = folder_.In("r/zone");
  ASSERT_TRUE(zone::ChangeKeySet(file, [&](const auto& text) {
                zone::KeySet set = *zone::KeySetFrom(*text);
                std::vector<zone::KeyEntry> fresh;
                for (const zone::KeyEntry& key : set.keys) {
                  const auto made = zone::MakeKey(folder, key.role, zone::kEd25519, [&](std::uint16_t tag) {
                    return set.Knows(tag) || (!fresh.empty() && fresh[0].tag == tag);
                  });
                  fresh.push_back({key.role, {}, made->tag, made->file, UtcTime{2}});
                }
                BeginAlgorithmRoll(set, zone::kEd25519, fresh, UtcTime{2});
                return set;
              }).ok());
  const auto roll = Show(0)["roll_overs"][0];
  EXPECT_EQ(roll["algorithm"], "15 (ED25519)");
  EXPECT_EQ(roll["step"], "sign");
  EXPECT_THAT(roll["waits_for"].get<std::string>(), testing::HasSubstr("algorithm 15 (ED25519) as well"));
  EXPECT_EQ(roll["then"], "the keys of algorithm 15 (ED25519) are published");
  EXPECT_TRUE(roll.contains("zsk_to"));
  EXPECT_EQ(Show(0)["keys"][3]["state"], "pre-active");
}

TEST_F(ZoneShow, ADueDsIsShownAsARecordAndCanBeConfirmed) {
  const std::string file = folder_.In("r/zone/key-set.json"), folder = folder_.In("r/zone");
  const auto key =
      zone::MakeKey(folder, zone::KeyRole::kKsk, zone::kEcdsaP256Sha256, [](std::uint16_t) { return false; });
  ASSERT_TRUE(key.ok());
  ASSERT_TRUE(zone::ChangeKeySet(file, [&](const auto&) {
                zone::KeySet set =
                    *zone::KeySetOfFiles(folder, folder + "/ksk.pem", folder + "/zsk.pem", UtcTime{1});
                BeginRoll(set, zone::KeyRole::kKsk, key->tag, key->file, UtcTime{2});
                set.keys.back().state = zone::KeyState::kReady;
                set.rolls[0].step = zone::RollStep::kSubmit;
                return set;
              }).ok());
  const std::string tag = std::to_string(key->tag);
  EXPECT_FALSE(Show(0)["roll_overs"][0].contains("ds_due"));
  EXPECT_THAT(Run("zone ds-seen " + tag), testing::HasSubstr("status 1")) << "it is not due yet";
  ASSERT_TRUE(zone::ChangeKeySet(file, [&](const auto& text) {
                zone::KeySet set = *zone::KeySetFrom(*text);
                set.rolls[0].served = true;
                return set;
              }).ok());
  const auto roll = Show(0)["roll_overs"][0];
  EXPECT_EQ(roll["ds_due"], *zone::DsText("iotregistry.test", folder + "/" + key->file));
  EXPECT_EQ(roll["waits_for"], "the DS of key " + tag + " at the parent");
  EXPECT_EQ(roll["then"],
            "key " + tag + " is active, key " + std::to_string(roll["from"].get<int>()) + " retired");
  EXPECT_THAT(Run("zone ds-seen " + tag), testing::HasSubstr("noted"));
  EXPECT_TRUE(zone::KeySetFrom(**zone::ReadKeySet(file))->rolls[0].ds_seen);
  EXPECT_FALSE(roll.contains("earliest")) << "nobody knows when the parent acts";
  ASSERT_TRUE(zone::ChangeKeySet(file, [&](const auto& text) {
                zone::KeySet set = *zone::KeySetFrom(*text);
                set.rolls[0].step = zone::RollStep::kRetire;
                set.rolls[0].waited = std::chrono::hours(24);
                set.keys.front().state = zone::KeyState::kRetired;
                set.keys.back().state = zone::KeyState::kActive;
                return set;
              }).ok());
  const auto last = Show(0)["roll_overs"][0];
  EXPECT_EQ(last["seconds_left"], 3600) << "the DS's TTL of a day, and an hour for the parent's servers";
  EXPECT_TRUE(FromRfc3339(last["earliest"].get<std::string>()));
  EXPECT_EQ(last["then"], "key " + std::to_string(last["from"].get<int>()) + " leaves the zone");
}

TEST_F(ZoneShow, AsksARunningOneWhatTheSecondariesServe) {
  app::Metrics metrics("1", [](int, const std::string&) {});
  app::Sample sample;
  sample.zone_serial = 2026112408;
  sample.zone_names = 3;
  sample.secondaries = {{"ns1", 1.5, 2026112407, true, false, 1.25}, {"ns2", 0, 0, false, true, 0, 90}};
  app::HttpServer::Pages pages;
  pages["/metrics"] = [&] { return app::Page{200, "text/plain", metrics.Text(sample)}; };
  auto http = app::HttpServer::Start("127.0.0.1", 0, std::move(pages));
  ASSERT_TRUE(http.ok());
  const auto served = Show((*http)->port())["served"];
  EXPECT_EQ(served["serial"], 2026112408);
  EXPECT_EQ(served["names"], 3);
  ASSERT_EQ(served["secondaries"].size(), 2u);
  EXPECT_EQ(served["secondaries"][0]["name"], "ns1");
  EXPECT_EQ(served["secondaries"][0]["serial"], 2026112407);
  EXPECT_EQ(served["secondaries"][0]["lag_seconds"], 1.5);
  EXPECT_EQ(served["secondaries"][0]["revocation_waits_seconds"], 1.25);
  EXPECT_EQ(served["secondaries"][1]["revocation_waits_seconds"], 0);
  EXPECT_TRUE(served["secondaries"][0]["reachable"].get<bool>());
  EXPECT_FALSE(served["secondaries"][1]["reachable"].get<bool>());
  EXPECT_FALSE(served["secondaries"][0]["left_behind"].get<bool>());
  EXPECT_FALSE(served["secondaries"][0].contains("left_behind_since"));
  EXPECT_TRUE(served["secondaries"][1]["left_behind"].get<bool>());
  const auto since = FromRfc3339(served["secondaries"][1]["left_behind_since"].get<std::string>());
  ASSERT_TRUE(since);
  EXPECT_LE(*since, SystemClock().Now() - std::chrono::seconds(89));
}

}  // namespace
}  // namespace registry::ctl
