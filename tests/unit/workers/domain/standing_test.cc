// What a device's parts come to, and how they come and go.
#include "workers/domain/standing.h"

#include <gtest/gtest.h>

#include "workers/domain/device_steps.h"

namespace registry::domain {
namespace {

constexpr UtcTime kNow{1'790'000'000'000'000};
const PartyId kMno = *PartyId::Parse("mno-a"), kOtherMno = *PartyId::Parse("mno-b"),
              kAsp = *PartyId::Parse("asp-a");
const EndpointName kMain = *EndpointName::Parse("main");

Device WithProfiles(std::initializer_list<PartyId> mnos) {
  Device device;
  for (const PartyId& mno : mnos) AddProfile(device, mno, Iccid());
  return device;
}

TEST(Standing, OfNothingIsNothing) {
  const Device device;
  EXPECT_EQ(Serving(device), nullptr);
  EXPECT_TRUE(Sponsor(device).empty());
  EXPECT_TRUE(IccidOf(device).empty());
  EXPECT_TRUE(AgreementKey(device).empty());
  EXPECT_FALSE(Attached(device));
  EXPECT_EQ(Live(device), nullptr);
  EXPECT_EQ(LiveCertificate(device), nullptr);
  EXPECT_EQ(Claimer(device), std::nullopt);
  EXPECT_EQ(EndpointOf(device), std::nullopt);
  EXPECT_EQ(PayloadVersion(device), 0u);
  EXPECT_EQ(DeliveredVersion(device), 0u);
}

TEST(Standing, TheServingProfileIsTheOneThatCarriesTheLiveCertificate) {
  Device device = WithProfiles({kMno, kOtherMno});
  EXPECT_EQ(device.profiles[1].number, 2u);
  EXPECT_EQ(Sponsor(device), kMno) << "the first, where none was seen: one more is nobody's loss";
  device.profiles[0].state = ProfileState::kDeleted;
  EXPECT_EQ(Sponsor(device), kOtherMno);
  device.profiles[0].state = ProfileState::kDisabled;
  EXPECT_EQ(Sponsor(device), kMno) << "which was seen once";
  SeeOnNetwork(device);
  device.profiles[1].state = ProfileState::kInstalled;
  EXPECT_EQ(Sponsor(device), kMno) << "the enabled one";
  GoLive(device, {}, kNow);
  device.profiles[0].state = ProfileState::kDisabled;
  device.profiles[1].state = ProfileState::kEnabled;
  EXPECT_EQ(Sponsor(device), kMno) << "until another certificate is the live one";
  device.credentials[0].phase = CredentialPhase::kRetiring;
  GoLive(device, {}, kNow);
  EXPECT_EQ(Sponsor(device), kOtherMno);
  EXPECT_EQ(Live(device)->since, kNow);
}

TEST(Standing, AwayIsWhoWasSeenAndIsNotThereNow) {
  Device device = WithProfiles({kMno});
  EXPECT_FALSE(IsAway(device)) << "nobody waits for who was never there";
  SeeOnNetwork(device);
  EXPECT_FALSE(IsAway(device));
  LeaveNetwork(device, 1);
  EXPECT_TRUE(IsAway(device));
}

TEST(Standing, PayloadVersionsNeverGoBack) {
  Device device = WithProfiles({kMno});
  Bind(device, kAsp, kMain);
  EXPECT_EQ(ComposeNext(device), 1u);
  EXPECT_EQ(ComposeNext(device), 2u);
  Deliver(device, 1);
  EXPECT_EQ(DeliveredVersion(device), 0u) << "a newer one was made since";
  Deliver(device, 2);
  EXPECT_EQ(DeliveredVersion(device), 2u);
  device.bindings[0].phase = BindingPhase::kEnded;
  EXPECT_EQ(Claimer(device), std::nullopt);
  Bind(device, kAsp, kMain);
  EXPECT_EQ(device.bindings[1].number, 2u);
  EXPECT_EQ(DeliveredVersion(device), 0u);
  EXPECT_EQ(ComposeNext(device), 3u);
}

TEST(Standing, ANextBindingIsToldFirstAndBecomesLiveWithItsPayload) {
  const PartyId other = *PartyId::Parse("asp-b");
  Device device = WithProfiles({kMno});
  Bind(device, kAsp, kMain);
  Deliver(device, ComposeNext(device));
  BindNext(device, other, kMain);
  EXPECT_EQ(ToBeTold(device)->asp, other);
  EXPECT_EQ(*Claimer(device), kAsp);
  EXPECT_TRUE(HasShare(device, other));
  EXPECT_EQ(ComposeNext(device), 2u);
  EXPECT_EQ(DeliveredVersion(device), 1u);
  Deliver(device, 2);
  PassOn(device, kAsp);
  EXPECT_EQ(*Claimer(device), other);
  EXPECT_EQ(DeliveredVersion(device), 2u);
  EXPECT_FALSE(HasShare(device, kAsp));
  EXPECT_EQ(NextBinding(device), nullptr);
}

TEST(Standing, ADroppedBindingLeavesTheLiveOneAndItsVersionBehind) {
  Device device = WithProfiles({kMno});
  Bind(device, kAsp, kMain);
  Deliver(device, ComposeNext(device));
  BindNext(device, *PartyId::Parse("asp-b"), kMain);
  ComposeNext(device);
  DropNextBinding(device);
  EXPECT_EQ(*Claimer(device), kAsp);
  EXPECT_EQ(ComposeNext(device), 3u) << "no version is given twice";
}

TEST(Standing, OfBindingsThatEndedTheLastOnesAreKept) {
  Device device = WithProfiles({kMno});
  Bind(device, kAsp, kMain);
  PartyId has = kAsp;
  for (int i = 0; i < 10; ++i) {
    const PartyId gets = *PartyId::Parse("asp-" + std::to_string(i));
    BindNext(device, gets, kMain);
    Deliver(device, ComposeNext(device));
    PassOn(device, has);
    has = gets;
  }
  EXPECT_EQ(device.bindings.size(), 1 + kEndedBindingsMax);
  EXPECT_EQ(PayloadVersion(device), 10u);
}

TEST(Standing, ADeletedProfileMakesRoomAndItsNumberIsNotGivenAgain) {
  Device device = WithProfiles({kMno});
  while (HasRoomForProfile(device)) AddProfile(device, kOtherMno, Iccid());
  EXPECT_EQ(device.profiles.size(), kProfilesMax);
  device.profiles[3].state = ProfileState::kDeleted;
  ASSERT_TRUE(HasRoomForProfile(device));
  AddProfile(device, kOtherMno, Iccid());
  EXPECT_EQ(device.profiles.size(), kProfilesMax);
  EXPECT_EQ(device.profiles.back().number, kProfilesMax + 1);
  device.profiles.back().state = ProfileState::kDeleted;
  EXPECT_FALSE(HasRoomForProfile(device)) << "the newest stays, since its number says which is next";
}

TEST(Standing, ACodeReplacesTheOneForTheSamePurposeAndRole) {
  Device device;
  SetCode(device, {CodePurpose::kClaim, wire::Role::kAsp, Bytes(32, 1), kMno, {}, 3});
  SetCode(device, {CodePurpose::kTransfer, wire::Role::kMno, Bytes(32, 2), kMno, {}, 0});
  SetCode(device, {CodePurpose::kTransfer, wire::Role::kAsp, Bytes(32, 3), kAsp, {}, 0});
  SetCode(device, {CodePurpose::kClaim, wire::Role::kAsp, Bytes(32, 4), kMno, {}, 0});
  ASSERT_EQ(device.codes.size(), 3u);
  EXPECT_EQ(device.codes[0].hash, Bytes(32, 2));
  EXPECT_EQ(device.codes[1].hash, Bytes(32, 3));
  EXPECT_EQ(device.codes[2].hash, Bytes(32, 4));
  EXPECT_EQ(device.codes[2].attempts, 0u);
}

TEST(Standing, WrongCodesAreCountedWithinAnHourOfTheFirst) {
  Device device;
  SetCode(device, {CodePurpose::kClaim, wire::Role::kAsp, Bytes(32, 1), kMno, {}, 0});
  const auto code = [&]() -> const AuthorisationCode& { return device.codes[0]; };
  for (std::uint32_t i = 0; i < kWrongCodesMax; ++i) {
    EXPECT_FALSE(Locked(code(), kNow));
    CountWrongCode(device, kNow);
  }
  CountWrongCode(device, kNow);
  EXPECT_EQ(code().attempts, kWrongCodesMax);
  const UtcTime end = kNow + kWrongCodesWithin, before = {kNow.micros - 1};
  EXPECT_TRUE(Locked(code(), {end.micros - 1}));
  EXPECT_FALSE(Locked(code(), end));
  EXPECT_FALSE(Locked(code(), before)) << "a clock that was set back makes no lock last longer";
  CountWrongCode(device, end);
  EXPECT_EQ(code().attempts, 1u);
  EXPECT_EQ(code().counted_from, end);
}

}  // namespace
}  // namespace registry::domain
