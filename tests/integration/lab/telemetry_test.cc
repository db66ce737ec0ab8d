// Active devices bring telemetry to their ASP's own broker, over TLS with the key in the card; one that is deactivated is
// put out there, though its connection is good and its certificate too.
#include <gmock/gmock.h>

#include <filesystem>
#include <set>

#include "simulators/lab/asp_broker.h"
#include "simulators/lab/heard.h"
#include "simulators/lab/process.h"
#include "tests/support/modem_line.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr int kDevicesThatTell = 4;  // of each MNO and each ASP

class TelemetryLabTest : public testing::Test {
 protected:
  void SetUp() override {
    LabOptions options;
    options.devices = kDevicesThatTell;
    options.telemetry = true;
    options.cards = {"field", {modem_}, {}};
    options.on_event = [heard = heard_](const std::string& program, const json& event) {
      heard->Hear(program, event);
    };
    lab_ = test::NewWholeLab(std::move(options));
    ASSERT_NE(lab_, nullptr);
  }
  static Heard::Wanted Event(const std::string& program, const json& members) {
    return [program, members](const std::string& who, const json& event) {
      if (who != program) return false;
      for (const auto& [name, value] : members.items()) {
        if (event.value(name, json()) != value) return false;
      }
      return true;
    };
  }
  // The next event that is wanted.
  std::optional<json> Await(const std::string& program, const json& members) {
    return heard_->Wait(from_, Event(program, members), 60s);
  }
  // Asks for it first.
  std::optional<json> Ask(const std::string& program, const json& command, const json& members) {
    from_ = heard_->size();
    lab_->SendTo(program, command);
    return Await(program, members);
  }
  std::set<std::string> HeardBy(const std::string& asp, std::size_t count) {
    std::set<std::string> devices;
    from_ = 0;
    while (devices.size() < count) {
      const auto event = Await(asp, {{"event", "telemetry"}, {"ok", true}});
      if (!event) break;
      devices.insert(event->at("device"));
    }
    return devices;
  }

  const test::TemporaryFolder folder_;
  const std::string modem_ = folder_.In("modem");
  const std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
  std::size_t from_ = 0;
  std::unique_ptr<Lab> lab_;
};

TEST_F(TelemetryLabTest, AnActiveDeviceTellsItsAspAndADeactivatedOneIsPutOut) {
  const auto of_a = HeardBy("asp-a", 2), of_b = HeardBy("asp-b", 2);
  ASSERT_EQ(of_a.size(), 2u);
  ASSERT_EQ(of_b.size(), 2u);
  const std::string gone = *of_a.begin(), stays = *of_a.rbegin();
  EXPECT_FALSE(of_b.contains(gone) || of_b.contains(stays)) << "each at its own ASP's";

  // Off the air it keeps its certificate and key, as a stolen one does.
  ASSERT_TRUE(Ask("devices", {{"cmd", "radio"}, {"device", gone}, {"on", false}},
                  {{"event", "radio"}, {"device", gone}}));
  const auto put_out = [&] {
    from_ = heard_->size();
    lab_->SendTo("asp-a", {{"cmd", "deactivate"}, {"device", gone}});
    return Await("devices", {{"event", "telemetry_ended"}, {"device", gone}});
  }();
  ASSERT_TRUE(put_out);
  EXPECT_EQ(put_out->value("reason", ""), "administrative_action");
  const json telemetry = {{"event", "step"}, {"step", "telemetry"}, {"again", true}};
  json refused = telemetry, taken = telemetry;
  refused["device"] = gone;
  taken["device"] = stays;
  const auto again = Ask("devices", {{"cmd", "telemetry"}, {"device", gone}}, refused);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->value("reason", ""), "refused not_authorized");

  const std::size_t asked = heard_->size();
  const auto other = Ask("devices", {{"cmd", "telemetry"}, {"device", stays}}, taken);
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->value("ok", false)) << other->value("reason", "");
  from_ = asked;
  EXPECT_TRUE(Await("asp-a", {{"event", "telemetry"}, {"device", stays}, {"ok", true}}));
  const std::string log = TailOf(AspBrokerOf(lab_->layout(), 0).log_file, 200);
  EXPECT_NE(log.find("registry: " + gone + " may not be served any more"), std::string::npos) << log;
  EXPECT_TRUE(lab_->Description().at("asp_brokers").contains("asp-a"));
  EXPECT_EQ(lab_->TakeFailure(), std::nullopt);

  // The first device's own card, as software by others finds it: under a name of the layout "field", with its key. A4 is
  // SELECT, CD READ PUBLIC KEY.
  EXPECT_THAT(test::SayToModem(modem_, "AT+CSIM=24,\"00A4040007A0000002480400\""),
              testing::HasSubstr("\"9000\""));
  EXPECT_THAT(test::SayToModem(modem_, "AT+CSIM=18,\"00CD00000385010100\""),
              testing::HasSubstr("34454943864104"));
}

}  // namespace
}  // namespace registry::lab
