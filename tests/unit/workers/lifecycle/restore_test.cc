// Restore: who brings a deleted device back, until when, and what it comes back as.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using domain::JobKind;
using testing::SizeIs;

class RestoreTest : public testing::Test {
 protected:
  std::string Deleted(const std::string& by = "asp-a") {
    const std::string id = registry_.Activate();
    EXPECT_TRUE(registry_.Ask(by, "device.delete", {{"device", id}}).accepted());
    return id;
  }
  Said Restore(const std::string& device, const std::string& party = "asp-a") {
    return registry_.Ask(party, "device.restore", {{"device", device}, {"reason", "a mistake"}});
  }
  void Wiped(const std::string& device) {
    const auto wipe = JobOf(registry_, device, JobKind::kAppletWipe);
    EXPECT_TRUE(Report(registry_, wipe, {{"outcome", "success"}}).accepted());
  }
  Said RegisterAgain() {
    return registry_.Ask("mno-a", "esim.register", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}});
  }
  bool Sound() { return ledger::Verify(registry_.ledger())->faults.empty(); }
  TestRegistry registry_;
};

TEST_F(RestoreTest, ADeletedDeviceComesBackDeactivatedAndCanBeReactivated) {
  const std::string id = Deleted();
  Wiped(id);
  const Said restored = Restore(id);
  ASSERT_TRUE(restored.accepted()) << restored.payload;
  EXPECT_EQ(restored.data().at("state"), "deactivated");
  const auto told = registry_.Heard("registry/v1/to/mno-a/event/device.restored");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("by"), "asp-a");
  EXPECT_EQ(RegisterAgain().symbol(), "eid_registered") << "the eSIM is its own again";
  registry_.ServeZone();
  ASSERT_TRUE(registry_.Ask("asp-a", "device.reactivate", {{"device", id}}).accepted());
  EXPECT_EQ(JobOf(registry_, id, JobKind::kKeyGenerate).attempt, 1u);
  EXPECT_EQ(Restore(id).symbol(), "state_prohibits") << "it is there";
  EXPECT_TRUE(Sound());
}

TEST_F(RestoreTest, WhileItsWipeWaitsToo) {
  const std::string id = Deleted();
  ASSERT_TRUE(Restore(id).accepted());
  Wiped(id);
  EXPECT_EQ(registry_.Device(id).state, domain::State::kDeactivated);
  EXPECT_EQ(RegisterAgain().symbol(), "eid_registered");
  EXPECT_TRUE(Sound());
}

TEST_F(RestoreTest, WhoDidNotDeleteItDoesNot) {
  const std::string id = Deleted();
  EXPECT_EQ(Restore(id, "asp-b").symbol(), "not_claimer");
  EXPECT_TRUE(Restore(id, "operator").accepted());
  const std::string other = Deleted("operator");
  EXPECT_EQ(Restore(other).symbol(), "state_prohibits") << "the operator has deleted it";
  ASSERT_TRUE(Restore(other, "operator").accepted());
  EXPECT_EQ(registry_.Ask("asp-a", "device.reactivate", {{"device", other}}).symbol(), "state_prohibits");
  EXPECT_TRUE(registry_.Ask("operator", "device.reactivate", {{"device", other}}).accepted());
  EXPECT_EQ(Restore("3f0c9a52-6a1e-4d57-9b1a-2f5c7e9d1b34").symbol(), "device_unknown");
}

TEST_F(RestoreTest, NotAfterTheDaysAreOver) {
  const std::string id = Deleted();
  registry_.clock().Advance(std::chrono::hours(5 * 24) + std::chrono::seconds(1));
  const Said late = Restore(id);
  EXPECT_EQ(late.symbol(), "restore_too_late");
  EXPECT_EQ(late.code(), 2304);
}

TEST_F(RestoreTest, NotWhenTheEsimHasAnotherDevice) {
  const std::string id = Deleted();
  Wiped(id);
  ASSERT_TRUE(RegisterAgain().accepted());
  const Said taken = Restore(id);
  EXPECT_EQ(taken.symbol(), "esim_registered_anew");
  EXPECT_EQ(taken.code(), 2304);
  EXPECT_TRUE(Sound());
}

}  // namespace
}  // namespace registry::test
