// Deactivate, reactivate, delete: who undoes what, and when the eSIM is free again.
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "tests/support/csr_maker.h"
#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using domain::JobKind;
using domain::UniqueKind;
using testing::HasSubstr;
using testing::SizeIs;

class EsimTest : public testing::Test {
 protected:
  // The first device of a registry has EidOf(1) and IccidOf(1).
  Said RegisterAgain(std::uint64_t eid = 1, std::uint64_t iccid = 1) {
    return registry_.Ask("mno-a", "esim.register", {{"eid", EidOf(eid)}, {"iccid", IccidOf(iccid)}});
  }
  std::string Delete(const std::string& device) {
    EXPECT_TRUE(registry_.Ask("operator", "device.delete", {{"device", device}}).accepted());
    return device;
  }
  std::optional<DeviceId> Holder(UniqueKind kind, const std::string& value) {
    return *registry_.ledger().FindUnique({kind, AsBytes(value)});
  }
  TestRegistry registry_;
};

// The wipe names the eSIM: it must not hit the next device there.
TEST_F(EsimTest, IsNotRegisteredAgainBeforeTheWipeIsReported) {
  const std::string id = Delete(registry_.Activate());
  for (const auto& [eid, iccid, field] : {std::tuple(1u, 1u, "/eid"), std::tuple(7u, 1u, "/iccid")}) {
    const Said refused = RegisterAgain(eid, iccid);
    EXPECT_EQ(refused.symbol(), "esim_wipe_pending");
    EXPECT_EQ(refused.code(), 2304);
    EXPECT_EQ(refused.data().at("field"), field);
    EXPECT_THAT(refused.data().at("message"), HasSubstr("applet.wipe"));
  }
  const auto wipe = JobOf(registry_, id, JobKind::kAppletWipe);
  EXPECT_TRUE(Report(registry_, wipe, {{"outcome", "success"}}).accepted());
  EXPECT_EQ(registry_.Device(id).trace.back().step, "wiped");
  const Said accepted = RegisterAgain();
  ASSERT_TRUE(accepted.accepted()) << accepted.payload;
  EXPECT_EQ(Holder(UniqueKind::kEid, EidOf(1))->text(), accepted.data().at("device"));
  EXPECT_TRUE(Report(registry_, wipe, {{"outcome", "success"}}).accepted()) << "said again";
  EXPECT_EQ(Holder(UniqueKind::kEid, EidOf(1))->text(), accepted.data().at("device"));
  EXPECT_TRUE(ledger::Verify(registry_.ledger())->faults.empty());
}

TEST_F(EsimTest, KeepsItsAgreementKeyAsLongAsTheWipeWaits) {
  CsrOptions options;
  options.agreement = NewEcKey();
  const auto csr = [&] {
    options.key = NewEcKey();
    return ToPem("CERTIFICATE REQUEST", MakeCsr(options));
  };
  const auto submit = [&](const std::string& mno, const std::string& device) {
    return registry_.Ask(mno, "csr.submit", {{"device", device}, {"csr", csr()}});
  };
  const std::string id = registry_.Register().device, other = registry_.Register().device;
  for (const std::string& device : {id, other}) ASSERT_TRUE(Attach(registry_, device).accepted());
  ASSERT_TRUE(submit("mno-a", id).accepted());
  Delete(id);
  EXPECT_EQ(submit("mno-a", other).symbol(), "key_in_use");
  const auto wipe = JobOf(registry_, id, JobKind::kAppletWipe);
  EXPECT_TRUE(Report(registry_, wipe, {{"outcome", "success"}}).accepted());
  const std::string successor = RegisterAgain().data().at("device");
  ASSERT_TRUE(registry_.Ask("mno-a", "device.attach", {{"device", successor}}).accepted());
  EXPECT_TRUE(submit("mno-a", successor).accepted()) << "the applet's key stayed in the applet";
}

TEST_F(EsimTest, IsFreeWhenTheWipeIsGivenUp) {
  const std::string id = Delete(registry_.Activate());
  const auto wipe = JobOf(registry_, id, JobKind::kAppletWipe);
  EXPECT_TRUE(
      Report(registry_, wipe, {{"outcome", "failed"}, {"stage", "radio"}, {"retriable", true}}).accepted());
  EXPECT_EQ(RegisterAgain().symbol(), "esim_wipe_pending") << "it will be tried again";
  EXPECT_TRUE(Report(registry_, wipe, {{"outcome", "failed"}, {"stage", "radio"}}).accepted());
  EXPECT_TRUE(RegisterAgain().accepted());
}

TEST_F(EsimTest, IsFreeWhenTheMnoStaysSilentToTheEnd) {
  const std::string id = Delete(registry_.Activate());
  for (int attempt = 1; attempt <= 6; ++attempt) {
    EXPECT_EQ(RegisterAgain().symbol(), "esim_wipe_pending") << attempt;
    registry_.RunDueJobs(std::chrono::hours(2));
  }
  EXPECT_TRUE(RegisterAgain().accepted());
}

TEST_F(EsimTest, OfADeviceNeverAttachedIsFreeAtOnce) {
  Delete(registry_.Register().device);
  EXPECT_TRUE(RegisterAgain().accepted());
}

TEST_F(EsimTest, OfADeactivatedDeviceStaysItsOwnAfterTheWipe) {
  const std::string id = registry_.Activate();
  EXPECT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", id}}).accepted());
  const auto wipe = JobOf(registry_, id, JobKind::kAppletWipe);
  EXPECT_TRUE(Report(registry_, wipe, {{"outcome", "success"}}).accepted());
  EXPECT_EQ(RegisterAgain().symbol(), "eid_registered");
}

// A tombstone that gave its eSIM away already must not give away what is now its successor's.
TEST_F(EsimTest, OfASuccessorIsNotReleasedByAnOldWipe) {
  const std::string id = Delete(registry_.Register().device);
  const Said successor = RegisterAgain();
  ASSERT_TRUE(successor.accepted());
  domain::Job wipe;
  wipe.id = *JobId::Parse("0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69");
  wipe.subject = *DeviceId::Parse(id);
  wipe.to = *PartyId::Parse("mno-a");
  wipe.kind = JobKind::kAppletWipe;
  wipe.due = registry_.clock().Now() + std::chrono::hours(1);
  domain::Changeset changes;
  changes.jobs_put.push_back(wipe);
  ASSERT_TRUE(registry_.ledger().Commit(std::move(changes)).ok());
  EXPECT_TRUE(Report(registry_, wipe, {{"outcome", "success"}}).accepted());
  for (const auto& [kind, value] :
       {std::pair(UniqueKind::kEid, EidOf(1)), std::pair(UniqueKind::kIccid, IccidOf(1))}) {
    ASSERT_TRUE(Holder(kind, value));
    EXPECT_EQ(Holder(kind, value)->text(), successor.data().at("device"));
  }
}

TEST(Reactivate, WhatTheOperatorEndedOnlyTheOperatorUndoes) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  const json device = {{"device", id}};
  ASSERT_TRUE(registry.Ask("operator", "device.deactivate", device).accepted());
  EXPECT_THAT(registry.Device(id).statuses, testing::ElementsAre(domain::DeviceStatus::kServerHold));
  const Said refused = registry.Ask("asp-a", "device.reactivate", device);
  EXPECT_EQ(refused.symbol(), "state_prohibits");
  EXPECT_EQ(refused.code(), 2304);
  EXPECT_THAT(refused.data().at("message"), HasSubstr("serverHold"));
  EXPECT_EQ(registry.Device(id).state, domain::State::kDeactivated);
  ASSERT_TRUE(registry.Ask("operator", "device.reactivate", device).accepted());
  EXPECT_THAT(registry.Device(id).statuses, SizeIs(0));
  EXPECT_EQ(registry.Device(id).state, domain::State::kAttached);
}

TEST(Deactivate, TheOperatorsSecondOneAsksForTheWipeAgainAndForNothingElse) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  const json device = {{"device", id}};
  ASSERT_TRUE(registry.Ask("asp-a", "device.deactivate", device).accepted());
  const domain::Job first = JobOf(registry, id, JobKind::kAppletWipe);
  ASSERT_TRUE(Report(registry, first, {{"outcome", "failed"}, {"stage", "radio"}}).accepted());
  const auto left = *registry.ledger().JobsOf(*DeviceId::Parse(id));
  EXPECT_TRUE(std::none_of(left.begin(), left.end(), [](const domain::Job& job) {
    return job.kind == JobKind::kAppletWipe;
  })) << "the wipe was given up";
  EXPECT_EQ(registry.Ask("asp-a", "device.deactivate", device).symbol(), "state_prohibits")
      << "not the ASP's";
  const std::size_t told = registry.Heard("registry/v1/to/asp-a/event/device.deactivated").size();

  const json why = {{"device", id}, {"reason", "the card was found"}};
  const Said again = registry.Ask("operator", "device.deactivate", why);
  ASSERT_TRUE(again.accepted()) << again.payload;
  EXPECT_EQ(again.data().at("state"), "deactivated");
  EXPECT_THAT(registry.Device(id).statuses, SizeIs(0)) << "its ASP may still reactivate it";
  EXPECT_NE(JobOf(registry, id, JobKind::kAppletWipe).id, first.id);
  EXPECT_THAT(HistoryOf(registry, *DeviceId::Parse(id)),
              testing::Contains("wipe asked again: the card was found"));
  EXPECT_EQ(told, 1u);
  EXPECT_THAT(registry.Heard("registry/v1/to/asp-a/event/device.deactivated"), SizeIs(0))
      << "it is told once";
  EXPECT_TRUE(ledger::Verify(registry.ledger())->faults.empty());
}

TEST(Deactivate, OfTwoWhoHaveSeenTheSameOneIsRefused) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  ASSERT_TRUE(registry.Ask("asp-a", "device.deactivate", {{"device", id}}).accepted());
  const domain::Job first = JobOf(registry, id, JobKind::kAppletWipe);
  ASSERT_TRUE(Report(registry, first, {{"outcome", "failed"}, {"stage", "radio"}}).accepted());
  const json seen = {{"device", id}, {"recordVersion", registry.Device(id).version}};

  ASSERT_TRUE(registry.Ask("operator", "device.deactivate", seen).accepted());
  const domain::Job second = JobOf(registry, id, JobKind::kAppletWipe);
  ASSERT_TRUE(Report(registry, second, {{"outcome", "success"}}).accepted());
  const Said late = registry.Ask("operator", "device.deactivate", seen);
  EXPECT_EQ(late.symbol(), "device_changed");
  EXPECT_EQ(late.code(), 2304);
  const auto left = *registry.ledger().JobsOf(*DeviceId::Parse(id));
  EXPECT_TRUE(std::none_of(left.begin(), left.end(), [](const domain::Job& job) {
    return job.kind == JobKind::kAppletWipe;
  })) << "it was wiped, and is not wiped again";
}

TEST(Deactivate, ADeviceThatCameBackMeanwhileIsLeftAlone) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  ASSERT_TRUE(registry.Ask("asp-a", "device.deactivate", {{"device", id}}).accepted());
  const json seen = {{"device", id}, {"recordVersion", registry.Device(id).version}};
  ASSERT_TRUE(registry.Ask("asp-a", "device.reactivate", {{"device", id}}).accepted());
  EXPECT_EQ(registry.Ask("operator", "device.deactivate", seen).symbol(), "device_changed");
  EXPECT_EQ(registry.Device(id).state, domain::State::kAttached);
}

TEST(Deactivate, WhatWasNeverSeenIsWipedNoMore) {
  TestRegistry registry;
  const std::string id = registry.Register().device;
  ASSERT_TRUE(registry.Ask("operator", "device.deactivate", {{"device", id}}).accepted());
  const Said again = registry.Ask("operator", "device.deactivate", {{"device", id}});
  EXPECT_EQ(again.symbol(), "state_prohibits");
  EXPECT_THAT(again.data().at("message"), HasSubstr("never seen has nothing to wipe"));
}

TEST(Reactivate, WhatTheClaimerEndedBothUndo) {
  for (const char* party : {"asp-a", "operator"}) {
    TestRegistry registry;
    const std::string id = registry.Activate();
    ASSERT_TRUE(registry.Ask("asp-a", "device.deactivate", {{"device", id}}).accepted());
    EXPECT_THAT(registry.Device(id).statuses, SizeIs(0));
    EXPECT_TRUE(registry.Ask(party, "device.reactivate", {{"device", id}}).accepted()) << party;
  }
}

const json kRadio = {{"outcome", "failed"}, {"stage", "radio"}};
const json kRetriable = {{"outcome", "failed"}, {"stage", "radio"}, {"retriable", true}};

// Reactivated while the MNO may still empty the applet.
class WipedTest : public testing::Test {
 protected:
  WipedTest() {
    Ask("device.deactivate");
    wipe_ = JobOf(registry_, id_, JobKind::kAppletWipe);
    Ask("device.reactivate");
  }
  void Ask(const std::string& command) {
    ASSERT_TRUE(registry_.Ask("asp-a", command, {{"device", id_}}).accepted()) << command;
  }
  Said Submit(const json& more = json::object()) {
    json data = {{"device", id_}, {"csr", NewCsrPem()}};
    data.update(more);
    return registry_.Ask("mno-a", "csr.submit", data);
  }
  bool Asked(JobKind kind) {
    const auto jobs = *registry_.ledger().JobsOf(*DeviceId::Parse(id_));
    return std::any_of(jobs.begin(), jobs.end(), [kind](const auto& job) { return job.kind == kind; });
  }
  // Nothing of a new key before the wipe has ended, and then one question for it.
  void ExpectKeyAfter(const std::function<void()>& end) {
    EXPECT_EQ(registry_.Device(id_).state, domain::State::kAttached);
    EXPECT_FALSE(Asked(JobKind::kKeyGenerate));
    EXPECT_TRUE(Attach(registry_, id_).accepted());
    EXPECT_FALSE(Asked(JobKind::kKeyGenerate)) << "seen on the network, but not yet empty";
    const Said refused = Submit();
    EXPECT_EQ(refused.symbol(), "wipe_pending");
    EXPECT_EQ(refused.code(), 2304);
    registry_.Heard(kActions + std::string("key.generate"));
    end();
    EXPECT_FALSE(Asked(JobKind::kAppletWipe));
    EXPECT_THAT(registry_.Heard(kActions + std::string("key.generate")), SizeIs(1));
    EXPECT_TRUE(Submit({{"job", JobOf(registry_, id_, JobKind::kKeyGenerate).id.text()}}).accepted());
    EXPECT_EQ(registry_.Device(id_).state, domain::State::kCertified);
  }

  TestRegistry registry_;
  const std::string id_ = registry_.Activate();
  domain::Job wipe_;
};

TEST_F(WipedTest, GetsItsKeyWhenTheWipeIsReported) {
  ExpectKeyAfter([&] { EXPECT_TRUE(Report(registry_, wipe_, {{"outcome", "success"}}).accepted()); });
  EXPECT_TRUE(Report(registry_, wipe_, {{"outcome", "success"}}).accepted()) << "said again";
  EXPECT_EQ(registry_.Device(id_).state, domain::State::kCertified);
}

TEST_F(WipedTest, GetsItsKeyWhenTheWipeFails) {
  ExpectKeyAfter([&] { EXPECT_TRUE(Report(registry_, wipe_, kRadio).accepted()); });
}

TEST_F(WipedTest, GetsItsKeyWhenTheWipeFailsAndCouldBeTriedAgain) {
  ExpectKeyAfter([&] { EXPECT_TRUE(Report(registry_, wipe_, kRetriable).accepted()); });
  EXPECT_THAT(registry_.Heard(kAspFailures), SizeIs(1)) << "the applet may not be empty";
}

// Whatever the MNO says, the wipe ends when it was told it would.
TEST_F(WipedTest, GetsItsKeyAtTheDeadlineHoweverOftenTheMnoPutsItOff) {
  for (int said = 1; said <= 3; ++said) {
    EXPECT_TRUE(Report(registry_, wipe_, {{"outcome", "unknown"}}).accepted());
    EXPECT_TRUE(Report(registry_, wipe_, {{"progress", said}, {"stage", "waiting_device"}}).accepted());
    registry_.RunDueJobs(std::chrono::seconds(9));
    EXPECT_EQ(JobOf(registry_, id_, JobKind::kAppletWipe).due, wipe_.due) << said;
  }
  EXPECT_EQ(JobOf(registry_, id_, JobKind::kAppletWipe).last_stage, "waiting_device");
  ExpectKeyAfter([&] { registry_.RunDueJobs(std::chrono::seconds(4)); });
}

TEST_F(WipedTest, IsAskedToWipeAgainWhenItEndsAgain) {
  registry_.Heard(kActions + std::string("applet.wipe"));
  Ask("device.deactivate");
  EXPECT_TRUE(Report(registry_, wipe_, kRetriable).accepted());
  EXPECT_TRUE(Report(registry_, wipe_, {{"progress", 1}, {"stage", "waiting_device"}}).accepted());
  EXPECT_GT(JobOf(registry_, id_, JobKind::kAppletWipe).due, wipe_.due) << "wanted, so it may take its time";
  registry_.RunDueJobs(std::chrono::hours(2));
  const auto again = registry_.Heard(kActions + std::string("applet.wipe"));
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].data().at("job"), wipe_.id.text());
  EXPECT_EQ(again[0].data().at("attempt"), 2);
}

TEST_F(WipedTest, GetsItsKeyWhenTheMnoStaysSilentUntilTheDeadline) {
  registry_.Heard(kActions + std::string("applet.wipe"));
  ExpectKeyAfter([&] { registry_.RunDueJobs(std::chrono::hours(2)); });
  EXPECT_THAT(registry_.Heard(kActions + std::string("applet.wipe")), SizeIs(0))
      << "nobody wants it any more";
}

TEST_F(WipedTest, GetsItsKeyAfterARestart) {
  registry_.Restart();
  ExpectKeyAfter([&] { EXPECT_TRUE(Report(registry_, wipe_, {{"outcome", "success"}}).accepted()); });
}

TEST_F(WipedTest, IsNotAskedToWipeTwiceWhenItEndsAgain) {
  registry_.Heard(kActions + std::string("applet.wipe"));
  Ask("device.deactivate");
  EXPECT_EQ(JobOf(registry_, id_, JobKind::kAppletWipe).id, wipe_.id) << "the MNO is at it already";
  Ask("device.reactivate");
  Ask("device.delete");
  EXPECT_EQ(JobOf(registry_, id_, JobKind::kAppletWipe).id, wipe_.id);
  EXPECT_THAT(registry_.Heard(kActions + std::string("applet.wipe")), SizeIs(0));
  EXPECT_TRUE(Report(registry_, wipe_, {{"outcome", "success"}}).accepted());
  EXPECT_FALSE(Asked(JobKind::kKeyGenerate)) << "a tombstone needs no key";
}

// The MNO drops the wipe at the deadline it was told; that the registry had meant to wait longer is over.
class PutOffTest : public testing::Test {
 protected:
  PutOffTest() {
    Ask("device.deactivate");
    wipe_ = JobOf(registry_, id_, JobKind::kAppletWipe);
    EXPECT_TRUE(Report(registry_, wipe_, {{"progress", 1}, {"stage", "waiting_device"}}).accepted());
    EXPECT_GT(JobOf(registry_, id_, JobKind::kAppletWipe).due, wipe_.due);
  }
  void Ask(const std::string& command) {
    ASSERT_TRUE(registry_.Ask("asp-a", command, {{"device", id_}}).accepted()) << command;
  }
  std::size_t KeysAsked() { return registry_.Heard(kActions + std::string("key.generate")).size(); }

  TestRegistry registry_;
  const std::string id_ = registry_.Activate();
  domain::Job wipe_;
};

TEST_F(PutOffTest, IsOverAtTheDeadlineTold) {
  Ask("device.reactivate");
  EXPECT_EQ(JobOf(registry_, id_, JobKind::kAppletWipe).due, wipe_.due);
  KeysAsked();
  registry_.RunDueJobs(std::chrono::seconds(29));
  EXPECT_EQ(KeysAsked(), 0u) << "it may still be carried out";
  registry_.RunDueJobs(std::chrono::seconds(2));
  EXPECT_EQ(KeysAsked(), 1u);
}

TEST_F(PutOffTest, IsOverAtOnceWhenTheDeadlineToldHasPassed) {
  registry_.RunDueJobs(std::chrono::minutes(2));
  KeysAsked();
  Ask("device.reactivate");
  registry_.RunDueJobs(std::chrono::seconds(0));
  EXPECT_EQ(KeysAsked(), 1u);
}

TEST_F(PutOffTest, OfAWipeSentAgainTheLastDeadlineCounts) {
  registry_.RunDueJobs(std::chrono::hours(1));
  const auto sent = JobOf(registry_, id_, JobKind::kAppletWipe);
  EXPECT_EQ(sent.attempt, 2u);
  EXPECT_TRUE(Report(registry_, sent, {{"progress", 2}, {"stage", "waiting_device"}}).accepted());
  Ask("device.reactivate");
  EXPECT_EQ(JobOf(registry_, id_, JobKind::kAppletWipe).due, sent.due);
}

TEST(Reactivate, WhoseWipeHasEndedIsAskedForAKeyAtOnce) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  ASSERT_TRUE(registry.Ask("asp-a", "device.deactivate", {{"device", id}}).accepted());
  EXPECT_TRUE(
      Report(registry, JobOf(registry, id, JobKind::kAppletWipe), {{"outcome", "success"}}).accepted());
  registry.Heard(kActions + std::string("key.generate"));
  ASSERT_TRUE(registry.Ask("asp-a", "device.reactivate", {{"device", id}}).accepted());
  EXPECT_THAT(registry.Heard(kActions + std::string("key.generate")), SizeIs(1));
}

TEST(Reactivate, ADeviceNeverAttachedHasNothingToWipe) {
  TestRegistry registry;
  const std::string id = registry.Register().device;
  ASSERT_TRUE(registry.Ask("operator", "device.deactivate", {{"device", id}}).accepted());
  ASSERT_TRUE(registry.Ask("operator", "device.reactivate", {{"device", id}}).accepted());
  EXPECT_EQ(registry.Device(id).state, domain::State::kRegistered);
  ASSERT_TRUE(Attach(registry, id).accepted());
  EXPECT_THAT(registry.Heard(kActions + std::string("key.generate")), SizeIs(1));
}

// Found by random histories: each step left an alarm for content that nobody waited for any more, and parties were told
// twice that DNS lags.
TEST(Reactivate, WhileDnsLagsOneAlarmWaitsForTheContentWantedLast) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  ASSERT_TRUE(registry.Ask("asp-a", "device.deactivate", {{"device", id}}).accepted());
  EXPECT_TRUE(
      Report(registry, JobOf(registry, id, JobKind::kAppletWipe), {{"outcome", "success"}}).accepted());
  ASSERT_TRUE(registry.Ask("asp-a", "device.reactivate", {{"device", id}}).accepted());
  const std::string job = JobOf(registry, id, JobKind::kKeyGenerate).id.text();
  EXPECT_EQ(JobOf(registry, id, JobKind::kZoneVisible).version, registry.Device(id).zone.wanted);
  EXPECT_THAT(*registry.ledger().JobsOf(*DeviceId::Parse(id)), SizeIs(2));

  const Said certified =
      registry.Ask("mno-a", "csr.submit", {{"device", id}, {"csr", NewCsrPem()}, {"job", job}});
  ASSERT_TRUE(certified.accepted()) << certified.payload;
  EXPECT_EQ(OnlyJob(registry, id).version, registry.Device(id).zone.wanted);
}

TEST(Reactivate, TheOldKeyIsNotCertifiedAgain) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register();
  const json csr = {{"device", device.device}, {"csr", NewCsrPem()}};
  ASSERT_TRUE(Claim(registry, device).accepted() && Attach(registry, device.device).accepted());
  const Said first = registry.Ask("mno-a", "csr.submit", csr, "csr");
  ASSERT_TRUE(first.accepted());
  ASSERT_TRUE(registry.Ask("asp-a", "device.deactivate", {{"device", device.device}}).accepted());
  const auto wipe = JobOf(registry, device.device, JobKind::kAppletWipe);
  ASSERT_TRUE(Report(registry, wipe, {{"outcome", "success"}}).accepted());
  ASSERT_TRUE(registry.Ask("asp-a", "device.reactivate", {{"device", device.device}}).accepted());
  json anew = csr;
  anew["job"] = JobOf(registry, device.device, JobKind::kKeyGenerate).id.text();
  const Said again = registry.Ask("mno-a", "csr.submit", anew);
  EXPECT_EQ(again.symbol(), "key_in_use") << "its certificate was revoked";
  EXPECT_EQ(registry.Ask("mno-a", "csr.submit", csr, "csr").payload, first.payload)
      << "the same command said again is answered, not decided";
  EXPECT_FALSE(domain::Live(registry.Device(device.device)));
}

TEST(Reactivate, ALateCsrOfAWipedKeyIsNotCertified) {
  TestRegistry registry;
  const auto [id, code] = registry.Register();
  ASSERT_TRUE(Attach(registry, id).accepted());
  const auto asked = JobOf(registry, id, JobKind::kKeyGenerate);
  ASSERT_TRUE(registry.Ask("operator", "device.deactivate", {{"device", id}}).accepted());
  const auto wipe = JobOf(registry, id, JobKind::kAppletWipe);
  ASSERT_TRUE(Report(registry, wipe, {{"outcome", "success"}}).accepted());
  ASSERT_TRUE(registry.Ask("operator", "device.reactivate", {{"device", id}}).accepted());
  json late = {{"device", id}, {"csr", NewCsrPem()}};
  const Said unnamed = registry.Ask("mno-a", "csr.submit", late);
  EXPECT_EQ(unnamed.symbol(), "job_missing");
  EXPECT_EQ(unnamed.code(), 2003);
  late["job"] = asked.id.text();
  EXPECT_EQ(registry.Ask("mno-a", "csr.submit", late).symbol(), "job_unknown");
  EXPECT_FALSE(domain::Live(registry.Device(id)));
  const auto waiting = JobOf(registry, id, JobKind::kKeyGenerate);
  const json now = {{"device", id}, {"csr", NewCsrPem()}, {"job", waiting.id.text()}};
  EXPECT_TRUE(registry.Ask("mno-a", "csr.submit", now).accepted());
}

}  // namespace
}  // namespace registry::test
