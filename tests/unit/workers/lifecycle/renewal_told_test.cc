// What the operator is told of renewals: how many are due, under way, done and failed, and when a device gets another key.
#include "workers/lifecycle/renewal_told.h"

#include <gtest/gtest.h>

#include "tests/unit/workers/lifecycle/renewal_flow.h"
#include "workers/domain/renewal.h"

namespace registry::test {
namespace {

using domain::JobKind;
using std::chrono::seconds;

class RenewalToldTest : public RenewalTest {
 protected:
  // Decided behind whatever was said before it: what that has counted is counted.
  void Look() { registry_.Sweep(seconds(0)); }
  std::uint64_t Counted(const std::string& outcome) {
    Look();
    return registry_.Renewals(outcome);
  }
  std::optional<UtcTime> RenewsAt() { return lifecycle::RenewsAt(Device(), {}, {}); }
  void ExpectDue(std::uint64_t due, std::uint64_t under_way, std::optional<UtcTime> oldest) {
    Look();
    const ingest::RenewalsDue told = registry_.RenewalsDue();
    EXPECT_EQ(told.due, due);
    EXPECT_EQ(told.under_way, under_way);
    EXPECT_EQ(told.oldest, oldest.value_or(UtcTime{}));
  }
};

TEST_F(RenewalToldTest, ARenewalIsDueUnderWayStuckAndDone) {
  const auto first = RenewsAt();
  ASSERT_TRUE(first);
  EXPECT_GT(*first, registry_.clock().Now() + kYear / 100 * 65);
  EXPECT_LT(*first, registry_.clock().Now() + kYear / 100 * 77);
  ExpectDue(0, 0, {});
  registry_.Sweep(kYear / 100 * 77);
  ExpectDue(1, 1, first);
  EXPECT_EQ(Counted("begun"), 1u);

  const json no_key = {{"outcome", "failed"}, {"stage", "applet"}, {"reason", "applet_refused"}};
  ASSERT_TRUE(Report(registry_, JobOf(JobKind::kKeyGenerate), no_key).accepted());
  ExpectDue(1, 0, first);
  EXPECT_EQ(Counted("failed"), 1u);
  registry_.Sweep(kAgain);
  ExpectDue(1, 1, first);
  EXPECT_EQ(Counted("begun"), 2u);

  ASSERT_TRUE(Submit().accepted());
  ExpectDue(1, 1, first);
  Show();
  ASSERT_TRUE(Push({{"outcome", "success"}}).accepted());
  ExpectDue(0, 0, {});
  EXPECT_EQ(Counted("done"), 1u);
  EXPECT_EQ(Counted("failed"), 1u);
  EXPECT_GT(*RenewsAt(), *first + kYear / 100 * 60);
}

TEST_F(RenewalToldTest, WhatTheDeviceDoesNotTakeIsDroppedAndFailed) {
  ASSERT_TRUE(Rekey("asp-a").accepted());
  EXPECT_EQ(Counted("rekey"), 1u);
  EXPECT_EQ(Counted("begun"), 0u);
  ASSERT_TRUE(Submit().accepted());
  Show();
  ASSERT_TRUE(Push({{"outcome", "failed"}, {"stage", "write"}, {"reason", "card_full"}, {"retriable", false}})
                  .accepted());
  EXPECT_EQ(Counted("dropped"), 1u);
  EXPECT_EQ(Counted("failed"), 1u);
  ExpectDue(0, 0, {});
}

TEST_F(RenewalToldTest, ASilentMnoEndsInACertificateThatEnds) {
  registry_.Sweep(kYear / 100 * 77);
  for (int hour = 0; hour < 8; ++hour) registry_.Sweep(seconds(3600));
  EXPECT_EQ(Counted("failed"), 1u) << "after six attempts";
  registry_.Sweep(kYear / 100 * 24);
  EXPECT_EQ(Counted("expired"), 1u);
  EXPECT_EQ(Counted("done"), 0u);
}

TEST_F(RenewalToldTest, OfADeviceThatGetsNoOtherKeyNoTimeIsSaid) {
  registry_.Sweep(kYear / 100 * 77);
  EXPECT_TRUE(RenewsAt());
  ASSERT_TRUE(registry_.Ask("asp-a", "device.suspend", {{"device", device_}}).accepted());
  EXPECT_FALSE(RenewsAt()) << "on hold";
  ExpectDue(0, 0, {});
  ASSERT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", device_}}).accepted());
  EXPECT_FALSE(RenewsAt()) << "without a certificate";
}

}  // namespace
}  // namespace registry::test
