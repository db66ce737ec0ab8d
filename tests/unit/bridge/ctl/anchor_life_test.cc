// A trust anchor through its states, decided over devices that believe one or another.
#include "bridge/ctl/anchor_life.h"

#include <gmock/gmock.h>

#include "tests/support/device_maker.h"

namespace registry::ctl {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using Verb = AnchorStep::Verb;

constexpr char kOld[] = ". IN DS 1111 13 2 0101010101010101010101010101010101010101010101010101010101010101";
constexpr char kNew[] = ". IN DS 2222 13 2 0202020202020202020202020202020202020202020202020202020202020202";
constexpr char kOldLabel[] = ". DS 1111 13 2 0101010101010101";
constexpr char kNewLabel[] = ". DS 2222 13 2 0202020202020202";
const UtcTime kDay0 = *FromRfc3339("2026-11-01T00:00:00Z");

// Whose newest payload was made then, and is confirmed or not.
domain::Device Device(UtcTime made, bool confirmed, std::uint64_t version = 2) {
  domain::Device device;
  device.state = domain::State::kActive;
  test::Bind(device, *PartyId::Parse("asp-a"), *EndpointName::Parse("main"));
  test::BindingOf(device).composed = version;
  test::BindingOf(device).delivered = confirmed ? version : version - 1;
  device.trace.push_back({"payload.push", kDay0 - days(100)});
  device.trace.push_back({"delivered", kDay0 - days(99)});
  device.trace.push_back({"payload.push", made});
  device.trace.push_back({"attached", made + days(1)});
  if (confirmed) device.trace.push_back({"delivered", made + days(1)});
  return device;
}

// Its first payload was made then, and waits for it.
domain::Device Waiting(UtcTime made) {
  domain::Device device = Device(made, false, 1);
  device.trace.erase(device.trace.begin(), device.trace.begin() + 2);
  return device;
}

// Has confirmed one that was made then, and another one is under way since.
domain::Device Again(UtcTime made, UtcTime since) {
  domain::Device device = Device(made, true);
  device.trace.push_back({"payload.push", since});
  ++test::BindingOf(device).composed;
  return device;
}

// The old one from the start, both from day 10, the new one alone from day 20.
std::vector<app::AnchorsGiven> Given() {
  return {{kDay0, {kOldLabel}}, {kDay0 + days(10), {kOldLabel, kNewLabel}}, {kDay0 + days(20), {kNewLabel}}};
}

AskDevices Of(const std::vector<domain::Device>& devices) {
  return [devices]() -> Result<BelievedAnchors> {
    BelievedAnchors believed(Given());
    for (const auto& device : devices) believed.Add(device);
    return believed;
  };
}

std::string Refusal(const Result<AnchorsChanged>& decided) {
  EXPECT_FALSE(decided.ok()) << decided->said;
  if (decided.ok()) return "";
  EXPECT_EQ(decided.error().symbol, "anchor_refused");
  return decided.error().message;
}

AnchorSet Both() { return {{{kOld, AnchorState::kValid, {}, {}}, {kNew, AnchorState::kValid, {}, {}}}}; }

TEST(AnchorLife, ANewOneWaitsOutItsHoldDown) {
  const AnchorSet first{{{kOld, AnchorState::kValid, {}, {}}}};
  const auto added = Decide({Verb::kAdd, kNew, kHoldDown, false, kDay0}, first, Of({}));
  ASSERT_TRUE(added.ok()) << added.error().message;
  EXPECT_THAT(added->set.Given(), ElementsAre(kOld)) << "devices are not given it yet";
  EXPECT_EQ(added->set.anchors[1].state, AnchorState::kComing);
  EXPECT_THAT(added->said, HasSubstr("2026-12-01T00:00:00"));

  const auto early =
      Decide({Verb::kTrust, "2222", {}, false, kDay0 + days(30) - hours(1)}, added->set, Of({}));
  EXPECT_THAT(Refusal(early), HasSubstr("hold-down of . DS 2222"));
  const auto trusted = Decide({Verb::kTrust, "2222", {}, false, kDay0 + days(30)}, added->set, Of({}));
  ASSERT_TRUE(trusted.ok()) << trusted.error().message;
  EXPECT_THAT(trusted->set.Given(), ElementsAre(kOld, kNew));
  EXPECT_THAT(Refusal(Decide({Verb::kTrust, kNew, {}, false, kDay0 + days(31)}, trusted->set, Of({}))),
              HasSubstr("is valid, not coming"));
}

TEST(AnchorLife, TheHoldDownIsTheTtlWhereThatIsLonger) {
  const std::string record = ". 8640000 IN DS 2222 13 2 " + std::string(64, '2');
  const auto added = Decide({Verb::kAdd, record, kHoldDown, false, kDay0}, {}, Of({}));
  ASSERT_TRUE(added.ok());
  EXPECT_EQ(added->set.anchors[0].until, kDay0 + days(100));
  const auto verified = Decide({Verb::kAdd, record, days(0), false, kDay0}, {}, Of({}));
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->set.anchors[0].state, AnchorState::kValid) << "somebody has verified it";
}

TEST(AnchorLife, WhatIsKnownOrNoRecordIsNotAdded) {
  EXPECT_THAT(Refusal(Decide({Verb::kAdd, ". IN A 192.0.2.1", {}, false, kDay0}, Both(), Of({}))),
              HasSubstr("no DS or DNSKEY"));
  const std::string spelled = ". DS 2222 13 2 " + std::string(62, '0') + "00";
  EXPECT_TRUE(Decide({Verb::kAdd, spelled, {}, false, kDay0}, Both(), Of({})).ok())
      << "another key of this tag";
  std::string same = kNew;
  same.insert(2, "3600 ");
  EXPECT_THAT(Refusal(Decide({Verb::kAdd, same, {}, false, kDay0}, Both(), Of({}))),
              HasSubstr("valid already"));
  AnchorSet gone = Both();
  for (const AnchorState state : {AnchorState::kLeaving, AnchorState::kRemoved}) {
    gone.anchors[1].state = state;
    EXPECT_THAT(Refusal(Decide({Verb::kAdd, kNew, {}, false, kDay0}, gone, Of({}))),
                HasSubstr("what was revoked is not believed again"));
  }
}

TEST(AnchorLife, AnOldOneStaysUntilEveryDeviceHasConfirmedAnother) {
  const auto before = Device(kDay0 + days(1), true), with = Device(kDay0 + days(11), true),
             under_way = Device(kDay0 + days(11), false), after = Device(kDay0 + days(21), true);
  const AnchorStep revoke{Verb::kRevoke, "1111", kHoldDown, false, kDay0 + days(15)};
  const std::string refused = Refusal(Decide(revoke, Both(), Of({before, before, with, under_way})));
  EXPECT_THAT(refused,
              HasSubstr("3 devices of 4 have not confirmed another anchor (1 with a payload under way)"));
  EXPECT_THAT(Refusal(Decide(revoke, Both(), Of({with, under_way}))), HasSubstr("1 device of 2 has not"));
  auto forced = revoke;
  forced.force = true;
  const auto lost = Decide(forced, Both(), Of({before, with}));
  ASSERT_TRUE(lost.ok());
  EXPECT_THAT(lost->said, HasSubstr("1 device of 2 has not confirmed another anchor"));

  const auto revoked = Decide(revoke, Both(), Of({with, after}));
  ASSERT_TRUE(revoked.ok()) << revoked.error().message;
  EXPECT_THAT(revoked->set.Given(), ElementsAre(kNew));
  EXPECT_EQ(revoked->set.anchors[0].state, AnchorState::kLeaving);
  EXPECT_THAT(revoked->said, HasSubstr("2 devices, and each has another one"));

  const AnchorStep last{Verb::kRevoke, "2222", kHoldDown, true, kDay0 + days(16)};
  EXPECT_THAT(Refusal(Decide(last, revoked->set, Of({}))), HasSubstr("the only one"));
}

TEST(AnchorLife, APayloadUnderWayTakesNothingFromWhatIsConfirmed) {
  const AnchorStep revoke{Verb::kRevoke, "1111", kHoldDown, false, kDay0 + days(15)};
  EXPECT_TRUE(Decide(revoke, Both(), Of({Again(kDay0 + days(11), kDay0 + days(12))})).ok());
  EXPECT_THAT(Refusal(Decide(revoke, Both(), Of({Again(kDay0 + days(1), kDay0 + days(12))}))),
              HasSubstr("1 device of 1 has not confirmed another anchor (1 with a payload under way)"));
}

TEST(AnchorLife, AFirstPayloadThatWaitsHasTheAnchorsOfItsDay) {
  const AnchorStep revoke{Verb::kRevoke, "1111", kHoldDown, false, kDay0 + days(15)};
  EXPECT_THAT(Refusal(Decide(revoke, Both(), Of({Waiting(kDay0 + days(1))}))),
              HasSubstr("1 device of 1 has not confirmed another anchor"));
  EXPECT_TRUE(Decide(revoke, Both(), Of({Waiting(kDay0 + days(11))})).ok());
  AnchorSet set = Both();
  set.anchors[0] = {kOld, AnchorState::kLeaving, kDay0 + days(20), kDay0 + days(50)};
  const AnchorStep remove{Verb::kRemove, "1111", {}, false, kDay0 + days(50)};
  EXPECT_THAT(Refusal(Decide(remove, set, Of({Waiting(kDay0 + days(11))}))),
              HasSubstr("1 device may still believe . DS 1111"));
  EXPECT_TRUE(Decide(remove, set, Of({Waiting(kDay0 + days(21))})).ok());
}

TEST(AnchorLife, ItIsRemovedWhenNobodyBelievesIt) {
  AnchorSet set = Both();
  set.anchors[0] = {kOld, AnchorState::kLeaving, kDay0 + days(20), kDay0 + days(50)};
  const auto with = Device(kDay0 + days(11), true), after = Device(kDay0 + days(21), true),
             under_way = Device(kDay0 + days(21), false);
  AnchorStep remove{Verb::kRemove, "1111", {}, false, kDay0 + days(49)};
  EXPECT_THAT(Refusal(Decide(remove, set, Of({after}))), HasSubstr("hold-down of . DS 1111"));
  remove.now = kDay0 + days(50);
  EXPECT_THAT(Refusal(Decide(remove, set, Of({after, with, under_way}))),
              HasSubstr("2 devices may still believe . DS 1111"));
  const auto removed = Decide(remove, set, Of({after}));
  ASSERT_TRUE(removed.ok()) << removed.error().message;
  EXPECT_EQ(removed->set.anchors[0].state, AnchorState::kRemoved);
  EXPECT_THAT(Refusal(Decide({Verb::kRemove, "2222", {}, true, kDay0}, set, Of({}))),
              HasSubstr("revoke it first"));

  set.anchors[1].state = AnchorState::kComing;
  const auto forgotten = Decide({Verb::kRemove, kNew, {}, false, kDay0}, set, Of({}));
  ASSERT_TRUE(forgotten.ok());
  EXPECT_EQ(forgotten->set.anchors.size(), 1u) << "nobody was given it";
}

TEST(AnchorLife, ATagThatSeveralHaveNamesNone) {
  AnchorSet set = Both();
  set.anchors.push_back({". IN DS 2222 13 4 " + std::string(96, '2'), AnchorState::kValid, {}, {}});
  EXPECT_THAT(set.Find("2222").error().message, HasSubstr("several"));
  EXPECT_EQ(*set.Find(kNew), 1u);
  EXPECT_THAT(set.Find("17").error().message, HasSubstr("no anchor"));
}

TEST(BelievedAnchors, CountsWhoWorksWithAPayload) {
  domain::Device fresh = Device(kDay0 + days(11), true), ended = fresh, unbound = fresh, forgot = fresh;
  test::BindingOf(fresh).composed = test::BindingOf(fresh).delivered = 0;
  ended.state = domain::State::kDeactivated;
  test::BindingOf(unbound).phase = domain::BindingPhase::kEnded;
  forgot.trace.clear();
  BelievedAnchors believed(Given());
  for (const auto& device : {fresh, ended, unbound}) believed.Add(device);
  EXPECT_EQ(believed.devices(), 0u);
  believed.Add(forgot);
  believed.Add(Device(kDay0 - days(1), true));
  EXPECT_EQ(believed.devices(), 2u);
  EXPECT_EQ(believed.With({kOldLabel, kNewLabel}).confirmed, 0u) << "nobody knows what they have";
  EXPECT_EQ(believed.MayBelieve(kOldLabel), 2u);
  believed.Add(Device(kDay0 + days(20), true));
  EXPECT_EQ(believed.With({kNewLabel}).confirmed, 1u);
  EXPECT_FALSE(believed.Everywhere({kNewLabel}));
  EXPECT_EQ(believed.MayBelieve(kOldLabel), 2u);
  using Lack = BelievedAnchors::Lack;
  EXPECT_EQ(believed.LackOf(Device(kDay0 + days(11), true), {kOldLabel, kNewLabel}), Lack::kNothing);
  EXPECT_EQ(believed.LackOf(Device(kDay0 + days(11), false), {kOldLabel, kNewLabel}), Lack::kConfirmation);
  EXPECT_EQ(believed.LackOf(Device(kDay0 + days(21), true), {kOldLabel, kNewLabel}), Lack::kPayload);
  EXPECT_EQ(believed.LackOf(forgot, {kNewLabel}), Lack::kPayload);
  EXPECT_EQ(believed.LackOf(ended, {kNewLabel}), Lack::kNothing) << "it gets its next payload anyway";
  domain::Device in_transfer = Device(kDay0 + days(1), true);
  in_transfer.trace.push_back({"payload.push", kDay0 + days(11)});
  domain::Binding next = in_transfer.bindings.front();
  next.number = 2;
  next.phase = domain::BindingPhase::kNext;
  next.composed = 3;
  in_transfer.bindings.push_back(next);
  EXPECT_EQ(believed.LackOf(in_transfer, {kNewLabel}), Lack::kConfirmation)
      << "its newest is for the next ASP";
  BelievedAnchors two(Given());
  two.Add(Device(kDay0 + days(11), true));
  EXPECT_TRUE(two.Everywhere({kOldLabel, kNewLabel}));
  two.Add(Device(kDay0 + days(1), true));
  EXPECT_FALSE(two.Everywhere({kOldLabel, kNewLabel}));
  EXPECT_EQ(BelievedAnchors({}).devices(), 0u);
}

}  // namespace
}  // namespace registry::ctl
