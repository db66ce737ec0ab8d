// A device is deleted while its MNOs are to do something to its eSIM: it is free for another device when nothing of that can
// reach it any more, and then it is.
#include "tests/unit/workers/lifecycle/transfer_mno_flow.h"

namespace registry::test {
namespace {

using domain::JobKind;
using std::chrono::hours;
using testing::IsEmpty;

// What both MNOs were asked when the transfer failed, and the wipe, end one after the other.
TEST_F(TransferMnoTest, ADeletedDevicesEsimIsFreeOnceNoMnoIsAboutToDoAnythingToIt) {
  Certified();
  for (const char* command : {"device.deactivate", "device.delete"})
    ASSERT_TRUE(Ask("operator", command, {{"device", device_}}).accepted()) << command;
  for (const auto& [kind, mno] : {std::pair(JobKind::kAppletWipe, "mno-a"),
                                  {JobKind::kProfileEnable, "mno-a"},
                                  {JobKind::kProfileDelete, "mno-b"}}) {
    SCOPED_TRACE(domain::JobKindName(kind));
    EXPECT_EQ(RegisterAgain().symbol(), "esim_wipe_pending");
    EXPECT_TRUE(Report(kind, kSuccess, mno).accepted());
  }
  EXPECT_TRUE(RegisterAgain().accepted());
}

class DeletedInTheMiddleTest : public TransferMnoTest {
 protected:
  // Its profile of mno-b shall be deleted, and is on the network all the same, so that it is disabled too.
  void WaitForBoth() {
    Enabled();
    ASSERT_TRUE(Report(JobKind::kKeyGenerate, kFailed, "mno-b").accepted());
    ASSERT_TRUE(Ask("asp-a", "device.disconnect", {{"device", device_}}).accepted());
    ASSERT_TRUE(Ask("asp-a", "device.deactivate", {{"device", device_}}).accepted());
    ASSERT_TRUE(Report(JobKind::kProfileDisable, kSuccess, "mno-a").accepted());
    ASSERT_TRUE(Ask("mno-b", "device.attach", {{"device", device_}, {"profile", 2}}).accepted());
    ASSERT_TRUE(Report(JobKind::kAppletWipe, kSuccess, "mno-a").accepted());
    ASSERT_TRUE(Ask("asp-a", "device.delete", {{"device", device_}}).accepted());
    ASSERT_EQ(Job(JobKind::kProfileDisable).profile, Job(JobKind::kProfileDelete).profile);
  }
  void Wipe() { ASSERT_TRUE(Report(JobKind::kAppletWipe, kSuccess, "mno-b").accepted()); }
  void ExpectFree() {
    EXPECT_THAT(Jobs(JobKind::kProfileDisable), IsEmpty());
    const Said said = RegisterAgain();
    EXPECT_TRUE(said.accepted()) << said.payload;
  }
};

TEST_F(DeletedInTheMiddleTest, ADeletedProfileIsNotWaitedForToBeDisabled) {
  WaitForBoth();
  Wipe();
  EXPECT_EQ(RegisterAgain().symbol(), "esim_unavailable");
  EXPECT_TRUE(Report(JobKind::kProfileDelete, kSuccess, "mno-b").accepted());
  ExpectFree();
}
TEST_F(DeletedInTheMiddleTest, NorOneThatCannotBeDeleted) {
  WaitForBoth();
  Wipe();
  EXPECT_TRUE(Report(JobKind::kProfileDelete, kFailed, "mno-b").accepted());
  ExpectFree();
}
TEST_F(DeletedInTheMiddleTest, NorOneThatNobodySpeaksOf) {
  WaitForBoth();
  for (int hour = 0; hour < 6; ++hour) registry_.RunDueJobs(hours(1));
  ExpectFree();
}
TEST_F(DeletedInTheMiddleTest, ButTheWipeIsWaitedForStill) {
  WaitForBoth();
  EXPECT_TRUE(Report(JobKind::kProfileDelete, kSuccess, "mno-b").accepted());
  EXPECT_EQ(RegisterAgain().symbol(), "esim_wipe_pending");
  Wipe();
  ExpectFree();
}

}  // namespace
}  // namespace registry::test
