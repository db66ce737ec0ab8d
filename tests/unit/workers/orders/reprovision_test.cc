// Orders that give devices their payload anew: by hand, and by the publication of an endpoint that is in use.
#include "tests/unit/workers/orders/order_flow.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

const std::string kPushes = std::string(kActions) + "payload.push";

class ReprovisionTest : public OrderTest {
 protected:
  ReprovisionTest()
      : OrderTest([] {
          TestRegistry::Setup setup;
          setup.retry.usual.attempts_max = 1;
          return setup;
        }()) {}
  Said Publish(int port, const std::string& name = "main") {
    const std::string at = std::to_string(port);
    return registry_.Ask(
        "asp-a", "endpoint.publish",
        {{"endpoint",
          {{"name", name},
           {"fqdn", "mqtt.asp-a.test"},
           {"url", "tls://mqtt.asp-a.test:" + at},
           {"port", port},
           {"protocol", "tls"},
           {"trust", {{"kind", "tlsa"}, {"tlsaOwner", "_" + at + "._tcp.mqtt.asp-a.test"}}}}}});
  }
  std::set<std::string> SomeActive(int count) {
    std::set<std::string> devices;
    for (int i = 0; i < count; ++i) devices.insert(registry_.Activate());
    registry_.Heard(kPushes);
    return devices;
  }
  void ReportDelivered(const std::string& device) {
    EXPECT_TRUE(test::Report(registry_, JobOf(registry_, device, domain::JobKind::kPayloadPush),
                             {{"outcome", "success"}})
                    .accepted());
  }
  std::uint64_t Composed(const std::string& device) {
    return domain::PayloadVersion(registry_.Device(device));
  }
  std::uint64_t Delivered(const std::string& device) {
    return domain::DeliveredVersion(registry_.Device(device));
  }
  bool PushWaits(const std::string& device) {
    const auto jobs = *registry_.ledger().JobsOf(*DeviceId::Parse(device));
    return std::any_of(jobs.begin(), jobs.end(),
                       [](const auto& job) { return job.kind == domain::JobKind::kPayloadPush; });
  }
};

TEST_F(ReprovisionTest, PushesThePayloadOfEveryDeviceAnew) {
  const auto devices = SomeActive(3);
  const std::string fresh = Claimed();  // has no payload yet, and gets the newest with its first
  const json state = Ended("asp-a", Started("asp-a", {{"endpoint", "main"}}, {{"kind", "reprovision"}}));
  EXPECT_EQ(state.at("done"), 3);
  EXPECT_EQ(state.at("skipped"), 1);
  std::set<std::string> pushed;
  for (const Said& said : registry_.Heard(kPushes)) {
    pushed.insert(said.data().at("device"));
    EXPECT_EQ(said.data().at("version"), 2);
  }
  EXPECT_EQ(pushed, devices);
  for (const auto& device : devices) {
    EXPECT_EQ(Delivered(device), 1u);
    ReportDelivered(device);
    EXPECT_EQ(Delivered(device), 2u);
    EXPECT_EQ(StateOf(device), "active");
    EXPECT_THAT(HistoryOf(registry_, device), testing::Contains("reprovisioned").Times(1));
  }
  EXPECT_FALSE(PushWaits(fresh));
  ExpectSound();
}

TEST_F(ReprovisionTest, ADryRunPushesNothing) {
  const auto devices = SomeActive(2);
  const json state =
      Ended("operator", Started("operator", json::object(), {{"kind", "reprovision"}, {"dryRun", true}}));
  EXPECT_EQ(state.at("done"), 2);
  EXPECT_THAT(registry_.Heard(kPushes), IsEmpty());
  for (const auto& device : devices) EXPECT_EQ(Composed(device), 1u);
}

TEST_F(ReprovisionTest, ADeviceOnHoldIsOwedThePayloadUntilItIsResumed) {
  const std::string device = *SomeActive(1).begin();
  ASSERT_TRUE(registry_.Ask("asp-a", "device.suspend", {{"device", device}}).accepted());
  registry_.ServeZone();
  EXPECT_EQ(Ended("asp-a", Publish(8884).data().at("order")).at("done"), 1);
  EXPECT_THAT(registry_.Heard(kPushes), IsEmpty());
  ASSERT_TRUE(registry_.Ask("asp-a", "device.resume", {{"device", device}}).accepted());
  registry_.ServeZone();
  EXPECT_TRUE(Attach(registry_, device).accepted());
  EXPECT_THAT(registry_.Heard(kPushes), SizeIs(1));
  ReportDelivered(device);
  EXPECT_EQ(Delivered(device), Composed(device));
  ExpectSound();
}

TEST_F(ReprovisionTest, OrdersOfEveryKindDecideAsTheSingleCommand) {
  const auto devices = SomeActive(2);
  for (const char* kind : {"suspend", "resume", "rekey"}) {
    const json state = Ended("asp-a", Started("asp-a", {{"endpoint", "main"}}, {{"kind", kind}}));
    EXPECT_EQ(state.at("done"), 2) << kind << ' ' << state.dump();
    registry_.ServeZone();
    for (const auto& device : devices) {
      EXPECT_EQ(domain::OnHold(registry_.Device(device)), kind == std::string("suspend")) << kind;
    }
  }
  ExpectSound();
}

TEST_F(ReprovisionTest, ADeactivatedDeviceIsPassedOver) {
  const auto devices = SomeActive(1);
  EXPECT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", *devices.begin()}}).accepted());
  const json state = Ended("asp-a", Started("asp-a", json::object(), {{"kind", "reprovision"}}));
  EXPECT_EQ(state.at("skipped"), 1);
}

TEST_F(ReprovisionTest, AChangedEndpointStartsAnOrderOverItsDevices) {
  const auto devices = SomeActive(3);
  const Said published = Publish(8884);
  ASSERT_TRUE(published.accepted()) << published.payload;
  const std::string order = published.data().at("order");
  const json state = Ended("asp-a", order);
  EXPECT_EQ(state.at("kind"), "reprovision");
  EXPECT_EQ(state.at("owner"), "asp-a");
  EXPECT_EQ(state.at("done"), 3);
  EXPECT_THAT(registry_.Heard(kPushes), SizeIs(3));
  const auto done = registry_.Heard("registry/v1/to/asp-a/event/order.done");
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].data().at("order"), order);
  EXPECT_THAT(HistoryOf(registry_, DeviceId()),
              testing::Contains("order " + order + " started: reprovision"));
  ExpectSound();
}

TEST_F(ReprovisionTest, NobodyIsToldOfAnEndpointThatIsNotInUseOrSaysWhatItSaid) {
  SomeActive(1);
  EXPECT_FALSE(Publish(8884, "other").data().contains("order"));
  EXPECT_FALSE(Publish(8885, "other").data().contains("order")) << "nothing is bound to it";
  const std::string order = Publish(8884).data().at("order");
  Ended("asp-a", order);
  registry_.Heard(kPushes);
  const Said again = Publish(8884);
  EXPECT_TRUE(again.accepted());
  EXPECT_FALSE(again.data().contains("order")) << "the same content";
  EXPECT_THAT(registry_.Heard(kPushes), IsEmpty());
}

TEST_F(ReprovisionTest, ANewerPublicationTakesThePlaceOfAnOrderThatRuns) {
  const auto devices = SomeActive(4);
  const std::string first = Publish(8884).data().at("order");
  EXPECT_TRUE(registry_.Ask("asp-a", "order.pause", {{"order", first}}).accepted());
  const std::string second = Publish(8885).data().at("order");
  EXPECT_EQ(Get("asp-a", first).at("state"), "cancelled");
  EXPECT_EQ(Ended("asp-a", second).at("done"), 4);
  std::map<std::string, std::string> told;
  for (const Said& said : registry_.Heard("registry/v1/to/asp-a/event/order.done"))
    told[said.data().at("order")] = said.data().at("state");
  EXPECT_EQ(told, (std::map<std::string, std::string>{{first, "cancelled"}, {second, "done"}}));
  for (const auto& device : devices) {
    ReportDelivered(device);
    EXPECT_EQ(Delivered(device), Composed(device));
  }
  ExpectSound();
}

TEST_F(ReprovisionTest, APushThatIsOvertakenIsReportedWithoutEffect) {
  const std::string device = *SomeActive(1).begin();
  Ended("asp-a", Publish(8884).data().at("order"));
  const auto older = JobOf(registry_, device, domain::JobKind::kPayloadPush);
  Ended("asp-a", Publish(8885).data().at("order"));
  EXPECT_TRUE(test::Report(registry_, older, {{"outcome", "success"}}).accepted());
  EXPECT_EQ(Delivered(device), 1u);
  ReportDelivered(device);
  EXPECT_EQ(Delivered(device), 3u);
}

TEST_F(ReprovisionTest, APushThatFailedForGoodIsMadeUpForWhenTheDeviceIsSeenAgain) {
  const std::string device = *SomeActive(1).begin();
  Ended("asp-a", Publish(8884).data().at("order"));
  EXPECT_TRUE(test::Report(registry_, JobOf(registry_, device, domain::JobKind::kPayloadPush),
                           {{"outcome", "failed"}, {"stage", "sms"}, {"retriable", false}})
                  .accepted());
  EXPECT_EQ(StateOf(device), "active") << "with what it has";
  EXPECT_FALSE(PushWaits(device));
  EXPECT_TRUE(Attach(registry_, device).accepted());
  ReportDelivered(device);
  EXPECT_EQ(Delivered(device), Composed(device));
  registry_.Heard(kPushes);
  EXPECT_TRUE(Attach(registry_, device).accepted());
  EXPECT_THAT(registry_.Heard(kPushes), IsEmpty()) << "nothing is owed any more";
}

TEST_F(ReprovisionTest, AnEndpointOfTooManyOrdersIsPutOffAndStaysAsItWas) {
  SomeActive(1);
  for (int i = 0; i < 8; ++i) {
    const std::string order = Started("asp-a", json::object(), {{"rate", 1}, {"dryRun", true}});
    EXPECT_TRUE(registry_.Ask("asp-a", "order.pause", {{"order", order}}).accepted());
  }
  EXPECT_EQ(Publish(8884).symbol(), "orders_too_many");
  EXPECT_EQ(registry_.ledger()
                .LoadEndpoint(*PartyId::Parse("asp-a"), *EndpointName::Parse("main"))
                ->value()
                .endpoint.port,
            8883);
}

}  // namespace
}  // namespace registry::test
