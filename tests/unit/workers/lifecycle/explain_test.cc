// For each way in which an activation can hang, device.trace names the step, who is waited for, the attempt and the end.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/flow.h"
#include "tests/unit/workers/lifecycle/renewal_flow.h"
#include "tests/unit/workers/lifecycle/transfer_flow.h"
#include "workers/domain/job_kinds.h"

namespace registry::test {
namespace {

using domain::JobKind;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class ExplainTest : public testing::Test {
 protected:
  std::string Says(const std::string& device) {
    return registry_.Ask("operator", "device.trace", {{"device", device}}).data().at("says");
  }
  std::string Attached() {
    const auto device = registry_.Register();
    EXPECT_TRUE(Attach(registry_, device.device).accepted());
    return device.device;
  }
  std::string At(int seconds) { return ToRfc3339(registry_.clock().Now() + std::chrono::seconds(seconds)); }
  TestRegistry registry_;
};

TEST_F(ExplainTest, TheMnoIsSilent) {
  const std::string id = Attached();
  registry_.RunDueJobs(std::chrono::seconds(31));
  EXPECT_THAT(Says(id), StartsWith("waits for key.generate of mno-a, attempt 2 of 6, asked again at " +
                                   At(60) + ", given up at " + At(60 + 120 + 240 + 480 + 960)));
  for (int hour = 0; hour < 6; ++hour) registry_.RunDueJobs(std::chrono::hours(1));
  EXPECT_THAT(Says(id), AllOf(HasSubstr("key.generate of mno-a failed at "), HasSubstr("given up"),
                              HasSubstr("device.attach of mno-a asks again")));
}

TEST_F(ExplainTest, TheCsrIsRefused) {
  const std::string id = Attached();
  const json csr = {{"device", id}, {"csr", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"}};
  ASSERT_FALSE(registry_.Ask("mno-a", "csr.submit", csr).accepted());
  EXPECT_THAT(Says(id), AllOf(StartsWith("waits for key.generate of mno-a, attempt 1 of 6, "),
                              HasSubstr("given up at " + At(1890)),
                              HasSubstr("; csr.submit of mno-a was refused at " + At(0) +
                                        ": csr_malformed, attempt 1; the next CSR for the same job")));
  const UtcTime first = registry_.clock().Now();
  registry_.RunDueJobs(std::chrono::seconds(31));
  EXPECT_THAT(Says(id), AllOf(HasSubstr("attempt 2 of 6"),
                              HasSubstr("refused at " + ToRfc3339(first) + ": csr_malformed, attempt 1")))
      << "as long as nothing else is heard";
  ASSERT_FALSE(registry_.Ask("mno-a", "csr.submit", csr).accepted());
  EXPECT_THAT(Says(id), HasSubstr("csr_malformed, attempt 2"));
  for (int hour = 0; hour < 6; ++hour) registry_.RunDueJobs(std::chrono::hours(1));
  EXPECT_THAT(
      Says(id),
      AllOf(HasSubstr("key.generate of mno-a failed at "), HasSubstr("device.attach of mno-a asks again"),
            HasSubstr("csr.submit of mno-a was refused at "), HasSubstr(": csr_malformed, attempt 2")));
  const auto steps = registry_.Ask("mno-a", "device.trace", {{"device", id}}).data().at("steps");
  EXPECT_EQ(std::count_if(steps.begin(), steps.end(),
                          [](const json& step) {
                            return step.at("step") == "csr.submit refused: csr_malformed, attempt 2";
                          }),
            1)
      << steps;
}

TEST_F(ExplainTest, ARefusedCsrIsNoNewsOnceAGoodOneHasCome) {
  const std::string id = Attached();
  ASSERT_FALSE(registry_.Ask("mno-a", "csr.submit", {{"device", id}, {"csr", "AAAA"}}).accepted());
  ASSERT_TRUE(registry_.Ask("mno-a", "csr.submit", {{"device", id}, {"csr", NewCsrPem()}}).accepted());
  EXPECT_THAT(Says(id), testing::Not(HasSubstr("refused")));
}

TEST_F(ExplainTest, ASecondaryIsBehind) {
  const std::string id = Certified(registry_);
  EXPECT_THAT(Says(id), StartsWith("waits for zone.visible of registry, attempt 1, looked at again at " +
                                   At(120) + ", never given up"));
  registry_.RunDueJobs(std::chrono::seconds(121));
  EXPECT_THAT(Says(id), StartsWith("waits for zone.visible of registry, attempt 2, "));
}

TEST_F(ExplainTest, ThePayloadIsRefused) {
  const std::string id = Published(registry_);
  EXPECT_THAT(Says(id), StartsWith("waits for payload.push of mno-a, attempt 1 of 6, asked again at " +
                                   At(30) + ", given up at " + At(1890)));
  const json refused = {{"outcome", "failed"}, {"stage", "payload"}, {"reason", "payload_expired"}};
  ASSERT_TRUE(Report(registry_, JobOf(registry_, id, JobKind::kPayloadPush), refused).accepted());
  EXPECT_EQ(Says(id),
            "payload.push of mno-a failed at " + At(0) + ", given up; device.attach of mno-a asks again");
}

TEST_F(ExplainTest, NobodyHasClaimedIt) {
  const std::string id = Attached();
  ASSERT_TRUE(registry_.Ask("mno-a", "csr.submit", {{"device", id}, {"csr", NewCsrPem()}}).accepted());
  registry_.ServeZone();
  EXPECT_THAT(Says(id), StartsWith("waits for device.claim of an ASP, with the code that mno-a was given"));
  EXPECT_EQ(Says(registry_.Activate()), "nothing is waited for");
}

TEST_F(ExplainTest, ItsCodeIsLockedOrHasEnded) {
  registry_.PublishEndpoint();
  const auto device = registry_.Register();
  for (int i = 0; i < 5; ++i) Claim(registry_, {device.device, "AAAA"});
  const std::string with = "waits for device.claim of an ASP, with the code that mno-a was given, ";
  EXPECT_THAT(Says(device.device), HasSubstr(with + "which wrong codes have locked until " + At(3600) +
                                             "; authorisation.set makes another that is not locked"));
  const json set = {{"device", device.device}, {"purpose", "claim"}};
  ASSERT_TRUE(registry_.Ask("mno-a", "authorisation.set", set).accepted());
  EXPECT_THAT(Says(device.device), HasSubstr(with + "valid until "));
  const std::string end = At(14 * 24 * 3600);
  registry_.clock().Advance(std::chrono::hours(14 * 24));
  EXPECT_THAT(Says(device.device), HasSubstr(with + "which ended at " + end + "; authorisation.set makes"));
}

TEST_F(ExplainTest, ThereIsNoCode) {
  const std::string id = registry_.Activate();
  ASSERT_TRUE(registry_.Ask("asp-a", "device.release", {{"device", id}}).accepted());
  EXPECT_THAT(Says(id), AllOf(StartsWith("waits for payload.push of mno-a"),
                              HasSubstr("for which there is no code; authorisation.set makes one")));
}

TEST_F(ExplainTest, ItIsHeldOrAway) {
  const std::string id = Published(registry_);
  ASSERT_TRUE(registry_.Ask("mno-a", "device.detach", {{"device", id}}).accepted());
  EXPECT_THAT(Says(id), HasSubstr("off the network: until device.attach of mno-a no attempt is used up"));
  ASSERT_TRUE(registry_.Ask("asp-a", "device.suspend", {{"device", id}}).accepted());
  registry_.ServeZone();
  EXPECT_EQ(Says(id), "on hold (clientHold): nothing is given to it before device.resume");
}

// ---- renewals

class ExplainedRenewal : public RenewalTest {
 protected:
  using seconds = std::chrono::seconds;
  std::string In(int later) { return ToRfc3339(registry_.clock().Now() + seconds(later)); }
  std::string Says() {
    return registry_.Ask("operator", "device.trace", {{"device", device_}}).data().at("says");
  }
};

TEST_F(ExplainedRenewal, TheMnoIsSilentOrItsCsrIsRefused) {
  ASSERT_TRUE(Rekey("asp-a").accepted());
  EXPECT_THAT(Says(), StartsWith("waits for key.generate of mno-a, attempt 1 of 6, asked again at " + In(30) +
                                 ", given up at " + In(1890)));
  const json csr = {{"device", device_}, {"csr", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"}};
  ASSERT_FALSE(registry_.Ask("mno-a", "csr.submit", csr).accepted());
  EXPECT_THAT(Says(), AllOf(StartsWith("waits for key.generate of mno-a, attempt 1 of 6"),
                            HasSubstr("given up at " + In(1890)),
                            HasSubstr("csr.submit of mno-a was refused at " + In(0) +
                                      ": csr_malformed, attempt 1; the next CSR for the same job")));
  for (int hour = 0; hour < 6; ++hour) registry_.RunDueJobs(seconds(3600));
  EXPECT_THAT(Says(), AllOf(HasSubstr("key.generate of mno-a failed at "),
                            HasSubstr("its next certificate is carried on with at "),
                            HasSubstr("csr.submit of mno-a was refused at ")));
}

TEST_F(ExplainedRenewal, ASecondaryIsBehind) {
  ASSERT_TRUE(Rekey("asp-a").accepted());
  ASSERT_TRUE(Submit().accepted());
  EXPECT_THAT(Says(), HasSubstr("waits for zone.visible of registry, attempt 1, looked at again at " +
                                In(120) + ", never given up"));
}

TEST_F(ExplainedRenewal, ThePayloadIsRefused) {
  ASSERT_TRUE(Rekey("asp-a").accepted());
  ASSERT_TRUE(Submit().accepted());
  Show();
  EXPECT_THAT(Says(), HasSubstr("waits for payload.push of mno-a, attempt 1 of 6, asked again at " + In(30) +
                                ", given up at " + In(1890)));
  ASSERT_TRUE(Push({{"outcome", "failed"}, {"stage", "payload"}, {"reason", "payload_expired"}}).accepted());
  EXPECT_THAT(Says(), HasSubstr("payload.push of mno-a failed at " + In(0) +
                                "; its next certificate is carried on with at " + In(3600)));
  const std::string why = "payload.push of mno-a failed at " + In(0);
  for (const char* what : {"device.detach", "device.attach"}) {
    ASSERT_TRUE(registry_.Ask("mno-a", what, {{"device", device_}}).accepted());
    EXPECT_THAT(Says(), HasSubstr(why)) << what;
  }
  ASSERT_TRUE(Rekey("asp-a", "worn out").accepted());
  EXPECT_THAT(Says(), testing::Not(HasSubstr(why))) << "another one is begun";
}

// A device that was let go waits for an ASP, and its certificate is replaced all the same.
TEST_F(ExplainedRenewal, ThereIsNoCode) {
  ASSERT_TRUE(registry_.Ask("asp-a", "device.release", {{"device", device_}}).accepted());
  ASSERT_TRUE(Push({{"outcome", "success"}}).accepted());
  ASSERT_TRUE(Rekey("mno-a").accepted());
  EXPECT_THAT(Says(), AllOf(StartsWith("waits for key.generate of mno-a, attempt 1 of 6"),
                            HasSubstr("given up at " + In(1890)),
                            HasSubstr("waits for device.claim of an ASP, for which there is no code")));
}

// ---- transfers

class ExplainedTransfer : public TransferTest {
 protected:
  std::string In(int later) { return ToRfc3339(registry_.clock().Now() + std::chrono::seconds(later)); }
  std::string Says() { return Ask("operator", "device.trace", {{"device", device_}}).data().at("says"); }
  void ApprovedToMno() {
    const Said asked =
        Ask("mno-b", "transfer.request",
            {{"device", device_}, {"authorisationCode", Code("mno-a")}, {"iccid", IccidOf(900)}});
    ASSERT_TRUE(asked.accepted()) << asked.payload;
    ASSERT_TRUE(Ask("mno-a", "transfer.approve", {{"transfer", asked.data().at("transfer")}}).accepted());
  }
};

TEST_F(ExplainedTransfer, NobodyDecides) {
  Requested();
  EXPECT_EQ(Says(), "waits for transfer.approve or transfer.reject of asp-a, decided without it at " +
                        ToRfc3339(Device().transfer->decides_at));
}

TEST_F(ExplainedTransfer, TheGainingMnoIsSilent) {
  ApprovedToMno();
  EXPECT_THAT(Says(), AllOf(StartsWith("waits for profile.enable of mno-b, attempt 1 of 6, asked again at " +
                                       In(30) + ", given up at " + In(1890)),
                            HasSubstr("on its way from mno-a to mno-b")));
}

TEST_F(ExplainedTransfer, WhatFailedIsNoStepOfTheRenewalBeforeIt) {
  ASSERT_TRUE(Ask("asp-a", "device.rekey", {{"device", device_}}).accepted());
  const json csr = {
      {"device", device_}, {"csr", NewCsrPem()}, {"job", Jobs(JobKind::kKeyGenerate).front().id.text()}};
  ASSERT_TRUE(Ask("mno-a", "csr.submit", csr).accepted());
  registry_.ServeZone();  // what resolvers may still know has a minute to end
  const std::string transfer = Requested();
  ASSERT_TRUE(Ask("asp-b", "endpoint.withdraw", {{"name", "new"}}).accepted());
  ASSERT_TRUE(Ask("asp-a", "transfer.approve", {{"transfer", transfer}}).accepted());
  ASSERT_EQ(Device().trace.back().step, "transfer failed");
  EXPECT_THAT(Says(), AllOf(HasSubstr("its next certificate is carried on with at "),
                            testing::Not(HasSubstr("failed at "))));
}

TEST_F(ExplainedTransfer, TheCsrIsRefused) {
  ApprovedToMno();
  ASSERT_TRUE(
      Report(registry_, Jobs(JobKind::kProfileEnable).front(), {{"outcome", "success"}}, "mno-b").accepted());
  EXPECT_THAT(Says(), StartsWith("waits for key.generate of mno-b, attempt 1 of 6"));
  const json csr = {{"device", device_}, {"csr", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"}};
  ASSERT_FALSE(Ask("mno-b", "csr.submit", csr).accepted());
  ASSERT_FALSE(Ask("mno-a", "csr.submit", csr).accepted()) << "which is not asked";
  EXPECT_THAT(Says(), AllOf(HasSubstr("given up at " + In(1890)),
                            HasSubstr("csr.submit of mno-b was refused at " + In(0) +
                                      ": csr_malformed, attempt 1; the next CSR for the same job"),
                            HasSubstr("on its way from mno-a to mno-b")));
}

TEST_F(ExplainedTransfer, ASecondaryIsBehind) {
  ApprovedToMno();
  ASSERT_TRUE(
      Report(registry_, Jobs(JobKind::kProfileEnable).front(), {{"outcome", "success"}}, "mno-b").accepted());
  ASSERT_TRUE(
      Ask("mno-b", "csr.submit",
          {{"device", device_}, {"csr", NewCsrPem()}, {"job", Jobs(JobKind::kKeyGenerate).front().id.text()}})
          .accepted());
  EXPECT_THAT(Says(), AllOf(HasSubstr("waits for zone.visible of registry, attempt 1, looked at again at " +
                                      In(120) + ", never given up"),
                            HasSubstr("on its way from mno-a to mno-b")));
}

// Without a code of the losing party nothing is begun, so nothing hangs.
TEST_F(ExplainedTransfer, WithoutACodeNothingIsWaitedFor) {
  EXPECT_EQ(RequestByAsp("AAAA-AAAA").symbol(), "authorisation_invalid");
  EXPECT_EQ(Says(), "nothing is waited for");
}

TEST_F(ExplainedTransfer, ThePayloadIsRefused) {
  Approved();
  EXPECT_THAT(Says(), AllOf(StartsWith("waits for payload.push of mno-a, attempt 1 of 6, asked again at " +
                                       In(30) + ", given up at " + In(1890)),
                            HasSubstr("on its way from asp-a to asp-b")));
  const json refused = {{"outcome", "failed"}, {"stage", "payload"}, {"reason", "payload_expired"}};
  ASSERT_TRUE(Report(registry_, Jobs(JobKind::kPayloadPush).front(), refused).accepted());
  EXPECT_THAT(Says(), StartsWith("waits for payload.push of mno-a")) << "the former ASP's, once more";
}

// What PARTY.md tells a gaining ASP whose device the losing one has suspended.
TEST_F(ExplainedTransfer, AHoldIsLiftedOnceItIsDecidedAndNotByTheGainingAsp) {
  const std::string transfer = Requested();
  const json device = {{"device", device_}};
  ASSERT_TRUE(Ask("asp-a", "device.suspend", device).accepted());
  EXPECT_EQ(Ask("asp-a", "device.resume", device).symbol(), "state_prohibits");
  EXPECT_THAT(Says(),
              AllOf(HasSubstr("on hold (clientHold): nothing is given to it before device.resume, which is "
                              "refused until the transfer is decided; "),
                    HasSubstr("waits for transfer.approve or transfer.reject of asp-a")));
  ASSERT_TRUE(Ask("asp-a", "transfer.approve", {{"transfer", transfer}}).accepted());
  EXPECT_THAT(Says(), testing::Not(HasSubstr("refused until")));
  EXPECT_EQ(Ask("asp-b", "device.resume", device).symbol(), "not_claimer");
  EXPECT_EQ(Ask("asp-b", "transfer.cancel", {{"transfer", transfer}}).symbol(), "transfer_not_pending");
  EXPECT_EQ(Ask("asp-b", "device.get", device).data().value("device", ""), device_);
  EXPECT_TRUE(Ask("operator", "device.resume", device).accepted());
}

TEST_F(ExplainedTransfer, WhileItIsCarriedOutTheDeviceIsNeitherMovedNorDisconnected) {
  Approved();
  registry_.PublishEndpoint("asp-a", "other");
  const json device = {{"device", device_}};
  for (const char* command : {"device.release", "device.disconnect"})
    EXPECT_EQ(Ask("asp-a", command, device).symbol(), "state_prohibits") << command;
  EXPECT_EQ(Ask("asp-a", "device.move", {{"device", device_}, {"endpoint", "other"}}).symbol(),
            "state_prohibits");
}

}  // namespace
}  // namespace registry::test
