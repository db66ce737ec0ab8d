#include "workers/domain/lifecycle.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/support/device_maker.h"

namespace registry::domain {
namespace {

constexpr State kStates[] = {State::kRegistered, State::kAttached,    State::kCertified, State::kPublished,
                             State::kActive,     State::kDeactivated, State::kDeleted};

#define REGISTRY_COMMAND(name, ...) Command::name,
#define REGISTRY_FACT(name, ...) Fact::name,
constexpr Command kCommands[] = {REGISTRY_LIFECYCLE_COMMANDS(REGISTRY_COMMAND)};
constexpr Fact kFacts[] = {REGISTRY_LIFECYCLE_FACTS(REGISTRY_FACT)};
#undef REGISTRY_COMMAND
#undef REGISTRY_FACT

Device In(State state) {
  Device device;
  device.state = state;
  test::SetAttached(device);
  return device;
}

std::optional<State> After(State state, Command command) {
  const auto next = Next(In(state), command);
  return next ? std::optional(*next) : std::nullopt;
}
State After(State state, Fact fact) { return After(In(state), fact); }

TEST(Lifecycle, OneDeviceGoesTheWholeWay) {
  EXPECT_EQ(After(State::kRegistered, Fact::kAttached), State::kAttached);
  EXPECT_EQ(After(State::kAttached, Command::kCertify), State::kCertified);
  EXPECT_EQ(After(State::kCertified, Fact::kVisible), State::kPublished);
  Device claimed = In(State::kPublished);
  test::BindingOf(claimed);
  EXPECT_EQ(After(claimed, Fact::kDelivered), State::kActive);
  EXPECT_EQ(After(State::kActive, Command::kDeactivate), State::kDeactivated);
  EXPECT_EQ(After(State::kDeactivated, Command::kReactivate), State::kAttached);
  EXPECT_EQ(After(State::kAttached, Command::kDelete), State::kDeleted);
}

TEST(Lifecycle, NoStepCanBeLeftOut) {
  EXPECT_EQ(After(State::kRegistered, Command::kCertify), std::nullopt);
  EXPECT_EQ(After(State::kAttached, Fact::kVisible), State::kAttached) << "recorded, and leads nowhere";
  EXPECT_EQ(After(State::kCertified, Fact::kDelivered), State::kCertified);
  EXPECT_EQ(After(State::kActive, Command::kReactivate), std::nullopt);
}

TEST(Lifecycle, ALiveCertificateIsNotReplacedInSilence) {
  for (State state : {State::kCertified, State::kPublished, State::kActive}) {
    EXPECT_EQ(After(state, Command::kCertify), std::nullopt) << StateName(state);
  }
}

TEST(Lifecycle, EveryLiveStateCanBeEnded) {
  for (State state :
       {State::kRegistered, State::kAttached, State::kCertified, State::kPublished, State::kActive}) {
    EXPECT_EQ(After(state, Command::kDeactivate), State::kDeactivated) << StateName(state);
    EXPECT_EQ(After(state, Command::kDelete), State::kDeleted) << StateName(state);
  }
  EXPECT_EQ(After(State::kDeactivated, Command::kDelete), State::kDeleted);
}

TEST(Lifecycle, OnlyARestoreLeadsOutOfATombstone) {
  for (const Command command : kCommands) {
    if (command == Command::kRestore || command == Command::kServerRestore) continue;
    EXPECT_EQ(After(State::kDeleted, command), std::nullopt) << CommandName(command);
  }
  for (const Fact fact : kFacts) EXPECT_EQ(After(State::kDeleted, fact), State::kDeleted) << FactName(fact);
}

TEST(Lifecycle, ARefusalNamesStateAndRule) {
  const auto refused = Next(In(State::kDeactivated), Command::kDeactivate);
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
    EXPECT_FALSE(Next(device, Command::kCertify)) << StateName(state);
    EXPECT_FALSE(Next(device, Command::kClaim)) << StateName(state);
    EXPECT_FALSE(Next(device, Command::kReactivate)) << StateName(state);
    EXPECT_FALSE(Next(device, Command::kRekey)) << StateName(state);
    for (const Fact fact : kFacts) {
      EXPECT_EQ(After(device, fact), After(In(state), fact)) << StateName(state) << ", " << FactName(fact);
    }
    EXPECT_EQ(Next(device, Command::kDelete).ok(), state != State::kDeleted) << StateName(state);
  }
}

TEST(Lifecycle, ARefusalNamesTheStatusesToo) {
  Device device = In(State::kDeactivated);
  device.statuses = {DeviceStatus::kServerHold, DeviceStatus::kDisconnected};
  const auto refused = Next(device, Command::kReactivate);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(
      refused.error().message.starts_with("device is deactivated, serverHold, disconnected: reactivate"))
      << refused.error().message;
}

// pendingTransfer is of a transfer that nobody has decided.
TEST(Lifecycle, ARefusalNamesNoStatusThatTheDeviceHasNot) {
  Device device = In(State::kActive);
  device.transfer = Transfer{};
  device.transfer->state = TransferState::kApproved;
  const auto carried_out = Next(device, Command::kDeactivate);
  ASSERT_FALSE(carried_out);
  EXPECT_EQ(carried_out.error().message,
            "device is active: deactivate refused, a transfer that was approved is being carried out");
  device.transfer->state = TransferState::kPending;
  device.statuses = {DeviceStatus::kPendingTransfer};
  const auto pending = Next(device, Command::kDeactivate);
  ASSERT_FALSE(pending);
  EXPECT_EQ(pending.error().message,
            "device is active, pendingTransfer: deactivate refused, a transfer goes on (pendingTransfer)");
}

TEST(Lifecycle, ADeviceNeverSeenComesBackAsRegistered) {
  Device device = In(State::kDeactivated);
  test::SetAttached(device, false);
  EXPECT_EQ(*Next(device, Command::kReactivate), State::kRegistered);
}

TEST(Lifecycle, ADeviceNeverSeenIsNotDisconnected) {
  Device device = In(State::kDeactivated);
  EXPECT_TRUE(Next(device, Command::kDisconnect));
  test::SetAttached(device, false);
  const auto refused = Next(device, Command::kDisconnect);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("was seen on the network"), std::string::npos);
}

}  // namespace
}  // namespace registry::domain
