// The ASP simulator towards a scripted registry on a real broker.
#include "simulators/asp/asp.h"

#include <gmock/gmock.h>

#include "schemas/wire/codec.h"
#include "simulators/link/frames.h"
#include "tests/integration/parties/scripted_registry.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kDevice = "0b5e4c1e-8f0a-4c39-9a51-2b1f3c4d5e6f";

class AspTest : public testing::Test {
 protected:
  void SetUp() override {
    sim::AspConfig config;
    config.mqtt.port = broker_.port();
    config.mqtt.ca_file = broker_.folder().In("ca.pem");
    config.mqtt.certificate_file = broker_.CertificateOf("asp-a");
    config.mqtt.key_file = broker_.KeyOf("asp-a");
    config.mqtt.party = "asp-a";
    config.desk_socket = broker_.folder().In("desk");
    config.endpoint.name = *EndpointName::Parse("gateway");
    config.endpoint.fqdn = "mqtt.asp-a.test";
    config.endpoint.url = "tls://mqtt.asp-a.test:8884";
    config.endpoint.port = 8884;
    config.endpoint.protocol = "tls";
    config.endpoint.trust.tlsa_owner = "_8884._tcp.mqtt.asp-a.test";
    auto asp = sim::Asp::Start(config, report_);
    ASSERT_TRUE(asp.ok()) << asp.error().message;
    asp_ = std::move(*asp);
    const auto published = registry_.NextOf("endpoint.publish");
    ASSERT_TRUE(published.has_value());
    registry_.Accept(*published, wire::Encode(wire::EndpointPublished{config.endpoint.name, 1}));
  }

  Broker broker_;
  ScriptedRegistry registry_{broker_};
  sim::Report report_{[](const json&) {}};
  std::unique_ptr<sim::Asp> asp_;
};

TEST_F(AspTest, RubbishOnTheConsoleHarmsNothing) {
  for (const char* text : {R"({"cmd":7,"device":[]})", R"({"cmd":"delete","device":{}})", "{}"})
    asp_->Control(json::parse(text));
  asp_->Control({{"cmd", "deactivate"}, {"device", kDevice}, {"reason", 5}});
  const auto command = registry_.NextOf("device.deactivate");
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->envelope.data["reason"], "asked for on the console");
  asp_->Control({{"cmd", "reactivate"}, {"device", kDevice}, {"reason", "found again"}});
  const auto again = registry_.NextOf("device.reactivate");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->envelope.data["reason"], "found again");
}

TEST_F(AspTest, AClaimRejectedForTheMomentIsAskedAgain) {
  auto desk = sim::Dial(
      broker_.folder().In("desk"), seconds(5), [](const auto&, const json&) {}, nullptr);
  ASSERT_TRUE(desk.ok());
  ASSERT_TRUE((*desk)->Send(
      json{{"t", "authorisation"}, {"device", kDevice}, {"code", "code-0123456789-0123456789"}}, seconds(1)));
  const auto first = registry_.NextOf("device.claim");
  ASSERT_TRUE(first.has_value());
  Error later = Error::Make(Code::kFailed, "some_reason", "later");
  later.retry_after_seconds = 1;
  registry_.Reject(*first, later);
  auto second = registry_.NextOf("device.claim");
  while (second && second->envelope.id == first->envelope.id) second = registry_.NextOf("device.claim");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->envelope.data, first->envelope.data);
}

}  // namespace
}  // namespace registry::test
