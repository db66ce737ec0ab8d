// Suspend and resume: who holds a device and who lets it go, and that nothing is given to it meanwhile.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using domain::DeviceStatus;
using domain::JobKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class HoldTest : public testing::Test {
 protected:
  Said Suspend(const std::string& party, const std::string& device) {
    return registry_.Ask(party, "device.suspend", {{"device", device}, {"reason", "unpaid"}});
  }
  Said Resume(const std::string& party, const std::string& device) {
    return registry_.Ask(party, "device.resume", {{"device", device}});
  }
  // What name servers are to serve, as the ledger has it.
  domain::ZoneChange Zone(const std::string& device) {
    for (const auto& content : *registry_.ledger().ZoneAfter(std::nullopt, 1000)) {
      if (content.device.text() == device) return content;
    }
    return {};
  }
  std::vector<domain::Job> Jobs(const std::string& device) {
    return *registry_.ledger().JobsOf(*DeviceId::Parse(device));
  }
  bool Sound() { return ledger::Verify(registry_.ledger())->faults.empty(); }
  TestRegistry registry_;
};

TEST_F(HoldTest, ASuspendedDeviceIsShownAsSuspendedAndKeepsItsCertificate) {
  const std::string id = registry_.Activate();
  const auto serial = domain::LiveCertificate(registry_.Device(id))->serial;
  const Said held = Suspend("asp-a", id);
  ASSERT_TRUE(held.accepted()) << held.payload;
  EXPECT_EQ(held.data().at("state"), "active");
  EXPECT_EQ(held.data().at("holds"), json({"clientHold"}));
  EXPECT_THAT(Zone(id).tlsa, IsEmpty());
  EXPECT_EQ(Zone(id).note, "state=suspended");
  EXPECT_EQ(domain::LiveCertificate(registry_.Device(id))->serial, serial);
  for (const char* party : {"mno-a", "asp-a"}) {
    const auto told = registry_.Heard("registry/v1/to/" + std::string(party) + "/event/device.suspended");
    ASSERT_THAT(told, SizeIs(1)) << party;
    EXPECT_EQ(told[0].data().at("by"), "asp-a");
    EXPECT_EQ(told[0].data().at("reason"), "unpaid");
    EXPECT_EQ(told[0].data().at("holds"), json({"clientHold"}));
  }
  registry_.ServeZone();
  EXPECT_TRUE(Sound());

  ASSERT_TRUE(Resume("asp-a", id).accepted());
  EXPECT_EQ(Zone(id).note, "");
  ASSERT_THAT(Zone(id).tlsa, SizeIs(1));
  EXPECT_EQ(Zone(id).tlsa[0].data, domain::LiveCertificate(registry_.Device(id))->sha256);
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.resumed"), SizeIs(1));
  registry_.ServeZone();
  EXPECT_THAT(Jobs(id), IsEmpty()) << "it has what it needs";
  EXPECT_TRUE(Sound());
}

TEST_F(HoldTest, EachPartyLiftsItsOwnHoldAndTheOperatorAll) {
  const std::string id = registry_.Activate();
  for (const char* party : {"asp-a", "mno-a", "operator"})
    ASSERT_TRUE(Suspend(party, id).accepted()) << party;
  EXPECT_THAT(registry_.Device(id).statuses,
              ElementsAre(DeviceStatus::kClientHold, DeviceStatus::kServerHold, DeviceStatus::kSponsorHold));
  ASSERT_TRUE(Resume("mno-a", id).accepted());
  const Said again = Resume("mno-a", id);
  EXPECT_EQ(again.code(), 2304);
  EXPECT_EQ(again.symbol(), "state_prohibits");
  EXPECT_THAT(again.data().at("message"), HasSubstr("active, clientHold, serverHold"));
  EXPECT_EQ(Zone(id).note, "state=suspended") << "two hold it still";
  const Said lifted = Resume("operator", id);
  ASSERT_TRUE(lifted.accepted());
  EXPECT_FALSE(lifted.data().contains("holds")) << lifted.payload;
  EXPECT_THAT(Zone(id).tlsa, SizeIs(1));
  EXPECT_EQ(Resume("operator", id).symbol(), "state_prohibits") << "there is none to lift";
}

TEST_F(HoldTest, TheSameHoldIsNotSetTwice) {
  const std::string id = registry_.Activate();
  ASSERT_TRUE(Suspend("asp-a", id).accepted());
  const auto zone = registry_.Device(id).zone.wanted;
  const Said again = Suspend("asp-a", id);
  EXPECT_EQ(again.code(), 2304);
  EXPECT_THAT(again.data().at("message"), HasSubstr("device is active, clientHold: suspend refused"));
  ASSERT_TRUE(Suspend("mno-a", id).accepted());
  EXPECT_EQ(registry_.Device(id).zone.wanted, zone) << "DNS says it already";
}

TEST_F(HoldTest, OthersHaveNoPartInIt) {
  const std::string id = registry_.Activate();
  EXPECT_EQ(Suspend("asp-b", id).symbol(), "not_claimer");
  EXPECT_EQ(Suspend("mno-b", id).symbol(), "not_sponsor");
  EXPECT_EQ(Resume("asp-b", id).symbol(), "not_claimer");
  EXPECT_EQ(Resume("mno-b", id).symbol(), "not_sponsor");
}

TEST_F(HoldTest, APushThatWaitedIsCalledOffAndOwedAgain) {
  const std::string id = Published(registry_);
  const auto push = JobOf(registry_, id, JobKind::kPayloadPush);
  ASSERT_TRUE(Suspend("mno-a", id).accepted());
  for (const auto& job : Jobs(id)) EXPECT_NE(job.kind, JobKind::kPayloadPush);
  EXPECT_TRUE(Report(registry_, push, {{"outcome", "success"}}).accepted()) << "it was called off: noted";
  EXPECT_EQ(registry_.Device(id).state, domain::State::kPublished);
  registry_.ServeZone();
  ASSERT_TRUE(Attach(registry_, id).accepted());
  EXPECT_THAT(Jobs(id), IsEmpty()) << "nothing new is pushed while it is held";

  ASSERT_TRUE(Resume("mno-a", id).accepted());
  for (const auto& job : Jobs(id)) EXPECT_EQ(job.kind, JobKind::kZoneVisible) << "DNS first";
  registry_.ServeZone();
  const auto anew = JobOf(registry_, id, JobKind::kPayloadPush);
  EXPECT_NE(anew.id, push.id);
  ASSERT_TRUE(Report(registry_, anew, {{"outcome", "success"}}).accepted());
  EXPECT_EQ(registry_.Device(id).state, domain::State::kActive);
  EXPECT_TRUE(Sound());
}

TEST_F(HoldTest, AKeyThatWasAskedForIsAskedForAgain) {
  const auto device = registry_.Register();
  ASSERT_TRUE(Attach(registry_, device.device).accepted());
  const auto asked = OnlyJob(registry_, device.device);
  ASSERT_TRUE(Suspend("operator", device.device).accepted());
  EXPECT_THAT(Jobs(device.device), IsEmpty());
  EXPECT_EQ(Zone(device.device).device, DeviceId()) << "DNS never knew it";
  const json csr = {{"device", device.device}, {"csr", NewCsrPem()}, {"job", asked.id.text()}};
  EXPECT_EQ(registry_.Ask("mno-a", "csr.submit", csr).symbol(), "state_prohibits");
  ASSERT_TRUE(Resume("operator", device.device).accepted());
  EXPECT_EQ(OnlyJob(registry_, device.device).kind, JobKind::kKeyGenerate);
}

TEST_F(HoldTest, AHoldOutlivesADeactivationAndBarsTheWayBack) {
  const std::string id = registry_.Activate();
  ASSERT_TRUE(Suspend("mno-a", id).accepted());
  ASSERT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", id}}).accepted());
  EXPECT_EQ(Zone(id).note, "state=deactivated");
  const Said refused = registry_.Ask("asp-a", "device.reactivate", {{"device", id}});
  EXPECT_EQ(refused.symbol(), "state_prohibits");
  EXPECT_THAT(refused.data().at("message"), HasSubstr("sponsorHold"));
  EXPECT_EQ(Suspend("asp-a", id).symbol(), "state_prohibits") << "it is trusted by nobody anyway";
  ASSERT_TRUE(Resume("mno-a", id).accepted());
  EXPECT_EQ(Zone(id).note, "state=deactivated");
  EXPECT_TRUE(registry_.Ask("asp-a", "device.reactivate", {{"device", id}}).accepted());
  EXPECT_TRUE(Sound());
}

TEST_F(HoldTest, AWipeThatEndsDuringAHoldAsksForNoKey) {
  const std::string id = registry_.Activate();
  ASSERT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", id}}).accepted());
  const auto wipe = JobOf(registry_, id, JobKind::kAppletWipe);
  ASSERT_TRUE(registry_.Ask("asp-a", "device.reactivate", {{"device", id}}).accepted());
  ASSERT_TRUE(Suspend("asp-a", id).accepted());
  ASSERT_TRUE(Report(registry_, wipe, {{"outcome", "success"}}).accepted());
  for (const auto& job : Jobs(id)) EXPECT_NE(job.kind, JobKind::kKeyGenerate);
  ASSERT_TRUE(Resume("asp-a", id).accepted());
  EXPECT_EQ(JobOf(registry_, id, JobKind::kKeyGenerate).to->text(), "mno-a");
}

}  // namespace
}  // namespace registry::test
