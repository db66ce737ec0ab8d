// device.attach: what a device still owes or is owed is asked for; otherwise it changes nothing.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using std::chrono::seconds;
using testing::SizeIs;

TEST(Attach, AgainWithNothingToDoLeavesNoTrace) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  const auto before = registry.Device(id);
  const auto history = HistoryOf(registry, id);
  for (int i = 0; i < 3; ++i) {
    const Said said = Attach(registry, id);
    EXPECT_TRUE(said.accepted()) << said.payload;
    EXPECT_EQ(said.data().at("state"), "active");
  }
  EXPECT_EQ(registry.Device(id).version, before.version);
  EXPECT_EQ(registry.Device(id).trace.size(), before.trace.size());
  EXPECT_EQ(HistoryOf(registry, id), history);
}

TEST(Attach, AgainWhileTheKeyIsAskedForAsksNobody) {
  TestRegistry registry;
  const auto device = registry.Register();
  ASSERT_TRUE(Attach(registry, device.device).accepted());
  EXPECT_THAT(HistoryOf(registry, device.device), testing::Contains("attached"));
  const auto version = registry.Device(device.device).version;
  ASSERT_TRUE(Attach(registry, device.device).accepted());
  EXPECT_EQ(registry.Device(device.device).version, version);
  EXPECT_THAT(registry.Heard(std::string(kActions) + "key.generate"), SizeIs(1));
}

TEST(Attach, PushesAgainAPayloadThatWasGivenUp) {
  TestRegistry registry;
  const std::string id = Published(registry);
  const std::string topic = std::string(kActions) + "payload.push";
  ASSERT_THAT(registry.Heard(topic), SizeIs(1));
  const auto pushed = JobOf(registry, id, domain::JobKind::kPayloadPush);
  ASSERT_TRUE(Report(registry, pushed, {{"outcome", "failed"}, {"stage", "radio"}}).accepted());
  const auto before = HistoryOf(registry, id).size();
  ASSERT_TRUE(Attach(registry, id).accepted());
  const auto again = registry.Heard(topic);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].data().at("version"), 2);
  EXPECT_NE(again[0].data().at("job"), pushed.id.text());
  EXPECT_EQ(HistoryOf(registry, id).size(), before + 1) << "this attach did something";
  ASSERT_TRUE(Attach(registry, id).accepted());
  EXPECT_THAT(registry.Heard(topic), SizeIs(0)) << "one is waiting";
}

TEST(Attach, IsTheSponsors) {
  TestRegistry registry;
  const auto device = registry.Register();
  const Said said = registry.Ask("mno-b", "device.attach", {{"device", device.device}});
  EXPECT_EQ(said.symbol(), "not_sponsor");
  EXPECT_FALSE(domain::Attached(registry.Device(device.device)));
}

}  // namespace
}  // namespace registry::test
