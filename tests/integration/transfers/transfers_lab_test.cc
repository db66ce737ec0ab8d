// Devices that go to another ASP and to another MNO and work at every moment of it, though registryd, or the broker, is
// killed at every step; and what is left of the former certificate, payload and party afterwards: nothing.
#include "tests/integration/transfers/transfers_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using testing::IsEmpty;
using testing::StartsWith;

// A step of this device's way to another profile, as who takes it says it.
Heard::Wanted StepOf(const std::string& device, const std::string& name) {
  return [device, name](const std::string& who, const json& event) {
    return who == "devices" && event.value("step", "") == name && event.value("device", "") == device &&
           event.value("ok", false) && !event.value("again", false);
  };
}

// To the other MNO, with something said at each step of it, in their order.
template <class AtStep>
void FollowToAnotherMno(Heard& heard, std::size_t& from, const std::string& device, bool deleted,
                        AtStep at_step) {
  // Each in the words of another program, whose pipe may be later than the next one's.
  const std::size_t begun = from;
  const auto await = [&](const Heard::Wanted& wanted, const char* what) {
    std::size_t at = begun;
    EXPECT_TRUE(heard.Wait(at, wanted, kPatience)) << what << " does not come";
    from = std::max(from, at);
    at_step(what);
  };
  await(Notified("mno-a", "transfer.requested", device), "transfer.requested");
  await(Succeeded("profile_enable", device), "profile.enable");
  await(StepOf(device, "key_generate"), "key.generate");
  await(StepOf(device, "install"), "the certificate");
  await(StepOf(device, "payload_open"), "payload.push");
  await(Succeeded("profile_disable", device), "profile.disable");
  if (deleted) await(Succeeded("profile_delete", device), "profile.delete");
}

TEST_F(TransfersLab, ADeviceGoesToAnotherAspAndHoldsItsSessionsAllTheTime) {
  const std::string device = DeviceOf("mno-a", "asp-a");
  Probe probe(*lab_, *heard_, device);
  std::size_t from = heard_->size();
  Give("asp-a", "asp-b", device);
  Await(from, Notified("asp-a", "transfer.requested", device), "transfer.requested");
  KillAndRestart("registryd", "requested");
  std::size_t of_loser = from;
  Await(from, Notified("asp-b", "transfer.completed", device), "transfer.completed");
  Await(of_loser, Notified("asp-a", "transfer.completed", device), "transfer.completed");
  KillAndRestart("registryd", "completed");
  std::size_t later = heard_->size();
  Await(
      later,
      [&](const std::string& who, const json& event) {
        return who == "asp-b" && event.value("step", "") == "asp_check" && event.value("ok", false) &&
               event.value("device", "") == device;
      },
      "a session with the gaining ASP");
  EXPECT_TRUE(probe.WaitHeld(1));
  probe.End();
  EXPECT_THAT(probe.refusals(), IsEmpty());
  const json shown = Shown(device);
  EXPECT_EQ(shown.at("transfer").at("state"), "completed");
  EXPECT_EQ(shown.at("claimer"), "asp-b");

  EXPECT_EQ(RefusalAsBefore(*lab_, *heard_, device), "refused device_not_claimed") << "by the former ASP";
  EXPECT_THAT(Refusal("asp-a", {{"cmd", "suspend"}, {"device", device}}, "suspended"), StartsWith("not_"));
  EXPECT_THAT(Refusal("asp-a", {{"cmd", "give"}, {"device", device}, {"to", "asp-b"}}, "transfer"),
              StartsWith("not_"));
  const auto opened = Replayed("mno-a", device);
  ASSERT_TRUE(opened) << "the old payload never came";
  EXPECT_EQ(opened->value("reason", ""), "payload_replayed");
  EXPECT_TRUE(TrySession(*lab_, *heard_, device).value_or(json::object()).value("ok", false));
}

TEST_F(TransfersLab, ADeviceGoesToAnotherMnoWhileRegistrydIsKilledAtEveryStep) {
  const std::string device = DeviceOf("mno-a", "asp-a");
  const std::string old = Shown(device).at("certificate").at("serial");
  Probe probe(*lab_, *heard_, device);
  std::size_t from = heard_->size();
  Give("mno-a", "mno-b", device);
  FollowToAnotherMno(*heard_, from, device, true,
                     [](const char* step) { KillAndRestart("registryd", step); });
  Await(from, Notified("mno-b", "transfer.completed", device), "transfer.completed");
  EXPECT_TRUE(probe.WaitHeld(1));
  probe.End();
  EXPECT_THAT(probe.refusals(), IsEmpty());
  const json shown = Shown(device);
  EXPECT_EQ(shown.at("transfer").at("state"), "completed");
  EXPECT_EQ(shown.at("sponsor"), "mno-b");
  ASSERT_EQ(shown.at("credentials").size(), 1u);
  EXPECT_NE(shown.at("credentials")[0].at("serial"), old);
}

// The losing MNO does not delete its profile, so that the old key is still there to be tried.
TEST_F(TransfersLab, TheBrokerMayDieAtEveryStepAndTheOldKeyIsOfNoUseAfterwardsThoughItIsThere) {
  const std::string device = DeviceOf("mno-a", "asp-b");
  Probe probe(*lab_, *heard_, device);
  Tell("mno-a", {{"cmd", "fail"}, {"action", "profile.delete"}, {"on", true}});
  std::size_t from = heard_->size();
  Give("mno-a", "mno-b", device);
  FollowToAnotherMno(*heard_, from, device, false,
                     [](const char* step) { KillAndRestart("mosquitto", step); });
  Await(from, Notified("mno-b", "transfer.completed", device), "transfer.completed");
  Tell("mno-a", {{"cmd", "fail"}, {"action", "profile.delete"}, {"on", false}});
  EXPECT_TRUE(probe.WaitHeld(1));
  probe.End();
  EXPECT_THAT(probe.refusals(), IsEmpty());
  EXPECT_EQ(Shown(device).at("sponsor"), "mno-b");

  EXPECT_EQ(RefusalAsBefore(*lab_, *heard_, device), "refused tlsa_mismatch") << "the old certificate";
  EXPECT_THAT(Refusal("mno-a", {{"cmd", "give"}, {"device", device}, {"to", "mno-b"}}, "transfer"),
              StartsWith("not_"));
  const auto opened = Replayed("mno-a", device);
  ASSERT_TRUE(opened) << "the old payload never came";
  EXPECT_FALSE(opened->value("ok", true)) << "the old payload";
  EXPECT_TRUE(TrySession(*lab_, *heard_, device).value_or(json::object()).value("ok", false));
}

TEST_F(TransfersLab, AStepThatFailsLeavesTheDeviceWithItsMnoAndItsSessions) {
  const std::string device = DeviceOf("mno-a", "asp-b");
  Probe probe(*lab_, *heard_, device);
  for (const char* action : {"profile.enable", "key.generate", "payload.push"}) {
    SCOPED_TRACE(action);
    std::size_t from = heard_->size();
    Tell("mno-b", {{"cmd", "fail"}, {"action", action}, {"on", true}});
    Give("mno-a", "mno-b", device);
    Await(from, Notified("mno-a", "transfer.failed", device), "transfer.failed");
    Tell("mno-b", {{"cmd", "fail"}, {"action", action}, {"on", false}});
    const json shown = Shown(device);
    EXPECT_EQ(shown.at("transfer").at("state"), "failed");
    EXPECT_EQ(shown.at("sponsor"), "mno-a");
    EXPECT_TRUE(probe.WaitHeld(1));
  }
  probe.End();
  EXPECT_THAT(probe.refusals(), IsEmpty());
}

}  // namespace
}  // namespace registry::lab
