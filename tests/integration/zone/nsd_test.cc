// The zone under a real NSD as secondary, judged by other implementations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "bridge/zone/keys.h"
#include "tests/integration/zone/secondary_process.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ZoneNsdTest : public ::testing::Test {
 protected:
  void StartPublisher(std::vector<SecondaryAddress> secondaries, std::uint16_t port = 0) {
    Options options = files_.options();
    options.secondaries = std::move(secondaries);
    options.listen_port = port;
    auto publisher = Publisher::Create(
        options, *ledger_,
        [this](const std::vector<domain::ZoneChange>& changes) {
          const std::lock_guard lock(mutex_);
          for (const auto& change : changes) visible_.push_back(change);
          return true;
        },
        [this](int, const std::string& line) {
          const std::lock_guard lock(mutex_);
          log_ += line + "\n";
        });
    ASSERT_TRUE(publisher.ok()) << publisher.error().message;
    publisher_ = std::move(*publisher);
    const Status started = publisher_->Start();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  // A primary and an NSD that know each other's ports.
  void StartBoth() {
    const std::uint16_t primary = FreePort();
    nsd_ = std::make_unique<SecondaryProcess>(Software::kNsd, files_, "nsd", primary);
    nsd_->Start();
    StartPublisher({nsd_->address()}, primary);
  }
  void Commit(std::vector<domain::ZoneChange> changes) {
    domain::Changeset changeset;
    changeset.zone = std::move(changes);
    ASSERT_TRUE(ledger_->Commit(std::move(changeset)).ok());
  }
  std::size_t visible() {
    const std::lock_guard lock(mutex_);
    return visible_.size();
  }
  bool NsdServes(std::uint32_t serial) const {
    return nsd_->Dig(std::string("+short +norec SOA ") + kZone).find(" " + std::to_string(serial) + " ") !=
           std::string::npos;
  }
  std::string Judge(const std::string& dump) const {
    const std::string file = files_.path("dump.zone");
    std::ofstream(file) << dump;
    std::ofstream(files_.path("anchor.key")) << *DnskeyText(kZone, files_.path("ksk.pem"), kKskFlags) << "\n";
    return RunCommand("ldns-verify-zone -k " + files_.path("anchor.key") + " " + file) +
           RunCommand("dnssec-verify -q -o " + std::string(kZone) + " " + file +
                      " && echo dnssec-verify agrees");
  }
  std::string Delv(const std::string& name, const std::string& type) const {
    auto key = *DnskeyText(kZone, files_.path("ksk.pem"), kKskFlags);
    const std::string marker = "DNSKEY 257 3 13 ";
    const std::string base64 = key.substr(key.find(marker) + marker.size());
    std::ofstream(files_.path("delv.anchors"))
        << "trust-anchors { \"" << kZone << "\" static-key 257 3 13 \"" << base64 << "\"; };\n";
    return RunCommand("delv @127.0.0.1 -p " + std::to_string(nsd_->port()) + " -a " +
                      files_.path("delv.anchors") + " +root=" + kZone + " " + name + " " + type);
  }

  ZoneFiles files_;
  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  std::mutex mutex_;
  std::vector<domain::ZoneChange> visible_;
  std::string log_;
  std::unique_ptr<SecondaryProcess> nsd_;
  std::unique_ptr<Publisher> publisher_;
};

TEST_F(ZoneNsdTest, EmptyZoneIsTransferredAndVerified) {
  StartBoth();
  ASSERT_TRUE(Eventually([&] { return NsdServes(publisher_->snapshot().serial); })) << nsd_->Log();
  const std::string verdict = Judge(nsd_->Dump());
  EXPECT_THAT(verdict, HasSubstr("Zone is verified and complete"));
  EXPECT_THAT(verdict, HasSubstr("dnssec-verify agrees"));
}

TEST_F(ZoneNsdTest, ChangesArriveIncrementallyAndBecomeVisible) {
  StartBoth();
  for (std::uint64_t n = 0; n < 50; ++n) {
    Commit({Published(n)});
    if (n % 10 == 9) {
      ASSERT_TRUE(Eventually([&] { return visible() == n + 1; })) << log_ << nsd_->Log();
    }
  }
  Commit({Deactivated(3, 2), Gone(4, 2), Published(5, 2)});
  ASSERT_TRUE(Eventually([&] { return visible() == 53; }));
  const std::string verdict = Judge(nsd_->Dump());
  EXPECT_THAT(verdict, HasSubstr("Zone is verified and complete"));
  EXPECT_THAT(verdict, HasSubstr("dnssec-verify agrees"));
  const Snapshot snapshot = publisher_->snapshot();
  EXPECT_GE(snapshot.ixfr, 5u);
  EXPECT_LE(snapshot.axfr, 2u);
  ASSERT_TRUE(Eventually([&] { return publisher_->snapshot().pending == 0; }));
}

TEST_F(ZoneNsdTest, Rfc5155_AnswersAndDenialsValidate) {
  StartBoth();
  Commit({Published(1), Published(2), Deactivated(3, 1), Published(4)});
  Commit({Gone(4, 2)});
  ASSERT_TRUE(Eventually([&] { return visible() == 5; })) << nsd_->Log();
  EXPECT_THAT(Delv(DeviceName(DeviceOf(1), kZone), "TLSA"), HasSubstr("; fully validated"));
  EXPECT_THAT(Delv(DeviceName(DeviceOf(3), kZone), "TXT"), HasSubstr("; fully validated"));
  EXPECT_THAT(Delv(kZone, "TLSA"), HasSubstr("; fully validated"));
  const std::string no_data = Delv(DeviceName(DeviceOf(3), kZone), "TLSA");
  EXPECT_THAT(no_data, HasSubstr("negative response, fully validated"));
  EXPECT_THAT(no_data, HasSubstr("ncache nxrrset"));
  const std::string gone = Delv(DeviceName(DeviceOf(4), kZone), "TLSA");
  EXPECT_THAT(gone, HasSubstr("negative response, fully validated"));
  EXPECT_THAT(gone, HasSubstr("ncache nxdomain"));
  EXPECT_THAT(Delv(std::string("_device.") + kZone, "TLSA"), HasSubstr("ncache nxrrset"));
}

}  // namespace
}  // namespace registry::zone::testing
