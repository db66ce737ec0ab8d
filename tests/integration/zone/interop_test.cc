// The same zone under NSD, Knot and BIND as secondaries: three readers of IXFR, NOTIFY and TSIG. Nothing becomes
// visible whose SOA they have not answered under the transfer key.
#include <gmock/gmock.h>

#include <filesystem>

#include "bridge/zone/fetch_zone.h"
#include "tests/integration/zone/page_example.h"
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

// A registry that was killed is served on from what it had kept: who is current transfers nothing, and who is behind takes
// the difference over the restart.
TEST_P(ZoneInteropTest, RestartTransfersDifferencesOnly) {
  const std::string kept = files_.path("signed-zone"), killed = files_.path("killed");
  tune_ = [&](Options& options) { options.zone_file = kept; };
  StartBoth(GetParam());
  Commit({Published(1), Published(2), Published(3)});
  ASSERT_TRUE(Eventually([&] { return visible() == 3; }, std::chrono::seconds(40)))
      << log_ << secondary_->Log();
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(kept); })) << log_;
  const std::uint32_t before = publisher_->snapshot().serial;
  std::filesystem::copy_file(kept, killed);  // as it was, whatever an orderly stop does
  publisher_.reset();
  std::filesystem::rename(killed, kept);
  StartPublisher({secondary_->address()}, primary_port_);
  EXPECT_EQ(publisher_->snapshot().serial, before);
  ASSERT_TRUE(Eventually([&] { return publisher_->snapshot().secondaries[0].reachable; }));
  EXPECT_EQ(publisher_->snapshot().axfr + publisher_->snapshot().ixfr, 0u);
  Commit({Gone(2, 2), Published(4)});
  ASSERT_TRUE(Eventually([&] { return visible() == 5; }, std::chrono::seconds(40)))
      << log_ << secondary_->Log();
  EXPECT_GT(publisher_->snapshot().serial, before + 1) << "behind what was reserved";
  publisher_.reset();
  Commit({Gone(1, 2)});  // while nobody is there to publish it
  StartPublisher({secondary_->address()}, primary_port_);
  ASSERT_TRUE(Eventually([&] { return visible() == 6; }, std::chrono::seconds(40)))
      << log_ << secondary_->Log();
  const Snapshot snapshot = publisher_->snapshot();
  EXPECT_EQ(snapshot.axfr, 0u);
  EXPECT_GE(snapshot.ixfr, 1u);
  const std::string verdict = Judge(secondary_->Dump());
  EXPECT_THAT(verdict, HasSubstr("Zone is verified and complete"));
  EXPECT_THAT(verdict, HasSubstr("dnssec-verify agrees"));
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

// The zone's page gives an operator a configuration; it is this one.
TEST_P(ZoneInteropTest, TheExampleOnTheZonesPageServesTheZone) {
  primary_port_ = FreePort();
  secondary_ = std::make_unique<SecondaryProcess>(GetParam(), files_, "secondary", primary_port_);
  const std::string primary = std::to_string(primary_port_), folder = files_.path("secondary");
  std::ofstream(folder + "/server.conf")
      << Exchanged(ExampleOf(REGISTRY_SOURCE_DIR "/bridge/zone/README.md", GetParam(), folder,
                             std::to_string(secondary_->port())),
                   {{"192.0.2.1@5300", "127.0.0.1@" + primary},
                    {"192.0.2.1 port 5300", "127.0.0.1 port " + primary},
                    {"192.0.2.1", "127.0.0.1"},
                    {"registry-transfer", kTsigName},
                    {"SECRET", kTsigSecret}});
  secondary_->Start();
  StartPublisher({secondary_->address()}, primary_port_);
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] { return visible() == 1; }, std::chrono::seconds(60)))
      << log_ << secondary_->Log();
  Commit({Published(2)});
  ASSERT_TRUE(Eventually([&] { return visible() == 2; }, std::chrono::seconds(60)))
      << log_ << secondary_->Log();
  // And lets the registry look at the whole of it.
  const SystemClock clock;
  const TsigKey key = *LoadTsigKey(kTsigName, files_.path("tsig.secret"));
  const auto fetched = FetchZone(secondary_->address(), *NameFromText(kZone), key, clock, "127.0.0.1");
  ASSERT_TRUE(fetched.content) << fetched.why << secondary_->Log();
  EXPECT_EQ(fetched.serial, publisher_->snapshot().serial);
}

// The operator's way of a new key: first the registry knows both, then the secondary is given the new one, then the registry
// forgets the old one. At every moment what changes is served.
TEST_P(ZoneInteropTest, ASecondarysKeyIsExchangedWhileItServes) {
  constexpr char kOwn[] = "key-of-this-secondary", kSecret[] = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";
  files_.WriteSecret("own.secret", kSecret);
  const TsigKeyFile own{kOwn, files_.path("own.secret")}, former{kTsigName, files_.path("tsig.secret")};
  // What all others have is of no use here.
  files_.WriteSecret("others.secret", "MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM=");
  tune_ = [this](Options& options) {
    options.tsig_name = "key-of-the-others";
    options.tsig_secret_file = files_.path("others.secret");
  };
  primary_port_ = FreePort();
  secondary_ = std::make_unique<SecondaryProcess>(GetParam(), files_, "secondary", primary_port_);
  secondary_->Start();
  const auto with = [this](const TsigKeyFile& key, const TsigKeyFile& before) {
    publisher_.reset();
    SecondaryAddress address = secondary_->address();
    address.key = key;
    address.former_key = before;
    StartPublisher({address}, primary_port_);
  };
  const auto served = [this](std::uint64_t n) {
    Commit({Published(n)});
    return Eventually([&] { return visible() == n; });
  };
  with(own, former);
  EXPECT_TRUE(served(1)) << secondary_->Log();
  {
    const std::lock_guard lock(mutex_);
    EXPECT_THAT(log_, HasSubstr("knows its former key bridge-key alone; give it key-of-this-secondary"));
  }
  secondary_->Stop();
  secondary_->GiveKey(kOwn, kSecret);
  secondary_->Start();
  EXPECT_TRUE(served(2)) << secondary_->Log();
  with(own, {});
  EXPECT_TRUE(served(3)) << secondary_->Log();
  EXPECT_THAT(RunCommand("dig @127.0.0.1 -p " + std::to_string(primary_port_) +
                         " +tcp -y hmac-sha256:" + kTsigName + ":" + kTsigSecret + " " + kZone + " SOA"),
              HasSubstr("BADKEY"));
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

// One of two stands still in the middle: the others' changes become visible within the limit and then at once, the operator
// is told, and so is the end of it.
TEST_F(ZoneLab, ASecondaryThatStandsStillHoldsNobodyUpAndCatchesUp) {
  const std::uint16_t primary = FreePort();
  SecondaryProcess bind(Software::kBind, files_, "bind", primary);
  secondary_ = std::make_unique<SecondaryProcess>(Software::kNsd, files_, "nsd", primary);
  bind.Start();
  secondary_->Start();
  tune_ = [](Options& options) { options.lag_limit = std::chrono::seconds(3); };
  StartPublisher({secondary_->address(), bind.address()}, primary);
  const auto said = [&](const std::string& what) {
    const std::lock_guard lock(mutex_);
    return log_.find(what) != log_.npos;
  };
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] { return visible() == 1; }, std::chrono::seconds(40))) << log_ << bind.Log();
  bind.Freeze();
  for (std::uint64_t n = 2; n < 6; ++n) {
    Commit({Published(n)});
    EXPECT_TRUE(Eventually([&] { return visible() == n; })) << log_;
  }
  EXPECT_TRUE(said("secondary bind is left behind: it has served nothing new for "));
  EXPECT_FALSE(said("secondary nsd is left behind"));
  EXPECT_TRUE(publisher_->snapshot().secondaries[1].left_behind);
  EXPECT_GE(publisher_->snapshot().secondaries[1].behind, std::chrono::seconds(3));
  bind.Thaw();
  EXPECT_TRUE(Eventually([&] { return said("secondary bind has caught up after "); })) << log_ << bind.Log();
  EXPECT_THAT(bind.Dig("+short +norec TLSA " + DeviceName(DeviceOf(5), kZone)), HasSubstr("3 0 1"));
  Commit({Published(6)});
  EXPECT_TRUE(Eventually([&] { return visible() == 6; })) << log_;
  EXPECT_FALSE(publisher_->snapshot().secondaries[1].left_behind);
}

}  // namespace
}  // namespace registry::zone::testing
