// endpoint.publish: versions, what the history says of it, and the one certificate that is not signed.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/flow.h"

namespace registry::test {
namespace {

using testing::ElementsAre;

json Endpoint(const json& trust) {
  return {{"endpoint",
           {{"name", "main"},
            {"fqdn", "mqtt.asp-a.test"},
            {"url", "tls://mqtt.asp-a.test:8883"},
            {"port", 8883},
            {"protocol", "tls"},
            {"trust", trust}}}};
}

TEST(Endpoint, EveryPublicationIsAVersionAndInTheChain) {
  TestRegistry registry;
  const json trust = {{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp.mqtt.asp-a.test"}};
  EXPECT_EQ(registry.Ask("asp-a", "endpoint.publish", Endpoint(trust)).data().at("revision"), 1);
  EXPECT_EQ(registry.Ask("asp-a", "endpoint.publish", Endpoint(trust), "again").data().at("revision"), 2);
  EXPECT_EQ(registry.Ask("asp-b", "endpoint.publish", Endpoint(trust)).data().at("revision"), 1)
      << "names are each ASP's own";
  EXPECT_THAT(HistoryOf(registry, DeviceId()),
              ElementsAre("endpoint main published, version 1", "endpoint main published, version 2",
                          "endpoint main published, version 1"));
  const auto records = *registry.ledger().HistoryAfter(0, 10);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1].entry.actor, *PartyId::Parse("asp-a"));
  EXPECT_EQ(records[1].entry.cause, *EventId::Parse("again"));
  EXPECT_EQ(records[2].entry.actor, *PartyId::Parse("asp-b"));
  EXPECT_THAT(ledger::Verify(registry.ledger())->faults, ElementsAre());
}

TEST(Endpoint, WhatIsNoCertificateIsNotSigned) {
  TestRegistry registry;
  const std::string json_text = R"({"port":8883,"url":"tls://elsewhere.test"})";
  const Said said = registry.Ask("asp-a", "endpoint.publish",
                                 Endpoint({{"kind", "ca"}, {"certificate", ToBase64(AsBytes(json_text))}}));
  EXPECT_EQ(said.symbol(), "trust_certificate_invalid");
  EXPECT_EQ(said.code(), 2005);
  EXPECT_EQ(said.data().at("field"), "/endpoint/trust/certificate");
  const auto stored = registry.ledger().LoadEndpoint(*PartyId::Parse("asp-a"), *EndpointName::Parse("main"));
  EXPECT_FALSE(stored->has_value());
  EXPECT_THAT(HistoryOf(registry, DeviceId()), ElementsAre());
}

}  // namespace
}  // namespace registry::test
