// A device goes from one ASP to another: request, answers, the push that makes it so, and every way in which it does not.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/transfer_flow.h"
#include "workers/domain/job_kinds.h"

namespace registry::test {
namespace {

using domain::JobKind;
using std::chrono::hours;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const json kSuccess = {{"outcome", "success"}};
const json kFailed = {{"outcome", "failed"}, {"stage", "applet"}, {"reason", "applet_refused"}};
constexpr char kUnknownTransfer[] = "0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69";

TEST_F(TransferTest, ARequestIsPendingAndTheLosingPartyHearsUntilWhenItDecides) {
  const Said said = RequestByAsp(Code("asp-a"));
  ASSERT_TRUE(said.accepted()) << said.payload;
  EXPECT_EQ(said.data().at("state"), "pending");
  EXPECT_EQ(said.data().at("kind"), "asp");
  EXPECT_EQ(said.data().at("from"), "asp-a");
  EXPECT_EQ(said.data().at("to"), "asp-b");
  EXPECT_TRUE(Holds(domain::DeviceStatus::kPendingTransfer));
  const auto told = Events("asp-a", "transfer.requested");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("transfer"), said.data().at("transfer"));
  EXPECT_EQ(told[0].data().at("decidesAt"), ToRfc3339(Device().transfer->requested + hours(5 * 24)));
  EXPECT_THAT(Jobs(JobKind::kTransferDecide), SizeIs(1));
  EXPECT_EQ(*domain::Claimer(Device()), *PartyId::Parse("asp-a")) << "and nothing else has changed";
}

TEST_F(TransferTest, ApprovedAndDeliveredItIsTheGainingPartysAndTheOldBindingHasEnded) {
  const std::string transfer = Approved();
  EXPECT_EQ(State(), "approved");
  EXPECT_EQ(*domain::Claimer(Device()), *PartyId::Parse("asp-a")) << "until it is delivered";
  ASSERT_THAT(Events("asp-b", "device.certified"), SizeIs(1)) << "so that it knows whom to let in";
  const auto pushes = registry_.Heard(std::string(kActions) + "payload.push");
  ASSERT_THAT(pushes, SizeIs(1));
  const auto job = JobOf(registry_, device_, JobKind::kPayloadPush);
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted());
  EXPECT_EQ(State(), "completed");
  EXPECT_EQ(*domain::Claimer(Device()), *PartyId::Parse("asp-b"));
  EXPECT_EQ(*domain::EndpointOf(Device()), *EndpointName::Parse("new"));
  EXPECT_EQ(Device().state, domain::State::kActive);
  for (const char* party : {"asp-a", "asp-b"}) {
    const auto told = Events(party, "transfer.completed");
    ASSERT_THAT(told, SizeIs(1)) << party;
    EXPECT_EQ(told[0].data().at("transfer"), transfer);
  }
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted()) << "said again";
  EXPECT_THAT(Events("asp-b", "transfer.completed"), SizeIs(0)) << "and not told again";
}

TEST_F(TransferTest, TheLosingPartyHasAndHearsNothingOfTheDeviceAfterwards) {
  Approved();
  Report(registry_, JobOf(registry_, device_, JobKind::kPayloadPush), kSuccess);
  HearAll();
  EXPECT_EQ(Ask("asp-a", "device.deactivate", {{"device", device_}}).symbol(), "not_claimer");
  EXPECT_EQ(Ask("asp-a", "device.get", {{"device", device_}}).symbol(), "device_unknown");
  EXPECT_TRUE(Ask("asp-b", "device.deactivate", {{"device", device_}}).accepted());
  EXPECT_THAT(Events("asp-a", ""), IsEmpty());
  EXPECT_THAT(Events("asp-b", "device.deactivated"), SizeIs(1));
}

TEST_F(TransferTest, ACertificateThatComesWithTheSamePayloadIsToldToTheGainingPartyAlone) {
  ASSERT_TRUE(Ask("asp-a", "device.rekey", {{"device", device_}}).accepted());
  const auto key = JobOf(registry_, device_, JobKind::kKeyGenerate);
  ASSERT_TRUE(Ask("mno-a", "csr.submit", {{"device", device_}, {"csr", NewCsrPem()}, {"job", key.id.text()}})
                  .accepted());
  registry_.ServeZone();
  registry_.clock().Advance(std::chrono::minutes(2));
  Approved();
  ASSERT_NE(domain::NextCredential(Device()), nullptr);
  EXPECT_GT(domain::NextCredential(Device())->carried, 0u);
  Report(registry_, JobOf(registry_, device_, JobKind::kPayloadPush), kSuccess);
  EXPECT_EQ(State(), "completed");
  EXPECT_EQ(domain::NextCredential(Device()), nullptr);
  EXPECT_THAT(Events("asp-b", "device.renewed"), SizeIs(1));
  EXPECT_THAT(Events("mno-a", "device.renewed"), SizeIs(1));
  EXPECT_THAT(Events("asp-a", "device.renewed"), IsEmpty()) << "whose device it is no more";
}

TEST_F(TransferTest, NotDeliveredForGoodLeavesTheOldOneLiveAndTellsItsPayloadAnew) {
  Approved();
  const auto first = JobOf(registry_, device_, JobKind::kPayloadPush);
  HearAll();
  EXPECT_TRUE(Report(registry_, first, kFailed).accepted());
  EXPECT_EQ(State(), "failed");
  EXPECT_EQ(*domain::Claimer(Device()), *PartyId::Parse("asp-a"));
  for (const char* party : {"asp-a", "asp-b"}) {
    const auto told = Events(party, "");
    ASSERT_THAT(told, SizeIs(1)) << party;
    EXPECT_THAT(told[0].topic, HasSubstr("transfer.failed"));
    EXPECT_THAT(told[0].data().at("reason").get<std::string>(), HasSubstr("applet_refused"));
  }
  // Whether the device has installed it is not known: a newer one of the old ASP's follows.
  const auto again = JobOf(registry_, device_, JobKind::kPayloadPush);
  EXPECT_GT(again.version, first.version);
  EXPECT_TRUE(Report(registry_, first, kSuccess).accepted()) << "late, and without effect";
  EXPECT_EQ(*domain::Claimer(Device()), *PartyId::Parse("asp-a"));
  EXPECT_TRUE(Report(registry_, again, kSuccess).accepted());
  EXPECT_EQ(Device().state, domain::State::kActive);
  EXPECT_EQ(domain::DeliveredVersion(Device()), again.version);
}

TEST_F(TransferTest, ASilentMnoFailsIt) {
  Approved();
  for (int i = 0; i < 10 && State() == "approved"; ++i) registry_.RunDueJobs(hours(24));
  EXPECT_EQ(State(), "failed");
  const auto told = Events("asp-b", "transfer.failed");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0].data().at("reason").get<std::string>(), HasSubstr("mno_silent"));
}

TEST_F(TransferTest, RejectedItIsAsItWas) {
  const std::string transfer = Requested();
  const Said said = Ask("asp-a", "transfer.reject", {{"transfer", transfer}, {"reason", "unpaid"}});
  ASSERT_TRUE(said.accepted()) << said.payload;
  EXPECT_EQ(said.data().at("state"), "rejected");
  const auto told = Events("asp-b", "transfer.rejected");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("reason"), "unpaid");
  EXPECT_EQ(told[0].data().at("by"), "asp-a");
  EXPECT_FALSE(Holds(domain::DeviceStatus::kPendingTransfer));
  EXPECT_THAT(Jobs(JobKind::kTransferDecide), IsEmpty());
  EXPECT_THAT(Jobs(JobKind::kPayloadPush), IsEmpty());
}

TEST_F(TransferTest, TheGainingPartyCancelsWhilePendingOnly) {
  const std::string transfer = Requested();
  EXPECT_TRUE(Ask("asp-b", "transfer.cancel", {{"transfer", transfer}}).accepted());
  EXPECT_EQ(State(), "cancelled");
  EXPECT_THAT(Events("asp-a", "transfer.cancelled"), SizeIs(1));
  const std::string second = Approved();
  const Said late = Ask("asp-b", "transfer.cancel", {{"transfer", second}});
  EXPECT_EQ(late.symbol(), "transfer_not_pending");
  EXPECT_EQ(late.code(), 2304);
  EXPECT_THAT(late.data().at("message").get<std::string>(), HasSubstr("approved"));
}

TEST_F(TransferTest, TheOperatorMayAnswerForTheLosingParty) {
  const std::string first = Requested();
  EXPECT_TRUE(Ask("operator", "transfer.reject", {{"transfer", first}}).accepted());
  EXPECT_EQ(Events("asp-a", "transfer.rejected").at(0).data().at("by"), "operator");
  const std::string second = Requested();
  EXPECT_TRUE(Ask("operator", "transfer.approve", {{"transfer", second}}).accepted());
  EXPECT_EQ(State(), "approved");
}

// Whoever is not concerned must not learn which transfers there are.
TEST_F(TransferTest, OthersAreAnsweredAlikeWhetherThereIsSuchATransferOrNot) {
  const std::string transfer = Requested();
  const std::pair<const char*, const char*> cases[] = {{"transfer.approve", "not_losing_party"},
                                                       {"transfer.reject", "not_losing_party"},
                                                       {"transfer.cancel", "not_gaining_party"}};
  for (const auto& [command, symbol] : cases) {
    for (const std::string party : {"asp-a", "asp-b", "mno-a", "mno-b"}) {
      const bool loses = party == "asp-a", gains = party == "asp-b";
      const bool concerned = std::string(command) == "transfer.cancel" ? gains : loses;
      if (concerned) continue;
      const Said of_others = Ask(party, command, {{"transfer", transfer}});
      const Said of_none = Ask(party, command, {{"transfer", kUnknownTransfer}});
      EXPECT_EQ(of_others.symbol(), symbol) << party;
      EXPECT_EQ(of_others.code(), 2201) << party;
      EXPECT_EQ(of_others.data(), of_none.data()) << party;
    }
  }
  EXPECT_EQ(Ask("operator", "transfer.approve", {{"transfer", kUnknownTransfer}}).symbol(),
            "transfer_unknown");
  EXPECT_EQ(State(), "pending");
}

TEST_F(TransferTest, WithoutAnAnswerThePolicyDecides) {
  Requested();
  registry_.RunDueJobs(hours(5 * 24 + 1));
  EXPECT_EQ(State(), "rejected");
  const auto told = Events("asp-b", "transfer.rejected");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("by"), "registry");
  EXPECT_THAT(told[0].data().at("reason").get<std::string>(), HasSubstr("in time"));
}

class UnansweredIsApprovedTest : public TransferTest {
 protected:
  UnansweredIsApprovedTest() : TransferTest({.transfer = {std::chrono::seconds(60), true, {}}}) {}
};

TEST_F(UnansweredIsApprovedTest, WhenThePolicySaysSo) {
  Requested();
  registry_.RunDueJobs(std::chrono::seconds(61));
  EXPECT_EQ(State(), "approved");
  EXPECT_EQ(Events("asp-b", "transfer.approved").at(0).data().at("by"), "registry");
  Report(registry_, JobOf(registry_, device_, JobKind::kPayloadPush), kSuccess);
  EXPECT_EQ(State(), "completed");
}

class NeverAskedTest : public TransferTest {
 protected:
  NeverAskedTest() : TransferTest({.transfer = {hours(1), false, {*PartyId::Parse("asp-a")}}}) {}
};

TEST_F(NeverAskedTest, APartyThatApprovesByItselfHearsOfItAllTheSame) {
  Requested();
  EXPECT_EQ(State(), "approved");
  EXPECT_THAT(Events("asp-a", "transfer.requested"), SizeIs(1));
  EXPECT_THAT(Events("asp-a", "transfer.approved"), SizeIs(1));
  EXPECT_THAT(Jobs(JobKind::kTransferDecide), IsEmpty());
  EXPECT_FALSE(Holds(domain::DeviceStatus::kPendingTransfer));
}

TEST_F(TransferTest, WhatARequestMustName) {
  const std::string code = Code("asp-a");
  const auto field = [&](json data, const char* party) {
    data["authorisationCode"] = code;
    const Said said = Ask(party, "transfer.request", data);
    EXPECT_EQ(said.symbol(), "transfer_mismatch") << data;
    EXPECT_EQ(said.code(), 2005);
    return said.data().value("field", "");
  };
  EXPECT_EQ(field({{"eid", EidOf(1)}, {"endpoint", "new"}}, "asp-b"), "/eid");
  EXPECT_EQ(field({{"device", device_}, {"iccid", IccidOf(9)}}, "asp-b"), "/iccid");
  EXPECT_EQ(field({{"device", device_}, {"endpoint", "new"}}, "mno-b"), "/endpoint");
}

TEST_F(TransferTest, WhoeverHoldsTheCodeLearnsWhyItIsOfNoUse) {
  EXPECT_EQ(RequestByAsp(Code("asp-a"), "asp-a", "main").symbol(), "transfer_to_itself");
  EXPECT_EQ(RequestByAsp(Code("asp-a"), "asp-b", "missing").symbol(), "endpoint_unknown");
  const std::string code = Code("asp-a");
  EXPECT_EQ(RequestByAsp("AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG").symbol(), "authorisation_invalid");
  EXPECT_TRUE(RequestByAsp(code).accepted()) << "a refusal uses up no code";
  EXPECT_EQ(RequestByAsp(code).symbol(), "authorisation_invalid") << "it works once";
}

TEST_F(TransferTest, OneTransferAtATime) {
  const std::string of_mno = Code("mno-a");
  Requested();
  const Said said = Ask("mno-b", "transfer.request",
                        {{"device", device_}, {"authorisationCode", of_mno}, {"iccid", IccidOf(900)}});
  EXPECT_EQ(said.symbol(), "transfer_open");
  EXPECT_EQ(said.code(), 2304);
}

TEST_F(TransferTest, ADeviceOfNoAspIsClaimedAndNotTransferred) {
  device_ = registry_.Register().device;
  ASSERT_TRUE(Attach(registry_, device_).accepted());
  ASSERT_TRUE(Ask("mno-a", "csr.submit", {{"device", device_}, {"csr", NewCsrPem()}}).accepted());
  registry_.ServeZone();
  const Said said = RequestByAsp(Code("operator"));
  EXPECT_EQ(said.symbol(), "device_unclaimed");
  EXPECT_EQ(said.code(), 2304);
}

TEST_F(TransferTest, WhilePendingNothingButItsAnswersGoesOn) {
  Requested();
  EXPECT_EQ(Ask("asp-a", "device.deactivate", {{"device", device_}}).symbol(), "state_prohibits");
  EXPECT_EQ(Ask("asp-a", "device.delete", {{"device", device_}}).symbol(), "state_prohibits");
  EXPECT_EQ(Ask("asp-a", "authorisation.set", {{"device", device_}, {"purpose", "transfer"}}).symbol(),
            "state_prohibits");
  EXPECT_TRUE(Ask("mno-a", "device.attach", {{"device", device_}}).accepted()) << "a fact";
}

TEST_F(TransferTest, WhileItIsCarriedOutNobodyTakesTheDeviceAnotherWay) {
  Approved();
  EXPECT_EQ(Ask("asp-a", "device.delete", {{"device", device_}}).symbol(), "state_prohibits");
  EXPECT_EQ(Ask("asp-a", "authorisation.set", {{"device", device_}, {"purpose", "transfer"}}).symbol(),
            "state_prohibits");
}

TEST_F(TransferTest, TheOperatorsDeactivationEndsItPendingOrApproved) {
  Requested();
  EXPECT_TRUE(Ask("operator", "device.deactivate", {{"device", device_}}).accepted());
  EXPECT_EQ(State(), "failed");
  EXPECT_FALSE(Holds(domain::DeviceStatus::kPendingTransfer));
  const auto failed = Events("asp-b", "transfer.failed");
  ASSERT_THAT(failed, SizeIs(1));
  EXPECT_EQ(failed[0].data().at("reason"), std::string("device_ended") + ": the device was deactivated");
  EXPECT_THAT(Jobs(JobKind::kTransferDecide), IsEmpty());
}

TEST_F(TransferTest, ADeviceOnHoldIsToldNothingUntilItIsResumed) {
  const std::string transfer = Requested();
  ASSERT_TRUE(Ask("asp-a", "device.suspend", {{"device", device_}}).accepted());
  EXPECT_TRUE(Ask("asp-a", "transfer.approve", {{"transfer", transfer}}).accepted());
  EXPECT_EQ(State(), "approved");
  EXPECT_THAT(Jobs(JobKind::kPayloadPush), IsEmpty());
  ASSERT_TRUE(Ask("operator", "device.resume", {{"device", device_}}).accepted());
  ASSERT_THAT(Jobs(JobKind::kPayloadPush), SizeIs(1));
  Report(registry_, Jobs(JobKind::kPayloadPush)[0], kSuccess);
  EXPECT_EQ(State(), "completed");
}

TEST_F(TransferTest, EveryStepIsInTheLedger) {
  const std::string transfer = Requested();
  registry_.Restart();
  EXPECT_TRUE(Ask("asp-a", "transfer.approve", {{"transfer", transfer}}).accepted());
  registry_.Restart();
  Report(registry_, JobOf(registry_, device_, JobKind::kPayloadPush), kSuccess);
  registry_.Restart();
  EXPECT_EQ(State(), "completed");
  EXPECT_TRUE(Ask("asp-b", "device.get", {{"device", device_}}).accepted());
}

TEST_F(TransferTest, TheNextTransferTakesThePlaceOfTheLast) {
  Approved();
  Report(registry_, JobOf(registry_, device_, JobKind::kPayloadPush), kSuccess);
  const Said back = RequestByAsp(Code("asp-b"), "asp-a", "main");
  ASSERT_TRUE(back.accepted()) << back.payload;
  EXPECT_TRUE(Ask("asp-b", "transfer.approve", {{"transfer", back.data().at("transfer")}}).accepted());
  Report(registry_, JobOf(registry_, device_, JobKind::kPayloadPush), kSuccess);
  EXPECT_EQ(*domain::Claimer(Device()), *PartyId::Parse("asp-a"));
}

TEST_F(TransferTest, EachPartyListsItsOwn) {
  const std::string transfer = Requested();
  for (const char* party : {"asp-a", "asp-b", "operator"}) {
    const Said said = Ask(party, "transfer.list", json::object());
    ASSERT_TRUE(said.accepted()) << said.payload;
    ASSERT_THAT(said.data().at("transfers"), SizeIs(1)) << party;
    EXPECT_EQ(said.data().at("transfers")[0].at("transfer"), transfer);
  }
  EXPECT_THAT(Ask("mno-a", "transfer.list", json::object()).data().at("transfers"), SizeIs(0));
  EXPECT_THAT(Ask("asp-b", "transfer.list", {{"state", "completed"}}).data().at("transfers"), SizeIs(0));
  EXPECT_THAT(Ask("asp-b", "transfer.list", {{"state", "pending"}}).data().at("transfers"), SizeIs(1));
}

}  // namespace
}  // namespace registry::test
