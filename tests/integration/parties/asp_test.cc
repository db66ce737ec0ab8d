// The ASP simulator towards a scripted registry on a real broker.
#include "simulators/asp/asp.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>

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
    auto asp = sim::Asp::Start(config, own_, report_);
    ASSERT_TRUE(asp.ok()) << asp.error().message;
    asp_ = std::move(*asp);
    const auto published = registry_.NextOf("endpoint.publish");
    ASSERT_TRUE(published.has_value());
    registry_.Accept(*published, wire::Encode(wire::EndpointPublished{config.endpoint.name, 1}));
  }

  Broker broker_;
  ScriptedRegistry registry_{broker_};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<json> said_;  // guarded by mutex_
  sim::Report report_{[this](const json& event) { Note(event); }};
  std::shared_ptr<sim::Connection> desk_;
  void HandOver(const std::string& device) {
    auto desk = sim::Dial(
        broker_.folder().In("desk"), seconds(5), [](const auto&, const json&) {}, nullptr);
    ASSERT_TRUE(desk.ok());
    desk_ = std::move(*desk);
    ASSERT_TRUE(
        desk_->Send(json{{"t", "authorisation"}, {"device", device}, {"code", "code-0123456789-0123456789"}},
                    seconds(1)));
  }
  std::string WhyNot(const std::string& device) const {
    const auto status = own_.MayTalk(device);
    return status ? "" : status.error().symbol;
  }
  // Why not, once the simulator has said something with this member.
  std::string WhyNotAfter(const std::string& member, const std::string& value) {
    std::unique_lock lock(mutex_);
    const auto heard = [&] {
      return std::any_of(said_.begin(), said_.end(),
                         [&](const json& event) { return event.value(member, "") == value; });
    };
    return changed_.wait_for(lock, seconds(20), heard) ? WhyNot(kDevice) : "nothing was said";
  }
  void Note(const json& event) {
    const std::lock_guard lock(mutex_);
    said_.push_back(event);
    changed_.notify_all();
  }

  clients::OwnDevices own_;
  std::unique_ptr<sim::Asp> asp_;
};

TEST_F(AspTest, ServesWhatItClaimedUntilItsFeedSaysOtherwise) {
  EXPECT_EQ(WhyNot(kDevice), "device_not_claimed");
  ASSERT_NO_FATAL_FAILURE(HandOver(kDevice));
  const auto claim = registry_.NextOf("device.claim");
  ASSERT_TRUE(claim.has_value());
  EXPECT_EQ(WhyNot(kDevice), "device_not_claimed") << "asked for is not claimed";
  wire::DeviceState state;
  state.device = *DeviceId::Parse(kDevice);
  registry_.Accept(*claim, wire::Encode(state));
  EXPECT_EQ(WhyNotAfter("step", "claim"), "");
  registry_.Notify("asp-a", "device.deactivated", 1, {{"device", kDevice}});
  EXPECT_EQ(WhyNotAfter("type", "device.deactivated"), "device_not_active");
  registry_.Notify("asp-a", "device.reactivated", 2, {{"device", kDevice}});
  EXPECT_EQ(WhyNotAfter("type", "device.reactivated"), "");
  registry_.Notify("asp-a", "device.deleted", 3, {{"device", kDevice}});
  EXPECT_EQ(WhyNotAfter("type", "device.deleted"), "device_not_active");
}

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

// PARTY.md, rule 2: with the same id, and not before the time that the registry names.
TEST_F(AspTest, AClaimRejectedForTheMomentIsAskedAgain) {
  ASSERT_NO_FATAL_FAILURE(HandOver(kDevice));
  const auto first = registry_.NextOf("device.claim");
  ASSERT_TRUE(first.has_value());
  Error later = Error::Make(Code::kFailed, "some_reason", "later");
  later.retry_after_seconds = 1;
  const auto rejected = std::chrono::steady_clock::now();
  registry_.Reject(*first, later);
  const auto second = registry_.NextOf("device.claim");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->payload, first->payload);
  EXPECT_GE(std::chrono::steady_clock::now() - rejected, seconds(1));
}

// Without a time it is the party's to choose one, and another command's.
TEST_F(AspTest, AClaimForWhichTheRegistryIsBusyIsAskedAnew) {
  ASSERT_NO_FATAL_FAILURE(HandOver(kDevice));
  const auto first = registry_.NextOf("device.claim");
  ASSERT_TRUE(first.has_value());
  registry_.Reject(*first, Error::Make(Code::kFailed, "busy", "later"));
  auto second = registry_.NextOf("device.claim");
  while (second && second->envelope.id == first->envelope.id) second = registry_.NextOf("device.claim");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->envelope.data, first->envelope.data);
}

}  // namespace
}  // namespace registry::test
