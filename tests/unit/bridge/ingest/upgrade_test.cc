// A ledger as the release of folder format 2 left it, in use: devices in every state, jobs, an endpoint, a revocation. The
// folder was written by that release's own program; here it is adopted, raised to the present format and worked on.
#include <gmock/gmock.h>

#include "bridge/ledger/rocksdb/open.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/crypto/digest.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using domain::State;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace fs = std::filesystem;

// As that release gave them out.
constexpr const char* kActive = "718b4945-879d-4fac-9bc4-7c2e1a36714c";
constexpr const char* kPublished = "71b74c9f-fa29-4305-b021-91943d430e70";
constexpr const char* kDeactivated = "4fb91e93-a051-4527-93c1-2f862b2dff4b";
constexpr const char* kReactivated = "ad67d893-8c27-42d8-95db-f4d52d88d04f";
constexpr const char* kDeleted = "7680fb34-15bd-4634-974f-1d4a6f4ddc61";
constexpr const char* kCertified = "973038c6-85f9-4035-9d0f-e7fbc4283ba2";
constexpr const char* kAttached = "96144550-08af-4b59-8d5a-90fa6cf5c866";
constexpr const char* kRegistered = "61db27c4-b300-4a5c-9c8b-be051a02ce43";
constexpr const char* kCode = "5190d9cf8fc1455edd067252f26a5da5";

const PartyId kMno = *PartyId::Parse("mno-a"), kOtherMno = *PartyId::Parse("mno-b"),
              kAsp = *PartyId::Parse("asp-a");

class Upgrade : public testing::Test {
 protected:
  Upgrade() {
    fs::copy(fs::path(REGISTRY_SOURCE_DIR) / "tests/data/ledger-format-2-in-use", folder());
    fs::permissions(folder(), fs::perms::owner_all);
  }

  std::string folder() const { return root_.In("ledger"); }
  std::unique_ptr<ledger::Ledger> Open() {
    // That release had no marks yet.
    const auto adopted = ledger::AdoptRocksDbLedger(folder(), false);
    REG_CHECK(adopted.ok());
    auto opened = ledger::OpenRocksDbLedger({folder()});
    REG_CHECK(opened.ok());
    return std::move(*opened);
  }
  std::unique_ptr<TestRegistry> Start() {
    TestRegistry::Setup setup;
    setup.wrap = [this](std::unique_ptr<ledger::Ledger>) { return Open(); };
    return std::make_unique<TestRegistry>(std::move(setup));
  }
  static domain::Device Load(const ledger::LedgerReader& ledger, const char* id) {
    return ledger.LoadDevice(*DeviceId::Parse(id)).value().value();
  }
  static domain::Job OnlyJob(const ledger::LedgerReader& ledger, const char* id) {
    const auto jobs = ledger.JobsOf(*DeviceId::Parse(id)).value();
    REG_CHECK(jobs.size() == 1);
    return jobs.front();
  }
  // Ids that the release before did not use.
  Said Ask(TestRegistry& registry, const char* party, const std::string& command, const json& data) {
    return registry.Ask(party, command, data, "after-the-upgrade-" + std::to_string(++asked_));
  }

 private:
  TemporaryFolder root_;
  int asked_ = 0;
};

TEST_F(Upgrade, LeavesASoundLedger) {
  const auto ledger = Open();
  const auto report = ledger::Verify(*ledger);
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->faults, IsEmpty());
  EXPECT_TRUE(report->indexed);
  EXPECT_EQ(report->devices, 8u);
  EXPECT_THAT(ledger->DevicesIn(domain::DeviceGroup::Of(kMno), {}, {}, 10).value(), SizeIs(6));
  EXPECT_THAT(ledger->DevicesIn(domain::DeviceGroup::In(State::kDeleted, {}), {}, {}, 10).value(), SizeIs(1));
  EXPECT_THAT(ledger->DevicesIn(domain::DeviceGroup::ByExpiry({}), {}, {}, 10).value(), SizeIs(3));
  EXPECT_THAT(ledger->Revocations().value(), SizeIs(3));
}

TEST_F(Upgrade, GivesDevicesTheirParts) {
  const auto ledger = Open();
  const domain::Device active = Load(*ledger, kActive);
  EXPECT_EQ(active.state, State::kActive);
  ASSERT_THAT(active.profiles, SizeIs(1));
  EXPECT_EQ(active.profiles[0].mno, kMno);
  EXPECT_EQ(active.profiles[0].state, domain::ProfileState::kEnabled);
  EXPECT_TRUE(active.profiles[0].attached);
  EXPECT_EQ(active.profiles[0].agreement_key.size(), 65u);
  ASSERT_THAT(active.credentials, SizeIs(1));
  EXPECT_EQ(active.credentials[0].phase, domain::CredentialPhase::kLive);
  EXPECT_EQ(active.credentials[0].profile, active.profiles[0].number);
  EXPECT_EQ(active.credentials[0].since, active.credentials[0].certificate.not_before);
  const domain::Binding bound{1, kAsp, *EndpointName::Parse("main"), domain::BindingPhase::kLive, 1, 1};
  EXPECT_THAT(active.bindings, testing::ElementsAre(bound));

  const domain::Device registered = Load(*ledger, kRegistered);
  ASSERT_THAT(registered.profiles, SizeIs(1));
  EXPECT_EQ(registered.profiles[0].state, domain::ProfileState::kInstalled);
  EXPECT_THAT(registered.credentials, IsEmpty());
  EXPECT_THAT(registered.bindings, IsEmpty());
  const domain::AuthorisationCode code{
      domain::CodePurpose::kClaim, wire::Role::kAsp, crypto::Sha256OfText(kCode), kOtherMno, {}, 0};
  EXPECT_THAT(registered.codes, testing::ElementsAre(code));

  EXPECT_THAT(Load(*ledger, kDeactivated).statuses, testing::ElementsAre(domain::DeviceStatus::kServerHold));
  EXPECT_THAT(Load(*ledger, kDeactivated).credentials, IsEmpty());
  EXPECT_EQ(Load(*ledger, kDeleted).state, State::kDeleted);
  EXPECT_EQ(OnlyJob(*ledger, kPublished).kind, domain::JobKind::kPayloadPush);
  EXPECT_EQ(OnlyJob(*ledger, kDeactivated).kind, domain::JobKind::kAppletWipe);
  EXPECT_EQ(OnlyJob(*ledger, kReactivated).kind, domain::JobKind::kAppletWipe);
  EXPECT_EQ(OnlyJob(*ledger, kCertified).kind, domain::JobKind::kZoneVisible);
  EXPECT_EQ(OnlyJob(*ledger, kAttached).kind, domain::JobKind::kKeyGenerate);
}

TEST_F(Upgrade, WorkGoesOnWhereItWas) {
  const auto registry = Start();
  const auto done = [&](const char* device) {
    const auto job = OnlyJob(registry->ledger(), device);
    const Said said = Ask(*registry, "mno-a", "do.result",
                          {{"job", job.id.text()}, {"device", device}, {"outcome", "success"}});
    EXPECT_TRUE(said.accepted()) << said.payload;
  };
  done(kPublished);
  EXPECT_EQ(registry->Device(kPublished).state, State::kActive);
  done(kDeactivated);
  done(kReactivated);
  EXPECT_EQ(OnlyJob(registry->ledger(), kReactivated).kind, domain::JobKind::kKeyGenerate);
  const Said claimed = Ask(*registry, "asp-a", "device.claim",
                           {{"device", kRegistered}, {"authorisationCode", kCode}, {"endpoint", "main"}});
  EXPECT_TRUE(claimed.accepted()) << claimed.payload;
  EXPECT_EQ(domain::Claimer(registry->Device(kRegistered)), kAsp);
  const Said certified = Ask(*registry, "mno-a", "csr.submit", {{"device", kAttached}, {"csr", NewCsrPem()}});
  EXPECT_TRUE(certified.accepted()) << certified.payload;
  const Said ended = Ask(*registry, "asp-a", "device.delete", {{"device", kActive}, {"reason", "sold"}});
  EXPECT_TRUE(ended.accepted()) << ended.payload;
  const auto report = ledger::Verify(registry->ledger());
  EXPECT_THAT(report.value().faults, IsEmpty());
}

}  // namespace
}  // namespace registry::test
