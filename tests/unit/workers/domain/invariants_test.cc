// Every rule of workers/domain/invariants.h is broken once, and names itself.
#include "workers/domain/invariants.h"

#include <gmock/gmock.h>

#include <functional>

namespace registry::domain {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr UtcTime kNow{1'790'000'000'000'000};
const PartyId kMno = *PartyId::Parse("mno-a"), kAsp = *PartyId::Parse("asp-a");

Device Registered() {
  Device device;
  device.id = DeviceId::FromRandom({1, 2, 3});
  device.sponsor = kMno;
  device.created = device.updated = kNow;
  return device;
}

Device Active() {
  Device device = Registered();
  device.version = 7;
  device.state = State::kActive;
  device.claimer = kAsp;
  device.endpoint = EndpointName::Parse("main");
  device.attached = true;
  device.certificate = {Bytes(9, 1), Bytes(20, 2), Bytes(32, 3), Bytes(32, 4), kNow, kNow};
  device.agreement_key = Bytes(65, 5);
  device.payload_version = device.delivered_version = 1;
  device.zone_revision = device.visible_revision = 1;
  return device;
}

ZoneChange Served() { return {Active().id, 1, {{3, 0, 1, Bytes(32, 3)}}, ""}; }

Job Waiting(JobKind kind, std::uint64_t subject = 0) {
  Job job;
  job.id = *JobId::Parse(DeviceId::FromRandom({static_cast<std::uint8_t>(kind)}).text());
  job.device = Active().id;
  job.kind = kind;
  job.subject = subject;
  return job;
}

// As device.deactivate leaves it.
Changeset Deactivation() {
  Device device = Active();
  device.state = State::kDeactivated;
  device.certificate.reset();
  device.zone_revision = 2;
  Changeset changes;
  changes.devices = {{device, device.version}};
  changes.revocations = {{Bytes(20, 2), kNow, 5, kNow}};
  changes.zone = {{device.id, 2, {}, "state=deactivated"}};
  changes.jobs_put = {Waiting(JobKind::kZoneVisible, 2), Waiting(JobKind::kAppletWipe)};
  for (const PartyId& party : {kMno, kAsp}) {
    changes.notifications.emplace_back();
    changes.notifications.back().to = party;
    changes.notifications.back().type = "device.deactivated";
  }
  return changes;
}
BeforeOf BeforeIt() { return {{Active().id, {Active(), {}}}}; }

TEST(Invariants, OfADevice) {
  EXPECT_THAT(FaultsOf(Registered()), IsEmpty());
  EXPECT_THAT(FaultsOf(Active()), IsEmpty());
  const std::vector<std::pair<std::function<void(Device&)>, std::string>> broken = {
      {[](Device& it) { it.visible_revision = 2; }, "more is visible in the zone than was wanted"},
      {[](Device& it) { it.delivered_version = 2; }, "a payload was delivered that was never made"},
      {[](Device& it) { it.endpoint.reset(); }, "a claimer without an endpoint"},
      {[](Device& it) { it.state = State::kDeactivated; }, "has a live certificate though it is deactivated"},
      {[](Device& it) { it.certificate.reset(); }, "has no certificate though it is active"},
      {[](Device& it) { it.agreement_key.clear(); }, "has no key-agreement key though it is active"},
      {[](Device& it) { it.delivered_version = 0; }, "is active without a claimer or a delivered payload"},
      {[](Device& it) { it.attached = false; }, "was never seen on the network though it is active"},
  };
  for (const auto& [breaks, fault] : broken) {
    Device device = Active();
    breaks(device);
    EXPECT_THAT(FaultsOf(device), Contains(HasSubstr(fault)));
  }
}

TEST(Invariants, OfTheZone) {
  EXPECT_THAT(FaultsInZone(Active(), Served()), IsEmpty());
  EXPECT_THAT(FaultsInZone(Registered(), std::nullopt), IsEmpty());
  EXPECT_THAT(FaultsInZone(Active(), std::nullopt), Contains(HasSubstr("active without TLSA")));
  ZoneChange of_another = Served();
  of_another.tlsa[0].data = Bytes(32, 9);
  EXPECT_THAT(FaultsInZone(Active(), of_another), Contains(HasSubstr("TLSA of another certificate")));
  ZoneChange of_the_key = Served();
  of_the_key.tlsa[0] = {3, 1, 1, Bytes(32, 4)};
  EXPECT_THAT(FaultsInZone(Active(), of_the_key), IsEmpty());
  ZoneChange older = Served();
  older.revision = 0;
  EXPECT_THAT(FaultsInZone(Active(), older), Contains(HasSubstr("of another revision")));
  Device off = Active();
  off.state = State::kDeactivated;
  EXPECT_THAT(FaultsInZone(off, Served()), Contains(HasSubstr("has TLSA though it is deactivated")));
  off.state = State::kDeleted;
  EXPECT_THAT(FaultsInZone(off, Served()), Contains(HasSubstr("is deleted but still in the zone")));
}

TEST(Invariants, OfJobs) {
  EXPECT_THAT(FaultsInJobs(Active(), {Waiting(JobKind::kPayloadPush, 1)}), IsEmpty());
  const auto fault = [](const std::vector<Job>& jobs, const std::string& what, Device device = Active()) {
    EXPECT_THAT(FaultsInJobs(device, jobs), Contains(HasSubstr(what)));
  };
  fault({Waiting(JobKind::kKeyGenerate)}, "key.generate waits though it is active");
  fault({Waiting(JobKind::kPayloadPush, 1), Waiting(JobKind::kPayloadPush, 1)}, "two jobs of payload.push");
  fault({Waiting(JobKind::kPayloadPush, 2)}, "a payload is pushed that was never made");
  fault({Waiting(JobKind::kZoneVisible, 1)}, "an alarm waits for a zone change that was seen");
  Device owed = Active();
  owed.zone_revision = 2;
  fault({}, "a zone change is awaited without an alarm", owed);
  fault({Waiting(JobKind::kZoneVisible, 1)}, "the alarm of another zone revision waits", owed);
  Device back = Registered();
  back.state = State::kAttached;
  fault({Waiting(JobKind::kKeyGenerate), Waiting(JobKind::kAppletWipe)}, "beside a wipe", back);
  Job untried = Waiting(JobKind::kPayloadPush, 1);
  untried.attempt = 0;
  fault({untried}, "was never tried");
}

TEST(Invariants, OfAStep) {
  EXPECT_THAT(FaultsOf(Deactivation(), BeforeIt()), IsEmpty());
  const std::vector<std::pair<std::function<void(Changeset&)>, std::string>> broken = {
      {[](Changeset& it) { it.revocations.clear(); }, "lost its live certificate, which is not revoked"},
      {[](Changeset& it) { it.zone.clear(); }, "zone content and its revision do not change together"},
      {[](Changeset& it) { it.zone = {Served()}; }, "has TLSA though it is deactivated"},
      {[](Changeset& it) { it.jobs_put.clear(); }, "a zone change is awaited without an alarm"},
      {[](Changeset& it) { it.notifications[0].to = *PartyId::Parse("asp-b"); }, "goes to asp-b"},
      {[](Changeset& it) { it.devices[0].device.state = State::kCertified; },
       "came from active to certified"},
      {[](Changeset& it) { it.devices[0].device.sponsor = kAsp; }, "became another one"},
      {[](Changeset& it) { it.devices[0].device.claimer = kMno; }, "was taken over"},
      {[](Changeset& it) { it.devices[0].device.zone_revision = 0; }, "its zone revision went back"},
      {[](Changeset& it) { it.devices[0].device.payload_version = 0; }, "its payload version went back"},
      {[](Changeset& it) {
         it.releases = {{UniqueKind::kEid, {}}};
       },
       "gives its EID away"},
      {[](Changeset& it) { it.devices[0].device = Active(); }, "its live certificate is revoked"},
  };
  for (const auto& [breaks, fault] : broken) {
    Changeset changes = Deactivation();
    breaks(changes);
    EXPECT_THAT(FaultsOf(changes, BeforeIt()), Contains(HasSubstr(fault)));
  }
}

// Else a device with an old fault would be trusted for ever.
TEST(Invariants, AnOldFaultKeepsNobodyFromDeactivating) {
  BeforeOf before = BeforeIt();
  before.at(Active().id).device->endpoint.reset();
  Changeset changes = Deactivation();
  changes.devices[0].device.endpoint.reset();
  EXPECT_THAT(FaultsOf(changes, before), IsEmpty());
  EXPECT_THAT(FaultsOf(changes, BeforeIt()), Contains(HasSubstr("a claimer without an endpoint")));
}

TEST(Invariants, OfABirth) {
  Changeset changes;
  changes.devices = {{Registered(), 0}};
  const BeforeOf nothing = {{Registered().id, {}}};
  EXPECT_THAT(FaultsOf(changes, nothing), Contains(HasSubstr("takes no EID")));
  changes.claims = {{{UniqueKind::kEid, {}}, Registered().id}, {{UniqueKind::kIccid, {}}, Registered().id}};
  EXPECT_THAT(FaultsOf(changes, nothing), IsEmpty());
  changes.devices[0].device = Active();
  EXPECT_THAT(FaultsOf(changes, nothing), Contains(HasSubstr("begins in another state")));
  EXPECT_THAT(FaultsOf(changes, nothing), Contains(HasSubstr("does not claim")));
}

TEST(Invariants, OfWorkWithoutADevice) {
  Changeset changes;
  changes.jobs_put = {Waiting(JobKind::kAppletWipe)};
  EXPECT_THAT(Touched(changes), testing::ElementsAre(Active().id));
  EXPECT_THAT(FaultsOf(changes, {{Active().id, {}}}), Contains(HasSubstr("no record")));
}

}  // namespace
}  // namespace registry::domain
