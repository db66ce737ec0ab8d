// An older ledger is restored beside the CRL that was published since: what was revoked stays revoked, for everybody who
// asks openssl, the zone or the ledger.
#include <gmock/gmock.h>

#include <ctime>
#include <sstream>

#include "bridge/app/carry_over.h"
#include "bridge/app/material.h"
#include "bridge/app/registry.h"
#include "bridge/ctl/registry_folder.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/signing/ca.h"
#include "bridge/signing/crl.h"
#include "bridge/signing/signer.h"
#include "simulators/lab/process.h"
#include "tests/support/csr_maker.h"
#include "tests/support/device_ca.h"
#include "tests/support/device_maker.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/registry_home.h"
#include "workers/domain/job_kinds.h"

namespace registry::app {
namespace {

namespace fs = std::filesystem;
using domain::State;
using testing::HasSubstr;
using testing::Not;

bool HasTlsa(const std::string& zone, const DeviceId& device) {
  std::istringstream lines(zone);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(device.text()) && line.find("TLSA\t3 0 1 ") != std::string::npos) return true;
  }
  return false;
}

class RestoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    test::MakeRegistryHome(folder_, "r", "iotregistry.test", clock_.Now());
    config_ = *LoadConfig(folder_.In("r/registry.toml"));
    config_.dns.listen_port = config_.http_port = 0;
    config_.mqtt.port = 1;  // nobody listens there
    material_ = *Material::Load(config_);
    log_ = *Log::Open(folder_.In("r.log"), 0);
    Run();
  }

  // Starts the registry and stops it; what its zone held meanwhile.
  std::string Run() {
    auto registry = Registry::Open(config_, *log_);
    REG_CHECK(registry.ok());
    const auto ports = (*registry)->Start();
    if (!ports) return ports.error().message;
    std::string secret = folder_.Read("r/zone/tsig.key");
    secret.pop_back();
    const auto zone = lab::RunToEnd({"kdig", "@127.0.0.1", "-p", std::to_string(ports->zone), "-y",
                                     "hmac-sha256:registry-transfer:" + secret, "iotregistry.test", "AXFR"});
    (*registry)->Stop();
    return zone ? *zone : zone.error().message;
  }

  std::unique_ptr<ledger::Ledger> Ledger() {
    ledger::RocksDbOptions options;
    options.folder = config_.ledger_folder;
    auto ledger = ledger::OpenRocksDbLedger(options);
    REG_CHECK(ledger.ok());
    return std::move(*ledger);
  }
  domain::Context Now() const { return {clock_.Now(), test::Ca().context.random}; }
  domain::Origin By(const std::string& party, wire::Role role) {
    return {*PartyId::Parse(party), role, *EventId::Parse("e" + std::to_string(++events_))};
  }

  // A device with a certificate and, in the ledger, its TLSA; the certificate is in <id>.pem too.
  DeviceId Certified() {
    const auto ledger = Ledger();
    domain::Device device;
    device.id = test::NewDevice();
    device.state = State::kAttached;
    test::SetAttached(device);
    device.eid = *Eid::Parse(kEids[devices_]);
    test::ProfileOf(device).iccid = *Iccid::Parse(kIccids[devices_++]);
    test::ProfileOf(device).mno = *PartyId::Parse("mno-a");
    test::Bind(device, *PartyId::Parse("asp-a"), *EndpointName::Parse("main"));
    domain::Changeset made;
    made.devices.push_back({device, 0});
    for (const auto& [kind, value] : {std::pair(domain::UniqueKind::kEid, device.eid.text()),
                                      std::pair(domain::UniqueKind::kIccid, domain::IccidOf(device).text())})
      made.claims.push_back({{kind, AsBytes(value)}, device.id});
    REG_CHECK(ledger->Commit(std::move(made)).ok());
    wire::CsrSubmit csr;
    csr.device = device.id;
    csr.csr = AsBytes(ToPem("CERTIFICATE REQUEST", test::MakeCsr()));
    const auto origin = By("mno-a", wire::Role::kMno);
    const auto now = Now();
    domain::Case at{origin, *ledger, now, material_.policy, *material_.signer};
    const auto signed_one = csr_sign::Decide(csr, at, *material_.issuer);
    REG_CHECK(signed_one.ok() && ledger->Commit(std::move(at.changes)).ok());
    const auto stored = ledger->LoadDevice(device.id);
    folder_.Write(device.id.text() + ".pem", ToPem("CERTIFICATE", domain::LiveCertificate(**stored)->der));
    return device.id;
  }
  template <class Command>
  void End(const DeviceId& device) {
    const auto ledger = Ledger();
    Command command;
    command.device = device;
    const auto origin = By("asp-a", wire::Role::kAsp);
    const auto now = Now();
    domain::Case at{origin, *ledger, now, material_.policy, *material_.signer};
    const auto ended = lifecycle::Decide(command, at);
    REG_CHECK(ended.ok() && ledger->Commit(std::move(at.changes)).ok());
  }

  void BackUp() { fs::copy(config_.ledger_folder, folder_.In("backup"), fs::copy_options::recursive); }
  void Restore() {
    fs::remove_all(config_.ledger_folder);
    fs::copy(folder_.In("backup"), config_.ledger_folder, fs::copy_options::recursive);
  }

  std::string Verify(const DeviceId& device) {
    return test::OpenSsl(folder_,
                         "verify -crl_check -CAfile r/pki/root.pem -untrusted r/pki/issuing.pem -CRLfile "
                         "r/pki/crl.pem " +
                             device.text() + ".pem")
        .output;
  }
  long long CrlNumber() {
    const auto der = FromPem("X509 CRL", folder_.Read("r/pki/crl.pem"));
    return static_cast<long long>(signing::CrlNumber(*der).value_or(0));
  }
  std::string Log() { return folder_.Read("r.log"); }

  static constexpr const char* kEids[] = {"89049032123451234512345678900168",
                                          "89049032123451234512345678900265",
                                          "89049032123451234512345678900362"};
  static constexpr const char* kIccids[] = {"8988211000000530082", "8988211000000530090",
                                            "8988211000000530108"};

  const SystemClock clock_{};
  test::TemporaryFolder folder_;
  Config config_;
  Material material_;
  std::unique_ptr<app::Log> log_;
  int devices_ = 0, events_ = 0;
};

TEST_F(RestoreTest, WhatWasRevokedStaysRevokedEverywhere) {
  const DeviceId deactivated = Certified(), deleted = Certified(), trusted = Certified();
  const std::string before = Run();
  for (const DeviceId& device : {deactivated, deleted, trusted}) {
    EXPECT_TRUE(HasTlsa(before, device)) << before;
    EXPECT_THAT(Verify(device), HasSubstr("OK"));
  }
  BackUp();
  End<wire::DeviceDeactivate>(deactivated);
  End<wire::DeviceDelete>(deleted);
  Run();
  const auto published = CrlNumber();
  ASSERT_THAT(Verify(deactivated), HasSubstr("certificate revoked"));
  EXPECT_THAT(Log(), Not(HasSubstr("were published that the ledger does not know")));
  Restore();

  const std::string zone = Run();
  EXPECT_GT(CrlNumber(), published);
  EXPECT_THAT(Log(), HasSubstr("2 revocations were published that the ledger does not know"));
  for (const DeviceId& device : {deactivated, deleted}) {
    EXPECT_THAT(Verify(device), HasSubstr("certificate revoked"));
    EXPECT_FALSE(HasTlsa(zone, device)) << zone;
    EXPECT_THAT(zone, HasSubstr(device.text())) << "its name says state=deactivated";
    const auto stored = Ledger()->LoadDevice(device);
    EXPECT_EQ((*stored)->state, State::kDeactivated);
    EXPECT_FALSE(domain::Live(**stored));
    EXPECT_TRUE((*stored)->statuses.contains(domain::DeviceStatus::kServerHold));
    std::string history;
    for (const auto& record : *Ledger()->HistoryOf(device)) history += record.entry.what + "\n";
    EXPECT_THAT(history, HasSubstr("deactivated: its certificate is on the CRL that was published\n"));
    for (const domain::Job& job : *Ledger()->JobsOf(device)) {
      EXPECT_TRUE(job.kind == domain::JobKind::kAppletWipe || job.kind == domain::JobKind::kZoneVisible);
    }
  }
  EXPECT_THAT(Verify(trusted), HasSubstr("OK"));
  EXPECT_TRUE(HasTlsa(zone, trusted)) << zone;
  const auto verified = ledger::Verify(*Ledger());
  EXPECT_THAT(verified->faults, testing::IsEmpty());

  // Once: the ledger knows now.
  const auto revocations = Ledger()->Revocations()->size();
  Run();
  EXPECT_EQ(Ledger()->Revocations()->size(), revocations);
  EXPECT_THAT(Verify(deactivated), HasSubstr("certificate revoked"));
}

// Registered, certified and revoked since the backup: the ledger has never heard of it, nor of its end.
TEST_F(RestoreTest, ACertificateTheLedgerLacksStaysOnTheListForAsLongAsOneCanLast) {
  BackUp();
  const DeviceId later = Certified();
  End<wire::DeviceDeactivate>(later);
  Run();
  ASSERT_THAT(Verify(later), HasSubstr("certificate revoked"));
  Restore();
  const std::string zone = Run();
  EXPECT_THAT(zone, Not(HasSubstr(later.text())));
  EXPECT_THAT(Verify(later), HasSubstr("certificate revoked"));
  EXPECT_THAT(Log(), HasSubstr("1 revocations were published that the ledger does not know"));
  const auto revocations = *Ledger()->Revocations();
  ASSERT_EQ(revocations.size(), 1u);
  const std::string end = test::OpenSsl(folder_, "x509 -in r/pki/issuing.pem -noout -enddate").output;
  std::tm at{};
  ASSERT_NE(strptime(end.c_str(), "notAfter=%b %d %H:%M:%S %Y GMT", &at), nullptr) << end;
  EXPECT_EQ(revocations[0].certificate_not_after.seconds(), timegm(&at));
  EXPECT_EQ(revocations[0].reason, 5);
}

TEST_F(RestoreTest, AForeignOrBrokenCrlIsSaidAndItsNumberPassed) {
  const auto other = signing::CreateRoot("other", {clock_.Now(), std::chrono::days(30)});
  const auto signer = signing::MakeSigner(other->key, other->certificate);
  const auto crl = signing::BuildCrl(**signer, {{Bytes(20, 0x41), clock_.Now(), 5, clock_.Now()}},
                                     clock_.Now(), clock_.Now() + std::chrono::hours(1), 77);
  folder_.Write("r/pki/crl.pem", ToPem("X509 CRL", *crl));
  Run();
  EXPECT_THAT(Log(), HasSubstr("crl.pem: is another CA's"));
  EXPECT_EQ(CrlNumber(), 78);
  EXPECT_TRUE(Ledger()->Revocations()->empty());
  folder_.Write("r/pki/crl.pem", "torn");
  Run();
  EXPECT_THAT(Log(), HasSubstr("crl.pem: holds no CRL in PEM"));
  EXPECT_EQ(CrlNumber(), 79);
  fs::remove(folder_.In("r/pki/crl.pem"));
  Run();
  EXPECT_THAT(Log(), HasSubstr("crl.pem: cannot be read"));
}

// Of the right name, but signed by somebody else's key.
TEST_F(RestoreTest, ACrlThatOnlyLooksLikeOursIsNotBelieved) {
  const auto issuing =
      signing::CreateIssuing(*signing::CreateRoot("x", {clock_.Now(), std::chrono::days(30)}),
                             "iotregistry.test Issuing CA", {clock_.Now(), std::chrono::days(30)});
  const DeviceId device = Certified();
  Bytes serial = domain::LiveCertificate(**Ledger()->LoadDevice(device))->serial;
  const auto crl = signing::BuildCrl(**signing::MakeSigner(issuing->key, issuing->certificate),
                                     {{serial, clock_.Now(), 5, clock_.Now()}}, clock_.Now(),
                                     clock_.Now() + std::chrono::hours(1), 5);
  folder_.Write("r/pki/crl.pem", ToPem("X509 CRL", *crl));
  Run();
  EXPECT_THAT(Log(), HasSubstr("crl.pem: its signature is not of the CA's key"));
  EXPECT_TRUE(domain::Live(**Ledger()->LoadDevice(device)));
  EXPECT_THAT(Verify(device), HasSubstr("OK"));
}

}  // namespace
}  // namespace registry::app
