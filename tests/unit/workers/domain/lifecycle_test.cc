#include "workers/domain/lifecycle.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/support/device_maker.h"

namespace registry::domain {
namespace {

constexpr State kStates[] = {State::kRegistered, State::kAttached,    State::kCertified, State::kPublished,
                             State::kActive,     State::kDeactivated, State::kDeleted};

Device In(State state) {
  Device device;
  device.state = state;
  test::SetAttached(device);
  return device;
}

std::optional<State> After(State state, Trigger trigger) {
  const auto next = Next(In(state), trigger);
  return next ? std::optional(*next) : std::nullopt;
}

TEST(Lifecycle, OneDeviceGoesTheWholeWay) {
  EXPECT_EQ(After(State::kRegistered, Trigger::kAttach), State::kAttached);
  EXPECT_EQ(After(State::kAttached, Trigger::kCertify), State::kCertified);
  EXPECT_EQ(After(State::kCertified, Trigger::kVisible), State::kPublished);
  EXPECT_EQ(After(State::kPublished, Trigger::kDelivered), State::kActive);
  EXPECT_EQ(After(State::kActive, Trigger::kDeactivate), State::kDeactivated);
  EXPECT_EQ(After(State::kDeactivated, Trigger::kReactivate), State::kAttached);
  EXPECT_EQ(After(State::kAttached, Trigger::kDelete), State::kDeleted);
}

TEST(Lifecycle, NoStepCanBeLeftOut) {
  EXPECT_EQ(After(State::kRegistered, Trigger::kCertify), std::nullopt);
  EXPECT_EQ(After(State::kAttached, Trigger::kVisible), std::nullopt);
  EXPECT_EQ(After(State::kCertified, Trigger::kDelivered), std::nullopt);
  EXPECT_EQ(After(State::kActive, Trigger::kReactivate), std::nullopt);
}

TEST(Lifecycle, ALiveCertificateIsNotReplacedInSilence) {
  for (State state : {State::kCertified, State::kPublished, State::kActive}) {
    EXPECT_EQ(After(state, Trigger::kCertify), std::nullopt) << StateName(state);
  }
}

TEST(Lifecycle, EveryLiveStateCanBeEnded) {
  for (State state :
       {State::kRegistered, State::kAttached, State::kCertified, State::kPublished, State::kActive}) {
    EXPECT_EQ(After(state, Trigger::kDeactivate), State::kDeactivated) << StateName(state);
    EXPECT_EQ(After(state, Trigger::kDelete), State::kDeleted) << StateName(state);
  }
  EXPECT_EQ(After(State::kDeactivated, Trigger::kDelete), State::kDeleted);
}

TEST(Lifecycle, NothingLeadsOutOfATombstone) {
  for (int trigger = 0; trigger <= static_cast<int>(Trigger::kDelete); ++trigger) {
    const auto next = After(State::kDeleted, static_cast<Trigger>(trigger));
    EXPECT_TRUE(!next || *next == State::kDeleted) << TriggerName(static_cast<Trigger>(trigger));
  }
}

TEST(Lifecycle, ARefusalNamesStateAndRule) {
  const auto refused = Next(In(State::kDeactivated), Trigger::kDeactivate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kStatusProhibits);
  EXPECT_EQ(refused.error().symbol, "state_prohibits");
  EXPECT_NE(refused.error().message.find("deactivated"), std::string::npos);
  EXPECT_NE(refused.error().message.find("once"), std::string::npos);
}

TEST(Lifecycle, AHoldRefusesAllButTheEnd) {
  for (State state : kStates) {
    Device device = In(state);
    device.statuses.insert(DeviceStatus::kServerHold);
    EXPECT_FALSE(Next(device, Trigger::kAttach)) << StateName(state);
    EXPECT_FALSE(Next(device, Trigger::kReactivate)) << StateName(state);
    EXPECT_EQ(Next(device, Trigger::kVisible).ok(), Next(In(state), Trigger::kVisible).ok())
        << "what DNS shows is a fact: " << StateName(state);
    EXPECT_EQ(Next(device, Trigger::kDelete).ok(), state != State::kDeleted) << StateName(state);
  }
}

TEST(Lifecycle, ADeviceNeverSeenComesBackAsRegistered) {
  Device device = In(State::kDeactivated);
  test::SetAttached(device, false);
  EXPECT_EQ(*Next(device, Trigger::kReactivate), State::kRegistered);
}

}  // namespace
}  // namespace registry::domain
