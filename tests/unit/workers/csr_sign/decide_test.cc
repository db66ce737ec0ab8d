// csr.submit against the memory ledger: what is refused, and everything an accepted one writes.
#include <gmock/gmock.h>

#include "bridge/ledger/ledger.h"
#include "tests/support/csr_maker.h"
#include "tests/support/device_ca.h"
#include "tests/support/device_maker.h"
#include "workers/crypto/digest.h"
#include "workers/csr_sign/csr_sign.h"
#include "workers/domain/compose.h"
#include "workers/domain/csr_refusal.h"
#include "workers/domain/job_kinds.h"

namespace registry::csr_sign {
namespace {

using domain::JobKind;
using domain::State;

PartyId Party(const char* name) { return *PartyId::Parse(name); }

class DecideTest : public testing::Test {
 protected:
  DecideTest() {
    policy_.zone = "iotregistry.test";
    policy_.certificate.key_blocked = [this](const Bytes& digest) { return digest == blocked_; };
    issuer_ = *Issuer::Create(policy_, *test::Ca().signer);
    origin_.party = Party("mno-a");
    origin_.id = *EventId::Parse("command-1");
    device_ = Add(State::kAttached);
  }

  DeviceId Add(State state, std::optional<PartyId> claimer = {}) {
    domain::Device device;
    device.id = test::NewDevice();
    device.state = state;
    test::ProfileOf(device).mno = Party("mno-a");
    if (claimer) test::Bind(device, *claimer, *EndpointName::Parse("main"));
    test::SetAttached(device);
    domain::Changeset changes;
    changes.devices.push_back({device, 0});
    EXPECT_TRUE(ledger_->Commit(std::move(changes)).ok());
    return device.id;
  }
  JobId AddJob(const DeviceId& device, JobKind kind, const char* to = "mno-a") {
    domain::Job job;
    job.id = domain::NewJobId(test::Ca().context);
    job.subject = device;
    job.to = Party(to);
    job.kind = kind;
    domain::Changeset changes;
    changes.jobs_put.push_back(job);
    EXPECT_TRUE(ledger_->Commit(std::move(changes)).ok());
    return job.id;
  }
  void SetAttempt(const JobId& id, std::uint32_t attempt) {
    domain::Job job = **ledger_->LoadJob(id);
    job.attempt = attempt;
    domain::Changeset changes;
    changes.jobs_put.push_back(job);
    EXPECT_TRUE(ledger_->Commit(std::move(changes)).ok());
  }
  void Commit(Result<domain::Decision> decision) {
    ASSERT_TRUE(decision.ok()) << decision.error().message;
    ASSERT_TRUE(ledger_->Commit(std::move(decision->changes)).ok());
  }
  // As deactivation and reactivation leave it: no live certificate.
  void Reset(const DeviceId& id) {
    auto device = **ledger_->LoadDevice(id);
    device.state = State::kAttached;
    device.credentials.clear();
    device.came_back = true;
    domain::Changeset changes;
    changes.devices.push_back({device, device.version});
    ASSERT_TRUE(ledger_->Commit(std::move(changes)).ok());
  }
  Result<domain::Decision> Submit(const DeviceId& device, Bytes csr = test::MakeCsr(),
                                  std::optional<JobId> job = {}) {
    domain::Case at{origin_, *ledger_, test::Ca().context, policy_, *test::Ca().signer};
    auto reply = Decide(wire::CsrSubmit{device, std::move(csr), std::move(job)}, at, *issuer_);
    if (!reply) return reply.error();
    return domain::Decision{std::move(at.changes), std::move(*reply)};
  }
  void ExpectRefused(const Result<domain::Decision>& decision, Code code, std::string_view symbol) {
    ASSERT_FALSE(decision.ok());
    EXPECT_EQ(decision.error().symbol, symbol) << decision.error().message;
    EXPECT_EQ(decision.error().code, code);
  }

  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  domain::Policy policy_;
  std::optional<Issuer> issuer_;
  domain::Origin origin_;
  DeviceId device_;
  Bytes blocked_;
};

TEST_F(DecideTest, CertifiesAndPublishes) {
  const DeviceId device = Add(State::kAttached, Party("asp-a"));
  const JobId asked = AddJob(device, JobKind::kKeyGenerate);
  const JobId other = AddJob(device, JobKind::kZoneVisible);
  test::CsrOptions options;
  options.agreement = test::NewEcKey();
  const auto decision = Submit(device, test::MakeCsr(options), asked);
  ASSERT_TRUE(decision.ok()) << decision.error().message;
  const domain::Changeset& changes = decision->changes;

  ASSERT_EQ(changes.devices.size(), 1u);
  const domain::Device& written = changes.devices[0].device;
  EXPECT_EQ(changes.devices[0].expected_version, 1u);
  EXPECT_EQ(written.state, State::kCertified);
  EXPECT_EQ(domain::AgreementKey(written), test::PointOf(options.agreement));
  EXPECT_EQ(written.zone.wanted, 1u);
  EXPECT_EQ(written.trace.back().step, "certified");
  ASSERT_TRUE(domain::Live(written));

  ASSERT_EQ(changes.zone.size(), 1u);
  EXPECT_EQ(changes.zone[0].revision, 1u);
  ASSERT_EQ(changes.zone[0].tlsa.size(), 1u);
  EXPECT_EQ(changes.zone[0].tlsa[0], (domain::TlsaRecord{3, 0, 1, domain::LiveCertificate(written)->sha256}));

  // The key has come, and what the zone held before is no longer waited for.
  EXPECT_THAT(changes.jobs_erase, testing::UnorderedElementsAre(asked, other));
  ASSERT_EQ(changes.jobs_put.size(), 1u);
  EXPECT_EQ(changes.jobs_put[0].kind, JobKind::kZoneVisible);
  EXPECT_EQ(changes.jobs_put[0].version, 1u);
  EXPECT_EQ(changes.jobs_put[0].due, test::Ca().now + std::chrono::seconds(120));

  ASSERT_EQ(changes.notifications.size(), 1u);
  EXPECT_EQ(changes.notifications[0].type, "device.certified");
  EXPECT_EQ(changes.notifications[0].to, Party("asp-a"));
  ASSERT_EQ(changes.history.size(), 1u);
  EXPECT_EQ(changes.history[0].what, "certified serial=" + ToHex(domain::LiveCertificate(written)->serial));

  const auto reply = wire::Decode<wire::CertificateIssued>(decision->reply);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->certificate, domain::LiveCertificate(written)->der);
  EXPECT_EQ(reply->serial, ToHex(domain::LiveCertificate(written)->serial));
  EXPECT_NE(other, asked);
}

TEST_F(DecideTest, TheLedgerTakesItAndTheSecondOneIsRefused) {
  auto decision = Submit(device_);
  ASSERT_TRUE(decision.ok());
  EXPECT_TRUE(decision->changes.notifications.empty()) << "nobody has claimed it";
  ASSERT_TRUE(ledger_->Commit(std::move(decision->changes)).ok());
  const auto again = Submit(device_);
  ExpectRefused(again, Code::kStatusProhibits, "state_prohibits");
  EXPECT_THAT(again.error().message, testing::HasSubstr("certified"));
}

TEST_F(DecideTest, RefusesOutsideAttached) {
  for (State state : {State::kRegistered, State::kPublished, State::kActive, State::kDeactivated}) {
    ExpectRefused(Submit(Add(state)), Code::kStatusProhibits, "state_prohibits");
  }
}

TEST_F(DecideTest, RefusesUnknownDeletedAndForeignDevices) {
  ExpectRefused(Submit(test::NewDevice()), Code::kNotFound, "device_unknown");
  ExpectRefused(Submit(Add(State::kDeleted)), Code::kNotFound, "device_unknown");
  origin_.party = Party("mno-b");
  ExpectRefused(Submit(device_), Code::kNotAuthorised, "not_sponsor");
}

TEST_F(DecideTest, RefusesAnotherDevicesKey) {
  test::CsrOptions options;
  const Bytes csr = test::MakeCsr(options);
  auto first = Submit(device_, csr);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(ledger_->Commit(std::move(first->changes)).ok());
  ExpectRefused(Submit(Add(State::kAttached), csr), Code::kExists, "key_in_use");
}

TEST_F(DecideTest, AKeyIsOneAlsoWithItsPointCompressed) {
  test::CsrOptions options;
  options.agreement = test::NewEcKey();
  Commit(Submit(device_, test::MakeCsr(options)));
  for (const test::Key& key : {options.key, options.agreement})
    REG_CHECK(EVP_PKEY_set_utf8_string_param(key.get(), "point-format", "compressed") == 1);
  const DeviceId other = Add(State::kAttached);
  ExpectRefused(Submit(other, test::MakeCsr(options)), Code::kExists, "key_in_use");
  options.key = test::NewEcKey();
  ExpectRefused(Submit(other, test::MakeCsr(options)), Code::kExists, "key_in_use");
}

// A key whose certificate was revoked stays revoked, whoever brings it again.
TEST_F(DecideTest, RefusesAKeyThatWasCertifiedBefore) {
  const Bytes csr = test::MakeCsr();
  Commit(Submit(device_, csr));
  Reset(device_);
  const JobId waiting = AddJob(device_, JobKind::kKeyGenerate);
  ExpectRefused(Submit(device_, csr, waiting), Code::kExists, "key_in_use");
  EXPECT_TRUE(Submit(device_, test::MakeCsr(), waiting).ok());
}

TEST_F(DecideTest, AnAgreementKeyIsOneDevicesUnderEitherName) {
  const test::Key own = test::NewEcKey(), agreement = test::NewEcKey();
  const auto csr = [](test::Key key, test::Key agrees) {
    test::CsrOptions options;
    options.key = std::move(key);
    options.agreement = std::move(agrees);
    return test::MakeCsr(options);
  };
  Commit(Submit(device_, csr(own, agreement)));
  const DeviceId other = Add(State::kAttached);
  ExpectRefused(Submit(other, csr(test::NewEcKey(), agreement)), Code::kExists, "key_in_use");
  ExpectRefused(Submit(other, csr(test::NewEcKey(), own)), Code::kExists, "key_in_use");
  ExpectRefused(Submit(other, csr(agreement, nullptr)), Code::kExists, "key_in_use");
  ExpectRefused(Submit(other, csr(agreement, test::NewEcKey())), Code::kExists, "key_in_use");
  EXPECT_TRUE(Submit(other, csr(test::NewEcKey(), test::NewEcKey())).ok());
}

TEST_F(DecideTest, ItsOwnAgreementKeyComesAgainAndAFormerOneIsFree) {
  test::CsrOptions options;
  options.agreement = test::NewEcKey();
  const domain::UniqueValue first{domain::UniqueKind::kAgreementKey,
                                  crypto::ToBytes(crypto::Sha256({test::PublicKeyInfo(options.agreement)}))};
  Commit(Submit(device_, test::MakeCsr(options)));
  EXPECT_EQ(*ledger_->FindUnique(first), device_);
  Reset(device_);
  options.key = test::NewEcKey();
  Commit(Submit(device_, test::MakeCsr(options), AddJob(device_, JobKind::kKeyGenerate)));
  EXPECT_EQ(*ledger_->FindUnique(first), device_);
  Reset(device_);
  Commit(Submit(device_, test::MakeCsr(), AddJob(device_, JobKind::kKeyGenerate)));
  EXPECT_EQ(*ledger_->FindUnique(first), std::nullopt);
  EXPECT_EQ(domain::AgreementKey(**ledger_->LoadDevice(device_)).size(), 65u);
}

TEST_F(DecideTest, ACsrWithoutAgreementKeyClaimsNone) {
  const auto decision = Submit(device_);
  ASSERT_TRUE(decision.ok());
  for (const auto& [value, holder] : decision->changes.claims)
    EXPECT_NE(value.kind, domain::UniqueKind::kAgreementKey);
}

// Two lanes decided at once from the same view: the ledger lets one of them through.
TEST_F(DecideTest, RacingForOneKeyIsLostAtTheCommit) {
  const Bytes csr = test::MakeCsr();
  auto first = Submit(device_, csr), second = Submit(Add(State::kAttached), csr);
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_TRUE(ledger_->Commit(std::move(first->changes)).ok());
  const auto lost = ledger_->Commit(std::move(second->changes));
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().symbol, ledger::kStale);
}

TEST_F(DecideTest, RefusesBlockedKeys) {
  test::CsrOptions options;
  options.agreement = test::NewEcKey();
  const Bytes csr = test::MakeCsr(options);
  for (const test::Key& key : {options.key, options.agreement}) {
    blocked_ = crypto::ToBytes(crypto::Sha256({test::PublicKeyInfo(key)}));
    ExpectRefused(Submit(device_, csr), Code::kPolicy, "key_blocked");
  }
  blocked_.clear();
  EXPECT_TRUE(Submit(device_, csr).ok());
}

TEST_F(DecideTest, RefusesAJobThatIsNotItsOwn) {
  const JobId foreign = AddJob(Add(State::kAttached), JobKind::kKeyGenerate);
  ExpectRefused(Submit(device_, test::MakeCsr(), foreign), Code::kValueSyntax, "job_of_other_device");
  const JobId push = AddJob(device_, JobKind::kPayloadPush);
  ExpectRefused(Submit(device_, test::MakeCsr(), push), Code::kValueSyntax, "job_of_other_device");
  EXPECT_TRUE(Submit(device_, test::MakeCsr(), domain::NewJobId(test::Ca().context)).ok())
      << "a job that gave up";
}

// A transfer changes the sponsor, and not whom a job was sent to.
TEST_F(DecideTest, RefusesTheJobThatWasSentToAnotherMno) {
  const JobId foreign = AddJob(device_, JobKind::kKeyGenerate, "mno-b");
  const auto answered = Submit(device_, test::MakeCsr(), foreign);
  ExpectRefused(answered, Code::kNotAuthorised, "not_sponsor");
  EXPECT_EQ(answered.error().field, "/job");
}

// The wipe could take the very key with it that is certified here.
TEST_F(DecideTest, RefusesEveryCsrWhileTheAppletIsWiped) {
  const JobId asked = AddJob(device_, JobKind::kKeyGenerate);
  AddJob(device_, JobKind::kAppletWipe);
  const auto named = Submit(device_, test::MakeCsr(), asked);
  ExpectRefused(named, Code::kStatusProhibits, "wipe_pending");
  EXPECT_EQ(named.error().field, "/device");
  ExpectRefused(Submit(device_), Code::kStatusProhibits, "wipe_pending");
}

TEST_F(DecideTest, RefusesTheCsrOfAJobGivenUpWhileAnotherWaits) {
  const JobId given_up = domain::NewJobId(test::Ca().context);
  const JobId waiting = AddJob(device_, JobKind::kKeyGenerate);
  const auto late = Submit(device_, test::MakeCsr(), given_up);
  ExpectRefused(late, Code::kNotFound, "job_unknown");
  EXPECT_EQ(late.error().field, "/job");
  EXPECT_TRUE(Submit(device_, test::MakeCsr(), waiting).ok());
  EXPECT_TRUE(Submit(device_).ok()) << "a first CSR that names no job answers whatever waits";
}

// Its former key may be wiped: a CSR that names no job could be a late one of that key.
TEST_F(DecideTest, ADeviceThatCameBackIsCertifiedForTheJobThatWaits) {
  Commit(Submit(device_));
  Reset(device_);
  const JobId given_up = domain::NewJobId(test::Ca().context);
  ExpectRefused(Submit(device_, test::MakeCsr(), given_up), Code::kNotFound, "job_unknown");
  ExpectRefused(Submit(device_), Code::kMissingParameter, "job_missing");
  const JobId waiting = AddJob(device_, JobKind::kKeyGenerate);
  const auto unnamed = Submit(device_);
  ExpectRefused(unnamed, Code::kMissingParameter, "job_missing");
  EXPECT_EQ(unnamed.error().field, "/job");
  EXPECT_TRUE(Submit(device_, test::MakeCsr(), waiting).ok());
}

TEST_F(DecideTest, PassesOnWhatIsWrongWithTheCsr) {
  test::CsrOptions options;
  options.key = test::NewEcKey("P-384");
  ExpectRefused(Submit(device_, test::MakeCsr(options)), Code::kPolicy, "csr_key_type");
}

// Of a refusal only what says why the device waits is kept, and only of the MNO that is asked.
TEST_F(DecideTest, ARefusalToWhomIsAskedStaysWithTheDevice) {
  const auto refused = [this](Bytes csr) {
    domain::Case at{origin_, *ledger_, test::Ca().context, policy_, *test::Ca().signer};
    EXPECT_FALSE(Decide(wire::CsrSubmit{device_, std::move(csr), {}}, at, *issuer_).ok());
    return std::move(at.changes);
  };
  const Bytes malformed = AsBytes("no CSR");
  EXPECT_FALSE(refused(malformed).though_refused) << "nobody is asked";
  const JobId key = AddJob(device_, JobKind::kKeyGenerate);
  const domain::Changeset kept = refused(malformed);
  ASSERT_TRUE(kept.though_refused);
  ASSERT_EQ(kept.history.size(), 1u);
  EXPECT_EQ(kept.history[0].what, "csr refused: csr_malformed");
  ASSERT_TRUE(ledger_->Commit(kept).ok());
  const auto last = [this] { return domain::LastCsrRefusal(**ledger_->LoadDevice(device_)); };
  EXPECT_EQ(last()->why, "csr_malformed, attempt 1");

  EXPECT_FALSE(refused(malformed).though_refused) << "the device has it";
  test::CsrOptions options;
  options.key = test::NewEcKey("P-384");
  const domain::Changeset other = refused(test::MakeCsr(options));
  ASSERT_TRUE(other.though_refused);
  EXPECT_TRUE(other.history.empty()) << "it has one entry for each attempt";
  EXPECT_EQ(other.devices.at(0).device.trace.size(), kept.devices.at(0).device.trace.size());
  ASSERT_TRUE(ledger_->Commit(other).ok());
  EXPECT_EQ(last()->why, "csr_key_type, attempt 1");
  SetAttempt(key, 2);
  const domain::Changeset next = refused(malformed);
  ASSERT_EQ(next.history.size(), 1u);
  EXPECT_EQ(next.history[0].what, "csr refused: csr_malformed");
  ASSERT_TRUE(ledger_->Commit(next).ok());
  EXPECT_EQ(last()->why, "csr_malformed, attempt 2");

  origin_.party = Party("mno-b");
  EXPECT_FALSE(refused(malformed).though_refused) << "which is not asked";
  origin_.party = Party("mno-a");
  Commit(Submit(device_));
  EXPECT_FALSE(last()) << "a certificate has come of it";
}

}  // namespace
}  // namespace registry::csr_sign
