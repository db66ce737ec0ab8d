// How a certificate is replaced while its device goes on working, and what becomes of each step that fails.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/renewal_flow.h"

namespace registry::test {
namespace {

using domain::CredentialPhase;
using domain::JobKind;
using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const json kSuccess = {{"outcome", "success"}};
const json kFailure = {
    {"outcome", "failed"}, {"stage", "write"}, {"reason", "card_full"}, {"retriable", false}};

TEST_F(RenewalTest, TheOldCertificateWorksUntilTheNextOneIsOnTheDeviceAndKnownToAll) {
  const Bytes old = domain::LiveCertificate(Device())->serial;
  ASSERT_TRUE(Rekey("asp-a", "worn out").accepted());
  ASSERT_TRUE(Submit().accepted());
  EXPECT_EQ(domain::LiveCertificate(Device())->serial, old);
  const Bytes next = domain::NextCredential(Device())->certificate.serial;
  EXPECT_EQ(Shown(), 2u) << "the next one stands beside it";
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.certified"), SizeIs(1));

  registry_.ServeZone();
  registry_.RunDueJobs(kTlsaTtl - seconds(1));
  EXPECT_FALSE(HasJob(JobKind::kPayloadPush)) << "a resolver may still know the old one only (RFC 7671 §8.1)";
  registry_.RunDueJobs(seconds(1));
  ASSERT_TRUE(HasJob(JobKind::kPayloadPush));
  EXPECT_EQ(domain::LiveCertificate(Device())->serial, old);

  ASSERT_TRUE(Push(kSuccess).accepted());
  EXPECT_EQ(domain::LiveCertificate(Device())->serial, next);
  EXPECT_EQ(Device().state, domain::State::kActive);
  EXPECT_EQ(Shown(), 2u) << "who was about to check the old one still finds it";
  EXPECT_FALSE(Revocation(old));
  const auto told = registry_.Heard("registry/v1/to/asp-a/event/device.renewed");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("replaced"), ToHex(old));
  EXPECT_THAT(registry_.Heard("registry/v1/to/mno-a/event/device.renewed"), SizeIs(1));

  registry_.RunDueJobs(kTlsaTtl);
  EXPECT_EQ(Shown(), 1u);
  EXPECT_FALSE(Revocation(old)) << "a secondary still shows it";
  registry_.ServeZone();
  ASSERT_TRUE(Revocation(old));
  EXPECT_EQ(Revocation(old)->reason, 4) << "superseded (RFC 5280 §5.3.1)";
  EXPECT_THAT(Device().credentials, SizeIs(1));
  EXPECT_THAT(*registry_.ledger().JobsOf(*DeviceId::Parse(device_)), IsEmpty());
}

TEST_F(RenewalTest, BeginsByItselfOnceTwoThirdsOfTheTimeAreOver) {
  registry_.Sweep(kYear / 100 * 65);
  EXPECT_FALSE(HasJob(JobKind::kKeyGenerate));
  registry_.Sweep(kYear / 100 * 12);
  ASSERT_TRUE(HasJob(JobKind::kKeyGenerate));
  EXPECT_THAT(HistoryOf(registry_, device_), Contains("renewal due"));
  ASSERT_TRUE(Submit().accepted());
  Show();
  ASSERT_TRUE(Push(kSuccess).accepted());
  EXPECT_GT(domain::LiveCertificate(Device())->not_after, registry_.clock().Now() + kYear - seconds(3600));
}

TEST_F(RenewalTest, ASecondOneWhileOneIsUnderWayIsRefusedAndTheFirstNamed) {
  ASSERT_TRUE(Rekey("operator").accepted());
  const Said again = Rekey("asp-a");
  EXPECT_EQ(again.symbol(), "renewal_pending");
  EXPECT_THAT(again.data().at("message"), HasSubstr(JobOf(JobKind::kKeyGenerate).id.text()));
  ASSERT_TRUE(Submit().accepted());
  const Bytes next = domain::NextCredential(Device())->certificate.serial;
  EXPECT_THAT(Rekey("mno-a").data().at("message"), HasSubstr(ToHex(next)));
}

// A device without an ASP takes its next certificate over as soon as that is served, so that several retire at once.
TEST_F(RenewalTest, AnotherOneIsRefusedWhileTooManyAreStillWithdrawn) {
  ASSERT_TRUE(registry_.Ask("asp-a", "device.release", {{"device", device_}}).accepted());
  ASSERT_TRUE(Push(kSuccess).accepted());
  for (std::size_t i = 1; i < domain::kCredentialsMax; ++i) {
    ASSERT_TRUE(Rekey("mno-a").accepted()) << i;
    ASSERT_TRUE(Submit().accepted()) << i;
    registry_.ServeZone();
  }
  EXPECT_EQ(domain::NextCredential(Device()), nullptr);
  EXPECT_FALSE(HasJob(JobKind::kKeyGenerate));
  const Said refused = Rekey("mno-a");
  EXPECT_EQ(refused.symbol(), "renewal_pending");
  EXPECT_THAT(refused.data().at("message"), HasSubstr("still being withdrawn"));
  registry_.RunDueJobs(kTlsaTtl);
  EXPECT_EQ(Rekey("mno-a").symbol(), "renewal_pending") << "a secondary still shows them";
  registry_.ServeZone();
  EXPECT_THAT(Device().credentials, SizeIs(1));
  EXPECT_TRUE(Rekey("mno-a").accepted());
}

TEST_F(RenewalTest, OnlyThePartiesOfADeviceRenewIt) {
  EXPECT_EQ(Rekey("mno-b").symbol(), "not_sponsor");
  EXPECT_EQ(Rekey("asp-b").symbol(), "not_claimer");
  EXPECT_TRUE(Rekey("mno-a").accepted());
}

TEST_F(RenewalTest, WithoutBeingAskedAnMnoBringsNoKey) {
  const Said said = registry_.Ask("mno-a", "csr.submit", {{"device", device_}, {"csr", NewCsrPem()}});
  EXPECT_EQ(said.symbol(), "state_prohibits");
}

TEST_F(RenewalTest, ANextCertificateThatTheDeviceRefusesGoesAndAnotherIsAskedForADayLater) {
  registry_.Sweep(kYear / 100 * 77);
  ASSERT_TRUE(Submit().accepted());
  Show();
  const Bytes next = domain::NextCredential(Device())->certificate.serial;
  ForgetSaid();
  ASSERT_TRUE(Push(kFailure).accepted());
  const auto told = registry_.Heard(kAspFailures);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("error").at("retryAfterSeconds"), kAgain.count());
  EXPECT_EQ(domain::NextCredential(Device()), nullptr);
  ASSERT_TRUE(Revocation(next));
  EXPECT_EQ(Shown(), 1u);
  registry_.ServeZone();
  EXPECT_EQ(Device().state, domain::State::kActive);

  registry_.Sweep(kAgain - seconds(60));
  EXPECT_FALSE(HasJob(JobKind::kKeyGenerate));
  registry_.Sweep(seconds(120));
  EXPECT_TRUE(HasJob(JobKind::kKeyGenerate));
}

TEST_F(RenewalTest, ARekeyWhoseKeyCannotBeMadeIsTriedAgainADayLaterThoughNothingEndsSoon) {
  ASSERT_TRUE(Rekey("asp-a", "worn out").accepted());
  ASSERT_TRUE(Report(registry_, JobOf(JobKind::kKeyGenerate), kFailure).accepted());
  const auto told = registry_.Heard(kAspFailures);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("error").at("retryAfterSeconds"), kAgain.count());
  registry_.Sweep(kAgain - seconds(60));
  EXPECT_FALSE(HasJob(JobKind::kKeyGenerate));
  registry_.Sweep(seconds(120));
  ASSERT_TRUE(HasJob(JobKind::kKeyGenerate));
  ASSERT_TRUE(Submit().accepted());
  Show();
  ASSERT_TRUE(Push(kSuccess).accepted());
  registry_.RunDueJobs(kTlsaTtl);
  registry_.ServeZone();
  EXPECT_THAT(*registry_.ledger().JobsOf(*DeviceId::Parse(device_)), IsEmpty()) << "and once is enough";
}

TEST_F(RenewalTest, AWaitAfterAFailureIsNotWrittenAgainWithEveryLook) {
  registry_.Sweep(kYear / 100 * 77);
  ASSERT_TRUE(Report(registry_, JobOf(JobKind::kKeyGenerate), kFailure).accepted());
  const auto version = Device().version;
  for (int look = 0; look < 3; ++look) registry_.Sweep(seconds(60));
  EXPECT_EQ(Device().version, version);
}

TEST_F(RenewalTest, ARekeyWithinTheWaitAfterAFailureDoesNotWaitForItsPayload) {
  ASSERT_TRUE(Rekey("asp-a").accepted());
  ASSERT_TRUE(Report(registry_, JobOf(JobKind::kKeyGenerate), kFailure).accepted());
  ASSERT_TRUE(Rekey("asp-a", "once more").accepted());
  ASSERT_TRUE(Submit().accepted());
  Show();
  EXPECT_TRUE(HasJob(JobKind::kPayloadPush));
}

TEST_F(RenewalTest, ADeviceThatIsLetGoBeforeItsPayloadIsAnsweredIsAskedForNoOtherKey) {
  ASSERT_TRUE(Rekey("asp-a").accepted());
  ASSERT_TRUE(Submit().accepted());
  Show();
  for (int hour = 0; hour < 6; ++hour) registry_.RunDueJobs(seconds(3600));
  ASSERT_FALSE(HasJob(JobKind::kPayloadPush)) << "given up";
  ASSERT_NE(domain::NextCredential(Device()), nullptr);
  ASSERT_TRUE(registry_.Ask("asp-a", "device.release", {{"device", device_}}).accepted());
  registry_.Sweep(kAgain + seconds(2 * 3600));
  EXPECT_EQ(domain::NextCredential(Device()), nullptr) << "it took over";
  EXPECT_FALSE(HasJob(JobKind::kKeyGenerate));
}

TEST_F(RenewalTest, AKeyThatAHoldHasCalledOffIsAskedForAgainWhenTheLastHoldEnds) {
  ASSERT_TRUE(Rekey("asp-a", "worn out").accepted());
  const JobId asked = JobOf(JobKind::kKeyGenerate).id;
  const auto say = [&](const char* party, const char* command) {
    return registry_.Ask(party, command, {{"device", device_}}).accepted();
  };
  ASSERT_TRUE(say("asp-a", "device.suspend") && say("mno-a", "device.suspend"));
  for (int hour = 0; hour < 30; ++hour) {
    registry_.Sweep(seconds(3600));
    ASSERT_FALSE(HasJob(JobKind::kKeyGenerate)) << hour;
  }
  registry_.Restart();
  ASSERT_TRUE(say("asp-a", "device.resume"));
  EXPECT_FALSE(HasJob(JobKind::kKeyGenerate)) << "the MNO holds it still";
  ASSERT_TRUE(say("mno-a", "device.resume"));
  ASSERT_TRUE(HasJob(JobKind::kKeyGenerate));
  EXPECT_NE(JobOf(JobKind::kKeyGenerate).id, asked);
  EXPECT_FALSE(HasJob(JobKind::kCredentialStep));
  EXPECT_TRUE(Submit().accepted());
}

TEST_F(RenewalTest, AHoldAfterAFailedKeyForgetsTheRekeyNeither) {
  ASSERT_TRUE(Rekey("asp-a", "worn out").accepted());
  ASSERT_TRUE(Report(registry_, JobOf(JobKind::kKeyGenerate), kFailure).accepted());
  ASSERT_TRUE(registry_.Ask("asp-a", "device.suspend", {{"device", device_}}).accepted());
  registry_.Sweep(kAgain + seconds(3600));
  EXPECT_FALSE(HasJob(JobKind::kKeyGenerate));
  ASSERT_TRUE(registry_.Ask("asp-a", "device.resume", {{"device", device_}}).accepted());
  EXPECT_TRUE(HasJob(JobKind::kKeyGenerate));
}

TEST_F(RenewalTest, APayloadThatWaitedForADeviceThatWasAwayGivesWayToTheOneWithItsNextCertificate) {
  ASSERT_TRUE(Rekey("asp-a").accepted());
  ASSERT_TRUE(Submit().accepted());
  registry_.ServeZone();
  ASSERT_TRUE(registry_.Ask("asp-a", "wifi.set", {{"device", device_}}).accepted());
  const auto waited = JobOf(JobKind::kPayloadPush);
  ASSERT_TRUE(registry_.Ask("mno-a", "device.detach", {{"device", device_}}).accepted());
  const std::string pushes = std::string(kActions) + "payload.push";
  registry_.Heard(pushes);
  registry_.clock().Advance(kTlsaTtl);
  ASSERT_TRUE(Attach(registry_, device_).accepted());
  const domain::Job newer = JobOf(JobKind::kPayloadPush);
  EXPECT_NE(newer.id, waited.id);
  const auto sent = registry_.Heard(pushes);
  ASSERT_THAT(sent, Not(IsEmpty()));
  for (const Said& said : sent) EXPECT_EQ(said.data().at("job"), newer.id.text()) << "one payload at a time";
  ASSERT_TRUE(Push(kSuccess).accepted());
  EXPECT_EQ(domain::NextCredential(Device()), nullptr) << "it took over";
}

TEST_F(RenewalTest, ASilentMnoIsAskedAnewEveryDayAndCountsNoDeviceOut) {
  registry_.Sweep(kYear / 100 * 77);
  for (int day = 0; day < 3; ++day) {
    const JobId asked = JobOf(JobKind::kKeyGenerate).id;
    for (int hour = 0;
         hour < 40 && (!HasJob(JobKind::kKeyGenerate) || JobOf(JobKind::kKeyGenerate).id == asked); ++hour) {
      registry_.Sweep(seconds(3600));
    }
    ASSERT_TRUE(HasJob(JobKind::kKeyGenerate)) << day;
    EXPECT_NE(JobOf(JobKind::kKeyGenerate).id, asked) << day;
  }
  EXPECT_TRUE(Submit().accepted());
}

TEST_F(RenewalTest, AnUnreachableDeviceExpiresAndComesBackWithItsNextKey) {
  registry_.Sweep(kYear / 100 * 77);
  registry_.Sweep(kYear / 100 * 24);
  EXPECT_TRUE(Device().statuses.contains(domain::DeviceStatus::kExpired));
  EXPECT_EQ(Shown(), 0u);
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.expired"), SizeIs(1));
  EXPECT_THAT(registry_.Heard("registry/v1/to/mno-a/event/device.expired"), SizeIs(1));
  registry_.ServeZone();
  registry_.Sweep(kAgain);
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.expired"), IsEmpty()) << "it is told once";

  registry_.Sweep(kAgain + seconds(3600));
  ASSERT_TRUE(HasJob(JobKind::kKeyGenerate)) << "it is still asked";
  ASSERT_TRUE(Submit().accepted());
  EXPECT_FALSE(Device().statuses.contains(domain::DeviceStatus::kExpired));
  Show();
  ASSERT_TRUE(Push(kSuccess).accepted());
  EXPECT_EQ(Device().state, domain::State::kActive);
  EXPECT_EQ(domain::NextCredential(Device()), nullptr);
}

TEST_F(RenewalTest, ADeviceThatTakesItsPayloadAfterTheEndIsShownAgain) {
  registry_.Sweep(kYear / 100 * 77);
  ASSERT_TRUE(Submit().accepted());
  Show();
  const domain::Job push = JobOf(JobKind::kPayloadPush);
  ASSERT_TRUE(Report(registry_, push, {{"progress", 10}, {"stage", "waiting_device"}}).accepted());
  registry_.clock().Advance(kYear / 100 * 24);
  registry_.Sweep(seconds(0));
  ASSERT_TRUE(Device().statuses.contains(domain::DeviceStatus::kExpired));
  EXPECT_EQ(Shown(), 0u);
  registry_.ServeZone();
  const domain::Job last = JobOf(JobKind::kPayloadPush);
  ASSERT_TRUE(Report(registry_, last, kSuccess).accepted());
  EXPECT_FALSE(Device().statuses.contains(domain::DeviceStatus::kExpired));
  EXPECT_GE(Shown(), 1u);
}

TEST_F(RenewalTest, ACompromisedKeyIsRevokedAtOnceAndAnotherAskedFor) {
  const domain::IssuedCertificate old = *domain::LiveCertificate(Device());
  ASSERT_TRUE(Rekey("mno-a", "keyCompromise").accepted());
  EXPECT_EQ(Device().state, domain::State::kAttached);
  EXPECT_EQ(Shown(), 0u);
  ASSERT_TRUE(Revocation(old.serial));
  EXPECT_EQ(Revocation(old.serial)->reason, 1) << "keyCompromise (RFC 5280 §5.3.1)";
  const auto holder = registry_.ledger().FindUnique({domain::UniqueKind::kPublicKey, old.spki_sha256});
  ASSERT_TRUE(holder.ok());
  EXPECT_TRUE(holder->has_value()) << "the key is taken for ever";
  registry_.ServeZone();
  ASSERT_TRUE(Submit().accepted());
  registry_.ServeZone();
  ASSERT_TRUE(Push(kSuccess).accepted());
  EXPECT_EQ(Device().state, domain::State::kActive);
}

TEST_F(RenewalTest, ACompromiseEndsARenewalUnderWay) {
  ASSERT_TRUE(Rekey("asp-a").accepted());
  ASSERT_TRUE(Submit().accepted());
  Show();
  const Bytes next = domain::NextCredential(Device())->certificate.serial;
  ASSERT_TRUE(Rekey("asp-a", "keyCompromise").accepted());
  EXPECT_TRUE(Revocation(next));
  EXPECT_FALSE(HasJob(JobKind::kPayloadPush));
  EXPECT_TRUE(HasJob(JobKind::kKeyGenerate));
  EXPECT_THAT(Device().credentials, IsEmpty());
}

TEST_F(RenewalTest, DeactivationRevokesEverythingThatARenewalHasMade) {
  ASSERT_TRUE(Rekey("asp-a").accepted());
  ASSERT_TRUE(Submit().accepted());
  Show();
  const Bytes next = domain::NextCredential(Device())->certificate.serial;
  ASSERT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", device_}}).accepted());
  EXPECT_TRUE(Revocation(next));
  EXPECT_FALSE(HasJob(JobKind::kCredentialStep));
  EXPECT_FALSE(HasJob(JobKind::kPayloadPush));
}

TEST_F(RenewalTest, EveryStepSurvivesARestart) {
  ASSERT_TRUE(Rekey("asp-a").accepted());
  registry_.Restart();
  ASSERT_TRUE(Submit().accepted());
  registry_.Restart();
  registry_.ServeZone();
  registry_.Restart();
  registry_.RunDueJobs(kTlsaTtl);
  registry_.Restart();
  ASSERT_TRUE(Push(kSuccess).accepted());
  registry_.Restart();
  registry_.RunDueJobs(kTlsaTtl);
  registry_.Restart();
  registry_.ServeZone();
  EXPECT_THAT(Device().credentials, SizeIs(1));
  EXPECT_TRUE(HistoryOf(registry_, device_).back().starts_with("superseded serial="));
}

}  // namespace
}  // namespace registry::test
