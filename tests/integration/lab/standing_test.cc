// A device's standing on real servers, with its session as the judge: held, it is refused, because DNSSEC vouches for its
// certificate no longer; let go, it is welcome again. Disconnected, reconnected and released through the simulators.
#include <gmock/gmock.h>

#include <functional>

#include "simulators/lab/heard.h"
#include "tests/support/device_session.h"
#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr seconds kPatience{120};

class StandingLab : public testing::Test {
 protected:
  void SetUp() override {
    lab_ =
        test::NewWholeLab({.devices = 2, .on_event = [this](const std::string& program, const json& event) {
                             heard_.Hear(program, event);
                           }});
    ASSERT_NE(lab_, nullptr);
  }
  void TearDown() override {
    if (!lab_) return;
    const auto failure = lab_->TakeFailure();
    EXPECT_FALSE(failure) << *failure;
    lab_->Stop();
  }

  // Of asp-a, when it has had its session.
  std::string ActiveDevice() {
    std::size_t from = 0;
    const auto active = heard_.Wait(
        from,
        [](const std::string& program, const json& event) {
          return program == "asp-a" && event.value("step", "") == "activated";
        },
        kPatience);
    if (!active) return {};
    const std::string device = active->at("device");
    from = 0;
    return heard_.Wait(from, Succeeded("done", device), kPatience) ? device : std::string();
  }

  bool Asp(const std::string& verb, const std::string& answer, const std::string& device) {
    std::size_t from = heard_.size();
    lab_->SendTo("asp-a", {{"cmd", verb}, {"device", device}});
    const auto said = heard_.Wait(
        from,
        [&](const std::string& program, const json& event) {
          return program == "asp-a" && event.value("event", "") == answer &&
                 event.value("device", "") == device;
        },
        kPatience);
    EXPECT_TRUE(said && said->at("ok") == true) << verb << (said ? said->dump() : ": no answer");
    return said && said->at("ok") == true;
  }

  // Sessions, one after the other, until one ends as `wanted`: a cache may hold a record for its TTL.
  bool SessionComesTo(const std::string& device, const std::function<bool(const json& step)>& wanted) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    std::string last = "none";
    while (std::chrono::steady_clock::now() < until) {
      const auto step = test::SessionAgain(*lab_, heard_, device, kPatience);
      if (!step) break;
      if (wanted(*step)) return true;
      last = step->dump();
    }
    ADD_FAILURE() << "the last session: " << last;
    return false;
  }
  bool Welcome(const std::string& device) {
    return SessionComesTo(device, [](const json& step) { return step.at("ok") == true; });
  }
  bool Refused(const std::string& device) {
    return SessionComesTo(device, [](const json& step) {
      return step.at("ok") == false && step.value("reason", "").find("tlsa_missing") != std::string::npos;
    });
  }

  Heard heard_;
  std::unique_ptr<Lab> lab_;
};

TEST_F(StandingLab, AHeldDeviceIsRefusedAndAFreeOneIsWelcome) {
  const std::string device = ActiveDevice();
  ASSERT_FALSE(device.empty());
  ASSERT_TRUE(Welcome(device));
  ASSERT_TRUE(Asp("suspend", "suspended", device));
  EXPECT_TRUE(Refused(device));
  ASSERT_TRUE(Asp("resume", "resumed", device));
  EXPECT_TRUE(Welcome(device));

  // What the MNO has done at its network.
  std::size_t from = heard_.size();
  ASSERT_TRUE(Asp("disconnect", "disconnected", device));
  EXPECT_TRUE(heard_.Wait(from, Succeeded("profile_disable", device), kPatience));
  from = heard_.size();
  ASSERT_TRUE(Asp("reconnect", "reconnected", device));
  EXPECT_TRUE(heard_.Wait(from, Succeeded("profile_enable", device), kPatience));
  EXPECT_TRUE(Welcome(device)) << "the profile has nothing to do with its credentials";

  from = heard_.size();
  ASSERT_TRUE(Asp("release", "released", device));
  EXPECT_TRUE(heard_.Wait(
      from,
      [&](const std::string& program, const json& event) {
        return program == "devices" && event.value("event", "") == "released" &&
               event.value("device", "") == device;
      },
      kPatience))
      << "the device has opened a payload that names no ASP";
}

}  // namespace
}  // namespace registry::lab
