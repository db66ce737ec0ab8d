// device.claim: the code decides first, then the state.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

const std::string kWrong(32, '0');

TEST(Claim, WithoutTheCodeNothingIsLearntOfTheDevice) {
  TestRegistry registry;
  registry.PublishEndpoint("asp-a");
  registry.PublishEndpoint("asp-b");
  const auto claimed = registry.Register(), ended = registry.Register();
  ASSERT_TRUE(Claim(registry, claimed).accepted());
  ASSERT_TRUE(registry.Ask("operator", "device.deactivate", {{"device", ended.device}}).accepted());
  for (const auto& device : {claimed, ended}) {
    const Said said = Claim(registry, {device.device, kWrong}, "asp-b");
    EXPECT_EQ(said.symbol(), "authorisation_invalid");
    EXPECT_EQ(said.code(), 2202);
  }
  EXPECT_EQ(Claim(registry, claimed, "asp-b").symbol(), "authorisation_invalid") << "its code is used up";
  const Said refused = Claim(registry, ended, "asp-b");
  EXPECT_EQ(refused.symbol(), "state_prohibits");
  EXPECT_EQ(refused.code(), 2304);
  EXPECT_EQ(domain::Claimer(registry.Device(claimed.device)), *PartyId::Parse("asp-a"));
}

TEST(Claim, NeedsAPublishedEndpointAndKeepsTheCodeUntilThen) {
  TestRegistry registry;
  const auto device = registry.Register();
  registry.PublishEndpoint("asp-b");
  const Said said = Claim(registry, device);
  EXPECT_EQ(said.symbol(), "endpoint_unknown") << "another ASP's endpoint is not its own";
  EXPECT_EQ(said.code(), 2303);
  EXPECT_EQ(said.data().at("field"), "/endpoint");
  registry.PublishEndpoint("asp-a");
  EXPECT_EQ(Claim(registry, device, "asp-a", "other").symbol(), "endpoint_unknown");
  EXPECT_TRUE(Claim(registry, device).accepted());
}

}  // namespace
}  // namespace registry::test
