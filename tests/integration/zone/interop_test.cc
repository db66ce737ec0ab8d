// The same zone under NSD, Knot and BIND as secondaries: three readers of IXFR, NOTIFY and TSIG. Nothing becomes
// visible whose SOA they have not answered under the transfer key.
#include <gmock/gmock.h>

#include "tests/integration/zone/zone_lab.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;

class ZoneInteropTest : public ZoneLab, public ::testing::WithParamInterface<Software> {};

TEST_P(ZoneInteropTest, TransfersIncrementallyAndVerifies) {
  StartBoth(GetParam());
  for (std::uint64_t n = 0; n < 20; ++n) {
    Commit({Published(n)});
    if (n % 5 == 4) {
      ASSERT_TRUE(Eventually([&] { return visible() == n + 1; }, std::chrono::seconds(40)))
          << log_ << secondary_->Log();
    }
  }
  Commit({Deactivated(3, 2), Gone(4, 2), Published(5, 2)});
  ASSERT_TRUE(Eventually([&] { return visible() == 23; }, std::chrono::seconds(40))) << secondary_->Log();
  const std::string verdict = Judge(secondary_->Dump());
  EXPECT_THAT(verdict, HasSubstr("Zone is verified and complete"));
  EXPECT_THAT(verdict, HasSubstr("dnssec-verify agrees"));
  const Snapshot snapshot = publisher_->snapshot();
  EXPECT_GE(snapshot.ixfr, 3u);
  EXPECT_LE(snapshot.axfr, 2u);
}

// RFC 1995 §4: a difference that takes away an RRSIG and leaves the records it covers.
TEST_P(ZoneInteropTest, SignaturesAreRenewedAtTheSecondary) {
  tune_ = [](Options& options) {
    options.signature_validity = std::chrono::seconds(20);
    options.signature_refresh = std::chrono::seconds(17);
  };
  StartBoth(GetParam());
  Commit({Published(1), Published(2), Deactivated(3, 1)});
  ASSERT_TRUE(Eventually([&] { return visible() == 3; }, std::chrono::seconds(40)))
      << log_ << secondary_->Log();
  const auto rrsig = [&] { return secondary_->Dig("+short +norec RRSIG " + DeviceName(DeviceOf(1), kZone)); };
  const std::uint64_t axfr = publisher_->snapshot().axfr;
  const std::string before = rrsig();
  ASSERT_THAT(before, HasSubstr("TLSA 13"));
  ASSERT_TRUE(Eventually(
      [&] {
        const std::string now = rrsig();
        return now != before && now.find("TLSA 13") != std::string::npos;
      },
      std::chrono::seconds(40)))
      << log_ << secondary_->Log();
  const std::string verdict = Judge(secondary_->Dump());
  EXPECT_THAT(verdict, HasSubstr("Zone is verified and complete"));
  EXPECT_THAT(verdict, HasSubstr("dnssec-verify agrees"));
  EXPECT_EQ(publisher_->snapshot().axfr, axfr) << "by differences";
}

std::string NameOf(const ::testing::TestParamInfo<Software>& info) {
  return info.param == Software::kNsd ? "Nsd" : info.param == Software::kKnot ? "Knot" : "Bind";
}
INSTANTIATE_TEST_SUITE_P(Secondaries, ZoneInteropTest,
                         ::testing::Values(Software::kNsd, Software::kKnot, Software::kBind), NameOf);

// All at once: a change is visible only when the last of them serves it.
TEST_F(ZoneLab, VisibleWaitsForEverySecondary) {
  const std::uint16_t primary = FreePort();
  SecondaryProcess knot(Software::kKnot, files_, "knot", primary);
  secondary_ = std::make_unique<SecondaryProcess>(Software::kNsd, files_, "nsd", primary);
  secondary_->Start();
  StartPublisher({secondary_->address(), knot.address()}, primary);
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] {
    return publisher_->snapshot().secondaries[0].serial == publisher_->snapshot().serial &&
           publisher_->snapshot().serial > 1;
  }));
  EXPECT_EQ(visible(), 0u);
  knot.Start();
  ASSERT_TRUE(Eventually([&] { return visible() == 1; }, std::chrono::seconds(40))) << knot.Log();
}

}  // namespace
}  // namespace registry::zone::testing
