// Every rule of workers/domain/invariants.h is broken once, and names itself.
#include "workers/domain/invariants.h"

#include <gmock/gmock.h>

#include <functional>

#include "tests/support/device_maker.h"
#include "workers/domain/job_kinds.h"

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
  test::ProfileOf(device).mno = kMno;
  device.created = device.updated = kNow;
  return device;
}

Device Active() {
  Device device = Registered();
  device.version = 7;
  device.state = State::kActive;
  device.bindings = {{1, kAsp, *EndpointName::Parse("main"), BindingPhase::kLive, 1, 1}};
  test::SetAttached(device);
  test::ProfileOf(device).agreement_key = Bytes(65, 5);
  test::CertificateOf(device) = {Bytes(9, 1), Bytes(20, 2), Bytes(32, 3), Bytes(32, 4), kNow, kNow};
  device.zone = {1, 1};
  return device;
}

const PartyId kOtherAsp = *PartyId::Parse("asp-b");

Transfer Approved(const Device& device, TransferKind kind) {
  Transfer transfer;
  transfer.device = device.id;
  transfer.kind = kind;
  transfer.from = kAsp;
  transfer.to = kOtherAsp;
  transfer.state = TransferState::kApproved;
  return transfer;
}

ZoneChange Served() { return {Active().id, 1, {{3, 0, 1, Bytes(32, 3)}}, ""}; }

Job Waiting(JobKind kind, std::uint64_t version = 0) {
  Job job;
  job.id = *JobId::Parse(DeviceId::FromRandom({static_cast<std::uint8_t>(kind)}).text());
  job.subject = Active().id;
  job.kind = kind;
  job.version = version;
  return job;
}

// As device.deactivate leaves it.
Changeset Deactivation() {
  Device device = Active();
  device.state = State::kDeactivated;
  device.credentials.clear();
  device.zone.wanted = 2;
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
      {[](Device& it) { it.zone.visible = 2; }, "more is visible in the zone than was wanted"},
      {[](Device& it) { it.bindings[0].delivered = 2; }, "a payload was delivered that was never made"},
      {[](Device& it) { it.bindings[0].endpoint = {}; }, "a claimer without an endpoint"},
      {[](Device& it) { it.state = State::kDeactivated; }, "has a live certificate though it is deactivated"},
      {[](Device& it) { it.credentials.clear(); }, "has no certificate though it is active"},
      {[](Device& it) { it.profiles[0].agreement_key.clear(); },
       "has no key-agreement key though it is active"},
      {[](Device& it) { it.bindings[0].delivered = 0; },
       "is active without a claimer or a delivered payload"},
      {[](Device& it) { it.profiles[0].state = ProfileState::kInstalled; },
       "was never seen on the network though it is active"},
  };
  for (const auto& [breaks, fault] : broken) {
    Device device = Active();
    breaks(device);
    EXPECT_THAT(FaultsOf(device), Contains(HasSubstr(fault)));
  }
}

TEST(Invariants, OfItsParts) {
  const std::vector<std::pair<std::function<void(Device&)>, std::string>> broken = {
      {[](Device& it) { it.profiles.push_back(it.profiles[0]); }, "has two profiles of one number"},
      {[](Device& it) {
         it.profiles.push_back(it.profiles[0]);
         it.profiles[1].number = 2;
       },
       "has two enabled profiles"},
      {[](Device& it) { it.profiles.resize(kProfilesMax + 1); }, "has too many profiles"},
      {[](Device& it) { it.credentials.push_back(it.credentials[0]); }, "has two live certificates"},
      {[](Device& it) { it.credentials.resize(kCredentialsMax + 1); }, "has too many certificates"},
      {[](Device& it) {
         it.credentials.resize(3, it.credentials[0]);
         it.credentials[1].phase = it.credentials[2].phase = CredentialPhase::kNext;
       },
       "has two next certificates"},
      {[](Device& it) { it.credentials[0].profile = 2; }, "has a certificate of a profile that is not there"},
      {[](Device& it) { it.bindings.push_back(it.bindings[0]); }, "has two bindings of one number"},
      {[](Device& it) { it.bindings.resize(kBindingsMax + 1); }, "has too many bindings"},
      {[](Device& it) { it.codes.resize(kCodesMax + 1); }, "has too many authorisation codes"},
      {[](Device& it) { it.codes.resize(2); }, "has two authorisation codes for one purpose"},
      {[](Device& it) { it.statuses = {DeviceStatus::kPendingTransfer}; },
       "has a pending transfer without the status"},
      {[](Device& it) { it.transfer.emplace().state = TransferState::kFailed; },
       "has another device's transfer"},
      {[](Device& it) {
         it.bindings.resize(3, it.bindings[0]);
         it.bindings[1].phase = it.bindings[2].phase = BindingPhase::kNext;
       },
       "has two next bindings"},
      {[](Device& it) { it.transfer = Approved(it, TransferKind::kAsp); },
       "its approved transfer has no next binding of the gaining ASP"},
      {[](Device& it) {
         it.bindings.push_back({2, kOtherAsp, *EndpointName::Parse("main"), BindingPhase::kNext, 0, 0});
       },
       "has a next binding of another ASP without an approved transfer"},
  };
  for (const auto& [breaks, fault] : broken) {
    Device device = Active();
    breaks(device);
    EXPECT_THAT(FaultsOf(device), Contains(HasSubstr(fault)));
  }
}

TEST(Invariants, OfAnotherCertificateBesideTheLiveOne) {
  Device device = Active();
  Credential next = device.credentials[0];
  next.phase = CredentialPhase::kNext;
  next.certificate.serial = Bytes(20, 6);
  next.certificate.sha256 = Bytes(32, 7);
  device.credentials.push_back(next);
  EXPECT_THAT(FaultsOf(device), IsEmpty());
  ZoneChange both = Served();
  both.tlsa.push_back({3, 0, 1, Bytes(32, 7)});
  EXPECT_THAT(FaultsInZone(device, both), IsEmpty());
  both.tlsa.erase(both.tlsa.begin());
  EXPECT_THAT(FaultsInZone(device, both), Contains(HasSubstr("has no TLSA of its live certificate")));
  device.state = State::kDeactivated;
  EXPECT_THAT(FaultsOf(device), Contains(HasSubstr("has a next certificate though it is deactivated")));
  // It goes as the live one does, with its revocation.
  BeforeOf before = BeforeIt();
  before.at(device.id).device->credentials.push_back(next);
  EXPECT_THAT(FaultsOf(Deactivation(), before),
              Contains(HasSubstr("lost its next certificate, which is not revoked")));
}

// Both have been in the zone since the next one came.
TEST(Invariants, ARenewalMakesTheNextCertificateLiveWithoutAZoneChange) {
  Device before = Active();
  Credential next = before.credentials[0];
  next.phase = CredentialPhase::kNext;
  next.certificate.serial = Bytes(20, 7);
  next.served = kNow;
  before.credentials.push_back(next);
  Device after = before;
  after.credentials[0].phase = CredentialPhase::kRetiring;
  after.credentials[1].phase = CredentialPhase::kLive;
  Changeset changes;
  changes.devices = {{after, after.version}};
  EXPECT_THAT(FaultsOf(changes, {{before.id, {before, {}}}}), IsEmpty());
  before.credentials[1].phase = CredentialPhase::kRetiring;
  EXPECT_THAT(FaultsOf(changes, {{before.id, {before, {}}}}),
              Contains(HasSubstr("its live certificate changed and the zone did not")));
  EXPECT_THAT(FaultsOf(changes, {{before.id, {before, {}}}}),
              Contains(HasSubstr("a certificate that retired is live again")));
  before.credentials[1].phase = CredentialPhase::kNext;
  before.credentials[1].served = {};
  changes.devices[0].device.credentials[1].served = {};
  EXPECT_THAT(FaultsOf(changes, {{before.id, {before, {}}}}),
              Contains(HasSubstr("its next certificate became live before it was served")));
}

TEST(Invariants, ATransferHandsADeviceOver) {
  Device taken = Active();
  taken.bindings[0].phase = BindingPhase::kEnded;
  taken.bindings.push_back(taken.bindings[0]);
  taken.bindings[1] = {2, *PartyId::Parse("asp-b"), *EndpointName::Parse("main"), BindingPhase::kLive, 2, 2};
  Changeset changes;
  changes.devices = {{taken, taken.version}};
  EXPECT_THAT(FaultsOf(changes, BeforeIt()), Contains(HasSubstr("was taken over")));
  auto& transfer = changes.devices[0].device.transfer.emplace();
  transfer.device = taken.id;
  transfer.kind = TransferKind::kAsp;
  transfer.to = *PartyId::Parse("asp-b");
  transfer.state = TransferState::kCompleted;
  EXPECT_THAT(FaultsOf(changes, BeforeIt()), IsEmpty());
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
  EXPECT_THAT(FaultsInJobs(Active(), {Waiting(JobKind::kKeyGenerate)}), IsEmpty())
      << "for its next certificate";
  fault({Waiting(JobKind::kKeyGenerate)}, "key.generate waits though it is registered", Registered());
  fault({Waiting(JobKind::kPayloadPush, 1), Waiting(JobKind::kPayloadPush, 1)}, "two jobs of payload.push");
  fault({Waiting(JobKind::kPayloadPush, 2)}, "a payload is pushed that was never made");
  fault({Waiting(JobKind::kZoneVisible, 1)}, "an alarm waits for a zone change that was seen");
  Device owed = Active();
  owed.zone.wanted = 2;
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
      {[](Changeset& it) { it.devices[0].device.profiles[0].mno = kAsp; }, "became another one"},
      {[](Changeset& it) { it.devices[0].device.bindings[0].asp = kMno; }, "was taken over"},
      {[](Changeset& it) { it.devices[0].device.zone.wanted = 0; }, "its zone revision went back"},
      {[](Changeset& it) { it.devices[0].device.bindings[0].composed = 0; }, "its payload version went back"},
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

// Without a certificate it is what the MNOs say of the profiles that decides who serves.
TEST(Invariants, AnotherMnoServesWhenItsProfileIsEnabledOrTheOtherOneIsGone) {
  Device was = Active();
  was.state = State::kDeactivated;
  was.credentials.clear();
  Profile other;
  other.number = 2;
  other.mno = *PartyId::Parse("mno-b");
  other.state = ProfileState::kDisabled;
  const auto faults = [](const Device& before, Device after) {
    Changeset changes;
    changes.devices = {{std::move(after), before.version}};
    return FaultsOf(changes, {{before.id, {before, {}}}});
  };
  Device added = was;
  other.state = ProfileState::kEnabled;
  added.profiles[0].state = ProfileState::kDisabled;
  added.profiles.push_back(other);
  EXPECT_THAT(faults(was, added), Contains(HasSubstr("became another one"))) << "it was not there before";
  other.state = ProfileState::kDisabled;
  was.profiles.push_back(other);
  EXPECT_THAT(faults(was, was), IsEmpty());
  EXPECT_THAT(faults(was, added), IsEmpty()) << "the one is enabled";
  Device gone = was;
  gone.profiles[0].state = ProfileState::kDeleted;
  EXPECT_THAT(faults(was, gone), IsEmpty()) << "the other one is gone";
}

// Else a device with an old fault would be trusted for ever.
TEST(Invariants, AnOldFaultKeepsNobodyFromDeactivating) {
  BeforeOf before = BeforeIt();
  before.at(Active().id).device->bindings[0].endpoint = {};
  Changeset changes = Deactivation();
  changes.devices[0].device.bindings[0].endpoint = {};
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

// A step that changes the transfer from one state to another; whether it is refused for that.
bool IsRefused(std::optional<TransferState> was, TransferState is) {
  Device before = Active(), after = Active();
  for (auto* device : {&before, &after}) {
    device->transfer = Approved(*device, TransferKind::kMno);
    device->transfer->state = device == &before ? was.value_or(is) : is;
    if (device->transfer->state == TransferState::kPending)
      device->statuses.insert(DeviceStatus::kPendingTransfer);
  }
  if (!was) before.transfer.reset();
  Changeset changes;
  changes.devices = {{after, after.version}};
  if (is == TransferState::kPending) changes.jobs_put = {Waiting(JobKind::kTransferDecide)};
  if (is != TransferState::kPending && was == TransferState::kPending)
    changes.jobs_erase = {Waiting(JobKind::kTransferDecide).id};
  Before state{before, {}};
  if (was == TransferState::kPending) state.jobs = {Waiting(JobKind::kTransferDecide)};
  for (const std::string& fault : FaultsOf(changes, {{after.id, state}})) {
    if (fault.find("its transfer changed as none does") != std::string::npos) return true;
  }
  return false;
}

TEST(Invariants, ATransferOnlyGoesOn) {
  using enum TransferState;
  EXPECT_FALSE(IsRefused(std::nullopt, kPending));
  for (const TransferState is : {kApproved, kRejected, kCancelled, kCompleted, kFailed})
    EXPECT_FALSE(IsRefused(kPending, is)) << TransferStateName(is);
  for (const TransferState is : {kCompleted, kFailed}) EXPECT_FALSE(IsRefused(kApproved, is));
  for (const TransferState is : {kPending, kRejected, kCancelled}) EXPECT_TRUE(IsRefused(kApproved, is));
  for (const TransferState was : {kRejected, kCancelled, kCompleted, kFailed}) {
    for (const TransferState is : {kPending, kApproved}) EXPECT_TRUE(IsRefused(was, is));
  }
}

TEST(Invariants, WhoHadADeviceHearsNothingOfItAnyMore) {
  Device before = Active();
  before.bindings.push_back({2, kOtherAsp, *EndpointName::Parse("main"), BindingPhase::kEnded, 0, 0});
  Changeset changes;
  changes.devices = {{before, before.version}};
  changes.notifications.emplace_back();
  changes.notifications.back().to = kOtherAsp;
  changes.notifications.back().type = "device.suspended";
  EXPECT_THAT(FaultsOf(changes, {{before.id, {before, {}}}}),
              Contains(HasSubstr("who has no part in the device")));
}

TEST(Invariants, APendingTransferIsDecidedInTheEnd) {
  Device device = Active();
  device.statuses = {DeviceStatus::kPendingTransfer};
  EXPECT_THAT(FaultsInJobs(device, {}),
              Contains(HasSubstr("a transfer is pending and nothing ever decides it")));
  EXPECT_THAT(FaultsInJobs(device, {Waiting(JobKind::kTransferDecide)}), IsEmpty());
  EXPECT_THAT(FaultsInJobs(Active(), {Waiting(JobKind::kTransferDecide)}),
              Contains(HasSubstr("a decision of a transfer waits that is not pending")));
}

}  // namespace
}  // namespace registry::domain
