// The same zone under NSD, Knot and BIND as secondaries: three readers of IXFR, NOTIFY and TSIG. Nothing becomes
// visible whose SOA they have not answered under the transfer key.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

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

std::string Exchanged(std::string text, const std::vector<std::pair<std::string, std::string>>& words) {
  for (const auto& [what, by] : words) {
    for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
      text.replace(at, what.size(), by);
  }
  return text;
}

// The block of the zone's page that begins so.
std::string ExampleThatBegins(const std::string& begin) {
  std::ostringstream page;
  page << std::ifstream(REGISTRY_SOURCE_DIR "/bridge/zone/README.md").rdbuf();
  const std::string text = page.str(), fence = "```\n";
  const std::size_t at = text.find(fence + begin);
  EXPECT_NE(at, text.npos) << begin;
  if (at == text.npos) return "";
  return text.substr(at + fence.size(), text.find(fence, at + fence.size()) - at - fence.size());
}

// With this test's folder and port; what an operator's system has of its own is added.
std::string ExampleOf(Software software, const std::string& folder, const std::string& port) {
  switch (software) {
    case Software::kNsd:
      return Exchanged(
                 ExampleThatBegins("server:\n    ip-address"),
                 {{"    ip-address: 192.0.2.53\n",
                   "    ip-address: 127.0.0.1@" + port +
                       "\n    username: \"\"\n    chroot: \"\"\n    zonesdir: \"" + folder +
                       "\"\n    database: \"\"\n    pidfile: \"" + folder + "/nsd.pid\"\n    xfrdfile: \"" +
                       folder + "/xfrd.state\"\n    xfrdir: \"" + folder + "\"\n    zonelistfile: \"" +
                       folder + "/zone.list\"\n    logfile: \"" + folder + "/server.log\"\n"}}) +
             "remote-control:\n    control-enable: no\n";
    case Software::kKnot:
      return "database:\n    storage: " + folder + "\ntemplate:\n  - id: default\n    storage: " + folder +
             "\n" +
             Exchanged(ExampleThatBegins("server:\n    listen"),
                       {{"192.0.2.53@53", "127.0.0.1@" + port + "\n    rundir: " + folder}});
    default:
      return "options { directory \"" + folder + "\"; pid-file none; session-keyfile \"" + folder +
             "/session.key\"; listen-on port " + port +
             " { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; };\ncontrols { };\n" +
             Exchanged(ExampleThatBegins("key \"registry-transfer\""), {{"/var/cache/bind", folder}});
  }
}

// The zone's page gives an operator a configuration; it is this one.
TEST_P(ZoneInteropTest, TheExampleOnTheZonesPageServesTheZone) {
  primary_port_ = FreePort();
  secondary_ = std::make_unique<SecondaryProcess>(GetParam(), files_, "secondary", primary_port_);
  const std::string primary = std::to_string(primary_port_), folder = files_.path("secondary");
  std::ofstream(folder + "/server.conf")
      << Exchanged(ExampleOf(GetParam(), folder, std::to_string(secondary_->port())),
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
}

std::string NameOf(const ::testing::TestParamInfo<Software>& info) {
  return info.param == Software::kNsd ? "Nsd" : info.param == Software::kKnot ? "Knot" : "Bind";
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

}  // namespace
}  // namespace registry::zone::testing
