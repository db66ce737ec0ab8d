// A device goes from one MNO to another: each step, from whom it is asked, what serves meanwhile, and the way back from
// each.
#include "tests/support/csr_maker.h"
#include "tests/unit/workers/lifecycle/transfer_mno_flow.h"

namespace registry::test {
namespace {

using domain::CredentialPhase;
using domain::JobKind;
using domain::ProfileState;
using std::chrono::hours;
using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(TransferMnoTest, EveryStepIsAskedOfItsMnoAndOneCertificateAlwaysWorks) {
  const std::string transfer = Approve();
  EXPECT_EQ(Job(JobKind::kProfileEnable).to->text(), "mno-b");
  EXPECT_EQ(Job(JobKind::kProfileEnable).profile, 2u);
  EXPECT_TRUE(Report(JobKind::kProfileEnable, kSuccess, "mno-b").accepted());
  EXPECT_EQ(Job(JobKind::kKeyGenerate).to->text(), "mno-b");
  EXPECT_EQ(Job(JobKind::kKeyGenerate).profile, 2u);
  const Said issued = Csr();
  ASSERT_TRUE(issued.accepted()) << issued.payload;
  EXPECT_EQ(Count(CredentialPhase::kLive), 1u);
  EXPECT_EQ(TlsaWanted(), 2u) << "each side looks up its own";
  registry_.ServeZone();
  LetTimePass();
  EXPECT_EQ(Job(JobKind::kPayloadPush).to->text(), "mno-b");
  EXPECT_EQ(domain::Sponsor(Device()).text(), "mno-a") << "until it is delivered";
  EXPECT_TRUE(Report(JobKind::kPayloadPush, kSuccess, "mno-b").accepted());
  EXPECT_EQ(domain::Sponsor(Device()).text(), "mno-b");
  EXPECT_EQ(Device().state, domain::State::kActive);
  EXPECT_EQ(TlsaWanted(), 2u) << "of the old one too, as long as somebody may ask for it";
  LetTimePass();
  EXPECT_EQ(TlsaWanted(), 1u);
  EXPECT_THAT(Jobs(JobKind::kProfileDisable), IsEmpty()) << "until nobody serves it";
  registry_.ServeZone();
  EXPECT_EQ(Device().credentials.size(), 1u);
  EXPECT_EQ(Job(JobKind::kProfileDisable).to->text(), "mno-a");
  EXPECT_TRUE(Report(JobKind::kProfileDisable, kSuccess, "mno-a").accepted());
  EXPECT_EQ(Job(JobKind::kProfileDelete).to->text(), "mno-a");
  EXPECT_EQ(State(), "approved");
  EXPECT_TRUE(Report(JobKind::kProfileDelete, kSuccess, "mno-a").accepted());
  EXPECT_EQ(State(), "completed");
  for (const char* party : {"mno-a", "mno-b"}) {
    const auto told = Events(party, "transfer.completed");
    ASSERT_THAT(told, SizeIs(1)) << party;
    EXPECT_EQ(told[0].data().at("transfer"), transfer);
    EXPECT_EQ(told[0].data().at("profile"), 2);
  }
  EXPECT_EQ(*domain::Claimer(Device()), *PartyId::Parse("asp-a")) << "whose device it is all the time";
}

TEST_F(TransferMnoTest, TheOldCertificateIsRevokedAsSuperseded) {
  const Bytes old = domain::LiveCertificate(Device())->serial;
  OldIsGone();
  const auto revocations = registry_.ledger().Revocations();
  ASSERT_TRUE(revocations.ok());
  ASSERT_THAT(*revocations, SizeIs(1));
  EXPECT_EQ(revocations->front().serial, old);
  EXPECT_EQ(revocations->front().reason, 4) << "RFC 5280 §5.3.1";
}

TEST_F(TransferMnoTest, AnAttachOfTheNewProfileSaysThatItIsEnabled) {
  Approve();
  const auto enable = Job(JobKind::kProfileEnable);
  const Said said = Ask("mno-b", "device.attach", {{"device", device_}, {"profile", 2}});
  ASSERT_TRUE(said.accepted()) << said.payload;
  EXPECT_THAT(Jobs(JobKind::kProfileEnable), IsEmpty());
  EXPECT_THAT(Jobs(JobKind::kKeyGenerate), SizeIs(1));
  EXPECT_TRUE(test::Report(registry_, enable, kSuccess, "mno-b").accepted()) << "and is noted";
  EXPECT_THAT(Jobs(JobKind::kKeyGenerate), SizeIs(1));
}

TEST_F(TransferMnoTest, ByItsEidADeviceIsFoundOrNotWithTheSameAnswer) {
  const json unknown = {{"eid", EidOf(77)}, {"authorisationCode", "AAAA"}, {"iccid", kIccid}};
  json known = unknown;
  known["eid"] = EidOf(1);
  const Said of_none = Ask("mno-b", "transfer.request", unknown),
             wrong = Ask("mno-b", "transfer.request", known);
  EXPECT_EQ(of_none.symbol(), "authorisation_invalid");
  EXPECT_EQ(of_none.code(), 2202);
  EXPECT_EQ(of_none.data(), wrong.data());
  known["authorisationCode"] = Code("mno-a");
  const Said said = Ask("mno-b", "transfer.request", known);
  ASSERT_TRUE(said.accepted()) << said.payload;
  EXPECT_EQ(said.data().at("device"), device_);
  EXPECT_EQ(said.data().at("kind"), "mno");
}

TEST_F(TransferMnoTest, AnIccidThatIsTakenIsRefused) {
  const auto other = registry_.Register();
  const Said said = RequestByMno(Code("mno-a"), "mno-b", IccidOf(2));
  EXPECT_EQ(said.symbol(), "esim_unavailable");
  EXPECT_EQ(said.data().at("field"), "/iccid");
  EXPECT_THAT(said.data().at("message").get<std::string>(), testing::HasSubstr("transferred"));
}

TEST_F(TransferMnoTest, RejectedTheIccidIsFree) {
  const Said said = RequestByMno(Code("mno-a"));
  ASSERT_TRUE(said.accepted()) << said.payload;
  EXPECT_TRUE(Ask("mno-a", "transfer.reject", {{"transfer", said.data().at("transfer")}}).accepted());
  EXPECT_THAT(Device().profiles, SizeIs(1));
  EXPECT_TRUE(Ask("mno-b", "esim.register", {{"eid", EidOf(50)}, {"iccid", kIccid}}).accepted());
}

TEST_F(TransferMnoTest, TheAppletsOfTwoProfilesHaveNoKeyInCommon) {
  CsrOptions options;
  options.agreement = NewEcKey();
  ASSERT_TRUE(Ask("asp-a", "device.rekey", {{"device", device_}}).accepted());
  const auto key = Job(JobKind::kKeyGenerate);
  const json csr = {{"device", device_}, {"csr", ToBase64(MakeCsr(options))}, {"job", key.id.text()}};
  ASSERT_TRUE(Ask("mno-a", "csr.submit", csr).accepted());
  registry_.ServeZone();
  LetTimePass();
  ASSERT_TRUE(Report(JobKind::kPayloadPush, kSuccess, "mno-a").accepted());
  LetTimePass();
  registry_.ServeZone();
  Enabled();
  options.key = NewEcKey();
  const Said said = Ask("mno-b", "csr.submit", {{"device", device_}, {"csr", ToBase64(MakeCsr(options))}});
  EXPECT_EQ(said.symbol(), "key_in_use") << said.payload;
  EXPECT_THAT(said.data().at("message"), HasSubstr("another profile of the device"));
  EXPECT_TRUE(Csr().accepted()) << "and it may send another";
}

// ---- further profiles

TEST_F(TransferMnoTest, WithACodeAnEuiccThatIsKnownGetsOneMoreProfile) {
  const json esim = {{"eid", EidOf(1)}, {"iccid", kIccid}};
  EXPECT_EQ(Ask("mno-b", "esim.register", esim).symbol(), "esim_unavailable") << "without a code";
  json with_code = esim;
  with_code["authorisationCode"] = Code("mno-a");
  const Said said = Ask("mno-b", "esim.register", with_code);
  ASSERT_TRUE(said.accepted()) << said.payload;
  EXPECT_EQ(said.data().at("device"), device_);
  EXPECT_EQ(said.data().at("profile"), 2);
  EXPECT_FALSE(said.data().contains("authorisationCode")) << "its ASP has it already";
  EXPECT_EQ(domain::Sponsor(Device()).text(), "mno-a") << "which serves on";
  EXPECT_TRUE(Ask("mno-b", "device.get", {{"device", device_}}).accepted());
  EXPECT_EQ(Ask("mno-b", "esim.register", with_code).symbol(), "authorisation_invalid") << "it works once";
  json unknown = with_code;
  unknown["eid"] = EidOf(70);
  EXPECT_EQ(Ask("mno-b", "esim.register", unknown).symbol(), "authorisation_invalid");
}

TEST_F(TransferMnoTest, AnEuiccHasRoomForEight) {
  const auto add = [&](std::uint64_t number) {
    return Ask("mno-b", "esim.register",
               {{"eid", EidOf(1)}, {"iccid", IccidOf(number)}, {"authorisationCode", Code("mno-a")}});
  };
  for (std::uint64_t i = 1; i < domain::kProfilesMax; ++i) EXPECT_TRUE(add(900 + i).accepted()) << i;
  const Said said = add(990);
  EXPECT_EQ(said.symbol(), "profiles_too_many");
  EXPECT_EQ(said.code(), 2306);
  EXPECT_EQ(RequestByMno(Code("mno-a"), "mno-b", IccidOf(991)).symbol(), "profiles_too_many");
}

// What README.md says of several profiles.
TEST_F(TransferMnoTest, AnMnoCannotMakeAnotherProfileOfItsOwnServe) {
  const json second = {{"eid", EidOf(1)}, {"iccid", kIccid}, {"authorisationCode", Code("mno-a")}};
  ASSERT_EQ(Ask("mno-a", "esim.register", second).data().value("profile", 0), 2);
  ASSERT_TRUE(Ask("mno-a", "device.attach", {{"device", device_}, {"profile", 2}}).accepted());
  EXPECT_EQ(domain::Serving(Device())->number, 1u) << "it has the certificate";
  EXPECT_EQ(RequestByMno(Code("mno-a"), "mno-a", IccidOf(901)).symbol(), "transfer_to_itself");
  for (const auto& [command, kind] : {std::pair("device.disconnect", JobKind::kProfileDisable),
                                      {"device.reconnect", JobKind::kProfileEnable}}) {
    ASSERT_TRUE(Ask("asp-a", command, {{"device", device_}}).accepted());
    EXPECT_EQ(Job(kind).profile, 1u) << command;
  }
}
TEST_F(TransferMnoTest, BeforeTheFirstCertificateTheProfileThatIsOnTheNetworkServes) {
  device_ = registry_.Register().device;
  const json second = {{"eid", EidOf(2)}, {"iccid", kIccid}, {"authorisationCode", Code("mno-a")}};
  ASSERT_TRUE(Ask("mno-b", "esim.register", second).accepted());
  ASSERT_EQ(domain::Sponsor(Device()).text(), "mno-a");
  for (int twice = 0; twice < 2; ++twice)
    ASSERT_TRUE(Ask("mno-b", "device.attach", {{"device", device_}, {"profile", 2}}).accepted());
  EXPECT_EQ(domain::Sponsor(Device()).text(), "mno-b");
  EXPECT_EQ(Job(JobKind::kKeyGenerate).to->text(), "mno-b");
}

// ---- the way back

TEST_F(TransferMnoTest, AProfileThatCannotBeEnabledLeavesEverythingAsItWas) {
  Approve();
  EXPECT_TRUE(Report(JobKind::kProfileEnable, kFailed, "mno-b").accepted());
  ExpectUndone();
}
TEST_F(TransferMnoTest, SoDoesAKeyThatCannotBeMade) {
  Enabled();
  EXPECT_TRUE(Report(JobKind::kKeyGenerate, kFailed, "mno-b").accepted());
  ExpectUndone();
}
TEST_F(TransferMnoTest, SoDoesAPayloadThatIsNotTaken) {
  Pushed();
  const Bytes next = domain::NextCredential(Device())->certificate.serial;
  EXPECT_TRUE(Report(JobKind::kPayloadPush, kFailed, "mno-b").accepted());
  const auto revocations = registry_.ledger().Revocations();
  ASSERT_THAT(*revocations, SizeIs(1));
  EXPECT_EQ(revocations->front().serial, next);
  ExpectUndone();
}
TEST_F(TransferMnoTest, SoDoesAnMnoThatSaysNothing) {
  Approve();
  for (int i = 0; i < 12 && State() == "approved"; ++i) registry_.RunDueJobs(hours(24));
  ExpectAsItWas();
}

// ---- a renewal that was begun before it

TEST_F(TransferMnoTest, AKeyThatItHasCalledOffIsAskedForAgainOnceItHasFailed) {
  Rekey();
  Approve();
  EXPECT_THAT(Jobs(JobKind::kKeyGenerate), IsEmpty());
  ExpectAskedAgain();
}
TEST_F(TransferMnoTest, SoIsOneWhoseCertificateItHasDropped) {
  Rekey();
  ASSERT_TRUE(Csr("mno-a").accepted());
  registry_.ServeZone();
  Approve();
  EXPECT_EQ(Count(CredentialPhase::kNext), 0u);
  ExpectAskedAgain();
}
TEST_F(TransferMnoTest, SoIsOneThatHadFailedBeforeIt) {
  Rekey();
  ASSERT_TRUE(Report(JobKind::kKeyGenerate, kFailed, "mno-a").accepted());
  Approve();
  ExpectAskedAgain();
}
TEST_F(TransferMnoTest, HoweverFarItHasCome) {
  Rekey();
  Pushed();
  ExpectAskedAgain(JobKind::kPayloadPush);
}
TEST_F(TransferMnoTest, WhereItHasBroughtAnotherKeyNoneIsAskedForAgain) {
  Rekey();
  OldIsGone();
  EXPECT_TRUE(Report(JobKind::kProfileDisable, kSuccess, "mno-a").accepted());
  EXPECT_TRUE(Report(JobKind::kProfileDelete, kSuccess, "mno-a").accepted());
  ASSERT_EQ(State(), "completed");
  registry_.Sweep(hours(48));
  EXPECT_THAT(Jobs(JobKind::kKeyGenerate), IsEmpty());
  EXPECT_THAT(Jobs(JobKind::kCredentialStep), IsEmpty());
}
TEST_F(TransferMnoTest, WhatRetiresWhenItBeginsIsWithdrawnInItsTime) {
  Rekey();
  ASSERT_TRUE(Csr("mno-a").accepted());
  registry_.ServeZone();
  LetTimePass();
  ASSERT_TRUE(Report(JobKind::kPayloadPush, kSuccess, "mno-a").accepted());
  ASSERT_EQ(Count(CredentialPhase::kRetiring), 1u);
  Approve();
  EXPECT_EQ(TlsaWanted(), 2u);
  LetTimePass();
  EXPECT_EQ(TlsaWanted(), 1u);
  registry_.ServeZone();
  EXPECT_EQ(Device().credentials.size(), 1u);
}

TEST_F(TransferMnoTest, ADeviceThatIsDeactivatedMeanwhileStaysItsMnos) {
  Certified();
  EXPECT_TRUE(Ask("operator", "device.deactivate", {{"device", device_}}).accepted());
  EXPECT_EQ(State(), "failed");
  EXPECT_EQ(Device().state, domain::State::kDeactivated);
  EXPECT_THAT(Device().credentials, IsEmpty());
  EXPECT_EQ(domain::Sponsor(Device()).text(), "mno-a");
}

TEST_F(TransferMnoTest, ReconnectedAfterAnEndWithDisconnectTheFormerProfileIsEnabledByOneJob) {
  Certified();
  ASSERT_TRUE(Ask("operator", "device.deactivate", {{"device", device_}, {"disconnect", true}}).accepted());
  const auto for_the_wipe = Job(JobKind::kProfileEnable);
  EXPECT_EQ(for_the_wipe.to->text(), "mno-a");
  ASSERT_TRUE(Ask("operator", "device.reconnect", {{"device", device_}}).accepted());
  ASSERT_THAT(Jobs(JobKind::kProfileEnable), SizeIs(1));
  EXPECT_NE(Job(JobKind::kProfileEnable).id, for_the_wipe.id)
      << "the MNO may have been asked to disable since";
  EXPECT_TRUE(test::Report(registry_, for_the_wipe, kSuccess, "mno-a").accepted()) << "and is noted";
}
TEST_F(TransferMnoTest, WhatIsWipedBeforeItIsDisabledIsNotEnabledAfterwards) {
  Certified();
  ASSERT_TRUE(Ask("operator", "device.deactivate", {{"device", device_}, {"disconnect", true}}).accepted());
  const auto for_the_wipe = Job(JobKind::kProfileEnable);
  EXPECT_TRUE(Report(JobKind::kAppletWipe, kSuccess, "mno-a").accepted());
  EXPECT_THAT(Jobs(JobKind::kProfileEnable), IsEmpty());
  EXPECT_TRUE(Report(JobKind::kProfileDisable, kSuccess, "mno-a").accepted());
  EXPECT_TRUE(test::Report(registry_, for_the_wipe, kSuccess, "mno-a").accepted());
  EXPECT_EQ(ProfileOf(Device(), 1).state, ProfileState::kDisabled);
}

TEST_F(TransferMnoTest, AProfileThatIsDeletedEndsWhatItsMnoWasAskedAndTheOtherMnoHasTheDevice) {
  Enabled();
  EXPECT_TRUE(Report(JobKind::kKeyGenerate, kFailed, "mno-b").accepted());
  EXPECT_TRUE(Ask("asp-a", "device.disconnect", {{"device", device_}}).accepted());
  EXPECT_TRUE(Ask("asp-a", "device.deactivate", {{"device", device_}}).accepted());
  EXPECT_TRUE(Report(JobKind::kProfileDisable, kSuccess, "mno-a").accepted());
  EXPECT_TRUE(Ask("mno-b", "device.attach", {{"device", device_}, {"profile", 2}}).accepted());
  ASSERT_EQ(domain::Sponsor(Device()).text(), "mno-b") << "as long as its profile is the enabled one";
  EXPECT_TRUE(Report(JobKind::kAppletWipe, kSuccess, "mno-a").accepted());
  EXPECT_EQ(Job(JobKind::kProfileDisable).to->text(), "mno-b") << "the device was disconnected";
  EXPECT_TRUE(Report(JobKind::kProfileDelete, kSuccess, "mno-b").accepted());
  EXPECT_THAT(Jobs(JobKind::kProfileDelete), IsEmpty());
  EXPECT_THAT(Jobs(JobKind::kProfileDisable), IsEmpty());
  EXPECT_EQ(domain::Sponsor(Device()).text(), "mno-a");
}

// ---- no way back

TEST_F(TransferMnoTest, OnceDeliveredItIsNotUndone) {
  OldIsGone();
  EXPECT_TRUE(Report(JobKind::kProfileDisable, kFailed, "mno-a").accepted());
  EXPECT_EQ(State(), "approved");
  EXPECT_TRUE(Report(JobKind::kProfileDelete, kFailed, "mno-a").accepted());
  EXPECT_EQ(State(), "completed") << "the device is the gaining MNO's whatever the other one does";
  EXPECT_THAT(Events("mno-b", "device.failed"), IsEmpty());
  EXPECT_EQ(domain::Sponsor(Device()).text(), "mno-b");
}

TEST_F(TransferMnoTest, WhatTheLosingMnoSaysLaterTouchesNothing) {
  OldIsGone();
  const auto disable = Job(JobKind::kProfileDisable);
  Report(JobKind::kProfileDisable, kSuccess, "mno-a");
  const auto remove = Job(JobKind::kProfileDelete);
  Report(JobKind::kProfileDelete, kSuccess, "mno-a");
  HearAll();
  const auto before = Device();
  EXPECT_TRUE(test::Report(registry_, disable, kFailed, "mno-a").accepted());
  EXPECT_TRUE(test::Report(registry_, remove, kFailed, "mno-a").accepted());
  EXPECT_EQ(Device().version, before.version);
  EXPECT_EQ(Ask("mno-a", "device.attach", {{"device", device_}}).symbol(), "not_sponsor");
  EXPECT_EQ(Ask("mno-a", "csr.submit", {{"device", device_}, {"csr", NewCsrPem()}}).symbol(), "not_sponsor");
  EXPECT_EQ(Ask("mno-a", "device.get", {{"device", device_}}).symbol(), "device_unknown");
  EXPECT_TRUE(Ask("asp-a", "device.deactivate", {{"device", device_}}).accepted());
  EXPECT_THAT(Events("mno-a", ""), IsEmpty());
  EXPECT_THAT(Events("mno-b", "device.deactivated"), SizeIs(1));
}

TEST_F(TransferMnoTest, DeactivatedAfterTheSwitchItIsTheGainingMnos) {
  Switched();
  EXPECT_TRUE(Ask("operator", "device.deactivate", {{"device", device_}}).accepted());
  EXPECT_EQ(State(), "completed");
  EXPECT_EQ(Job(JobKind::kAppletWipe).to->text(), "mno-b");
  EXPECT_TRUE(Report(JobKind::kProfileDisable, kSuccess, "mno-a").accepted());
  EXPECT_TRUE(Report(JobKind::kProfileDelete, kSuccess, "mno-a").accepted()) << "and the former profile goes";
  EXPECT_EQ(ProfileOf(Device(), 1).state, ProfileState::kDeleted);
}

TEST_F(TransferMnoTest, TheServingProfileIsDisabledThoughTheFormerOneStillWaitsForThat) {
  Switched();
  ASSERT_TRUE(Ask("operator", "device.deactivate", {{"device", device_}, {"disconnect", true}}).accepted());
  const auto of_former = Job(JobKind::kProfileDisable);
  ASSERT_EQ(of_former.profile, 1u);
  const auto of_serving = [&] {
    auto jobs = Jobs(JobKind::kProfileDisable);
    std::erase_if(jobs, [&](const domain::Job& job) { return job.id == of_former.id; });
    return jobs;
  };
  ASSERT_TRUE(Report(JobKind::kAppletWipe, kSuccess, "mno-b").accepted());
  ASSERT_THAT(of_serving(), SizeIs(1));
  EXPECT_EQ(of_serving().front().to->text(), "mno-b");
  ASSERT_TRUE(test::Report(registry_, of_serving().front(), kSuccess, "mno-b").accepted());
  ASSERT_THAT(of_serving(), IsEmpty());
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_TRUE(Ask("mno-b", "device.attach", {{"device", device_}}).accepted());
    EXPECT_THAT(of_serving(), SizeIs(1)) << "it is on the network all the same";
  }
  EXPECT_THAT(Jobs(JobKind::kProfileDisable), SizeIs(2));
}

TEST_F(TransferMnoTest, EveryStepIsInTheLedger) {
  const std::vector<std::pair<const char*, std::function<void()>>> steps = {
      {"approved", [&] { Approve(); }},
      {"enabled", [&] { Report(JobKind::kProfileEnable, kSuccess, "mno-b"); }},
      {"certified", [&] { EXPECT_TRUE(Csr().accepted()); }},
      {"served", [&] { registry_.ServeZone(); }},
      {"known", [&] { LetTimePass(); }},
      {"delivered", [&] { Report(JobKind::kPayloadPush, kSuccess, "mno-b"); }},
      {"withdrawn", [&] { LetTimePass(); }},
      {"gone", [&] { registry_.ServeZone(); }},
      {"disabled", [&] { Report(JobKind::kProfileDisable, kSuccess, "mno-a"); }},
      {"deleted", [&] { Report(JobKind::kProfileDelete, kSuccess, "mno-a"); }}};
  for (const auto& [name, step] : steps) {
    SCOPED_TRACE(name);
    step();
    registry_.Restart();
  }
  EXPECT_EQ(State(), "completed");
}

TEST_F(TransferMnoTest, ItComesBackUnderAnotherNumber) {
  OldIsGone();
  Report(JobKind::kProfileDisable, kSuccess, "mno-a");
  Report(JobKind::kProfileDelete, kSuccess, "mno-a");
  const Said said = RequestByMno(Code("mno-b"), "mno-a", IccidOf(901));
  ASSERT_TRUE(said.accepted()) << said.payload;
  const Said approved = Ask("mno-b", "transfer.approve", {{"transfer", said.data().at("transfer")}});
  ASSERT_TRUE(approved.accepted()) << approved.payload;
  EXPECT_EQ(approved.data().at("profile"), 3);
}

}  // namespace
}  // namespace registry::test
