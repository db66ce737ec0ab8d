// The payload's two forms on the cards of a real lab. A device whose ASP is named by its certificate is verified as the
// pilot's middleware does it, by a program that shares nothing with this project (simulators/lab/pilot_check.py). A card
// that loses its power in the middle of a delivery is recognised by device, MNO and registry, and mended.
#include <gmock/gmock.h>

#include "simulators/lab/heard.h"
#include "tests/support/shell.h"
#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr seconds kPatience{120};

class PilotLab : public testing::Test {
 protected:
  void SetUp() override {
    lab_ = test::NewWholeLab(
        {.devices = 4,
         .retry_first_seconds = 12,
         .pilot = true,
         .on_event = [this](const std::string& program, const json& event) { heard_.Hear(program, event); }});
    ASSERT_NE(lab_, nullptr);
    ASSERT_TRUE(lab_->WriteDescription(nullptr));
  }
  void TearDown() override {
    if (!lab_) return;
    const auto failure = lab_->TakeFailure();
    EXPECT_FALSE(failure) << *failure;
    lab_->Stop();
  }

  std::optional<json> Hear(std::size_t& from, const std::string& program, const json& wanted) {
    return heard_.Wait(
        from,
        [&](const std::string& by, const json& event) {
          if (by != program) return false;
          for (const auto& [key, value] : wanted.items()) {
            if (event.value(key, json()) != value) return false;
          }
          return true;
        },
        kPatience);
  }
  // A device of this ASP, once it has had its session there.
  std::string ActiveDevice(const std::string& asp) {
    std::size_t from = 0;
    const auto active = Hear(from, asp, {{"event", "step"}, {"step", "activated"}, {"ok", true}});
    if (!active) return {};
    const std::string device = active->at("device");
    from = 0;
    return heard_.Wait(from, Succeeded("done", device), kPatience) ? device : std::string();
  }
  // Which modem is whose: the CN on the card says it, and a card without the pilot's files is told by its absence.
  std::vector<std::string> Modems() const {
    std::vector<std::string> modems;
    for (std::size_t i = 0; i < lab_->inventory().size(); ++i) modems.push_back(lab_->layout().Modem(i));
    return modems;
  }
  test::Ran PilotCheck(const std::string& modem) const {
    return test::Shell("python3 " + std::string(REGISTRY_SOURCE_DIR) +
                       "/simulators/lab/pilot_check.py --lab " + lab_->layout().folder + " --modem " + modem +
                       " 2>&1");
  }
  std::string ModemOf(const std::string& device) const {
    for (const std::string& modem : Modems()) {
      if (PilotCheck(modem).output.find("ok dns " + device + "._device.") != std::string::npos) return modem;
    }
    return {};
  }
  // What the device's MNO finds on the card.
  json ReadByMno(const std::string& device) {
    std::size_t from = heard_.size();
    for (const std::string mno : {"mno-a", "mno-b"})
      lab_->SendTo(mno, {{"cmd", "read_card"}, {"device", device}});
    const auto said = heard_.Wait(
        from,
        [&](const std::string&, const json& event) {
          return event.value("event", "") == "card" && event.value("device", "") == device;
        },
        kPatience);
    return said.value_or(json());
  }

  Heard heard_;
  std::unique_ptr<Lab> lab_;
};

TEST_F(PilotLab, AProvisionedCardVerifiesAsInThePilotAndAHalfWrittenOneIsMended) {
  const std::string device = ActiveDevice("asp-a"), other = ActiveDevice("asp-b");
  ASSERT_FALSE(device.empty());
  ASSERT_FALSE(other.empty());
  const std::string modem = ModemOf(device);
  ASSERT_FALSE(modem.empty()) << PilotCheck(lab_->layout().Modem(0)).output;
  const auto whole = PilotCheck(modem);
  EXPECT_TRUE(whole.ok()) << whole.output;
  EXPECT_THAT(whole.output, HasSubstr("ok endpoint mqtt.asp-a.test:"));
  EXPECT_THAT(whole.output, HasSubstr("ok key"));
  EXPECT_EQ(ReadByMno(device).value("state", ""), "whole");

  // An ASP that is named by TLSA: the CMS alone, and middleware that reads files finds a card that nobody provisioned.
  EXPECT_EQ(ModemOf(other), "");
  EXPECT_EQ(ReadByMno(other).value("state", ""), "none");

  // A later payload, cut behind the sixth command. The attempt that follows mends the card.
  std::size_t from = heard_.size();
  lab_->SendTo("devices", {{"cmd", "cut"}, {"device", device}, {"after", 6}});
  ASSERT_TRUE(Hear(from, "devices", {{"event", "cut"}, {"device", device}}));
  const std::size_t before = from;
  test::Registryctl(*lab_, {"ask", "order.start", R"({"kind":"reprovision","selection":{"party":"asp-a"}})"});
  EXPECT_TRUE(Hear(from, "devices", {{"step", "payload_open"}, {"reason", "card_half_written"}}));
  EXPECT_EQ(ReadByMno(device).value("state", ""), "half_written");
  EXPECT_EQ(PilotCheck(modem).status >> 8, 2) << "not provisioned: " << PilotCheck(modem).output;
  from = before;
  EXPECT_TRUE(Hear(from, "devices", {{"step", "payload_open"}, {"device", device}, {"ok", true}}));
  EXPECT_EQ(ReadByMno(device).value("state", ""), "whole");
  const auto mended = PilotCheck(modem);
  EXPECT_TRUE(mended.ok()) << mended.output;
}

}  // namespace
}  // namespace registry::lab
