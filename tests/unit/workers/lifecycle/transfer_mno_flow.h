// tests/unit/workers/lifecycle/transfer_mno_flow.h: the steps of a transfer from mno-a to mno-b, one sentence each, up to
// where a test wants it, and what both MNOs report.
#pragma once

#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/transfer_flow.h"
#include "workers/domain/job_kinds.h"

namespace registry::test {

class TransferMnoTest : public TransferTest {
 protected:
  static inline const json kSuccess = {{"outcome", "success"}};
  static inline const json kFailed = {
      {"outcome", "failed"}, {"stage", "applet"}, {"reason", "applet_refused"}};
  static inline const std::string kIccid = IccidOf(900);

  TransferMnoTest() : TransferTest({.transfer = {std::chrono::hours(120), false, {}}}) {}

  Said RequestByMno(const std::string& code, const std::string& mno = "mno-b",
                    const std::string& iccid = kIccid) {
    return Ask(mno, "transfer.request", {{"device", device_}, {"authorisationCode", code}, {"iccid", iccid}});
  }
  std::string Approve() {
    const Said said = RequestByMno(Code("mno-a"));
    if (!said.accepted()) ADD_FAILURE() << said.payload;
    const std::string transfer = said.data().value("transfer", "none");
    const Said approved = Ask("mno-a", "transfer.approve", {{"transfer", transfer}});
    EXPECT_TRUE(approved.accepted()) << approved.payload;
    return transfer;
  }
  // The first device of a registry has EidOf(1) and IccidOf(1).
  Said RegisterAgain() { return Ask("mno-a", "esim.register", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}}); }
  domain::Job Job(domain::JobKind kind) { return JobOf(registry_, device_, kind); }
  Said Report(domain::JobKind kind, const json& what, const std::string& mno) {
    return test::Report(registry_, Job(kind), what, mno);
  }

  // ---- up to where
  void Enabled() {
    Approve();
    EXPECT_TRUE(Report(domain::JobKind::kProfileEnable, kSuccess, "mno-b").accepted());
  }
  Said Csr(const std::string& mno = "mno-b") {
    const auto job = Job(domain::JobKind::kKeyGenerate);
    return Ask(mno, "csr.submit", {{"device", device_}, {"csr", NewCsrPem()}, {"job", job.id.text()}});
  }
  void Certified() {
    Enabled();
    const Said said = Csr();
    EXPECT_TRUE(said.accepted()) << said.payload;
  }
  void Pushed() {
    Certified();
    registry_.ServeZone();
    LetTimePass();
  }
  void Switched() {
    Pushed();
    EXPECT_TRUE(Report(domain::JobKind::kPayloadPush, kSuccess, "mno-b").accepted());
  }
  void OldIsGone() {
    Switched();
    LetTimePass();
    registry_.ServeZone();
  }
  void Rekey() { ASSERT_TRUE(Ask("asp-a", "device.rekey", {{"device", device_}}).accepted()); }
  // Of the former MNO, which does not wait for a day.
  void ExpectAskedAgain(domain::JobKind fails = domain::JobKind::kProfileEnable) {
    registry_.Restart();
    EXPECT_TRUE(Report(fails, kFailed, "mno-b").accepted());
    ASSERT_EQ(State(), "failed");
    registry_.RunDueJobs(std::chrono::hours(1));
    ASSERT_THAT(Jobs(domain::JobKind::kKeyGenerate), testing::SizeIs(1));
    EXPECT_EQ(Job(domain::JobKind::kKeyGenerate).to->text(), "mno-a");
    EXPECT_TRUE(Csr("mno-a").accepted());
    EXPECT_EQ(Count(domain::CredentialPhase::kNext), 1u);
  }
  // What waits for the TTL of what resolvers may still know.
  void LetTimePass() { registry_.RunDueJobs(std::chrono::seconds(120)); }

  std::size_t Count(domain::CredentialPhase phase) {
    const auto device = Device();
    return static_cast<std::size_t>(
        std::count_if(device.credentials.begin(), device.credentials.end(),
                      [phase](const domain::Credential& one) { return one.phase == phase; }));
  }
  std::size_t TlsaWanted() {
    const auto change = registry_.ledger().ZoneAfter(std::nullopt, 10);
    REG_CHECK(change.ok());
    for (const auto& one : *change) {
      if (one.device == *DeviceId::Parse(device_)) return one.tlsa.size();
    }
    return 0;
  }
  const domain::Profile& ProfileOf(const domain::Device& device, std::uint32_t number) {
    const auto* const profile = domain::ProfileOf(device, number);
    REG_CHECK(profile != nullptr);
    return *profile;
  }
  void ExpectAsItWas() {
    EXPECT_EQ(State(), "failed");
    EXPECT_EQ(domain::Sponsor(Device()).text(), "mno-a");
    EXPECT_EQ(Count(domain::CredentialPhase::kLive), 1u);
    EXPECT_EQ(Count(domain::CredentialPhase::kNext), 0u);
    EXPECT_EQ(TlsaWanted(), 1u);
    EXPECT_EQ(Device().state, domain::State::kActive);
    for (const char* party : {"mno-a", "mno-b"})
      EXPECT_THAT(Events(party, "transfer.failed"), testing::SizeIs(1)) << party;
    EXPECT_THAT(Events("asp-a", "transfer."), testing::IsEmpty()) << "which has no part in it";
  }
  // What was begun is undone by both MNOs.
  void ExpectUndone() {
    ExpectAsItWas();
    EXPECT_EQ(Job(domain::JobKind::kProfileEnable).to->text(), "mno-a");
    EXPECT_EQ(Job(domain::JobKind::kProfileDelete).to->text(), "mno-b");
    const Said early = RequestByMno(Code("mno-a"), "mno-b", IccidOf(902));
    EXPECT_EQ(early.symbol(), "profile_busy") << "until that is done";
    EXPECT_EQ(early.code(), 2304);
    EXPECT_TRUE(Report(domain::JobKind::kProfileEnable, kSuccess, "mno-a").accepted());
    EXPECT_TRUE(Report(domain::JobKind::kProfileDelete, kSuccess, "mno-b").accepted());
    EXPECT_EQ(ProfileOf(Device(), 1).state, domain::ProfileState::kEnabled);
    EXPECT_EQ(ProfileOf(Device(), 2).state, domain::ProfileState::kDeleted);
    EXPECT_EQ(Ask("mno-b", "device.get", {{"device", device_}}).symbol(), "device_unknown");
    const Said again = RequestByMno(Code("mno-a"));
    EXPECT_TRUE(again.accepted()) << "and the eSIM may be used again: " << again.payload;
  }
};

}  // namespace registry::test
