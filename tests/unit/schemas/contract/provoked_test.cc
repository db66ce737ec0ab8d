// Symbols that no test of their own room provokes: design §3, every error has a test. What a party is told comes through
// the real pipeline, which TestRegistry holds against the contract.
#include <gtest/gtest.h>

#include "bridge/ledger/ledger.h"
#include "bridge/mqtt/unconfirmed.h"
#include "bridge/zone/keys.h"
#include "bridge/zone/serials.h"
#include "schemas/wire/field_tables.h"
#include "tests/support/device_key.h"
#include "tests/support/test_registry.h"
#include "workers/crypto/issuer.h"

namespace registry::contract {
namespace {

using nlohmann::json;
using test::NewCsrPem;
using test::TestRegistry;

TEST(Provoked, AClaimForAnEndpointNobodyPublished) {
  TestRegistry registry;
  const auto device = registry.Register();
  const auto said =
      registry.Ask("asp-a", "device.claim",
                   {{"device", device.device}, {"authorisationCode", device.code}, {"endpoint", "nowhere"}});
  EXPECT_EQ(said.symbol(), "endpoint_unknown");
  EXPECT_EQ(said.code(), 2303);
  EXPECT_EQ(said.data().at("field"), "/endpoint");
}

TEST(Provoked, AnMnoThatFailsWithoutSayingWhy) {
  TestRegistry registry;
  const auto device = registry.Register();
  registry.Ask("mno-a", "device.attach", {{"device", device.device}});
  const auto asked = registry.Heard("registry/v1/to/mno-a/do/key.generate");
  ASSERT_EQ(asked.size(), 1u);
  const json result = {{"job", asked[0].data().at("job")},
                       {"device", device.device},
                       {"outcome", "failed"},
                       {"stage", "applet"}};
  EXPECT_TRUE(registry.Ask("mno-a", "do.result", result).accepted());
  const auto failed = registry.Heard("registry/v1/to/mno-a/event/device.failed");
  ASSERT_EQ(failed.size(), 1u);
  const json& error = failed[0].data().at("error");
  EXPECT_EQ(error.at("symbol"), "mno_failed");
  EXPECT_EQ(error.at("step"), "key.generate");
  EXPECT_FALSE(error.contains("retryAfterSeconds")) << "it failed for good";
}

TEST(Provoked, ASecondaryThatLagsIsAnAlarmAndNotAnEnd) {
  TestRegistry registry;
  const auto device = registry.Register();
  registry.Ask("mno-a", "device.attach", {{"device", device.device}});
  ASSERT_TRUE(
      registry.Ask("mno-a", "csr.submit", {{"device", device.device}, {"csr", NewCsrPem()}}).accepted());
  registry.RunDueJobs(std::chrono::minutes(3));  // nothing serves the zone
  const auto failed = registry.Heard("registry/v1/to/mno-a/event/device.failed");
  ASSERT_EQ(failed.size(), 1u);
  const json& error = failed[0].data().at("error");
  EXPECT_EQ(error.at("symbol"), "dns_lagging");
  EXPECT_EQ(error.at("step"), "published");
  EXPECT_TRUE(error.contains("retryAfterSeconds")) << "the registry goes on trying";
}

TEST(Provoked, ASchemaThatDoesNotExist) {
  EXPECT_EQ(wire::Recode("no.such.schema", json::object()).error().symbol, "schema_unknown");
}

TEST(Provoked, ACaCertificateThatIsNone) {
  EXPECT_EQ(crypto::ReadIssuer(Bytes{0x30, 0x03, 0x02, 0x01, 0x00}).error().symbol, "ca_certificate_invalid");
}

TEST(Provoked, MorePublishesThanMayWaitForTheirPuback) {
  mqtt::Unconfirmed waiting(1);
  EXPECT_TRUE(waiting.Add([](auto) {}).ok());
  EXPECT_EQ(waiting.Add([](auto) {}).error().symbol, "in_flight_full");
}

TEST(Provoked, AZoneThatIsNoDomainName) {
  EXPECT_EQ(zone::DsText("not a name..", "unread.pem").error().symbol, "zone_name_invalid");
}

TEST(Provoked, AStoredSerialThatIsNone) {
  const auto ledger = ledger::OpenMemoryLedger();
  ASSERT_TRUE(ledger->Advance(ledger::Sink::kZone, {0, "yesterday"}, true).ok());
  EXPECT_EQ(zone::Serials(*ledger).Open().error().symbol, "zone_state_invalid");
}

}  // namespace
}  // namespace registry::contract
