// registryd with zone.publisher = "update", killed while it hands its names to a real signing server (Knot): after the next
// start every name is there, once. What registryctl says of such a zone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bridge/app/config.h"
#include "bridge/ledger/rocksdb/open.h"
#include "simulators/lab/ports.h"
#include "tests/integration/update/signing_process.h"
#include "tests/support/registry_home.h"

namespace registry {
namespace {

using ::testing::HasSubstr;
using zone::testing::DeviceOf;
using zone::testing::Eventually;
using zone::testing::kZone;
using zone::testing::Published;
using zone::testing::RunCommand;

constexpr std::uint64_t kNames = 350;

class RegistrydUpdateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto port = ports_.Take(), secondary = ports_.Take();
    ASSERT_TRUE(port.ok() && secondary.ok());
    server_ = std::make_unique<zone::testing::SigningProcess>(zone::testing::Software::kKnot, files_, *port,
                                                              *secondary);
    server_->Start();
    test::MakeRunnableHome(folder_);
    std::ofstream(folder_.In("r/zone/tsig.key")) << zone::testing::kTsigSecret << "\n";
    std::string text = folder_.Read("r/registry.toml");
    text = std::regex_replace(text, std::regex("\n(ksk|zsk|name_servers|glue) = [^\n]*"), "");
    text =
        std::regex_replace(text, std::regex("tsig_name = [^\n]*"),
                           std::string("tsig_name = \"") + zone::testing::kTsigName +
                               "\"\npublisher = \"update\"\nupdate_address = \"127.0.0.1\"\nupdate_port = " +
                               std::to_string(*port));
    folder_.Write("r/registry.toml", text);
  }
  void FillLedger() {
    const auto config = app::LoadConfig(folder_.In("r/registry.toml"));
    ASSERT_TRUE(config.ok()) << config.error().message;
    ledger::RocksDbOptions options;
    options.folder = config->ledger_folder;
    const auto opened = ledger::OpenRocksDbLedger(options);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    domain::Changeset changeset;
    for (std::uint64_t n = 1; n <= kNames; ++n) changeset.zone.push_back(Published(n));
    ASSERT_TRUE((*opened)->Commit(std::move(changeset)).ok());
  }
  std::unique_ptr<lab::Process> Start() {
    auto started = lab::Process::Start(
        {"registryd",
         {REGISTRY_BINARY_DIR "/bin/registryd", "--config", folder_.In("r/registry.toml")},
         {},
         folder_.In("out.log"),
         {},
         {}});
    EXPECT_TRUE(started.ok());
    return started ? std::move(*started) : nullptr;
  }
  std::string Ctl(const std::string& words) const {
    return RunCommand(REGISTRY_BINARY_DIR "/bin/registryctl " + words + " --config " +
                      folder_.In("r/registry.toml"));
  }
  nlohmann::json Served() const {
    const auto shown = nlohmann::json::parse(Ctl("zone show --json"), nullptr, false);
    return shown.is_object() ? shown.value("served", nlohmann::json::object()) : nlohmann::json::object();
  }
  std::string NameAt(std::uint64_t n) const { return DeviceOf(n).text() + "._device." + kZone; }

  lab::Ports ports_;
  zone::testing::ZoneFiles files_;
  test::TemporaryFolder folder_;
  std::unique_ptr<zone::testing::SigningProcess> server_;
};

TEST_F(RegistrydUpdateTest, KilledOnTheWayItGoesOnWhereItWas) {
  FillLedger();
  auto registryd = Start();
  ASSERT_NE(registryd, nullptr);
  ASSERT_TRUE(Eventually([&] { return !server_->Dig("+short TLSA " + NameAt(1)).empty(); }))
      << folder_.Read("out.log");
  registryd->Signal(SIGKILL);
  registryd->WaitExit(std::chrono::seconds(10));
  registryd = Start();
  ASSERT_NE(registryd, nullptr);
  ASSERT_TRUE(Eventually(
      [&] {
        const auto served = Served();
        return served.value("pending", 1u) == 0 && served.value("serial", 0u) > 1;
      },
      std::chrono::seconds(60)))
      << folder_.Read("out.log") << server_->Log();
  const std::string dump =
      server_->Dig("+noall +answer +onesoa AXFR " + std::string(kZone) +
                   " -y hmac-sha256:" + zone::testing::kTsigName + ":" + zone::testing::kTsigSecret);
  // In one pass: a search of the whole text for each name takes minutes under AddressSanitizer.
  std::map<std::string, int> records;
  std::istringstream lines(dump);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string owner, ttl, rclass, type;
    if (words >> owner >> ttl >> rclass >> type && ttl == "60" && rclass == "IN" && type == "TLSA")
      ++records[owner];
  }
  for (std::uint64_t n = 1; n <= kNames; ++n) ASSERT_EQ(records[NameAt(n) + "."], 1) << n;
  const auto shown = nlohmann::json::parse(Ctl("zone show --json"));
  EXPECT_THAT(shown.at("signing_server").get<std::string>(), HasSubstr("127.0.0.1 port "));
  EXPECT_EQ(shown.at("served").at("secondaries").at(0).at("name"), "signing-server");
  EXPECT_EQ(shown.at("served").at("secondaries").at(0).at("reachable"), true);
  EXPECT_THAT(Ctl("zone roll ksk"), HasSubstr("the signing server 127.0.0.1 has the keys"));
  EXPECT_THAT(Ctl("zone check"), HasSubstr("the zone is the signing server's"));
  EXPECT_THAT(Ctl("zone rebuild --reason test"), HasSubstr("the signing server makes the zone"));
  EXPECT_THAT(Ctl("doctor"), HasSubstr("secondary signing-server"));
}

}  // namespace
}  // namespace registry
