// `registryctl zone check` over a ledger, a publisher and a real NSD: all agree, and then the secondary's zone, the
// ledger, or the served zone is not what it should be, and a rebuild mends it. What is served is tampered with in
// NSD's own zone file.
#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "bridge/app/zone_options.h"
#include "bridge/ctl/zone_commands.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/signing/key_file.h"
#include "tests/integration/zone/secondary_process.h"
#include "tests/support/ran_command.h"
#include "tests/support/registry_home.h"

namespace registry::zone::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string NameAt(std::uint64_t n) { return DeviceOf(n).text() + "._device.iotregistry.test"; }

class ZoneCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    primary_port_ = FreePort();
    secondary_ = std::make_unique<SecondaryProcess>(Software::kNsd, files_, "ns1", primary_port_);
    test::MakeRunnableHome(home_, "[[secondary]]\nname = \"ns1\"\naddress = \"127.0.0.1\"\nport = " +
                                      std::to_string(secondary_->port()) + "\n");
    home_.Write("r/registry.toml",
                std::regex_replace(home_.Read("r/registry.toml"), std::regex("listen_port = 0"),
                                   "listen_port = " + std::to_string(primary_port_)));
    std::string secret = home_.Read("r/zone/tsig.key");
    secret.erase(secret.find_last_not_of('\n') + 1);
    secondary_->GiveKey("registry-transfer", secret);
    auto ledger = ledger::OpenRocksDbLedger({home_.In("r/ledger")});
    ASSERT_TRUE(ledger.ok()) << ledger.error().message;
    ledger_ = std::move(*ledger);
    secondary_->Start();
    StartPublisher();
    Commit({Published(1), Published(2), Deactivated(3, 1)});
    ASSERT_TRUE(ArrivedEverywhere()) << secondary_->Log();
  }
  void StartPublisher() {
    const app::Config config = *app::LoadConfig(home_.In("r/registry.toml"));
    std::vector<Bytes> authorities{*signing::LoadCertificate(config.pki.root_certificate),
                                   *signing::LoadCertificate(config.pki.issuing_certificate)};
    auto publisher = Publisher::Create(
        app::ZoneOptions(config, std::move(authorities)), *ledger_, [](const auto&) { return true; },
        [this](int, const std::string& line) {
          const std::lock_guard lock(log_mutex_);
          log_ += line + "\n";
        });
    ASSERT_TRUE(publisher.ok()) << publisher.error().message;
    publisher_ = std::move(*publisher);
    ASSERT_TRUE(publisher_->Start().ok());
  }
  void Commit(std::vector<domain::ZoneChange> changes) {
    domain::Changeset changeset;
    changeset.zone = std::move(changes);
    ASSERT_TRUE(ledger_->Commit(std::move(changeset)).ok());
  }
  bool ArrivedEverywhere() {
    return Eventually([this] {
      const Snapshot now = publisher_->snapshot();
      return now.pending == 0 && now.secondaries[0].serial == now.serial && now.names > 0;
    });
  }
  // The secondary's zone, changed by `change`, and served by it under the serial that it has.
  void Tamper(const std::function<std::string(const std::string& line)>& change,
              const std::string& more = "") {
    std::istringstream dump(secondary_->Dump());
    std::string text, line;
    bool soa_seen = false;
    while (std::getline(dump, line)) {
      const bool soa = std::regex_search(line, std::regex("\\sIN\\s+SOA\\s"));
      if (line.empty() || line[0] == ';' || (soa && soa_seen)) continue;
      soa_seen = soa_seen || soa;
      line = change(line);
      if (!line.empty()) text += line + "\n";
    }
    secondary_->Stop();
    std::filesystem::remove(files_.path("ns1/xfrd.state"));
    std::ofstream(files_.path("ns1/sec.zone")) << text << more;
    secondary_->Start();
    ASSERT_TRUE(Eventually([this] {
      return secondary_->Dig("+short +norec SOA iotregistry.test").find("hostmaster") != std::string::npos;
    })) << secondary_->Log();
  }
  // Its status, its output in output_.
  int Check(const std::string& more) { return Run("zone check", more); }
  int Run(const std::string& command, const std::string& more) {
    CLI::App app;
    ctl::AddZoneCommands(app);
    const auto ran =
        test::RanBy([&] { app.parse(command + " --config " + home_.In("r/registry.toml") + " " + more); });
    output_ = ran.out;
    said_ = ran.err;
    return ran.status;
  }
  // "place name type difference" of each.
  std::vector<std::string> Found() {
    std::vector<std::string> lines;
    const auto json = nlohmann::json::parse(output_);
    for (const auto& row : json["differences"])
      lines.push_back(row["place"].get<std::string>() + " " + row["name"].get<std::string>() + " " +
                      row["type"].get<std::string>() + " " + row["difference"].get<std::string>());
    return lines;
  }

  ZoneFiles files_;
  test::TemporaryFolder home_;
  std::uint16_t primary_port_ = 0;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<SecondaryProcess> secondary_;
  std::mutex log_mutex_;
  std::string log_;
  std::unique_ptr<Publisher> publisher_;
  std::string output_, said_;
};

TEST_F(ZoneCheckTest, AgreesWhereAllIsAsTheLedgerSays) {
  EXPECT_EQ(Check("--json"), 0) << output_ << said_;
  EXPECT_THAT(Found(), IsEmpty());
  const auto json = nlohmann::json::parse(output_);
  EXPECT_TRUE(json["agree"].get<bool>());
  ASSERT_EQ(json["places"].size(), 2u);
  EXPECT_EQ(json["places"][1]["place"], "ns1");
  EXPECT_EQ(json["places"][1]["serial"], publisher_->snapshot().serial);
  EXPECT_EQ(json["places"][0]["records"], json["places"][1]["records"]);
  EXPECT_EQ(Check(""), 0);
  EXPECT_THAT(output_, HasSubstr("every secondary agree"));
}

TEST_F(ZoneCheckTest, NamesEachRecordThatTheSecondaryHasOtherwise) {
  Tamper(
      [](std::string line) {
        const bool tlsa = std::regex_search(line, std::regex("\\sIN\\s+TLSA\\s"));
        if (tlsa && line.starts_with(NameAt(1))) line.back() = line.back() == '0' ? '1' : '0';
        return tlsa && line.starts_with(NameAt(2)) ? std::string() : line;
      },
      "intruder._device.iotregistry.test. 60 IN A 192.0.2.66\n");
  EXPECT_EQ(Check("--json --patience 0"), 3) << said_;
  EXPECT_THAT(Found(), UnorderedElementsAre("ns1 " + NameAt(1) + " TLSA differs",
                                            "ns1 " + NameAt(1) + " TLSA bad signature: it does not verify",
                                            "ns1 " + NameAt(2) + " TLSA missing",
                                            "ns1 intruder._device.iotregistry.test A extra",
                                            "ns1 intruder._device.iotregistry.test A unsigned"));
  EXPECT_EQ(Check("--limit 2 --patience 0"), 3);
  EXPECT_THAT(output_, HasSubstr("3 more differences"));
}

TEST_F(ZoneCheckTest, SaysWhoLagsAndWhoCannotBeLookedAt) {
  secondary_->Kill();
  Commit({Published(4)});
  ASSERT_TRUE(Eventually([this] { return publisher_->snapshot().names == 4; }));
  EXPECT_EQ(Check("--json --patience 0"), 3);
  ASSERT_EQ(Found().size(), 1u) << output_;
  EXPECT_THAT(Found()[0], HasSubstr("ns1 iotregistry.test AXFR cannot be fetched: "));
  publisher_.reset();
  EXPECT_EQ(Check("--json --patience 0"), 1) << "nobody knows what registryd serves";
  EXPECT_THAT(said_, HasSubstr("the zone cannot be fetched from registryd"));
}

TEST_F(ZoneCheckTest, AChangeOnItsWayIsNoDifference) {
  secondary_->Kill();
  Commit({Published(4)});
  ASSERT_TRUE(Eventually([this] { return publisher_->snapshot().names == 4; }));
  secondary_->Start();  // with what it had; it catches up meanwhile
  EXPECT_EQ(Check("--json --patience 60"), 0) << output_ << said_;
}

// NSD takes what it has fetched into service once a second (xfrd-reload-timeout), and the zone goes on several times in it.
TEST_F(ZoneCheckTest, ASecondaryThatFollowsABusyZoneIsNotBehind) {
  std::atomic<bool> done{false};
  std::thread busy([&] {
    for (std::uint64_t n = 10; !done; ++n) {
      Commit({Published(n)});
      const std::uint32_t before = publisher_->snapshot().serial;
      EXPECT_TRUE(Eventually([&] { return done || publisher_->snapshot().serial != before; }));
    }
  });
  EXPECT_EQ(Check("--json --patience 60"), 0) << output_ << said_;
  done = true;
  busy.join();
}

TEST_F(ZoneCheckTest, NamesWhatTheZoneHasOtherwiseThanTheLedger) {
  // A publisher over another ledger: its zone lacks device 1, and has device 5.
  publisher_.reset();
  auto real = std::move(ledger_);
  ledger_ = ledger::OpenMemoryLedger();
  ASSERT_TRUE(
      ledger_->Advance(ledger::Sink::kZone, {0, real->LoadSink(ledger::Sink::kZone)->state}, true).ok());
  Commit({Published(2, 2), Deactivated(3, 1), Published(5)});
  StartPublisher();
  ASSERT_TRUE(ArrivedEverywhere()) << secondary_->Log();
  EXPECT_EQ(Check("--json --patience 0"), 3) << said_;
  EXPECT_THAT(Found(), UnorderedElementsAre("registryd " + NameAt(1) + " TLSA missing",
                                            "registryd " + NameAt(2) + " TLSA differs",
                                            "registryd " + NameAt(5) + " TLSA extra"))
      << "the secondary has what registryd serves";
  EXPECT_EQ(Check("--json --patience 0 --secondary other"), 2);
}

// A zone under the serial that it should have, and with another content, never mends itself: nobody fetches it again.
TEST_F(ZoneCheckTest, ARebuildMendsWhatWasTamperedWith) {
  Tamper([](std::string line) { return line.starts_with(NameAt(2)) ? std::string() : line; });
  EXPECT_EQ(Check("--json --patience 0"), 3) << said_;
  const std::uint32_t before = publisher_->snapshot().serial;
  EXPECT_EQ(Run("zone rebuild", "--reason tampered --dry-run"), 0) << said_;
  EXPECT_THAT(output_, HasSubstr("with 3 names"));
  EXPECT_FALSE(std::filesystem::exists(home_.In("r/zone/rebuild-requested")));
  EXPECT_NE(Run("zone rebuild", ""), 0) << "a reason is needed";
  EXPECT_NE(Run("zone rebuild", "--reason \"89049032123451234512345678901235 was tampered with\""), 0)
      << "an EID";
  EXPECT_EQ(Run("zone rebuild", "--reason \"ns1 was tampered with\""), 0) << said_;
  ASSERT_TRUE(Eventually([&] { return publisher_->snapshot().serial > before; }));
  EXPECT_FALSE(std::filesystem::exists(home_.In("r/zone/rebuild-requested")));
  Commit({Gone(1, 2), Published(6)});
  ASSERT_TRUE(ArrivedEverywhere()) << secondary_->Log();
  EXPECT_EQ(Check("--json --patience 30"), 0) << output_ << said_;
  EXPECT_EQ(publisher_->snapshot().names, 3u);
  const auto history = ledger_->HistoryOf(DeviceId());
  ASSERT_TRUE(history.ok());
  std::vector<std::string> acts;
  for (const auto& record : *history) acts.push_back(record.entry.what);
  EXPECT_THAT(acts, ElementsAre(::testing::MatchesRegex(
                        "zone made anew from the ledger, serial [0-9]+: ns1 was tampered with, by .+")));
  const std::lock_guard lock(log_mutex_);
  EXPECT_THAT(log_, HasSubstr("Reason: ns1 was tampered with, by "));
}

}  // namespace
}  // namespace registry::zone::testing
